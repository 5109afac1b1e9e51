"""The one Alembic history of the relational database."""
