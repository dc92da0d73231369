"""Channel groups: units (sets of joined labels) that touch the same dimensions of the same tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pruning.graph.labels import RAW, RAW_REASON, Labels
from pruning.graph.rules.call import Walk
from pruning.graph.rules.contractions import layer_name


@dataclass(frozen=True, kw_only=True, eq=False)
class Slot:
    """One dimension of one parameter or buffer that loses indices with the units of a group."""

    tensor: str
    dim: int
    role: str
    """producer: the weight that makes the unit; consumer: a weight that reads it; follower: BN, bias, ..."""
    index: Tensor
    """int64, units × positions: where each unit stands along the dimension (a flatten gives several positions)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChannelGroup:
    """All places that lose the same units together; what one slider controls."""

    name: str
    """The first layer all of whose outputs these are; else a layer's name and '/own': the part of its outputs that
    earlier layers do not have."""
    units: int
    slots: tuple[Slot, ...]
    components: tuple[int, ...]
    """Connected set of labels that each unit is."""
    locked: str | None
    """Why no unit may be removed, or None."""
    least: int = 1
    """Units that have to stay."""
    why_least: str | None = None
    """Why these, where it is more than one."""

    def __repr__(self) -> str:
        return f"ChannelGroup({self.name}: {self.units:,} units{f', locked: {self.locked}' if self.locked else ''})"

    @property
    def producers(self) -> tuple[str, ...]:
        """Layers whose outputs are these units, in network order."""
        return tuple(dict.fromkeys(layer_name(slot.tensor) for slot in self.slots if slot.role == "producer"))

    @property
    def consumers(self) -> tuple[str, ...]:
        """Layers that read these units."""
        return tuple(dict.fromkeys(layer_name(slot.tensor) for slot in self.slots if slot.role == "consumer"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Grouping:
    """All groups of a labelled model."""

    groups: tuple[ChannelGroup, ...]
    locked: tuple[ChannelGroup, ...]
    component: Tensor
    """Connected set of each label."""


def find_groups(labels: Labels, walks: list[Walk], parameters: Container[str]) -> Grouping:
    """Collect units into groups, removable and locked, in network order."""
    component = labels.resolve()
    count = int(component.max()) + 1
    component_of = component.numpy()
    produced = _marks(labels.produced, labels.count)
    consumed = _marks(labels.consumed, labels.count)
    made = np.zeros(count, dtype=bool)
    made[component_of[produced]] = True
    reasons: dict[int, str] = {}
    for where, reason in labels.locks:
        for unit in np.unique(component_of[where.numpy()]).tolist():
            reasons.setdefault(unit, reason)
    reasons.setdefault(int(component_of[RAW]), RAW_REASON)

    keys = _in_network_order(labels, walks)
    slot_of, unit_of, index_of = [], [], []
    for number, key in enumerate(keys):
        units = component_of[labels.own[key].numpy()]
        keep = np.nonzero(made[units])[0]
        slot_of.append(np.full(len(keep), number))
        unit_of.append(units[keep])
        index_of.append(keep)
    slots = np.concatenate(slot_of) if slot_of else np.zeros(0, dtype=np.int64)
    units = np.concatenate(unit_of) if unit_of else slots
    indices = np.concatenate(index_of) if index_of else slots
    order = np.lexsort((indices, slots, units))
    slots, units, indices = slots[order], units[order], indices[order]

    starts = np.flatnonzero(np.diff(units, prepend=-1))
    members: dict[tuple[object, ...], list[tuple[int, int, int]]] = defaultdict(list)
    first_use: dict[tuple[object, ...], tuple[int, int]] = {}
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(units)], strict=False):
        unit = int(units[start])
        signature = (slots[start:end].tobytes(), reasons.get(unit))
        members[signature].append((unit, start, end))
        place = (int(slots[start]), int(indices[start]))
        first_use[signature] = min(first_use.get(signature, place), place)
    roles = {key: _role(labels.own[key].numpy(), produced, consumed) for key in keys}
    _prefer_parameters(roles, labels, component_of, parameters)
    groups: list[ChannelGroup] = []
    taken: set[str] = set()
    for shared in sorted(members, key=lambda s: first_use[s]):
        found = sorted(members[shared], key=lambda item: (int(slots[item[1]]), int(indices[item[1]])))
        group = _group(found, slots, indices, keys, roles, labels, reasons, taken)
        taken.add(group.name)
        groups.append(group)
    groups += _single(walks, groups)
    return Grouping(
        groups=tuple(group for group in groups if group.locked is None),
        locked=tuple(group for group in groups if group.locked is not None),
        component=component,
    )


