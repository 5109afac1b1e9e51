"""Officials scan at their own office: how many of how many, never who or when."""
