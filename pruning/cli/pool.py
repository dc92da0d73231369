"""`python -m pruning.cli.pool`: the pool of processes that carries out what waits in this machine's queue, started by
who asks.

It is no command of its own: what its processes are handed is the command line of each job.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO

from pruning.cli.main import carry_out
from pruning.jobs.priority import step_back_as_a_session
from pruning.jobs.queue import forkserver
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import WORK
from pruning.jobs.queue.worker import serve
from pruning.jobs.work import Work
from pruning.settings import settings

SHARED = (
    *("torch._dynamo", "torch.export._trace", "torch._functorch.aot_autograd", "pandas"),
    *("pruning.runs.store", "pruning.runs.times", "pruning.sensitivity.cache", "pruning.latency.cuts"),
)
"""What most jobs import sooner or later; those of torch on the first trace of a network."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Import, and fork processes that take job after job, until nobody needs them any more."""
    parser = argparse.ArgumentParser(prog="python -m pruning.cli.pool", description=__doc__)
    parser.add_argument("--lock", type=int, required=True, help="its descriptor, from the process that starts this one")
    args = parser.parse_args(arguments)
    step_back_as_a_session()  # pages begin at the same time
    for name in SHARED:
        with suppress(ImportError):  # then on use, where it is said
            importlib.import_module(name)
    forkserver.run(local_line(), _work, FileIO(args.lock))
    return 0


def _work(lane: str) -> None:
    """What a process of the pool does."""
    import torch

    limits = settings().queue
    if lane == WORK:
        torch.set_num_threads(limits.threads)
        os.environ |= {"OMP_NUM_THREADS": str(limits.threads), "MKL_NUM_THREADS": str(limits.threads)}
    serve(local_line(), _carry_out, limits, lane, parent=os.getppid())


def _carry_out(arguments: Sequence[str], work: Work) -> None:
    carry_out(arguments, work, stop=lambda: False)


if __name__ == "__main__":
    sys.exit(main())
