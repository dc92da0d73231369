"""How fast is accuracy there after one slider has moved?

    python -m benchmarks.whatif [--data-dir DIR] [--moves N]
    python -m benchmarks.whatif --network REFERENCE --photos PLACE [--moves N]

Claims, on one thread: from a random plan of ResNet-20 (every group at 0–50 %), moving one random group, accuracy as
cut on 2,000 select images is there at least 8 times sooner (median) than by the plain way (`benchmarks/plain.py`); for
torchvision's ResNet-18 at 224 pixels a first accuracy, on 100 images, within 3 seconds. Beside them: the time to the
first answer on 100 images, and the same with recalibration.

With a network and photos of one's own, as the command line takes them: on 500 photos, taken one half for `select`, at
least 3 times sooner than by the plain way, and the first accuracy within 5 seconds.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import report, say
from benchmarks.plain import plain
from pruning.catalog.openers import open_network
from pruning.data.info import DataInfo
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data
from pruning.data.readers import data_reference, open_data
from pruning.planning.plan import make_plan
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.whatif import WhatIf

IMAGES = 2000
FASTER = 8.0
FIRST_SECONDS = 3.0
OWN_IMAGES = 500
OWN_FASTER = 3.0
OWN_FIRST_SECONDS = 5.0


def moves(subject: Subject, data: Data, count: int, recalibrated: bool, images: int = IMAGES) -> dict[str, Any]:
    """Ours and the plain way in turn, for one move after another; each starts from a fresh random plan."""
    figures = ("recalibrated",) if recalibrated else ("as_cut",)
    started = time.perf_counter()
    what_if = WhatIf(subject.model, subject.graph, data, images=images, figures=figures)  # type: ignore[arg-type]
    setup = time.perf_counter() - started
    draw = random.Random(7)
    rows = []
    for number in range(count):
        layers = {group.name: draw.uniform(0, 0.5) for group in subject.graph.groups}
        what_if.measure(make_plan(subject.model, subject.graph, PruneSpec(layers=tuple(layers.items()))))
        moved = subject.graph.groups[number % len(subject.graph.groups)].name
        layers[moved] = (layers[moved] + draw.uniform(0.1, 0.4)) % 0.5  # a move that changes what is kept
        plan = make_plan(subject.model, subject.graph, PruneSpec(layers=tuple(layers.items())))
        slow_accuracy, slow = plain(subject.model, subject.graph, data, plan, images, recalibrated)
        started = time.perf_counter()
        answers = []
        for answer in what_if.follow(plan):
            answers.append((time.perf_counter() - started, answer))
        quick, last = answers[-1]
        shown = last.recalibrated if recalibrated else last.as_cut
        rows.append(
            {
                "moved": moved,
                "plain_seconds": round(slow, 4),
                "seconds": round(quick, 4),
                "first_seconds": round(answers[0][0], 4),
                "faster": round(slow / quick, 2),
                "points_off": round(100 * abs(shown.value - slow_accuracy), 3),
            }
        )
        say(f"{moved}: {slow:.2f} s plain, {quick:.2f} s ours, {slow / quick:.1f} times faster")
    return {
        "precision": what_if.precision.name,
        "agreement": what_if.precision.agreement,
        "setup_seconds": round(setup, 2),
        "faster_median": round(statistics.median(row["faster"] for row in rows), 2),
        "first_seconds_median": round(statistics.median(row["first_seconds"] for row in rows), 3),
        "first_seconds_most": max(row["first_seconds"] for row in rows),
        "points_off_mean": round(statistics.mean(row["points_off"] for row in rows), 3),
        "points_off_most": max(row["points_off"] for row in rows),
        "kept_megabytes": round(what_if.kept_bytes / 2**20),
        "moves": rows,
    }


def large_images() -> dict[str, Any]:
    """Seconds to the first accuracy of ResNet-18 on 100 random pictures of 224 × 224, and to set the engine up."""
    network = open_network("torchvision:resnet18")
    graph = build_graph(network.model, network.example_inputs)
    draw = torch.Generator().manual_seed(0)
    roles = ("train", "select", "test")
    images = {role: torch.randint(0, 256, (100, 3, 224, 224), generator=draw, dtype=torch.uint8) for role in roles}
    labels = {role: torch.randint(0, 1000, (100,), generator=draw) for role in roles}
    info = DataInfo(
        name="random", title="random pictures", classes=tuple(map(str, range(1000))), shape=(3, 224, 224),
        mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), sizes=dict.fromkeys(roles, 100), shift=4, flips=True,
        embedded=False,
    )  # fmt: skip
    data = MemoryData(info=info, pixels=images, truth=labels, digest="", source="random numbers")  # type: ignore[arg-type]
    started = time.perf_counter()
    what_if = WhatIf(network.model, graph, data, images=100)
    setup = time.perf_counter() - started
    plan = make_plan(network.model, graph, PruneSpec(sparsity=0.3))
    started = time.perf_counter()
    first = next(what_if.follow(plan))
    seconds = time.perf_counter() - started
    assert first.as_cut is not None and first.as_cut.images == 100
    _, slow = plain(network.model, graph, data, plan, 100, False)
    say(f"resnet18 at 224 pixels: set up in {setup:.2f} s, first answer {seconds:.2f} s, plain {slow:.2f} s")
    return {
        "precision": what_if.precision.name,
        "agreement": what_if.precision.agreement,
        "setup_seconds": round(setup, 2),
        "first_seconds": round(seconds, 2),
        "plain_seconds": round(slow, 2),
    }


def own(network: str, photos: str, count: int) -> int:
    """The same with one's own network and photos."""
    subject = open_subject(network, data_reference(photos, "25/50/25"))
    assert subject.data is not None
    figures = moves(subject, subject.data, count, False, OWN_IMAGES)
    holds = figures["faster_median"] >= OWN_FASTER and figures["first_seconds_most"] <= OWN_FIRST_SECONDS
    claim = (
        f"own network, {OWN_IMAGES} photos: median at least {OWN_FASTER:g} times faster than the plain way; "
        f"first accuracy in {OWN_FIRST_SECONDS:g} s"
    )
    return report("whatif-own", claim, holds, {Path(network.partition("?")[0]).stem: figures})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder that holds cifar10.zip")
    parser.add_argument("--moves", type=int, default=24)
    parser.add_argument("--network", help="reference of a network of one's own, with --photos")
    parser.add_argument("--photos", help="folder or zip of its images")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if bool(args.network) != bool(args.photos):
        parser.error("--network and --photos go together")
    if args.network:
        return own(args.network, args.photos, args.moves)
    data = open_data("cifar10", args.data_dir)
    subject = open_subject("sample:resnet20")
    large = large_images()
    figures = {
        "resnet20 as cut": moves(subject, data, args.moves, False),
        "resnet20 recalibrated": moves(subject, data, args.moves, True),
        "resnet18 at 224 pixels": large,
    }
    holds = figures["resnet20 as cut"]["faster_median"] >= FASTER and large["first_seconds"] <= FIRST_SECONDS
    claim = (
        f"median at least {FASTER:g} times faster than the plain way; first accuracy at 224 px in {FIRST_SECONDS:g} s"
    )
    return report("whatif", claim, holds, figures)


if __name__ == "__main__":
    sys.exit(main())
