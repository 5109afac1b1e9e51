"""What is kept where and how long, and what was taken away."""
