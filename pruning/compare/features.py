"""What each filter of a layer answers to one image, under the numbers that its channels had in the dense network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.graph.rules.call import Contraction
from pruning.graph.trace import argument, module_path, op_of
from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True, eq=False)
class Maps:
    """The answers of one layer to one image."""

    layer: str
    place: str
    """Module whose output they are: the layer, or the batch normalisation that alone reads it."""
    channels: tuple[int, ...]
    """Original number of each channel that is left, ascending."""
    values: Tensor
    """float32, channels × height × width; 1 × 1 for a neuron."""

    def of(self, channel: int) -> Tensor | None:
        """Height × width for an original number; None where the channel was removed."""
        return self.values[self.channels.index(channel)] if channel in self.channels else None


def layer_site(subject: Subject, layer: str) -> Contraction:
    """A layer of a network by its name.

    Raises:
        InputError: it has no such layer.
    """
    found = next((site for site in subject.graph.contractions if site.layer == layer), None)
    if found is None:
        names = dict.fromkeys(site.layer for site in subject.graph.contractions)
        raise InputError(f"{subject.title} has no layer '{layer}'. Choose one of: {', '.join(names)}.")
    return found


def kept_channels(subject: Subject, layer: str) -> tuple[int, ...]:
    """Original numbers of the channels a layer still has, ascending; all of them where none was removed."""
    tensor = layer_site(subject, layer).tensor
    kept = subject.network.structure.kept.get(tensor, {}).get(0)
    return tuple(range(subject.graph.shapes[tensor][0])) if kept is None else tuple(kept)


@torch.no_grad()
def feature_maps(subject: Subject, layer: str, image: Tensor) -> Maps:
    """Run one normalised image (channels × height × width) and keep what the layer's filters answer.

    Where batch normalisation follows and nobody else reads the layer, its output is taken: only there do channels of
    two networks stand on one scale. The model is not changed.

    Raises:
        InputError: there is no such layer, or its output is no map of channels.
    """
    channels = kept_channels(subject, layer)
    place = _place(subject, layer)
    model = clone(subject.model).eval()
    seen: list[Tensor] = []

    def keep(module: nn.Module, given: object, out: Tensor) -> None:
        seen.append(out)

    model.get_submodule(place).register_forward_hook(keep)
    model(image[None].contiguous(memory_format=torch.channels_last))
    values = seen[0][0].float()
    if len(values) != len(channels) or values.dim() not in (1, 3):
        raise InputError(f"What {layer} puts out is no map of channels, so it cannot be shown: choose another layer.")
    values = values[:, None, None] if values.dim() == 1 else values.contiguous()
    return Maps(layer=layer, place=place, channels=channels, values=values)


def common_reach(*maps: Maps) -> float:
    """A scale from minus to plus this is for all of them: all but the strongest hundredth of the answers lie within.

    One single strong answer would leave everything else pale.
    """
    magnitudes = torch.cat([some.values.abs().reshape(-1) for some in maps]).sort().values
    return float(magnitudes[round(0.99 * (len(magnitudes) - 1))]) or float(magnitudes[-1]) or 1.0


def _place(subject: Subject, layer: str) -> str:
    trace, tensor = subject.graph.trace, layer_site(subject, layer).tensor

    def holds_weight(node: Node) -> bool:
        weight = argument(node, 1)
        return (
            node.op == "call_function" and isinstance(weight, Node) and trace.tensors.get(weight.name) == tensor
        )  # fmt: skip

    node = next((node for node in trace.nodes if holds_weight(node)), None)
    readers = list(node.users) if node is not None else []
    if len(readers) == 1 and op_of(readers[0]) == "batch_norm" and module_path(readers[0]):
        return module_path(readers[0])
    return layer
