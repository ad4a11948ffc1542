"""Columns and options for names in the languages of patients: of a facility and of a queue."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from kiosk.cli.csv_files import Column, if_filled, name
from kiosk.locales import BOOK, LANGUAGES

COLUMN_OF: Final = {language: f"name_{language}" for language in LANGUAGES}
"""Language → column of a file, and parameter of a command."""


def columns(longest: int) -> tuple[Column, ...]:
    """A column for each language; an empty cell says nothing."""
    return tuple(Column(column, if_filled(name(1, longest))) for column in COLUMN_OF.values())


def names_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The names among a row's values, by language."""
    return {language: values[column] for language, column in COLUMN_OF.items() if values.get(column)}


def options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each language."""
    for language in reversed(LANGUAGES):
        label = BOOK[language].name
        command = click.option(f"--name-{language}", default="", help=f"Name on screens in {label}.")(command)
    return command
