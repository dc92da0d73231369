"""Channel groups: sets of joined labels that touch the same dimensions of the same tensors."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.graph.labels import RAW, Contraction, PadSite, Propagation, propagate
from pruning.graph.trace import Trace, trace

PADDING_MODULES = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)
"""Modules whose `padding` attribute removal can rewrite (nn.ZeroPad1d/2d/3d are kinds of them)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Slot:
    """One dimension of one parameter or buffer that loses indices with the units of a group."""

    tensor: str
    dim: int
    role: str
    """producer: the weight that makes the unit; consumer: a weight that reads it; follower: BN, bias, ..."""
    index: Tensor
    """int64, units × positions: where each unit stands along the dimension (a flatten gives several positions)."""


@dataclass(frozen=True, kw_only=True)
class PadSlot:
    """Zero channels of a padding module that go with units; `before`, `after`: units whose zero stands there."""

    module: str
    dim: int
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelGroup:
    """All places that lose the same units together; what one slider controls."""

    name: str
    """The first layer all of whose outputs these are; else a layer's name and '/own': the part of its outputs that
    earlier layers do not have."""
    units: int
    slots: tuple[Slot, ...]
    pads: tuple[PadSlot, ...]
    locked: str | None
    """Why no unit may be removed, or None."""

    @property
    def producers(self) -> tuple[str, ...]:
        """Layers whose outputs are these units, in network order."""
        return tuple(dict.fromkeys(layer_of(slot.tensor) for slot in self.slots if slot.role == "producer"))

    @property
    def consumers(self) -> tuple[str, ...]:
        """Layers that read these units."""
        return tuple(dict.fromkeys(layer_of(slot.tensor) for slot in self.slots if slot.role == "consumer"))


@dataclass(frozen=True, kw_only=True, eq=False)
class ModelGraph:
    """What removal, costs and pages need to know of a model; independent of the values of its weights."""

    groups: tuple[ChannelGroup, ...]
    """Removable groups in network order."""
    locked: tuple[ChannelGroup, ...]
    contractions: tuple[Contraction, ...]
    shapes: dict[str, tuple[int, ...]]
    """Of every parameter and buffer."""
    parameters: frozenset[str]
    pad_sites: dict[str, tuple[int, int, int]]
    """Padding module → (dimension, zeros before, zeros after) in the dense model."""
    trace: Trace
    example_shape: tuple[int, ...]

    def group(self, name: str) -> ChannelGroup:
        return next(group for group in self.groups if group.name == name)


def layer_of(tensor: str) -> str:
    """Module that holds a parameter."""
    return tensor.rsplit(".", 1)[0] if "." in tensor else ""


def build_graph(model: nn.Module, input_shape: tuple[int, ...]) -> ModelGraph:
    """Trace a model and find its channel groups.

    `input_shape`: of one sample, without the batch.

    Raises:
        InputError: the model cannot be traced.
    """
    weight = next(model.parameters())
    traced = trace(model, torch.zeros(2, *input_shape, dtype=weight.dtype))
    state = propagate(traced)
    _lock_fixed_pads(model, state)
    units = _units(state)
    grouped: dict[tuple[object, ...], list[_Unit]] = defaultdict(list)
    for unit in units:
        grouped[unit.signature].append(unit)
    groups: list[ChannelGroup] = []
    names: set[str] = set()
    for members in grouped.values():
        group = _group(members, state, names)
        if group is not None:
            names.add(group.name)
            groups.append(group)
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return ModelGraph(
        groups=tuple(group for group in groups if group.locked is None),
        locked=tuple(group for group in groups if group.locked is not None),
        contractions=tuple(state.contractions),
        shapes={name: tuple(tensor.shape) for name, tensor in tensors.items()},
        parameters=frozenset(name for name, _ in model.named_parameters()),
        pad_sites={site.module: (site.dim, len(site.before), len(site.after)) for site in state.pads},
        trace=traced,
        example_shape=tuple(input_shape),
    )


def _lock_fixed_pads(model: nn.Module, state: Propagation) -> None:
    modules = dict(model.named_modules())
    uses: dict[str, list[PadSite]] = defaultdict(list)
    for site in state.pads:
        uses[site.module].append(site)
    for name, sites in uses.items():
        if not isinstance(modules.get(name), PADDING_MODULES) or len(sites) > 1:
            for site in sites:
                reason = f"the zero channels that {name or 'the model'} adds are a number fixed in its code"
                state.lock(torch.cat((site.before, site.after)), reason)


@dataclass(frozen=True, eq=False)
class _Unit:
    """One set of joined labels: its positions per (tensor, dim), its padding zeros, and whether it is locked."""

    positions: dict[tuple[str, int], list[int]]
    pads: dict[tuple[str, int, str], int]
    locked: str | None

    @property
    def signature(self) -> tuple[object, ...]:
        places = tuple((place, len(index)) for place, index in self.positions.items())
        return (places, self.locked)


def _units(state: Propagation) -> list[_Unit]:
    """Every set of joined labels that a producer makes, in network order."""
    positions: dict[int, dict[tuple[str, int], list[int]]] = defaultdict(lambda: defaultdict(list))
    produced: dict[int, None] = {}
    for (tensor, dim), role in state.roles.items():
        for index, label in enumerate(state.tensor_labels[tensor][dim].tolist()):
            root = state.find(label)
            positions[root][tensor, dim].append(index)
            if role == "producer":
                produced.setdefault(root)
    pads: dict[int, dict[tuple[str, int, str], int]] = defaultdict(dict)
    for site in state.pads:
        for side, labels in (("before", site.before), ("after", site.after)):
            for label in labels.tolist():
                key = (site.module, site.dim, side)
                pads[state.find(label)][key] = pads[state.find(label)].get(key, 0) + 1
    locks: dict[int, str] = {RAW: "it meets values that no layer makes, such as the input itself"}
    for label, reason in state.locks.items():
        locks.setdefault(state.find(label), reason)
    return [_Unit(dict(positions[root]), pads[root], locks.get(root)) for root in produced]


def _group(members: list[_Unit], state: Propagation, taken: set[str]) -> ChannelGroup | None:
    first = members[0]
    slots = tuple(
        Slot(tensor=tensor, dim=dim, role=state.roles[tensor, dim],
             index=torch.tensor([unit.positions[tensor, dim] for unit in members]))
        for tensor, dim in first.positions
    )  # fmt: skip
    sites = dict.fromkeys((module, dim) for unit in members for module, dim, _ in unit.pads)
    pads = tuple(
        PadSlot(
            module=module,
            dim=dim,
            before=tuple(i for i, unit in enumerate(members) if (module, dim, "before") in unit.pads),
            after=tuple(i for i, unit in enumerate(members) if (module, dim, "after") in unit.pads),
        )
        for module, dim in sites
    )
    name = _name(slots, state)
    number = 2
    while name in taken:
        name, number = f"{name.partition('#')[0]}#{number}", number + 1
    return ChannelGroup(name=name, units=len(members), slots=slots, pads=pads, locked=first.locked)


def _name(slots: tuple[Slot, ...], state: Propagation) -> str:
    """The first layer whose outputs all belong to the group; else the first layer and '/own', the part of its
    outputs that it does not share with earlier layers."""
    producers = [slot for slot in slots if slot.role == "producer"]
    for slot in producers:
        if slot.index.numel() == len(state.tensor_labels[slot.tensor][slot.dim]):
            return layer_of(slot.tensor)
    return f"{layer_of(producers[0].tensor)}/own"
