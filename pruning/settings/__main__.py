"""`python -m pruning.settings`: say what holds, or what is wrong, in a sentence.

`--app HOST` and `--serve HOST`, before the server is started: whether it may be, for this machine alone or for others.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence

from pruning.base.errors import InputError, PruningError, excerpt
from pruning.settings import Settings, is_loopback_address, settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Say what holds; 2 where it is wrong, or the server may not be started so."""
    parser = argparse.ArgumentParser(prog="python -m pruning.settings", description="What pruning.toml says.")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--app", metavar="HOST", help="check that it serves this machine alone; '' is localhost")
    way.add_argument("--serve", metavar="HOST", help="check that it serves others")
    args = parser.parse_args(arguments)
    try:
        found = settings()
        if args.app is not None:
            check_app(args.app)
        elif args.serve is not None:
            check_serve(args.serve, found)
        else:
            _show(found)
    except PruningError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


def check_app(host: str) -> None:
    """Raises InputError where others could reach a server of this address: that is to be asked for by name."""
    if host and not is_loopback_address(host):
        raise InputError(
            f"'make app' serves this machine alone, and {excerpt(host)} would let others in: use "
            f"'make serve HOST={excerpt(host)}' to serve them on purpose."
        )


def check_serve(host: str, held: Settings) -> None:
    """Raises InputError where nobody else could reach a server of this address, or none is named."""
    if not host:
        raise InputError(
            "'make serve' lets others in, so say where: HOST=0.0.0.0 for every network of this machine, or one of its "
            "addresses. 'make app' serves this machine alone."
        )
    if is_loopback_address(host) and not held.server.public:
        raise InputError(
            f"Nobody else reaches {excerpt(host)}: use 'make app' for this machine alone, HOST=0.0.0.0 for others, or, "
            "behind a proxy, public = true in [server] of pruning.toml."
        )


def _show(held: Settings) -> None:
    for table in dataclasses.fields(held):
        for name, value in vars(getattr(held, table.name)).items():
            shown = ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else value
            print(f"[{table.name}] {name}: {shown}")


if __name__ == "__main__":
    sys.exit(main())
