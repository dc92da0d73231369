"""The one-line way to a smaller network: `remove_channels(model, example_inputs, sparsity=0.5)`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from pruning.base.clone import named_tensors
from pruning.base.errors import InputError, RemovalError
from pruning.base.outside import untouched
from pruning.base.time_limit import DEFAULT_SECONDS, limited_to
from pruning.graph.groups import ChannelGroup
from pruning.graph.inputs import BatchDims
from pruning.graph.memory import check_memory, proof_bytes
from pruning.graph.model_graph import ModelGraph
from pruning.graph.refusals import check_model
from pruning.graph.trace import ALONE
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import shrink
from pruning.removal.build import build_graph
from pruning.removal.hold import without_failing
from pruning.removal.shrinkage import Shrinkage, shrinkage
from pruning.removal.unreached import unreached
from pruning.removal.verify import Check, check_removal
from pruning.spec import HeadRounding, PruneSpec
from pruning.statistics.gather import without_images


@dataclass(frozen=True, kw_only=True)
class Locked:
    """Layers whose channels stay, and why."""

    layers: tuple[str, ...]
    units: int
    reason: str
    """Names the call, the module, and file and line of the last frame outside torch, where a call is the reason."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Removal:
    """A smaller model and what was done to get it."""

    model: nn.Module
    """A new model of the same classes and attribute names; in place of attention classes that insist on their full
    width a slim subclass with the same parameter names (`pruning.removal.slim`)."""
    kept: dict[str, dict[int, list[int]]]
    """Parameter or buffer that shrank → dimension → kept original indices, ascending; a tensor of several names stands
    under each."""
    groups: tuple[ChannelGroup, ...]
    locked: tuple[Locked, ...]
    check: Check | None
    """The proof; None where `check=False` left it out."""
    dense_parameters: int
    """Of the model that it came from."""
    unreached: tuple[str, ...] = ()
    """Layers and parameters as wide as channels that shrank which no call with the example inputs reaches: they keep
    their width, so that code which uses them with other inputs, or in another method, may fail."""
    source: Outcome = field(repr=False)
    """What led to it, for `pruning.refit`."""
    dense: nn.Module = field(repr=False)
    """The model that it came from, as it was given."""

    def __repr__(self) -> str:
        left = sum(parameter.numel() for parameter in self.model.parameters())
        groups = f"{len(self.groups):,} group{'s' * (len(self.groups) != 1)} of channels"
        apart = f", {len(self.unreached):,} unreached" if self.unreached else ""
        proof = "not checked" if self.check is None else self.check.status.replace("_", " ")
        return (
            f"Removal({type(self.model).__name__}: {self.dense_parameters:,} → {left:,} parameters, "
            f"{groups}, {len(self.locked):,} locked{apart}, {proof})"
        )


def remove_channels(
    model: nn.Module,
    example_inputs: Any,
    *,
    sparsity: float | Mapping[str, float],
    criterion: str = "l2",
    round_to: int | None = None,
    head_rounding: HeadRounding = "down",
    check: bool = True,
    batch_dims: BatchDims | str = "guess",
    time_limit: float = DEFAULT_SECONDS,
) -> Removal:
    """Remove the channels of lowest score with everything coupled to them; `model` itself is not changed.

    `example_inputs`: a tensor (batch first), a tuple of arguments, or a dict of keyword arguments.
    `sparsity`: the fraction of units removed in each channel group, kept = max(1, n − floor(sparsity · n)); or a
    mapping from layer or group names to such fractions, the others stay.
    `round_to`: keep a multiple of so many channels in each layer where that is possible, rounding up.
    `head_rounding`: of attention heads, where the sparsity leaves a fraction of one: "down" (one of three at 0.5), or
    "up" as of other units.
    `batch_dims`: which dimension of each input tensor is the batch: one number for all, or one for each, None where
    there is none. Where nothing is said it is found by trying.
    `check`: prove the result against the masked model in float64 (see `pruning.removal.verify`).

    `time_limit`: seconds that all of it may take, the proof included; looked at between calls.

    Raises:
        InputError: the model cannot be traced, it takes too long, or an argument is not allowed.
        RemovalError: the smaller model does not equal the masked one; nothing is handed out.
    """
    overall, layers = (0.0, tuple(sparsity.items())) if isinstance(sparsity, Mapping) else (sparsity, ())
    spec = PruneSpec(
        criterion=criterion,
        sparsity=overall,
        layers=layers,
        round_to=1 if round_to is None else round_to,
        head_rounding=head_rounding,
    )
    done = remove(model, example_inputs, spec, check=check, batch_dims=batch_dims, seconds=time_limit)
    return Removal(
        model=done.model,
        kept=_under_each_name(model, done.what.kept),
        groups=done.graph.groups,
        locked=tuple(Locked(layers=g.producers, units=g.units, reason=str(g.locked)) for g in done.graph.locked),
        check=done.check,
        dense_parameters=sum(parameter.numel() for parameter in model.parameters()),
        unreached=unreached(model, done.graph, done.what),
        source=done,
        dense=model,
    )


