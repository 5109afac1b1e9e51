"""The Faust app: scans and cases walk one way, a batch at a time."""
