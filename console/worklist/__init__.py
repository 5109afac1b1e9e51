"""Working a list of possible contacts: the rules, pure; `console.store` keeps what is decided."""
