"""What crosses a boundary: events, topics, tables, metric names and settings."""
