"""A ward's list of establishments, as officers have it, into the register."""
