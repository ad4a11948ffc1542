"""CSV for spreadsheets: no cell becomes a formula, and names in every script survive."""

import csv
from collections.abc import Iterator
from io import StringIO

import pytest

from kiosk.archive import csv_text


@pytest.mark.parametrize("cell", ["=1+1", "+91", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert csv_text.safe(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["Medicine", "M-042", "", -5, -0.5, 7, None])
def test_other_texts_and_all_numbers_stay_as_they_are(cell: object) -> None:
    assert csv_text.safe(cell) is cell


def test_a_file_begins_with_the_mark_and_is_read_back_whole() -> None:
    rows = [("Medicine, ground floor", 12, None), ('He said "now"', 3.5, "=cmd"), ("محکمۂ صحت", 0, "दिल")]
    text = "".join(csv_text.lines(("Queue", "Tokens", "=note"), rows))
    assert text.encode().startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(StringIO(text.removeprefix(csv_text.BYTE_ORDER_MARK)))) == [
        ["Queue", "Tokens", "'=note"],
        ["Medicine, ground floor", "12", ""],
        ['He said "now"', "3.5", "'=cmd"],
        ["محکمۂ صحت", "0", "दिल"],
    ]


def test_a_stream_of_rows_is_written_one_line_at_a_time() -> None:
    taken: list[int] = []

    def rows() -> Iterator[tuple[int]]:
        for number in range(3):
            taken.append(number)
            yield (number,)

    made = csv_text.lines(("n",), rows())
    next(made)
    assert taken == []
    assert next(made) == "0\r\n"
    assert taken == [0]
