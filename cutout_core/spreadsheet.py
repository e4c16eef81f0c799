"""
Text in CSV files that no spreadsheet program takes for a formula.

A cell that begins with =, +, - or @ is run as a formula when the file is opened, and names from
outside may begin with anything (OWASP, "CSV Injection"). Numbers need no care: a negative number
stays one.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable
from typing import TextIO, TypeAlias

Cell: TypeAlias = str | int | float | None

# With their full-width forms, which Japanese and Chinese versions take for the same.
_OPERATORS = "=+-@\uff1d\uff0b\uff0d\uff20"
_FORMULA_START = (*_OPERATORS, "\t", "\r", "\n")
# What may end a cell when a program guesses the separator, followed by the start of a formula.
_FORMULA_INSIDE = re.compile(rf"([,;|][\s']*)(?=[{re.escape(_OPERATORS)}])")


def safe_text(text: str) -> str:
    """
    Put an apostrophe before text that a spreadsheet would run.

    Parameters
    ----------
    text : str
        Content of a cell, of any origin.

    Returns
    -------
    text : str
        The same, or with an apostrophe in front. Control characters become blanks.
    """
    plain = _one_line(text)
    return f"'{plain}" if text.startswith(_FORMULA_START) or _starts_formula(plain) else plain


def comment_line(text: str) -> str:
    """
    Make a line that readers of CSV files skip, and spreadsheets show as text.

    Parameters
    ----------
    text : str
        What the line says; may hold words from outside, and commas.

    Returns
    -------
    line : str
        ``# text`` without an end of line. Where a piece of it could become a cell of its own that
        begins like a formula, an apostrophe stands before that piece. Quotation marks become
        apostrophes, because one that is left open would swallow the lines behind it.
    """
    return "# " + _FORMULA_INSIDE.sub(r"\1'", _one_line(text).replace('"', "'"))


def write_table(out: TextIO, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> None:
    """
    Write a table as CSV, with safe text.

    Parameters
    ----------
    out : text file
        Where the table goes; lines end in CR LF, as RFC 4180 has it.
    header : iterable of str
        Names of the columns.
    rows : iterable of iterables
        Cells: text is made safe, numbers are written in full, `None` is an empty cell.
    """
    writer = csv.writer(out)
    writer.writerow([safe_text(name) for name in header])
    for row in rows:
        writer.writerow([safe_text(cell) if isinstance(cell, str) else cell for cell in row])


def _starts_formula(text: str) -> bool:
    return text.lstrip().startswith(_FORMULA_START)


def _one_line(text: str) -> str:
    return "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text)
