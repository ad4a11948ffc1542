"""Figures: numbers as people read them, tables with their plots, and the same figures as CSV."""

from datetime import date

import pytest

from kiosk.console import figures, templating
from kiosk.console.figures import Column, Plot, Table

ROWS = (("09:00", 1234567, 7.26), ("10:00", None, 0.0))
COLUMNS = (
    Column(label="Hour"),
    Column(label="Arrivals", name="arrivals", drawn=True),
    Column(label="The week before", drawn=True, earlier=True, digits=1),
)
TABLE = Table(id="by-hour", title="Arrivals <by hour>", columns=COLUMNS, rows=ROWS, plot=Plot.BARS, unit="people")


def rendered(table: Table, csv: str = "") -> str:
    made: str = templating._templates.get_template("figures.html").module.figure(table, csv)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(0, 0, "0"), (999, 0, "999"), (1000, 0, "1,000"), (7116000, 0, "71,16,000"), (-1234567, 0, "-12,34,567"),
     (1234.56, 1, "1,234.6"), (-0.04, 1, "0.0"), (12345678.9, 2, "1,23,45,678.90")],
)  # fmt: skip
def test_numbers_are_grouped_in_lakhs_and_crores(number: float, digits: int, text: str) -> None:
    assert figures.grouped(number, digits) == text


def test_what_is_not_known_is_never_shown_as_zero() -> None:
    assert figures.shown(None) == "–"
    assert figures.shown(0) == "0"
    assert figures.shown(date(2026, 11, 5)) == "05-11-2026"


def test_a_figure_has_its_table_and_tells_the_script_what_to_draw() -> None:
    html = rendered(TABLE, "/by-hour.csv?from=2026-09-21")
    assert "Arrivals &lt;by hour&gt;" in html
    assert "<by hour>" not in html
    assert 'data-plot="bars" data-unit="people"' in html
    assert html.count("<canvas") == 1
    assert 'data-drawn="now">Arrivals' in html
    assert 'data-drawn="earlier">The week before' in html
    assert 'data-value="1234567">12,34,567' in html
    assert 'data-value="7.26">7.3' in html
    assert 'data-value="">–' in html, "an unknown figure is drawn as a gap"
    assert 'href="/by-hour.csv?from=2026-09-21"' in html
    assert "<script" not in html
    assert "style=" not in html


def test_a_figure_without_rows_says_so_and_has_neither_plot_nor_csv() -> None:
    html = rendered(Table(id="none", title="None", columns=COLUMNS, rows=(), plot=Plot.BARS), "/none.csv")
    assert "Nothing in these days." in html
    assert "<table" not in html
    assert "<canvas" not in html
    assert "none.csv" not in html


def test_the_csv_has_the_figures_of_the_table_rounded_as_shown_and_no_total() -> None:
    table = Table(id="t", title="T", columns=COLUMNS, rows=ROWS, total=("All", 1, 2))
    assert figures.csv_of(table) == ("\ufeffHour,arrivals,The week before\r\n09:00,1234567,7.3\r\n10:00,,0.0\r\n")
