"""Is noise told from time?

    python -m benchmarks.noise [--quiet 50] [--busy 20] [--seconds 1.2]

Claims, at the seconds that a page's time takes: over 50 quiet comparisons of a network with itself the 95 % interval of
the ratio misses 1 in at most 6; a true difference of 10 % is found in at least 45 of 50; beside one and beside two busy
loops none of 20 comparisons of a network with itself has the badge of a speed-up. The machine must be otherwise idle.

A comparison counts as quiet where the clock itself says so, from the network timed against itself beside it; how many
had to be tried is reported. The true difference: 22 layers against 20 of the same ones.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from benchmarks.common import report, say
from pruning.catalog.openers import open_network
from pruning.latency.clock import Comparison, compare_latency
from pruning.latency.cuts import SECONDS
from pruning.latency.noise import MOST_APART, MOST_SPREAD
from pruning.latency.quietly import quietly
from pruning.removal.build import build_graph

MOST_MISSED, LEAST_FOUND = 6 / 50, 45 / 50
MOST_TRIED = 3
"""Times as many comparisons as are to be quiet."""
DEEP, SHALLOW, WIDTH, SIZE = 22, 20, 32, 16
BUSY = "while True: pass"
Compare = Callable[[], Comparison]


def layers(count: int) -> nn.Module:
    """So many times the same layer."""
    return nn.Sequential(*(nn.Conv2d(WIDTH, WIDTH, 3, padding=1) for _ in range(count))).eval()


def with_itself(ref: str, seconds: float) -> Compare:
    """A network against itself."""
    network = open_network(ref)
    shape = build_graph(network.model, network.example_inputs).example_shape
    return _comparing(network.model, network.model, shape, seconds)


def ten_per_cent(seconds: float) -> Compare:
    """A network against one with a true tenth less to do."""
    return _comparing(layers(DEEP), layers(SHALLOW), (WIDTH, SIZE, SIZE), seconds)


def _comparing(dense: nn.Module, pruned: nn.Module, shape: tuple[int, ...], seconds: float) -> Compare:
    def compare() -> Comparison:
        with quietly("benchmark") as quiet:
            return compare_latency(dense, pruned, shape, 1, seconds=seconds, rest=quiet.rest)

    return compare


def gather(compare: Compare, quiet: int, what: str) -> list[Comparison]:
    """Comparisons until so many were quiet, or MOST_TRIED times as many were made."""
    found: list[Comparison] = []
    while sum(one.quiet for one in found) < quiet and len(found) < MOST_TRIED * quiet:
        found.append(compare())
        _say(what, found[-1])
    return found


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """So many processes beside this one that compute and never wait."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def figures_of(found: list[Comparison]) -> dict[str, Any]:
    """What is said of comparisons: how many were quiet, and what these show."""
    quiet = [one for one in found if one.quiet]
    return {
        "tried": len(found),
        "quiet": len(quiet),
        "interval_misses_1": sum(not one.speedup[0] <= 1 <= one.speedup[2] for one in quiet),
        "found_faster": sum(one.speedup[0] > 1 for one in quiet),
        "comparisons": [" ".join(f"{value:.4f}" for value in _row(one)) for one in found],
    }


def _row(one: Comparison) -> tuple[float, ...]:
    """Interval and estimate, the network against itself, and the spread: low, middle, high, itself, spread."""
    assert one.noise is not None, "measured beside it"
    return (*one.speedup, one.noise.same[1], one.noise.spread)


def _say(what: str, one: Comparison) -> None:
    low, middle, high = one.speedup
    assert one.noise is not None, "measured beside it"
    say(
        f"{what}: {middle:.3f} ({low:.3f}–{high:.3f}), itself {one.noise.same[1]:.3f}, spread {one.noise.spread:.3f}"
        f"{'' if one.quiet else ', too noisy'}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sample:mini_resnet", help="the network that is compared with itself")
    parser.add_argument("--quiet", type=int, default=50, metavar="N", help="quiet comparisons of each kind")
    parser.add_argument("--busy", type=int, default=20, metavar="N", help="comparisons beside busy loops, of each kind")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each comparison")
    args = parser.parse_args()
    same = with_itself(args.model, args.seconds)
    began = time.perf_counter()
    figures = {
        "model": args.model,
        "seconds": args.seconds,
        "columns": "low, middle and high end of the speed-up, itself against itself, spread from block to block",
        "bounds": {"apart": MOST_APART, "spread": MOST_SPREAD},
        "itself": figures_of(gather(same, args.quiet, "itself")),
        "ten_per_cent": figures_of(gather(ten_per_cent(args.seconds), args.quiet, "10 %")),
    }
    for loops in (1, 2):
        with busy(loops):
            found = []
            for _ in range(args.busy):
                found.append(same())
                _say(f"beside {loops} busy", found[-1])
        figures[f"beside_{loops}_busy"] = figures_of(found)
    figures["seconds_in_all"] = round(time.perf_counter() - began, 1)
    holds = (
        figures["itself"]["quiet"] == figures["ten_per_cent"]["quiet"] == args.quiet
        and figures["itself"]["interval_misses_1"] <= MOST_MISSED * args.quiet
        and figures["ten_per_cent"]["found_faster"] >= LEAST_FOUND * args.quiet
        and not any(figures[f"beside_{loops}_busy"]["found_faster"] for loops in (1, 2))
    )
    claim = "itself: 1 missed in at most 6 of 50; 10 % found in 45 of 50; beside busy loops no speed-up"
    return report("noise" if args.quiet >= 50 and args.busy >= 20 else "noise-quick", claim, holds, figures)


if __name__ == "__main__":
    sys.exit(main())
