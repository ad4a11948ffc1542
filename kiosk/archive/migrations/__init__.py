"""Alembic's migrations of the archive's schema. They are part of the package and run at start."""
