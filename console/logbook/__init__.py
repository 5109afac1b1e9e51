"""Logs for people: the JSON lines that the processes leave, found, sifted and put in words."""
