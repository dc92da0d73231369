"""Rows as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def csv_bytes(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None) -> bytes:
    """A line of names, then one line a row, in UTF-8; None is left empty.

    `columns`: those of the first row where none are named.

    >>> csv_bytes([{"layer": "conv1", "MACs": 10, "left": None}])
    b'layer,MACs,left\\nconv1,10,\\n'
    """
    names = list(columns or (rows[0] if rows else ()))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
