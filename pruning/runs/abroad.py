"""Times of a run's networks on other machines: what `bench.py` of its bundle wrote there, taken in and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pruning.base.errors import InputError, StorageError, excerpt
from pruning.base.fields import Fields
from pruning.base.files import replace_file
from pruning.base.remembered import Remembered
from pruning.base.safe_json import dump, read_object
from pruning.catalog.network import Network
from pruning.graph.model_graph import ModelGraph
from pruning.latency.clock import Comparison
from pruning.latency.comparison_json import comparison_of, comparison_values
from pruning.runs.files import ABROAD

FORMAT, VERSION = "pruning-explorer-times", 1
"""Of the file that `bench.py` writes."""
SCHEMA_VERSION = 1
LARGEST = 64_000_000
"""Bytes of what it writes."""
LONGEST_NAME = 120
MOST_MACHINES, MOST_COMPARISONS = 50, 200


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where somebody timed a run's networks."""

    cpu: str
    system: str
    at: datetime
    comparisons: tuple[Comparison, ...]

    @property
    def words(self) -> list[str]:
        """One line an engine and batch size, claiming no more than the intervals show."""
        return [
            f"on {self.cpu}: {one.verdict}{_milliseconds(one)}, {one.batch:,} sample{'s' * (one.batch != 1)} at a "
            f"time, {one.threads:,} thread{'s' * (one.threads != 1)}, {one.engine}"
            for one in self.comparisons
        ]


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What a file of times holds."""

    run: str
    """Name of the run that the bundle was made of."""
    weights: str
    """SHA-256 of the pruned network's weights."""
    torch: str
    machine: Machine
    widths: tuple[Fields, ...]
    """Times of layers at their widths, as `pruning.latency.abroad` reads them."""


def read_times(path: Path) -> Brought:
    """What `bench.py` wrote.

    Raises:
        InputError: it is something else, or of a later version.
        StorageError: it is damaged.
    """
    values = read_object(path, most_bytes=LARGEST)
    if values is None:
        raise InputError(f"There is no file {excerpt(str(path), 200)}: name what a bundle's bench.py wrote.")
    if values.get("format") != FORMAT:
        raise InputError(f"{excerpt(path.name)} holds no times: name what a bundle's bench.py wrote.")
    fields = Fields(values, path.name)
    if fields.whole("version", 1) > VERSION:
        raise InputError(f"{excerpt(path.name)} is of a later version of the explorer: take it in with that one.")
    machine = fields.part("machine")
    return Brought(
        run=_name(fields, "run"),
        weights=_name(fields, "weights_sha256"),
        torch=_name(machine, "torch"),
        machine=Machine(
            cpu=_name(machine, "cpu"),
            system=_name(machine, "system"),
            at=fields.moment("at"),
            comparisons=_comparisons(fields),
        ),
        widths=tuple(fields.parts("widths")),
    )


def take_in_times(folder: Path, brought: Brought, network: Network) -> tuple[Machine, ...]:
    """Note the times with the run in a folder, in place of earlier ones of the same processor; all that are there.
    `network`: what the run led to.

    Raises:
        InputError: they are of other weights.
        StorageError: they cannot be written.
    """
    if brought.weights != network.digest:
        raise InputError(
            f"The times are of other weights than those of {folder.name}: name the run that the bundle was made of"
            f"{f', {excerpt(brought.run)}' if brought.run else ''}."
        )
    others = [one for one in machines(folder) if one.cpu != brought.machine.cpu]
    kept = (brought.machine, *others)[:MOST_MACHINES]
    values = {"schema_version": SCHEMA_VERSION, "machines": [_values(one) for one in kept]}
    try:
        replace_file(folder / ABROAD, dump(values))
    except OSError as error:
        raise StorageError(f"The times cannot be written to {folder} ({error.strerror or error}).") from error
    return kept


def machines(folder: Path) -> tuple[Machine, ...]:
    """Other machines on which the run's networks were timed, the last one first.

    Raises:
        StorageError: what was noted is damaged.
    """
    return _MACHINES(folder / ABROAD)


def kept_units(graph: ModelGraph, network: Network) -> dict[str, int]:
    """Units that a pruned network keeps of each group of the graph of its root; empty where no channels went."""
    found = {}
    for group in graph.groups:
        for slot in group.slots:
            index = network.structure.kept.get(slot.tensor, {}).get(slot.dim)
            if index is not None:
                found[group.name] = max(1, round(group.units * len(index) / graph.shapes[slot.tensor][slot.dim]))
                break
    return found


def _milliseconds(found: Comparison) -> str:
    return f", {found.dense.median:.3g} → {found.pruned.median:.3g} ms" if found.quiet else ""


def _read(path: Path) -> tuple[Machine, ...]:
    values = read_object(path, most_bytes=LARGEST)
    if values is None:
        return ()
    fields = Fields(values, path.name)
    if fields.whole("schema_version", 1) > SCHEMA_VERSION:
        raise StorageError(f"{path.name} is of a later version of the explorer: take the times in again.")
    return tuple(
        Machine(cpu=_name(one, "cpu"), system=_name(one, "system"), at=one.moment("at"), comparisons=_comparisons(one))
        for one in list(fields.parts("machines"))[:MOST_MACHINES]
    )


def _values(machine: Machine) -> Mapping[str, Any]:
    return {
        "cpu": machine.cpu,
        "system": machine.system,
        "at": machine.at.isoformat(),
        "comparisons": [comparison_values(one) for one in machine.comparisons],
    }


def _comparisons(fields: Fields) -> tuple[Comparison, ...]:
    found = list(fields.parts("comparisons"))
    if len(found) > MOST_COMPARISONS:
        raise StorageError(f"{fields.where} is damaged: it holds {len(found):,} comparisons.")
    return tuple(map(comparison_of, found))


def _name(fields: Fields, name: str) -> str:
    text = fields.text(name)
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise StorageError(f"{fields.where} is damaged: '{name}' is no name.")
    return text


_MACHINES = Remembered(_read, most=5000)
