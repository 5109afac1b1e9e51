"""The command line: `truyvet …`. The only part of the console that starts deploy, sim and bench."""
