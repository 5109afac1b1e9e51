"""Rules of sites, places and their codes; posters; verification."""
