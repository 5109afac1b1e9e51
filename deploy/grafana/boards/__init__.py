"""The four dashboards, a question each."""
