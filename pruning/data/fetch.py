"""Fetch image sets ahead of use: `python -m pruning.data.fetch [NAME ...]`, which is `make data`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pruning.base.errors import PruningError
from pruning.data.readers import data_names, describe_data, open_data


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the named data sets, by default all that do not come with the installation.

    Gives the exit status: 0; 1 after one sentence on standard error; 130 when interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m pruning.data.fetch", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(data_names())}")
    names = parser.parse_args(arguments).names or [name for name in data_names() if not describe_data(name).embedded]
    for name in names:
        try:
            data = open_data(name, download=True, progress=_show)
        except PruningError as error:
            print(" ".join(str(error).split()), file=sys.stderr)  # what torchvision reports has line breaks
            return 1
        except KeyboardInterrupt:
            print(f"Fetching {name} was interrupted: run it again to go on.", file=sys.stderr)
            return 130
        sizes = ", ".join(f"{size:,} {role}" for role, size in data.info.sizes.items())
        print(f"{data.info.title}: {sizes} (from {data.source}).")
    return 0


def _show(text: str, fraction: float) -> None:
    print(f"{text}: {fraction:.0%}" if fraction else f"{text} ...", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
