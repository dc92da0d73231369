"""Does a process that removes channels again and again keep growing?

    python -m benchmarks.memory [--removals 200] [--no-check]

Claim: 200 removals of ResNet-18 (32×32 images), each checked, grow the process by less than 50 MB. The first removal,
which loads code and fills torch's caches, does not count; memory goes up and down by tens of MB from one removal to the
next, so the median of the last ten is compared with that of the ten after the first. Linux only (/proc).
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
from pathlib import Path

from benchmarks.common import report, say
from pruning.catalog.networks import open_network
from pruning.removal import remove_channels

LIMIT = 50.0
REMOVALS = 200
MODEL = "torchvision:resnet18?size=32"


def resident() -> float:
    """Megabytes of this process in memory."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--removals", type=int, default=REMOVALS, help="fewer for a try, which is not kept")
    parser.add_argument("--no-check", action="store_true", help="without the proof, which takes most of the time")
    args = parser.parse_args()
    network = open_network(MODEL)
    sizes: list[float] = []
    for number in range(args.removals + 1):
        sparsity = 0.1 + 0.8 * (number % 9) / 9  # not always the same shapes
        remove_channels(network.model, network.example_inputs, sparsity=sparsity, check=not args.no_check)
        sizes.append(resident())
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
    }
    holds = late - early < LIMIT
    if args.removals < REMOVALS:  # a try, not the evidence
        print(json.dumps(figures, indent=1))
        return 0 if holds else 1
    return report("memory", f"{REMOVALS} removals of ResNet-18 grow memory by less than {LIMIT:g} MB", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
