"""One call of the exported graph, as the rules see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from torch import Tensor
from torch.fx import Node

from pruning.base.held import Place
from pruning.catalog.shrinkage import Gain
from pruning.graph.labels import Attachment, Labels, Site, Value, raw, varying
from pruning.graph.trace import PARAMETRIZATIONS, Trace, by_name, line_of, module_path, op_of, place, shape_of

Result = Any
"""A `Value`, a tuple of them for calls with several results, or None where no rule applies."""
Rule = Callable[["Call"], Result]
FOLD = (
    "fold it into a plain weight first (torch.nn.utils.parametrize.remove_parametrizations or "
    "torch.nn.utils.remove_spectral_norm, else by hand)"
)
NO_RULE = "is not understood"
REWRITE = "write it with other operations, or give this one a rule (docs/removal.md)"
TOGETHER = f"computes the weight from all of them together, so that what is left of it would change: {FOLD}"


@dataclass(frozen=True, kw_only=True)
class Contraction:
    """A convolution, linear layer or recurrent weight: where multiply-accumulates are spent."""

    layer: str
    tensor: str
    kind: str
    macs_per_weight: int | Fraction
    """How often each weight is used for one sample; a fraction where parts of it are used apart."""
    output_shape: tuple[int, ...]
    """Without the batch dimension, where there is one."""
    output_dim: int
    """Dimension of `output_shape` that the layer's units run along."""
    channel_dim: int
    """The same dimension in what the call gives, batch included."""


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product of two activations, as in attention."""

    layer: str
    macs: int
    """For one sample, dense."""
    scales: tuple[tuple[str, int], ...]
    """(tensor, dimension) whose lengths the MACs are proportional to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PadSite:
    """Channels of zeros that a padding module adds: their labels before and after the data."""

    module: str
    line: str
    """Source line of the call."""
    dim: int
    """Dimension counted from the last one, as -1, -2, ..."""
    before: Tensor
    after: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class SizeSite:
    """A number that a module keeps in an attribute and that follows a number of channels."""

    module: str
    attribute: str
    place: Place
    value: int | None
    """As traced; the site counts only where the module has just this. None: whatever it has."""
    vector: Tensor
    """Labels of the channels it is proportional to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeanSite:
    """A mean or variance over channels."""

    node: Node
    dim: int
    layer: Tensor
    reason: str
    """Why the channels stay where it is no part of a normalisation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SumSite:
    """A sum over labels in the computation of a weight."""

    node: Node
    labels: Tensor
    reason: str
    """Why they stay where they are channels of that weight."""


@dataclass
class Walk:
    """What the walk over one traced graph collects."""

    trace: Trace
    labels: Labels
    values: dict[Node, Any] = field(default_factory=dict)
    from_input: set[Node] = field(default_factory=set)
    """Calls whose result depends on the network's input."""
    contractions: list[Contraction] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    pads: list[PadSite] = field(default_factory=list)
    sizes: list[SizeSite] = field(default_factory=list)
    means: list[MeanSite] = field(default_factory=list)
    sums: list[SumSite] = field(default_factory=list)
    gains: list[Gain] = field(default_factory=list)
    followed: dict[Node, Gain] = field(default_factory=dict)
    """Norms of weights that a gain follows: they are of the whole weight, whatever goes of it."""
    alive: set[Node] = field(default_factory=set)
    """Calls whose result is used in the end."""

    def owner(self, label: int) -> tuple[str, int] | None:
        """The tensor and dimension that a label belongs to."""
        return next((key for key, own in self.labels.own.items() if int(own[0]) <= label <= int(own[-1])), None)


