"""CSV for spreadsheets: no cell becomes a formula, and names in every script survive."""

import csv
from io import StringIO

import pytest

from kiosk.archive import csv_text


@pytest.mark.parametrize("cell", ["=1+1", "+91", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1"])
def test_a_text_that_begins_like_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert csv_text.safe(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["Medicine", "M-042", "", " M", "a=1"])
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert csv_text.safe(cell) == cell


def test_a_file_begins_with_the_mark_and_is_read_back_whole() -> None:
    rows = [("Medicine, ground floor", 12, None), ('He said "now"', -3.5, "=cmd"), ("محکمۂ صحت", 0, "दिल")]
    text = csv_text.whole(("Queue", "Tokens", "=note"), rows)
    assert text.encode().startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(StringIO(text.removeprefix(csv_text.BYTE_ORDER_MARK)))) == [
        ["Queue", "Tokens", "'=note"],
        ["Medicine, ground floor", "12", ""],
        ['He said "now"', "-3.5", "'=cmd"],
        ["محکمۂ صحت", "0", "दिल"],
    ]


def test_a_stream_of_rows_is_written_as_it_comes() -> None:
    out = StringIO()
    write = csv_text.begin(out, ("n",))
    write([(1,)])
    assert out.getvalue() == "\ufeffn\r\n1\r\n"
    write([(2,)])
    assert out.getvalue().endswith("1\r\n2\r\n")
