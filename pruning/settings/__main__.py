"""`python -m pruning.settings`: say what holds, or what is wrong, in a sentence."""

from __future__ import annotations

import dataclasses
import sys

from pruning.base.errors import PruningError
from pruning.settings import settings


def main() -> int:
    """Say what holds; 2 where it is wrong."""
    try:
        found = settings()
    except PruningError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    for table in dataclasses.fields(found):
        for name, value in vars(getattr(found, table.name)).items():
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else value
            print(f"[{table.name}] {name}: {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
