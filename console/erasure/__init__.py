"""Erasure of a person: found, taken away, accounted for, and kept away."""
