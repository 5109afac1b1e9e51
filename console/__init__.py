"""What people touch: HTTP API, gateway, command line, accounts and their store."""
