"""What pruning gains on the engines that people deploy.

    python -m benchmarks.engines [--data-dir DIR] [--epochs E]
    python -m benchmarks.engines --network REFERENCE --photos PLACE [--epochs E] [--batch N ...]

VGG small and ResNet-20 (CIFAR-10), or one's own network with its photos: the same sparsity everywhere that halves its
MACs, repaired, and fine-tuned where --epochs asks for it. Then dense, pruned and pruned in int8 on every engine that is
here, at batch 1 and 32: milliseconds with intervals, the speed-up split into what the engine and what pruning gave,
sizes, accuracy on select images. No limit: the claim is that every time was taken in quiet. The machine must be
otherwise idle.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import report, say
from pruning.catalog.openers import open_network
from pruning.cost.table import cost_table
from pruning.data.readers import absolute
from pruning.latency.engines.matrix import Cell
from pruning.planning.allocation import kept_units
from pruning.removal.build import build_graph
from pruning.runs import create_run, execute
from pruning.runs.engine_times import EngineTimes
from pruning.runs.engine_words import remarks
from pruning.runs.engines import Asked, measure_engines
from pruning.runs.suitable import suitable_recipe
from pruning.runs.times import BATCHES
from pruning.spec import PruneSpec
from pruning.subject import open_subject

CASES = (("sample:vgg_small", "cifar10"), ("sample:resnet20", "cifar10"))
FACTOR = 2.0
"""MACs of the dense network over those of the pruned one, at least."""
STEP = 0.01


def sparsity_for(ref: str, factor: float = FACTOR) -> float:
    """The least sparsity, the same in all groups, that divides a network's MACs by a factor."""
    network = open_network(ref)
    table = cost_table(graph := build_graph(network.model, network.example_inputs))
    dense = table.count({}).macs
    for step in range(1, int(0.99 / STEP)):
        kept = {group.name: kept_units(group.units, step * STEP) for group in graph.groups}
        if factor * table.count(kept).macs <= dense:
            return step * STEP
    raise SystemExit(f"{ref}: no sparsity divides its MACs by {factor:g}")


def measure(
    ref: str, data: str, data_dir: str | None, epochs: float, batches: Sequence[int], folder: Path
) -> tuple[dict[str, Any], bool]:
    """Prune, then time on every engine; figures, and whether all of them were taken in quiet."""
    sparsity = sparsity_for(ref)
    spec = PruneSpec(sparsity=sparsity)
    recipe = suitable_recipe(open_subject(ref, data, data_dir), spec, epochs=epochs, repair="refit")
    result = execute(create_run(recipe, data_dir=data_dir, path=folder))
    say(f"{ref}: {sparsity:.0%} of every group, MACs ÷ {result.dense.macs / result.pruned.macs:.2f}")
    found = measure_engines(folder, Asked(batches=tuple(batches)), say=say)
    figures = {
        "model": ref,
        "data": data,
        "sparsity": sparsity,
        "epochs": epochs,
        "macs": [result.dense.macs, result.pruned.macs],
        "params": [result.dense.params, result.pruned.params],
        **figures_of(found),
    }
    return figures, all(one.quiet for cell in found.cells for one in cell.parts)


def figures_of(found: EngineTimes) -> dict[str, Any]:
    """What is said of a run's networks."""
    return {
        "threads": found.threads,
        "cpu": found.cpu,
        "versions": dict(found.versions),
        "columns": "milliseconds: low, median, high; times as fast: low, middle, high",
        "engines": [_row(cell) for cell in found.cells],
        "networks": {
            variant.kind: {
                "bytes": variant.bytes,
                "accuracy": {name: [one.value, *one.interval] for name, one in variant.accuracy.items()},
            }
            for variant in found.variants
        },
        "remarks": remarks(found),
    }


def _row(cell: Cell) -> dict[str, Any]:
    row: dict[str, Any] = {"engine": cell.engine, "batch": cell.batch}
    if cell.by_pruning is None:
        return {**row, "by_pruning": "too noisy to measure"}
    row |= {"dense_ms": _times(cell.pruning.dense), "pruned_ms": _times(cell.pruning.pruned)}
    if cell.int8 is not None and cell.by_int8 is not None:
        row["int8_ms"] = _times(cell.int8.pruned)
    spans = {
        "by_pruning": cell.by_pruning,
        "by_engine": cell.by_engine,
        "by_int8": cell.by_int8,
        "together": cell.together,
    }
    return {**row, **{name: [round(end, 3) for end in span] for name, span in spans.items() if span is not None}}


def _times(timing: Any) -> list[float]:
    return [round(value, 4) for value in (timing.low, timing.median, timing.high)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder that holds cifar10.zip")
    parser.add_argument("--network", help="reference of a network of one's own, with --photos")
    parser.add_argument("--photos", help="reference of its images, such as zip:FILE?split=40/59/1")
    parser.add_argument("--epochs", type=float, default=0.0, help="of fine-tuning after repair (0)")
    parser.add_argument("--batch", type=int, nargs="+", default=BATCHES, help="samples at a time (1 and 32)")
    args = parser.parse_args()
    if bool(args.network) != bool(args.photos):
        parser.error("--network and --photos go together")
    cases = [(args.network, absolute(args.photos))] if args.network else CASES
    with tempfile.TemporaryDirectory() as place:
        measured = [
            measure(ref, data, args.data_dir, args.epochs, args.batch, Path(place) / f"run-{number}")
            for number, (ref, data) in enumerate(cases)
        ]
    name = "engines-own" if args.network else "engines"
    return report(name, "every time was taken in quiet", all(quiet for _, quiet in measured), [f for f, _ in measured])


if __name__ == "__main__":
    sys.exit(main())
