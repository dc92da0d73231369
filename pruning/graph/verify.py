"""Proof of a removal: the removed model is compared with the masked one, in float64, layer by layer."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pruning.apply import masked_model, removed_model
from pruning.errors import RemovalError
from pruning.graph.groups import ModelGraph
from pruning.plan import Plan
from pruning.shrinkage import Shrinkage, shrinkage

TOLERANCE = 1e-9
"""Largest difference relative to the largest value compared."""
BATCHES = (1, 3)


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of a proof."""

    status: Literal["exact", "not_comparable", "refused"]
    max_error: float | None
    """Largest relative difference met at any consumer's input or at the output."""
    reference: str
    """What the removed model was compared with."""
    reason: str | None = None


REFERENCE = "masked model in float64, at every consumer's input and at the output, batches of 1 and 3"


def check_removal(model: nn.Module, removed: nn.Module, graph: ModelGraph, plan: Plan) -> Check:
    """Compare a removed model with the masked one on random inputs.

    A negative control, the same model with each group's removed units shifted by one, must differ: otherwise the
    comparison could not have seen a mistake and counts as failed.

    Raises:
        RemovalError: they differ, or the removed model does not run; the first layer that differs is named.
    """
    dense = _double(model)
    small = _double(removed)
    masked = masked_model(dense, graph, plan)
    kept = shrinkage(graph, plan)
    worst = 0.0
    for batch in BATCHES:
        generator = torch.Generator().manual_seed(batch)
        images = torch.randn(batch, *graph.example_shape, dtype=torch.float64, generator=generator)
        expected = _record(masked, images, graph)
        try:
            actual = _record(small, images, graph)
        except Exception as error:
            raise RemovalError(
                f"The smaller network does not run ({error}), so it is not handed out: its code fixes a size that "
                "removal changes. Use weight pruning for this network."
            ) from error
        for place, wanted in expected.items():
            got = actual.get(place)
            wanted = _survivors(place, wanted, graph, kept)
            distance = _relative(wanted, got)
            if distance > TOLERANCE:
                raise RemovalError(
                    f"Removal is not exact: at {place} the smaller network differs from the masked one by a "
                    f"relative {distance:.1e}, so it is not handed out. Use weight pruning for this network."
                )
            worst = max(worst, distance)
    shifted = _shifted(graph, plan)
    if shifted is not None:
        control = masked_model(dense, graph, shifted)
        if _relative(control(images), small(images)) <= TOLERANCE:
            return Check(
                status="not_comparable",
                max_error=worst,
                reference=REFERENCE,
                reason="removing other units gives the same outputs, so equality proves nothing here",
            )
    return Check(status="exact", max_error=worst, reference=REFERENCE)


def prove(model: nn.Module, graph: ModelGraph, plan: Plan) -> tuple[nn.Module, Check]:
    """The removed model and its proof.

    Raises:
        RemovalError: the proof failed; no model is handed out.
    """
    removed = removed_model(model, graph, plan)
    return removed, check_removal(model, removed, graph, plan)


def _double(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).double().eval()


@torch.no_grad()
def _record(model: nn.Module, images: Tensor, graph: ModelGraph) -> dict[str, Tensor]:
    """Input of every layer that reads channels, and the output."""
    seen: dict[str, Tensor] = {}

    def keeper(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen[name] = inputs[0]

        return keep

    modules = dict(model.named_modules())
    handles = [modules[site.layer].register_forward_pre_hook(keeper(site.layer)) for site in graph.contractions]
    try:
        output = model(images)
    finally:
        for handle in handles:
            handle.remove()
    return {**seen, "the output": output}


def _survivors(place: str, value: Tensor, graph: ModelGraph, kept: Shrinkage) -> Tensor:
    """What is left of the masked model's value at a place once the removed channels are taken out."""
    site = next((site for site in graph.contractions if site.layer == place), None)
    index = kept.kept.get(site.tensor, {}).get(1) if site else None
    if site is None or index is None:
        return value
    dim = value.dim() - 1 if site.kind == "linear" else 1
    return value.index_select(dim, torch.tensor(index))


@torch.no_grad()
def _relative(wanted: Tensor, got: Tensor | None) -> float:
    if got is None or wanted.shape != got.shape:
        return float("inf")
    scale = max(float(wanted.abs().max()), float(got.abs().max()), 1e-300)
    error = float((wanted - got).abs().max()) / scale
    return error if error == error else float("inf")


def _shifted(graph: ModelGraph, plan: Plan) -> Plan | None:
    """The same plan with each group's kept units moved on by one; None where no group loses a unit."""
    kept = {}
    changed = False
    for group in graph.groups:
        units = plan.kept.get(group.name, tuple(range(group.units)))
        kept[group.name] = tuple(sorted((unit + 1) % group.units for unit in units))
        changed |= set(kept[group.name]) != set(units)
    return Plan(granularity="channel", kept=kept, layers=plan.layers) if changed else None
