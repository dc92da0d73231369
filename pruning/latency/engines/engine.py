"""The record of an engine: what it is called, whether it is here, and how it runs a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pruning.graph.inputs import Inputs
from pruning.latency.engines.candidate import Candidate, Precision

Bound = Callable[[], Sequence[Any]]
"""One forward pass on the inputs that it was made for: the outputs in order, as tensors or arrays."""
Loaded = Callable[[Inputs], Bound]
"""A network on an engine: takes inputs of the batch size that it was loaded for."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Something that runs networks on this machine's processor."""

    name: str
    """On the command line and in files."""
    title: str
    """What people call it."""
    explanation: str
    """One sentence."""
    why_not: Callable[[], str | None]
    """Why it is not to be had here and what to do, in a sentence; None where it is. Nothing heavy is imported."""
    version: Callable[[], str]
    """Its version; it is here."""
    precisions: tuple[Precision, ...] = ("float32",)
    """What it runs."""
    takes_layers: bool = False
    """Whether it times layers alone, as `pruning.latency.engines.layers` makes them."""
    load: Callable[[Candidate, int, int], Loaded]
    """(network, batch size, threads) → a fresh copy of the network on the engine. Raises InputError where the engine
    cannot run it."""

    def words(self, precision: Precision) -> str:
        """As `Comparison.engine` has it: 'ONNX Runtime, float32, CPU'."""
        return f"{self.title}, {precision}, CPU"
