"""Scores of the units of one target: evidence is gathered from the network's tensors, and its criterion asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.criteria import Evidence, Need, find_criterion
from pruning.graph.model_graph import ModelGraph
from pruning.graph.rules.contractions import layer_name
from pruning.graph.targets import Target
from pruning.spec import PruneSpec
from pruning.statistics.probe import Sight
from pruning.statistics.reals import real_numbers
from pruning.statistics.scales import scales_of


def unit_scores(
    graph: ModelGraph,
    target: Target,
    spec: PruneSpec,
    tensors: Mapping[str, Tensor],
    sight: Sight | None = None,
) -> Tensor:
    """Score of each unit of a channel group, or of each weight of a tensor: float32, one a unit, low goes first.

    `tensors`: the network's parameters by name. `sight`: of one batch, for a criterion that needs data.

    Raises:
        InputError: numbers are NaN or infinite, or the criterion needs batch norms that are not there, or outputs that
            cannot be seen.
    """
    criterion = find_criterion(spec.criterion)

    def weights() -> Tensor:
        reason = "the network is damaged. Load it again from a good copy"
        return _rows(target, {**tensors, **_normed(graph, target, tensors)}, "weights", reason)

    def scales() -> Tensor:
        assert target.group is not None, "a spec does not pair single weights with batch norms"
        return scales_of(graph, target.group, tensors)

    def slopes() -> Tensor:
        assert sight is not None, "statistics bring it along"
        reason = "the loss on train images is no number. Choose a criterion that needs no gradients"
        return _rows(target, sight.gradients, "gradients", reason)

    def values() -> Tensor:
        assert sight is not None, "statistics bring it along"
        return _outputs(graph, target, sight.outputs)

    gather: dict[Need, Callable[[], Tensor]] = {
        "weights": weights,
        "batch_norm": scales,
        "gradients": slopes,
        "activations": values,
    }
    generator = torch.Generator().manual_seed(_seed_for(target.key, spec.seed))
    with torch.no_grad():
        return criterion.score(Evidence(given={need: gather[need]() for need in criterion.needs}, generator=generator))


def _normed(graph: ModelGraph, target: Target, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By the names of their directions, the weights of fixed norm that make a target's units: a direction alone may be
    of any length."""
    making = {slot.tensor for slot in target.group.slots if slot.role == "producer"} if target.group else set()
    return {
        gain.direction: torch._weight_norm(tensors[gain.direction], tensors[gain.gain], gain.dim)
        for gain in graph.gains
        if gain.direction in making and gain.gain in tensors
    }


def _rows(target: Target, tensors: Mapping[str, Tensor], what: str, reason: str) -> Tensor:
    """What belongs to each unit in all tensors that make it, float32: units × numbers.

    Raises:
        InputError: a number is NaN or infinite.
    """
    if target.group is None:
        numbers = _finite(target.key, tensors[target.key], what, reason).detach()
        return (numbers.abs() if numbers.is_complex() else numbers).float().reshape(-1, 1)
    rows = []
    for slot in target.group.slots:
        if slot.role == "producer" and slot.tensor in tensors:
            tensor = real_numbers(_finite(slot.tensor, tensors[slot.tensor], what, reason).detach()).float()
            picked = tensor.movedim(slot.dim, 0)[slot.index.reshape(-1)]
            rows.append(picked.reshape(target.units, -1))
    return torch.cat(rows, 1)


def _outputs(graph: ModelGraph, target: Target, outputs: Mapping[str, Tensor]) -> Tensor:
    """What the layers that make a group's units put out, float32: units × numbers.

    Raises:
        InputError: it cannot be seen: the layer's weight is used elsewhere than in the layer itself.
    """
    assert target.group is not None, "single weights put nothing out"
    sites = {site.tensor: site for site in graph.contractions}
    rows = []
    for slot in target.group.slots:
        if slot.role == "producer":
            layer, dim = layer_name(slot.tensor), sites[slot.tensor].channel_dim
            out = outputs.get(layer)
            if out is None or out.dim() <= dim or out.shape[dim] != graph.shapes[slot.tensor][slot.dim]:
                raise InputError(
                    f"What {layer} puts out cannot be seen, so the channels of {target.name} cannot be ranked by it: "
                    "let them all stay, or choose another criterion."
                )
            picked = real_numbers(_finite(layer, out, "outputs", "the network is damaged")).float().movedim(dim, 0)
            rows.append(picked[slot.index.reshape(-1)].reshape(target.units, -1))
    return torch.cat(rows, 1)


def _finite(name: str, tensor: Tensor, what: str, reason: str) -> Tensor:
    if not bool(tensor.isfinite().all()):
        bad = int((~tensor.isfinite()).sum())
        raise InputError(
            f"{bad:,} of the {tensor.numel():,} {what} of {name} are NaN or infinite, so they cannot be ranked: "
            f"{reason}."
        )
    return tensor


def _seed_for(name: str, seed: int) -> int:
    """A seed of its own for each target, so that random choices in one layer do not depend on other layers."""
    return (seed * 1_000_003 + sum((i + 1) * ord(char) for i, char in enumerate(name))) % 2**31