class Call:
    """One node: its arguments by name, its operands' labels, and what a rule may want to say about it."""

    def __init__(self, walk: Walk, node: Node) -> None:
        self.walk, self.node, self.labels = walk, node, walk.labels
        self.op = op_of(node)
        self.line = line_of(node)
        self.arguments: Mapping[str, Any] = by_name(node.target, node.args, node.kwargs)

    def __getitem__(self, name: str) -> Any:
        return self.arguments.get(name)

    def why(self, text: str, between: str = " ") -> str:
        """A reason for a lock that says where."""
        return f"{place(self.node)}{between}{text}"

    @property
    def module(self) -> str:
        return module_path(self.node)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the (first) result."""
        value = self.node.meta["val"]
        return tuple((value[0] if isinstance(value, list | tuple) else value).shape)

    @property
    def samples(self) -> int:
        """Samples in what the call gives; 1 for what is the same for all of them, since only the input has a batch."""
        return self.walk.trace.batch if self.node in self.walk.from_input else 1

    def value(self, argument: Any) -> Value | None:
        """Labels of an argument that is a tensor; None for numbers and absent tensors."""
        found = self.walk.values.get(argument) if isinstance(argument, Node) else None
        return found if isinstance(found, Value) else None

    def tensor_name(self, argument: Any) -> str | None:
        """Name of the parameter or buffer that an argument is."""
        return self.walk.trace.tensors.get(argument.name) if isinstance(argument, Node) else None

    def operands(self) -> Iterator[Value]:
        """All tensor arguments."""
        for source in self.node.all_input_nodes:
            value = self.value(source)
            if value is not None:
                yield value

    def is_weight(self, argument: Any) -> bool:
        """Whether an argument does not depend on the network's input."""
        return isinstance(argument, Node) and argument not in self.walk.from_input

    @property
    def is_constant(self) -> bool:
        """Whether it computes with parameters, buffers and constants alone."""
        return self.node not in self.walk.from_input

    def note_sum(self, labels: Tensor) -> None:
        """These are summed over: see `pruning.graph.computed`."""
        if self.is_constant:
            self.walk.sums.append(SumSite(node=self.node, labels=labels.reshape(-1), reason=self.why(TOGETHER)))

    def drop(self, value: Value, dims: set[int], reason: str) -> Value:
        """Lock the layers that vary along any of `dims`; the value without them."""
        for layer in value.layers:
            if dims & set(varying(layer)):
                self.labels.lock(layer, self.why(reason))
        return Value(value.shape, tuple(layer for layer in value.layers if not dims & set(varying(layer))))

    @property
    def computes_parameter(self) -> bool:
        """Whether it is part of a parametrisation (`torch.nn.utils.parametrize`): what that gives is the parameter."""
        return f".{PARAMETRIZATIONS}." in f".{self.module}."

    def site(self, layer: Tensor) -> None:
        self.labels.sites.append(Site(layer, self.line))

    def attach(self, layer: Tensor, dim: int, vector: Tensor, reason: str) -> None:
        self.labels.attachments.append(Attachment(layer, dim, vector, self.why(reason)))

    def size(self, attribute: str, value: int, vector: Tensor, place: Place = ()) -> None:
        """The calling module's attribute, if it has one of that value, is proportional to the channels in `vector`."""
        self.walk.sizes.append(
            SizeSite(module=self.module, attribute=attribute, place=place, value=value, vector=vector)
        )

    def unknown(self, reason: str = NO_RULE, between: str = " ") -> Result:
        """What comes in may not be removed, what goes out is nobody's channel."""
        remedy = FOLD if self.computes_parameter else REWRITE if reason == NO_RULE else None
        reason = reason if remedy is None else f"{reason}: {remedy}"
        for value in self.operands():
            self.labels.lock_value(value, self.why(reason, between))
        weight = self.value(self["weight"])
        made = weight.layer(0) if weight is not None and len(weight.shape) > 1 else None
        if made is not None:  # still a layer, to be named
            self.labels.produced.append(made.reshape(-1))
        result = self.node.meta.get("val")
        if isinstance(result, list | tuple):
            return tuple(raw(item.shape) if isinstance(item, Tensor) else None for item in result)
        return raw(result.shape) if isinstance(result, Tensor) else None


__all__ = [
    "Call",
    "Contraction",
    "PadSite",
    "Product",
    "Result",
    "Rule",
    "SizeSite",
    "Walk",
    "shape_of",
]