def _under_each_name(model: nn.Module, kept: dict[str, dict[int, list[int]]]) -> dict[str, dict[int, list[int]]]:
    """The same, with the other names of tensors that several modules hold."""
    named = named_tensors(model)
    by_tensor = {id(named[name]): dims for name, dims in kept.items()}
    return {name: by_tensor[id(tensor)] for name, tensor in named.items() if id(tensor) in by_tensor}


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A removal with everything that led to it."""

    graph: ModelGraph
    plan: Plan
    what: Shrinkage
    model: nn.Module
    check: Check | None


def remove(
    model: nn.Module,
    example_inputs: Any,
    spec: PruneSpec,
    *,
    check: bool = True,
    batch_dims: BatchDims | str = "guess",
    clock: dict[str, float] | None = None,
    seconds: float = DEFAULT_SECONDS,
) -> Outcome:
    """What `remove_channels` and the command line share; `example_inputs`, `check`, `batch_dims` and errors as there.

    `spec`: of channels, by a criterion that needs no images. `clock`: gets the seconds of 'trace', 'group', 'remove'
    and 'check'.
    """
    assert spec.granularity == "channel", "single weights leave every shape as it is"
    if spec.needs_images:
        raise without_images(spec)
    check_model(model)
    with (
        ALONE,
        limited_to(seconds),
        torch.inference_mode(False),
        torch.autocast("cpu", enabled=False),
        untouched(model),
    ):
        graph = build_graph(model, example_inputs, batch_dims=batch_dims, clock=clock)
        return _remove(model, graph, spec, check, {} if clock is None else clock)


def _remove(model: nn.Module, graph: ModelGraph, spec: PruneSpec, check: bool, clock: dict[str, float]) -> Outcome:
    started = time.perf_counter()
    if spec.layers and not graph.groups:
        raise InputError(f"No channels of this network can be removed: {_reasons(graph)}")
    plan = make_plan(model, graph, spec)
    what = shrinkage(graph, plan)
    small = shrink(model, what)
    removed = time.perf_counter()
    try:
        proof = _proof(model, small, graph, plan, spec.sparsity) if check else None
    except RemovalError:
        fewer = without_failing(model, graph, plan)
        if fewer is None:
            raise
        return _remove(model, fewer, spec, check, clock)
    clock["remove"], clock["check"] = removed - started, time.perf_counter() - removed
    return Outcome(graph=graph, plan=plan, what=what, model=small, check=proof)


def _proof(model: nn.Module, small: nn.Module, graph: ModelGraph, plan: Plan, sparsity: float) -> Check:
    if sparsity and not graph.groups:
        reason = f"no channels of this network can be removed: {_reasons(graph)}"
        return Check(status="refused", max_error=None, reference="nothing was removed", reason=reason)
    for walk in graph.walks:
        check_memory(proof_bytes(walk.trace), "The proof of a removal (check=False leaves it out)")
    return check_removal(model, small, graph, plan)


def _reasons(graph: ModelGraph) -> str:
    """Why groups are locked, each reason once, the first few."""
    layers: dict[str, str] = {}
    for group in graph.locked:
        layers.setdefault(str(group.locked), ", ".join(group.producers) or group.name)
    if not layers:
        return "it has no convolution or linear layer whose outputs another one reads."
    shown = list(layers.items())[: 4 if len(layers) == 4 else 3]
    more = f"; and {len(layers) - len(shown)} other reasons." if len(layers) > len(shown) else "."
    return "; ".join(f"{names}: {reason}" for reason, names in shown) + more
