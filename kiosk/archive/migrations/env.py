"""Alembic runs this file. The connection comes from ``kiosk.archive.database``, inside its transaction."""

from alembic import context

from kiosk.archive.schema import metadata

# SQLite changes its schema in transactions too, though Alembic does not count on it.
context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