def _single(walks: list[Walk], groups: list[ChannelGroup]) -> list[ChannelGroup]:
    """Layers of one channel, which has no label: it stays."""
    known = {name for group in groups for name in group.producers}
    sites = {site.layer: site for site in walks[0].contractions if site.output_shape[site.output_dim] == 1}
    return [
        ChannelGroup(
            name=name,
            units=1,
            slots=(Slot(tensor=site.tensor, dim=0, role="producer", index=torch.zeros(1, 1, dtype=torch.long)),),
            components=(),
            locked="it has one channel, which stays",
        )
        for name, site in sites.items()
        if name not in known
    ]


def _marks(notes: list[Tensor], count: int) -> np.ndarray:
    marks = np.zeros(count, dtype=bool)
    for labels in notes:
        marks[labels.numpy()] = True
    marks[RAW] = False
    return marks


def _role(own: np.ndarray, produced: np.ndarray, consumed: np.ndarray) -> str:
    return "producer" if produced[own].any() else "consumer" if consumed[own].any() else "follower"


def _prefer_parameters(
    roles: dict[tuple[str, int], str], labels: Labels, component_of: np.ndarray, parameters: Container[str]
) -> None:
    """Where a weight is a parameter times a mask, the parameter is what makes the units, not the mask."""
    for key, role in list(roles.items()):
        if role == "follower" or key[0] in parameters:
            continue
        units = component_of[labels.own[key].numpy()]
        for other in roles:
            like = other[0] in parameters and other[1] == key[1] and (other[0], 1 - other[1]) in roles
            same = like and np.array_equal(component_of[labels.own[other].numpy()], units)
            if same and roles[other] == "follower":
                roles[other], roles[key] = role, "follower"


def _in_network_order(labels: Labels, walks: list[Walk]) -> list[tuple[str, int]]:
    """Tensors as the network uses them, each with its dimensions."""
    used: dict[str, None] = {}
    for walk in walks:
        for node in walk.trace.nodes:
            for source in node.all_input_nodes:
                name = walk.trace.tensors.get(source.name)
                if name is not None:
                    used.setdefault(name)
    order = {name: number for number, name in enumerate(used)}
    return sorted(labels.own, key=lambda key: (order.get(key[0], len(order)), key[1]))


def _group(
    found: list[tuple[int, int, int]],
    slots: np.ndarray,
    indices: np.ndarray,
    keys: list[tuple[str, int]],
    roles: dict[tuple[str, int], str],
    labels: Labels,
    reasons: dict[int, str],
    taken: set[str],
) -> ChannelGroup:
    _, start, end = found[0]
    pattern = slots[start:end]
    table = np.stack([indices[s:e] for _, s, e in found])
    made = tuple(
        Slot(
            tensor=keys[number][0],
            dim=keys[number][1],
            role=roles[keys[number]],
            index=torch.from_numpy(table[:, pattern == number]),
        )
        for number in dict.fromkeys(pattern.tolist())
    )
    name = _name(made, labels)
    number = 2
    while name in taken:
        name, number = f"{name.partition('#')[0]}#{number}", number + 1
    return ChannelGroup(
        name=name,
        units=len(found),
        slots=made,
        components=tuple(unit for unit, _, _ in found),
        locked=reasons.get(found[0][0]) or ("its channels only go all together" if len(found) == 1 else None),
    )


def _name(slots: tuple[Slot, ...], labels: Labels) -> str:
    """The first layer whose outputs all belong to the group; else the first layer and '/own', the part of its
    outputs that it does not share with earlier layers."""
    producers = [slot for slot in slots if slot.role == "producer"]
    for slot in producers:
        if slot.index.numel() == len(labels.own[slot.tensor, slot.dim]):
            return layer_name(slot.tensor)
    return f"{layer_name(producers[0].tensor)}/own"
