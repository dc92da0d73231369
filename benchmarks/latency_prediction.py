"""Does the time predicted from layers measured alone agree with the clock?

    python -m benchmarks.latency_prediction [--model sample:resnet20] [--plans 20] [--batch 1]

Claim: for 20 random channel plans (of every group 0 to 70 % removed) the predicted speed-up of the whole network is
within 10 % of the measured one for half of them, and within 20 % for nine of ten. One thread; the machine must be
otherwise idle. The layers are timed anew, and no plan of the benchmark is one that this looks at.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import math
import random
import statistics
import sys
import time
from typing import Any

import torch

from benchmarks.common import report, say
from pruning.catalog.openers import open_network
from pruning.cost.table import cost_table
from pruning.latency.clock import compare_latency
from pruning.latency.profile import profile
from pruning.latency.quietly import quietly
from pruning.latency.steps import predict
from pruning.planning.plan import keeping_units
from pruning.removal.apply import removed_model
from pruning.removal.build import build_graph

SEED = 20_000
MOST_REMOVED = 0.7
MEDIAN, NINE_OF_TEN = 0.10, 0.20
SECONDS = 1.8
"""For each comparison with the dense network."""


def measure(ref: str, plans: int, batch: int) -> dict[str, Any]:
    """Profile a network, then predict and time random plans."""
    network = open_network(ref)
    graph = build_graph(network.model, network.example_inputs)
    table, rng = cost_table(graph), random.Random(SEED)
    with quietly("benchmark", waiting=say) as quiet:
        started = time.perf_counter()
        steps = profile(network.model, graph, batch, rest=quiet.rest)
        seconds = time.perf_counter() - started
        say(f"{ref}: profiled in {seconds:.1f} s, drift {steps.drift:.0%}, error {steps.error:.1%}")
        rows = []
        for number in range(plans):
            kept = {
                g.name: tuple(
                    sorted(rng.sample(range(g.units), math.ceil(g.units * (1 - rng.uniform(0, MOST_REMOVED)))))
                )
                for g in graph.groups
            }
            small = removed_model(network.model, graph, keeping_units(kept))
            real = compare_latency(network.model, small, graph.example_shape, batch, seconds=SECONDS, rest=quiet.rest)
            predicted = predict(steps, table, {name: len(units) for name, units in kept.items()})
            low, middle, high = predicted.speedup
            rows.append(
                {
                    "predicted": round(middle, 3),
                    "predicted_interval": [round(low, 3), round(high, 3)],
                    "measured": round(real.speedup[1], 3),
                    "measured_interval": [round(real.speedup[0], 3), round(real.speedup[2], 3)],
                    "error": round(middle / real.speedup[1] - 1, 4),
                    "predicted_ms": round(predicted.middle, 4),
                    "measured_ms": round(real.pruned.median, 4),
                }
            )
            say(f"{ref} {number + 1}: {rows[-1]}")
    errors = sorted(abs(row["error"]) for row in rows)
    return {
        "model": ref,
        "batch": batch,
        "profile_seconds": round(seconds, 1),
        "drift": round(steps.drift, 3),
        "error_while_profiling": round(steps.error, 4),
        "median_error": round(statistics.median(errors), 4),
        "error_of_nine_in_ten": errors[math.ceil(0.9 * len(errors)) - 1],
        "share_inside_interval": sum(
            row["predicted_interval"][0] <= row["measured"] <= row["predicted_interval"][1] for row in rows
        )
        / len(rows),
        "plans": rows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", action="append", help="may be given several times (sample:resnet20)")
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--batch", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    figures = [measure(ref, args.plans, args.batch) for ref in args.model or ["sample:resnet20"]]
    holds = all(row["median_error"] <= MEDIAN and row["error_of_nine_in_ten"] <= NINE_OF_TEN for row in figures)
    return report("latency-prediction", "half within 10 %, nine of ten within 20 % of the clock", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
