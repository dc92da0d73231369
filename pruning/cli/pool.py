"""`python -m pruning.cli.pool`: a process that carries out what waits in this machine's queue, started by who asks.

It is no command of its own: what it is handed is the command line of each job.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from pruning.cli.main import carry_out
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import LANES, WORK
from pruning.jobs.queue.worker import serve
from pruning.jobs.work import Work
from pruning.settings import settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Take job after job until nobody needs this process any more, and replace others that were killed."""
    parser = argparse.ArgumentParser(prog="python -m pruning.cli.pool", description=__doc__)
    parser.add_argument("--seat", type=int, help="the lock's descriptor, handed on by the process that starts this one")
    parser.add_argument("--lane", choices=LANES, default=WORK)
    args = parser.parse_args(arguments)
    line = local_line()
    pool.keep(line)
    serve(line, _carry_out, settings().queue, args.lane)
    return 0


def _carry_out(arguments: Sequence[str], work: Work) -> None:
    carry_out(arguments, work, stop=lambda: False)


if __name__ == "__main__":
    sys.exit(main())
