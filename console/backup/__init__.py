"""Backups: everything that cannot be made again, in one directory, checked; and the way back."""
