"""Revisions, append-only."""
