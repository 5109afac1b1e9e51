"""Segments: what traces look up, held by the process that traces (docs/adr/0025)."""
