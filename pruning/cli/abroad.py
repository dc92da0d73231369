"""`latency --import`: times that a bundle's `bench.py` took on another machine, taken in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pruning.base.errors import InputError, NoisyError
from pruning.catalog.openers import open_network, parse_reference
from pruning.cli.output import only_ours
from pruning.cost.table import cost_table
from pruning.latency.abroad import steps_abroad
from pruning.latency.cache import brought_job, brought_key, publish_steps
from pruning.latency.steps import predict
from pruning.removal.build import build_graph
from pruning.runs.abroad import kept_units, read_times, take_in_times


def import_times(ref: str, file: Path) -> tuple[dict[str, Any], list[str]]:
    """Note the times with a run, and its layers' with the network that it began from: as JSON and as lines.

    Raises:
        PruningError: the reference names no run, the file holds no times, or they are of another network.
    """
    if parse_reference(ref).kind != "run":
        raise InputError("--import takes times of a run's networks in: name the run, such as run:RUN.")
    with only_ours():
        network = open_network(ref)
        folder = Path(parse_reference(ref).name)
        brought = read_times(file)
        take_in_times(folder, brought, network)
        lines, widths = [], []
        graph = build_graph(open_network(network.root).model, network.example_inputs) if brought.widths else None
        for fields in brought.widths:
            assert graph is not None, "made where there are any"
            cpu, kept = brought.machine.cpu, kept_units(graph, network)
            try:
                steps = steps_abroad(graph, fields, kept, cpu=cpu, torch=brought.torch)
            except NoisyError as error:
                lines.append(str(error))
                continue
            with brought_job(brought_key(graph, steps.batch), cpu).working(None) as work:
                publish_steps(work, steps)
            widths.append(steps.to_json())
            said = predict(steps, cost_table(graph), kept)
            lines.append(
                f"layers at their widths on {cpu}: {len(steps.grids)} kinds; the pruned network is predicted to take "
                f"{said.middle:.3g} ms there, and takes {steps.checks[0][0]:.3g}"
                if steps.checks
                else f"layers at their widths on {cpu}: {len(steps.grids)} kinds"
            )
    result = {
        "schema_version": 1,
        "run": str(folder),
        "cpu": brought.machine.cpu,
        "comparisons": len(brought.machine.comparisons),
        "widths": widths,
    }
    return result, [*brought.machine.words, *lines]
