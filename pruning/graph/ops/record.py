"""The record of one op: its label rule, and the facts that tracing, proofs, costs and what-if ask for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from pruning.graph.rules.call import Rule


@dataclass(frozen=True, kw_only=True, slots=True)
class Op:
    """What is known of one kind of call of an exported graph. All facts false: nobody has looked at it."""

    name: str = ""
    """As ATen has it, without namespace and overload: 'conv2d'; other libraries' ops with theirs: 'torchvision.nms'.
    '' is what is no call at all."""

    rule: Rule | None = None
    """How labels go through it; None: what reaches it is locked."""
    asked_without_labels: bool = False
    """Its rule is asked even if nothing that comes in has labels, since it makes some."""
    widens_labels: bool = False
    """While its labels are worked out there may be one for each number of its result, which takes memory."""
    asserts: bool = False
    """It states what holds for the run that was traced, and gives no tensor."""
    idle: bool = False
    """It computes nothing, and may be there or not, as sizes are 1 or more."""

    layer: Literal["linear", "plain convolution", "transposed convolution", "either convolution"] | None = None
    """A layer: it reads channels with a weight. Of 'either convolution' an argument says whether it is transposed."""
    consumer: bool = False
    """It sums over channels, so a removed one counts as zero where it reads."""
    normalises: bool = False
    """It normalises over channels, of which those that are left are used."""
    batch_norm: bool = False
    """It normalises each channel with statistics of a batch, and scales it by its own entry of its second operand."""
    reshapes: bool = False
    """It cuts the same numbers up into other dimensions."""
    dropout: bool = False
    """It leaves numbers out in training, and gives its operand back in eval mode."""
    random: bool = False
    """It draws numbers."""
    holds: str = ""
    """What of the data is held in it as it was when traced, in words; '' is nothing."""

    cuts_off: tuple[float, float] | None = None
    """It gives numbers back between these bounds, and the bound itself for those beyond; its second and third argument,
    where it has them, are the bounds instead."""
    arithmetic: Literal["subtracts", "multiplies", "divides", "inverts", "raises"] | None = None
    """What it does to a mean: subtracts it, multiplies or divides by it, takes 1/x or 1/√x, raises it to a power."""
    norm: bool = False
    """It gives the norm of a vector, of an order that it is told; of order 2 where it is told none."""
    same_numbers: bool = False
    """It gives the numbers of its first operand in another shape, or keeps them above a bound."""
    leads_back: bool = False
    """It may stand between a mean over channels and the channels that this mean normalises."""

    sizes: bool = False
    """Its numbers are sizes, of which shapes tell whether they are right. Those of other ops must not change."""
    sizeless: Literal["always", "between tensors"] | None = None
    """It carries no size of its own; 'between tensors': unless one of its operands is a number."""
    sized_freely: bool = False
    """Its size may come from other values than those it works on."""
    cuts: Literal["splits", "slices", "pads"] | None = None
    """How it cuts or adds at numbers along one dimension, where these may be fixed in the code."""
    ends_search: bool = False
    """A search backwards for a wrong size goes no further: it sums over what came before."""

    shares_memory: bool = False
    """Its result lies on the memory of its first operand in eval mode."""
    cheap: bool = False
    """What-if does it again rather than keep its result."""
    on_cut: Literal["as it is", "resized"] | None = None
    """How what-if runs it on cut values: just so, since no argument is a number of channels, or with its sizes put
    right. None: on whole values with zeros, unless `pruning.calls.runner` has a way of its own."""
    dim_place: int | None = None
    """Place of its argument `dim`; along any dimension that is whole it runs on cut values as it is."""
    overwrites: bool = False
    """What-if may write its result over its operand, by its twin whose name ends in '_'."""
    unchecked: bool = False
    """torch does not check its sizes: with wrong ones it writes over memory and takes the process down."""

    def __post_init__(self) -> None:
        assert self.name == self.name.strip().removeprefix("aten."), f"{self.name!r} is no short name of an op"
        assert not self.asserts or (self.idle and self.rule is None), f"{self.name} gives no tensor to label"
        assert self.rule is not None or not self.asked_without_labels, f"{self.name} has no rule to ask"
        assert self.layer is None or self.consumer, f"{self.name} is a layer, so it sums"

    @property
    def in_place(self) -> bool:
        """Whether it writes into its first operand: 'relu_', '__iand__'."""
        return self.name.endswith("_") and (not self.name.startswith("__") or self.name.startswith("__i"))


def alike(names: str, op: Op) -> tuple[Op, ...]:
    """The same facts for several ops; their names stand apart by spaces.

    >>> [op.name for op in alike("view reshape", Op(reshapes=True))]
    ['view', 'reshape']
    """
    return tuple(replace(op, name=name) for name in names.split())
