"""The one-line way to a smaller network: `remove_channels(model, example_inputs, sparsity=0.5)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from pruning.allocation import kept_units, per_target, rounded_units
from pruning.apply import shrink
from pruning.graph.groups import ChannelGroup
from pruning.graph.trial import build_graph
from pruning.graph.verify import Check, check_removal
from pruning.plan import plan_keeping
from pruning.shrinkage import shrinkage


@dataclass(frozen=True, kw_only=True)
class Locked:
    """Layers whose channels stay, and why."""

    layers: tuple[str, ...]
    units: int
    reason: str
    """Names the call, the module, and file and line of the last frame outside torch, where a call is the reason."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Removal:
    """A smaller model and what was done to get it."""

    model: nn.Module
    """A new model of the same classes and attribute names; in place of attention classes that insist on their full
    width a slim subclass with the same parameter names (`pruning.slim`)."""
    kept: dict[str, dict[int, list[int]]]
    """Parameter or buffer that shrank → dimension → kept original indices, ascending."""
    groups: tuple[ChannelGroup, ...]
    locked: tuple[Locked, ...]
    check: Check | None
    """The proof; None where `check=False` left it out."""


def remove_channels(
    model: nn.Module,
    example_inputs: Any,
    *,
    sparsity: float | Mapping[str, float],
    criterion: str = "l2",
    round_to: int | None = None,
    check: bool = True,
) -> Removal:
    """Remove the channels of lowest score with everything coupled to them; `model` itself is not changed.

    `example_inputs`: a tensor (batch first), a tuple of arguments, or a dict of keyword arguments.
    `sparsity`: the fraction of units removed in each channel group, kept = max(1, n − floor(sparsity · n)); or a
    mapping from layer or group names to such fractions, the others stay.
    `round_to`: keep a multiple of so many channels in each layer where that is possible, rounding up.
    `check`: prove the result against the masked model in float64 (see `pruning.graph.verify`).

    Raises:
        InputError: the model cannot be traced, or an argument is not allowed.
        RemovalError: the smaller model does not equal the masked one; nothing is handed out.
    """
    graph = build_graph(model, example_inputs)
    default, layers = (0.0, sparsity) if isinstance(sparsity, Mapping) else (sparsity, {})
    targets = per_target(graph, "channel", default, layers)
    keep = {g.name: rounded_units(g, kept_units(g.units, targets[g.name]), round_to or 1) for g in graph.groups}
    plan = plan_keeping(model, graph, granularity="channel", criterion=criterion, keep=keep, requested=targets)
    what = shrinkage(graph, plan)
    small = shrink(model, what)
    return Removal(
        model=small,
        kept=what.kept,
        groups=graph.groups,
        locked=tuple(Locked(layers=g.producers, units=g.units, reason=str(g.locked)) for g in graph.locked),
        check=check_removal(model, small, graph, plan) if check else None,
    )
