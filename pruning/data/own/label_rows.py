"""The rows of a table that lies beside images: CSV with commas, semicolons or tabs, JSON lines, or words in lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pruning.base.safe_json import JSONError, load

ENDINGS = (".csv", ".tsv", ".jsonl", ".txt")
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""With which spreadsheets begin."""
MOST_ROWS = 5_000_000
MOST_COLUMNS = 1_000


@dataclass(frozen=True, kw_only=True)
class Rows:
    """A table as texts."""

    columns: tuple[str, ...]
    """Their names; 'column 1' and so on where the first line is a row already."""
    cells: tuple[tuple[str, ...], ...]
    """Of each row one for each column, '' where it has none."""

    def __len__(self) -> int:
        return len(self.cells)

    def column(self, name: str) -> list[str]:
        """What stands in a column."""
        place = self.columns.index(name)
        return [row[place] for row in self.cells]


def read_rows(file: str, content: bytes, is_image: Callable[[str], bool]) -> Rows | str:
    """The rows of a table, or why there are none, to go on 'FILE was not followed: …'. `file`: its name.

    `is_image`: whether a text may name one of the images, which no name of a column does.
    """
    try:
        text = content.decode("utf-16" if content.startswith(UTF16) else "utf-8-sig")
    except UnicodeDecodeError:
        return "it is no UTF-8 text"
    if file.lower().endswith(".jsonl"):
        return _of_json_lines(text)
    lines = io.StringIO(text, newline="")
    try:
        found = [
            row for row in csv.reader(lines, delimiter=_delimiter(file, text)) if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        return f"it is no table ({error})"
    if not found:
        return "it is empty"
    width = max(map(len, found[:100]))
    if width > MOST_COLUMNS or len(found) > MOST_ROWS:
        return f"it has {width:,} columns and {len(found):,} rows"
    has_names = not any(is_image(cell) for cell in found[0] if cell.strip())
    names = found.pop(0) if has_names else []
    names += [f"column {place + 1}" for place in range(len(names), width)]
    return _rows([name.strip() for name in names], found)


def _delimiter(file: str, text: str) -> str:
    """What stands most often in the first line of what may part cells."""
    first = text.lstrip().partition("\n")[0]
    if file.lower().endswith(".tsv") or "\t" in first:
        return "\t"
    best = max(",;", key=first.count)
    return " " if best not in first and file.lower().endswith(".txt") else best


def _of_json_lines(text: str) -> Rows | str:
    found: list[dict[str, str]] = []
    for number, line in enumerate(text.splitlines()):
        if not line.strip():
            continue
        try:
            value = load(line.encode())
        except JSONError as error:
            return f"line {number + 1} {str(error).removeprefix('it ')}"
        if not isinstance(value, dict) or len(found) >= MOST_ROWS:
            return f"line {number + 1} is no object with names and values"
        found.append({str(name): _cell(cell) for name, cell in value.items()})
    names = list(dict.fromkeys(name for row in found[:1000] for name in row))[:MOST_COLUMNS]
    return _rows(names, [[row.get(name, "") for name in names] for row in found]) if names else "it is empty"


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, str | int | float) else ""


def _rows(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Rows:
    """Names made different from each other, and all rows of one length."""
    columns: list[str] = []
    for place, name in enumerate(names):
        columns.append(name if name and name not in columns else f"column {place + 1}")
    width = len(columns)
    cells = tuple(tuple(cell.strip() for cell in (*row[:width], *[""] * (width - len(row)))) for row in rows)
    return Rows(columns=tuple(columns), cells=cells)
