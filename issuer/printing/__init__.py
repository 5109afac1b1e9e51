"""A whole set of posters as files: in parts, by several processes, whole or not at all."""
