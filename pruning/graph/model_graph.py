"""Everything removal, costs and pages need to know of a model, independent of the values of its weights."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.fx import Node
from torch.utils import _pytree as pytree

from pruning.base.clone import shared_memory
from pruning.base.held import Place, number_at
from pruning.catalog.shrinkage import Gain
from pruning.graph.batch import OtherSize
from pruning.graph.groups import ChannelGroup, Grouping, find_groups
from pruning.graph.inputs import Inputs
from pruning.graph.labels import Labels, Value, varying
from pruning.graph.ops import of
from pruning.graph.propagate import walk
from pruning.graph.rules.call import Contraction, PadSite, Product, SizeSite, Walk
from pruning.graph.statements import Statement
from pruning.graph.trace import Trace, TraceError, argument, line_of, module_path, op_of, trace

PADDING_MODULES = (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)
"""Modules whose `padding` attribute removal can rewrite (nn.ZeroPad1d/2d/3d are kinds of them)."""


@dataclass(frozen=True, kw_only=True)
class SizeRule:
    """At the calls of one source line a number in the code follows a dimension of the result."""

    line: str
    op: str
    dim: int
    attribute: str
    place: Place
    part: int = 0
    """Which of several results."""


@dataclass(frozen=True)
class Followed:
    """A number in an attribute follows a dimension of a parameter or buffer."""

    module: str
    attribute: str
    place: Place
    tensor: str
    dim: int
    span: tuple[int, int] | None = None
    """Only these indices of the dimension, from the first up to the last but one; None: all of it."""


@dataclass(frozen=True, kw_only=True)
class Lessons:
    """What trials have shown about a model's code."""

    locked: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(source line, op) → why it cannot take part."""
    turned: frozenset[str] = frozenset()
    literal: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()
    spread: frozenset[str] = frozenset()
    """These as in `pruning.graph.labels.Labels`."""
    coupled: frozenset[tuple[str, str]] = frozenset()
    """(source line, op) of reshapes whose channels must be as many as those that their layer read."""
    sizes: tuple[SizeRule, ...] = ()
    follows: tuple[Followed, ...] = ()
    stays: tuple[tuple[str, int, Tensor, str], ...] = ()
    """(tensor, dimension, indices that stay, why)."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ModelGraph:
    """A traced and labelled model."""

    groups: tuple[ChannelGroup, ...]
    """Removable groups in network order."""
    locked: tuple[ChannelGroup, ...]
    contractions: tuple[Contraction, ...]
    products: tuple[Product, ...]
    shapes: dict[str, tuple[int, ...]]
    """Of every parameter and buffer."""
    parameters: frozenset[str]
    aliases: tuple[tuple[str, str, bool], ...]
    """Pairs of parameters that share memory, and whether one is the other transposed."""
    pads: tuple[PadSite, ...]
    sizes: tuple[SizeSite, ...]
    gains: tuple[Gain, ...]
    """Weights of fixed norm whose gain can follow what goes of their direction."""
    labels: Labels
    component: Tensor
    walks: tuple[Walk, ...]
    """Eval mode, and train mode where that uses more parameters."""
    inputs: Inputs
    lessons: Lessons
    other_size: OtherSize | None = None
    """The traces at another batch size, where finding the batch made them."""
    statements: tuple[Statement, ...] = ()
    """Attributes that may follow channels though forward does not read them."""

    def __repr__(self) -> str:
        return f"ModelGraph({len(self.groups):,} groups of channels, {len(self.locked):,} locked)"

    @property
    def trace(self) -> Trace:
        return self.walks[0].trace

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Shape of one sample of the first input."""
        return self.inputs.sample_shape

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its calls, with their arguments and the shapes of what they give: names what is computed, whatever
        the values of the weights."""
        hashed = hashlib.sha256()
        for node in self.trace.nodes:
            given = node.meta.get("val")
            shape = getattr(given, "shape", None)
            parts = op_of(node), node.args, node.kwargs, None if shape is None else tuple(shape)
            hashed.update(f"{parts}\n".encode())
        return hashed.hexdigest()

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the first output for the traced batch, batch first."""
        outputs = pytree.tree_leaves(self.trace.nodes[-1].args)
        return next((tuple(node.meta["val"].shape) for node in outputs if isinstance(node, Node)), ())

    @cached_property
    def heads(self) -> frozenset[str]:
        """Groups whose units are heads of attention: several channels each, which two activations are multiplied
        over."""
        scales = {scale for product in self.products for scale in product.scales}
        return frozenset(
            group.name
            for group in self.groups
            if any((slot.tensor, slot.dim) in scales and slot.index.shape[1] > 1 for slot in group.slots)
        )

    def group(self, name: str) -> ChannelGroup:
        return next(group for group in self.groups if group.name == name)

    def removed(self, kept: Mapping[str, tuple[int, ...]]) -> Tensor:
        """bool for every label: whether a plan that keeps these units of each group removes it."""
        gone = torch.zeros(int(self.component.max()) + 1, dtype=torch.bool)
        for group in self.groups:
            if group.name in kept:
                stay = set(kept[group.name])
                gone[[unit for i, unit in enumerate(group.components) if i not in stay]] = True
        return gone[self.component]


def label_model(model: nn.Module, inputs: Inputs, traces: list[Trace], lessons: Lessons) -> ModelGraph:
    """Walk the traces with labels and collect the groups."""
    labels = Labels(turned=lessons.turned, literal=lessons.literal, apart=lessons.apart, spread=lessons.spread)
    walks = [walk(traced, labels, lessons.locked) for traced in traces]
    modules = dict(model.named_modules())
    aliases = shared_memory(model)
    for w in walks if lessons.coupled else ():
        _couple(w, lessons.coupled)
    for first, second, transposed in aliases:
        _tie_shared(labels, first, second, transposed)
    for name, dim, index, reason in lessons.stays:
        labels.lock(labels.own[name, dim][index], reason)
    pads = _settle_pads(modules, walks, labels)
    sites = [*_followed(labels, lessons), *(site for w in walks for site in (*w.sizes, *_from_rules(w, lessons)))]
    sizes = tuple(site for site in sites if _fits(modules, site))
    _join_same_numbers(labels, sizes)
    found: Grouping = find_groups(labels, walks, dict(model.named_parameters()))
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return ModelGraph(
        groups=found.groups,
        locked=found.locked,
        contractions=tuple(walks[0].contractions),
        products=tuple(walks[0].products),
        shapes={name: tuple(tensor.shape) for name, tensor in tensors.items()},
        parameters=frozenset(name for name, _ in model.named_parameters()),
        aliases=aliases,
        pads=pads,
        sizes=sizes,
        gains=tuple(dict.fromkeys(gain for w in walks for gain in w.gains)),
        labels=labels,
        component=found.component,
        walks=tuple(walks),
        inputs=inputs,
        lessons=lessons,
    )


def trace_modes(model: nn.Module, inputs: Inputs) -> list[Trace]:
    """The data flow in eval mode, and in train mode where that uses parameters which eval mode does not.

    Raises:
        TraceError: the model cannot be traced in eval mode, or not in train mode where that is needed.
    """
    traces = [trace(model, inputs)]
    used = {traces[0].tensors[n.name] for n in traces[0].nodes if n.name in traces[0].tensors and n.users}
    found = list(model.named_parameters())
    for path, module in model.named_modules():  # torch's own layers say how their buffers follow
        if not type(module).__module__.startswith("torch."):
            found += [(f"{path}.{name}".lstrip("."), buffer) for name, buffer in module.named_buffers(recurse=False)]
    own = [name for name, tensor in found if tensor.dim()]  # a counter has no channels to lose
    if any(name not in used for name in own):
        try:
            traces.append(trace(model, inputs, training=True))
        except TraceError as error:
            unused = [name for name in own if name not in used]
            raise TraceError(
                f"{unused[0]} and perhaps others ({len(unused)} in all) are used only in training, which cannot be "
                f"traced with these inputs ({error}) Give larger example inputs, or take these layers out first.",
                error.lines,
            ) from error
    return traces


def _tie_shared(labels: Labels, first: str, second: str, transposed: bool) -> None:
    dims = {dim for name, dim in labels.own if name == first}
    for dim in dims:
        one, other = labels.own[first, dim], labels.own.get((second, 1 - dim if transposed else dim))
        if other is not None and len(one) == len(other):
            labels.join(one, other)
        else:
            labels.lock(one, f"{first} and {second} share memory in different shapes")


def _join_same_numbers(labels: Labels, sizes: tuple[SizeSite, ...]) -> None:
    """Channels that follow the same number in the code lose as many each, or multiples: place by place."""
    by_number: dict[tuple[str, str, Place], list[Tensor]] = defaultdict(list)
    for site in sizes:
        by_number[site.module, site.attribute, site.place].append(site.vector)
    for (module, attribute, _), vectors in by_number.items():
        shortest = min(vectors, key=len)
        for vector in vectors:
            if len(vector) % len(shortest):
                for locked in (shortest, vector):
                    labels.lock(locked, f"{attribute} of {module or 'the model'} stands for several sizes")
            else:
                labels.join(shortest[:, None], vector.reshape(len(shortest), -1))


def _couple(w: Walk, places: frozenset[tuple[str, str]]) -> None:
    """`B, N, C = x.shape` and later `reshape(B, N, C)`: what a layer makes is as wide as what it read."""
    for node in w.trace.nodes:
        if node.op == "call_function" and (line_of(node), op_of(node)) in places:
            read = _read_by_layer(w, node)
            value = w.values.get(node)
            for layer in value.layers if read is not None and isinstance(value, Value) else ():
                if read is not None and layer.numel() % len(read) == 0:
                    w.labels.join(layer.reshape(-1, len(read)), read)


def _read_by_layer(w: Walk, node: torch.fx.Node) -> Tensor | None:
    """Labels of the channels that the nearest layer before a call reads; a convolution in groups is none, since it
    makes as many channels as it reads."""
    todo, seen = [node], {node}
    while todo:
        now = todo.pop(0)
        if of(now).layer == "linear" or (of(now).layer == "plain convolution" and argument(now, 6, 1) == 1):
            source = w.values.get(argument(now, 0))
            dim = -1 if of(now).layer == "linear" else 1
            layer = source.layer(dim % len(source.shape)) if isinstance(source, Value) else None
            return layer.reshape(-1) if layer is not None and len(varying(layer)) == 1 else None
        for source in now.all_input_nodes:
            if source.op == "call_function" and source not in seen:
                seen.add(source)
                todo.append(source)
    return None


def _settle_pads(modules: dict[str, nn.Module], walks: list[Walk], labels: Labels) -> tuple[PadSite, ...]:
    """Zero channels that a padding module adds can follow, and those whose number the code computes, which a trial
    shows; a number fixed in the code cannot."""
    sites: dict[str, list[PadSite]] = defaultdict(list)
    for site in (site for w in walks for site in w.pads):
        sites[site.module].append(site)
    settled = []
    for name, found in sites.items():
        first = found[0]
        per_walk = max(sum(site.module == name for site in w.pads) for w in walks)
        if isinstance(modules.get(name), PADDING_MODULES):
            if per_walk == 1:
                for other in found[1:]:
                    labels.join(first.before, other.before)
                    labels.join(first.after, other.after)
                settled.append(first)
                continue
            literal = found
        else:
            literal = [site for site in found if site.line in labels.literal]
        for site in literal:
            reason = f"the zero channels that {name or 'the model'} adds are a number fixed in its code"
            labels.lock(torch.cat((site.before, site.after)), reason)
    return tuple(settled)


def _followed(labels: Labels, lessons: Lessons) -> list[SizeSite]:
    return [
        SizeSite(
            module=known.module,
            attribute=known.attribute,
            place=known.place,
            value=None,
            vector=labels.own[known.tensor, known.dim][slice(*known.span or (None,))],
        )
        for known in lessons.follows
        if (known.tensor, known.dim) in labels.own
    ]


def _from_rules(w: Walk, lessons: Lessons) -> list[SizeSite]:
    sites, rules = [], lessons.sizes
    by_place: dict[tuple[str, str], list[SizeRule]] = defaultdict(list)
    for rule in rules:
        by_place[rule.line, rule.op].append(rule)
    for node in w.trace.nodes if rules else ():
        if node.op != "call_function":
            continue
        for rule in by_place.get((line_of(node), op_of(node)), ()):
            vector = result_vector(w, node, rule.dim, rule.part)
            if vector is not None:
                sites.append(
                    SizeSite(module=module_path(node), attribute=rule.attribute, place=rule.place,
                             value=len(vector) if rule.line in lessons.apart else None, vector=vector)
                )  # fmt: skip
    return sites


def result_vector(w: Walk, node: torch.fx.Node, dim: int, part: int = 0) -> Tensor | None:
    """Labels of a call's result (or of one of several results) along one dimension, or None."""
    value: Any = w.values.get(node)
    if isinstance(value, tuple):
        value = value[part] if part < len(value) else None
    layer = value.layer(dim) if value is not None and dim < len(value.shape) else None
    if layer is None:
        return None
    others = [d for d in varying(layer) if d != dim]
    for other in others:
        layer = layer.narrow(other, 0, 1)
    return layer.reshape(-1)


def _fits(modules: dict[str, nn.Module], site: SizeSite) -> bool:
    """Whether the module has the attribute, with the size it had when traced."""
    module = modules.get(site.module)
    number = None if module is None else number_at(module, site.attribute, site.place)
    return number is not None and site.value in (None, number)
