import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutout_core.spreadsheet import comment_line, safe_text, write_table

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formula_becomes_text(text: str):
    assert safe_text(text).startswith("'")


@pytest.mark.parametrize("text", ["", "Pi Mensae", "TIC 261136679", "84.29 -80.47", "a=b", "1-1"])
def test_other_text_stays(text: str):
    assert safe_text(text) == text


def test_comment_stays_one_line():
    assert comment_line("one\ntwo\r\nthree\u2028four") == "# one two  three four"


@given(st.text(alphabet="=+-@,;|\t\n\r'\" a1#\uff1d", max_size=12))
def test_no_piece_of_a_comment_is_a_formula(text: str):
    line = comment_line(f"Target: {text}")

    assert "\n" not in line
    assert "\r" not in line
    for separator in (",", ";", "\t", "|"):
        for cell in next(csv.reader([line], delimiter=separator)):
            assert not re.match(r"\s*[=+\-@\uff1d]", cell)


def test_table_keeps_numbers_and_guards_text():
    out = io.StringIO()

    write_table(out, ["file", "dec", "cadences"], [["=x,y", -70.5, 12], ["b", None, 3]])

    assert list(csv.reader(io.StringIO(out.getvalue()))) == [
        ["file", "dec", "cadences"],
        ["'=x,y", "-70.5", "12"],
        ["b", "", "3"],
    ]
