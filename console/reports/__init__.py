"""The daily report: coverage of an area on one page, as a table, and as text to copy."""
