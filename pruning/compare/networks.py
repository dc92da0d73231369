"""Two networks layer by layer: channels, weights and MACs before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pruning.compare.sides import Pair
from pruning.cost.counts import LayerCost, layer_costs
from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One convolution or linear layer of a network."""

    name: str
    what: str
    """Such as '3×3 convolution'."""
    channels: int
    """Outputs it makes."""
    kept: tuple[int, ...]
    """Their numbers in the dense network, ascending; as many as `channels`."""
    params: int
    nonzero: int
    macs: int
    """Of one image."""

    @property
    def density(self) -> float:
        """Share of its parameters that are not zero."""
        return self.nonzero / max(1, self.params)


@dataclass(frozen=True, kw_only=True)
class LayerPair:
    """A layer in both networks; None in a network that has no layer of that name."""

    name: str
    before: Layer | None
    after: Layer | None

    @property
    def gone(self) -> tuple[int, ...]:
        """Numbers of the channels that only the first network has."""
        if self.before is None or self.after is None:
            return ()
        stay = set(self.after.kept)
        return tuple(number for number in self.before.kept if number not in stay)


def layers_of(subject: Subject) -> list[Layer]:
    """Every convolution and linear layer in network order."""
    tensors = dict(subject.model.named_parameters())
    return [_layer(cost, tensors, subject) for cost in layer_costs(subject.graph)]


def compare_layers(before: Subject, after: Subject) -> list[LayerPair]:
    """Layers of both, by name where both go back to the same dense network; else one network's after the other's."""
    first, second = layers_of(before), layers_of(after)
    if before.network.origin != after.network.origin:
        return [
            *(LayerPair(name=layer.name, before=layer, after=None) for layer in first),
            *(LayerPair(name=layer.name, before=None, after=layer) for layer in second),
        ]
    theirs = {layer.name: layer for layer in second}
    return [LayerPair(name=layer.name, before=layer, after=theirs.get(layer.name)) for layer in first]


def drawing_words(pair: Pair, layers: Sequence[LayerPair]) -> str:
    """What a drawing of both shows, in a sentence or two."""
    if not pair.same_network:
        return "Two different networks: each block is a layer, as high as it has channels, both to the same scale."
    text = "Each block is a layer, as high as it has channels; both networks to the same scale, from input to answer."
    if any(layer.gone for layer in layers):
        return f"{text} Orange: the channels that were removed, at their own places. Blue: what stays."
    if pair.before.figures.nonzero != pair.after.figures.nonzero:
        return f"{text} Blue: the share of the weights that is not zero; orange: zeros, which take room all the same."
    return text


def _layer(cost: LayerCost, tensors: Mapping[str, Tensor], subject: Subject) -> Layer:
    weight = f"{cost.name}.weight"
    mine = [tensors[name] for name in (weight, f"{cost.name}.bias") if name in tensors]
    kernel = "×".join(map(str, cost.weight_shape[2:]))
    return Layer(
        name=cost.name,
        what="linear layer" if cost.kind == "linear" else f"{kernel} convolution",
        channels=cost.weight_shape[0],
        kept=tuple(subject.network.structure.kept.get(weight, {}).get(0, range(cost.weight_shape[0]))),
        params=cost.parameters,
        nonzero=sum(int(torch.count_nonzero(tensor.detach())) for tensor in mine),
        macs=cost.macs,
    )
