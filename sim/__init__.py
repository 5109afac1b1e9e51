"""A simulated city with its truth."""
