"""Inspections of places: what a step says, where they lead, what is next; pure."""
