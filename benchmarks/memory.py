"""Does a process that removes channels again and again keep growing?

    python -m benchmarks.memory [--removals 200] [--no-check]

Claim: 200 removals of ResNet-18 (32×32 images), each checked, grow the process by less than 50 MB. The first removals,
which load code and fill torch's caches, do not count: the median of the last ten is compared with that of the ten after
the first. Beside it stands what is left once free memory is given back to the system, which shows a leak as a slope.
Python's garbage collector runs as it likes. Linux with glibc only (/proc, malloc_trim).
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import statistics
import sys
from pathlib import Path

from benchmarks.common import report, say
from pruning.catalog.openers import open_network
from pruning.removal.remove import remove_channels

LIMIT = 50.0
REMOVALS = 200
MODEL = "torchvision:resnet18?size=32"


def resident() -> float:
    """Megabytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def used() -> float:
    """The same without garbage, and without memory that the allocator keeps though nothing is in it."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return resident()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--removals", type=int, default=REMOVALS, help="fewer for a try, which is not kept")
    parser.add_argument("--no-check", action="store_true", help="without the proof, which takes most of the time")
    args = parser.parse_args()
    network = open_network(MODEL)
    sizes: list[float] = []
    in_use: dict[int, float] = {}
    for number in range(args.removals + 1):
        sparsity = 0.1 + 0.8 * (number % 9) / 9  # not always the same shapes
        remove_channels(network.model, network.example_inputs, sparsity=sparsity, check=not args.no_check)
        sizes.append(resident())
        if number in (10, args.removals):  # seldom, as it also clears up
            in_use[number] = used()
        if number % 10 == 0 or args.removals < 10:
            say(f"{number} removals: {sizes[-1]:.0f} MB")
    early, late = statistics.median(sizes[1:11]), statistics.median(sizes[-10:])
    figures = {
        "model": MODEL,
        "removals": args.removals,
        "checked": not args.no_check,
        "mb_after_first": round(sizes[0], 1),
        "mb_early": round(early, 1),
        "mb_late": round(late, 1),
        "mb_most": round(max(sizes), 1),
        "grown_mb": round(late - early, 1),
        "mb_in_use_after": {number: round(size, 1) for number, size in in_use.items()},
    }
    holds = late - early < LIMIT
    if args.removals < REMOVALS:  # a try, not the evidence
        print(json.dumps(figures, indent=1))
        return 0 if holds else 1
    return report("memory", f"{REMOVALS} removals of ResNet-18 grow memory by less than {LIMIT:g} MB", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
