"""Rows that may be there already: the same statement for SQLite and PostgreSQL."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table


def insert_or_leave(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """False when there is a row with this key: it stays as it is."""
    new = _insert(connection.dialect.name, table).on_conflict_do_nothing()
    return bool(connection.execute(new, row).rowcount == 1)


def insert_or_replace(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Each row takes the place of the one with its key."""
    if rows:
        connection.execute(_replacing(connection.dialect.name, table), rows)


def insert_or_add(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Each row's numbers are added to those of the row with its key."""
    if listed := list(rows):
        connection.execute(_adding(connection.dialect.name, table), listed)


def _insert(dialect: str, table: Table) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@lru_cache(maxsize=32)
def _replacing(dialect: str, table: Table) -> Any:
    new = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    replaced = {column.name: new.excluded[column.name] for column in table.c if column.name not in keys}
    return new.on_conflict_do_update(index_elements=keys, set_=replaced)


@lru_cache(maxsize=32)
def _adding(dialect: str, table: Table) -> Any:
    new = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    added = {name: table.c[name] + new.excluded[name] for name in table.c.keys() if name not in keys}  # noqa: SIM118 - a collection of columns: iterating it gives columns, not names
    return new.on_conflict_do_update(index_elements=keys, set_=added)
