"""The relational record of what people edit; each change leaves an outbox row beside it."""
