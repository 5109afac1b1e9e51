"""Reminders: who is behind is told so once, by an officer's decision, in ready words."""
