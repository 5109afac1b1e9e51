"""Where every scan is: the counts that must add up, and the dead letters."""
