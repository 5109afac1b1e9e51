"""Dated data: rule-sets (`<country>-<date>.toml`) and parameters of stays (`stays-*.toml`)."""
