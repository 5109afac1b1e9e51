"""A support bundle: what helps somebody elsewhere to help, and nothing of any person."""
