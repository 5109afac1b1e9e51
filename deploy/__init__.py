"""Ways to run truyvet."""
