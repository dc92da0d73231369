"""How much faster is a sensitivity scan than the plain way, and does it say the same?

    python -m benchmarks.sensitivity --data-dir DIR [--sample K] [--images N] [--network resnet20|lenet5|all]

Claims, on one core: ResNet-20 on 2,000 select images of CIFAR-10, every channel group at 9 sparsities: as cut at least
10 times as fast as the plain way, as cut and recalibrated at least 5 times; accuracies differ by at most 0.2 points on
average and 1.0 at most. LeNet-5 on 1,000 images: at least 5 times as fast.

The plain way (`benchmarks/plain.py`) is what Distiller and course notebooks do: for each point copy the network, mask,
recalibrate where that is asked, run all images through it in float32 in batches of 100, and throw the copy away. Both
sides look at the same images, recalibrate on the same ones and measure the same figures: for "recalibrated" both, as
cut and recalibrated. Ours includes preparing the engine and measuring the dense network.
`--sample K` runs the plain way on K points, evenly spread over groups and sparsities, and takes the others to last as
long; the result says so.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import statistics
import sys
import time
from typing import Any

import torch

from benchmarks.common import report, say
from benchmarks.plain import plain
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.latency.quietly import quietly
from pruning.planning.plan import make_plan
from pruning.sensitivity import FigureName, Sensitivity, outline, scan
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.whatif import WhatIf

NETWORKS: dict[str, tuple[str, int]] = {"resnet20": ("cifar10", 2000), "lenet5": ("mnist5k", 1000)}
"""Network → data set, select images."""
LIMITS: dict[str, dict[str, float]] = {"resnet20": {"as_cut": 10.0, "recalibrated": 5.0}, "lenet5": {"as_cut": 5.0}}
"""Network → how many times as fast, for each figure."""
MEAN_POINTS, MOST_POINTS = 0.2, 1.0
"""Most that accuracies may differ, on average and in any point."""


def ours(
    subject: Subject, data: Data, images: int, figures: tuple[FigureName, ...]
) -> tuple[float, float, Sensitivity]:
    """Seconds of a whole scan, of which the engine took how many to prepare, and what it found."""
    started = time.perf_counter()
    meter = WhatIf(subject.model, subject.graph, data, images=images, figures=figures)
    ready = time.perf_counter()
    start = outline(subject.digest, subject.graph, data, PruneSpec(), images=images)
    *_, found = scan(subject.model, subject.graph, data, meter, start)
    return time.perf_counter() - started, ready - started, found


def compare(subject: Subject, data: Data, images: int, figure: FigureName, sample: int | None) -> dict[str, Any]:
    """Both ways for one figure: seconds, ratio, and how far accuracies are apart."""
    figures: tuple[FigureName, ...] = ("as_cut",) if figure == "as_cut" else ("as_cut", "recalibrated")
    seconds, preparing, found = ours(subject, data, images, figures)
    say(f"{subject.title}, {figure}: {seconds:.1f} s for {found.measured} points")
    points = [(curve, point) for curve in found.curves for point in curve.points]
    count = len(points) if sample is None else min(sample, len(points))
    chosen = [points[round((i + 0.5) * len(points) / count - 0.5)] for i in range(count)]
    differences: list[float] = []
    took = 0.0
    for number, (curve, point) in enumerate(chosen, 1):
        plan = make_plan(subject.model, subject.graph, PruneSpec(layers=((curve.name, point.sparsity),)))
        for one in figures:  # both ways measure the same figures; the last is the one compared
            accuracy, lasted = plain(subject.model, subject.graph, data, plan, images, one == "recalibrated")
            took += lasted
        differences.append(100 * abs(accuracy - point.figure(figure).value))
        if number % 10 == 0:
            say(f"plain: {number} of {count}, {took:.0f} s")
    slow = took * len(points) / count
    limit = LIMITS[subject.ref.removeprefix("sample:")][figure]
    mean, most = statistics.mean(differences), max(differences)
    return {
        "images": images,
        "points": len(points),
        "distinct_widths": sum(len({p.kept for p in curve.points} - {curve.units}) for curve in found.curves),
        "precision": found.precision,
        "seconds": round(seconds, 2),
        "of_that_preparing": round(preparing, 2),
        "plain_seconds": round(slow, 2),
        "plain_points_run": count,
        "plain_extrapolated": count < len(points),
        "times_as_fast": round(slow / seconds, 2),
        "limit": limit,
        "difference_points": {"mean": round(mean, 4), "most": round(most, 4)},
        "holds": slow / seconds >= limit and mean <= MEAN_POINTS and most <= MOST_POINTS,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder with cifar10.zip (else PRUNING_DATA)")
    parser.add_argument("--sample", type=int, help="points of the plain way that are run; without it all")
    parser.add_argument("--images", type=int, help="select images, for a quick look: the claims are for the default")
    parser.add_argument("--network", choices=[*NETWORKS, "all"], default="all")
    args = parser.parse_args()
    torch.set_num_threads(1)
    results: dict[str, dict[str, Any]] = {}
    with quietly("benchmark", waiting=say):
        for name in NETWORKS if args.network == "all" else [args.network]:
            data_name, images = NETWORKS[name]
            subject = open_subject(f"sample:{name}")
            data = open_data(data_name, args.data_dir if data_name == "cifar10" else None)
            results[name] = {
                figure: compare(subject, data, args.images or images, figure, args.sample)  # type: ignore[arg-type]
                for figure in LIMITS[name]
            }
    holds = all(row["holds"] for rows in results.values() for row in rows.values())
    claim = "10 times as fast as cut and 5 times recalibrated (ResNet-20), 5 times (LeNet-5); within 0.2 points"
    name = "sensitivity" if args.images is None and args.network == "all" else "sensitivity-quick"
    return report(name, claim, holds, results)


if __name__ == "__main__":
    sys.exit(main())
