"""What a criterion is: one record, which says all that app, command line and planning need to know of it.

Importing this loads no torch, so that help texts and forms can name the criteria at once.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from pruning.base.errors import InputError
from pruning.granularity import GRANULARITIES, Granularity

if TYPE_CHECKING:
    from torch import Generator, Tensor

Need = Literal["weights", "batch_norm", "gradients", "activations"]
"""weights: of the layers that make a unit; batch_norm: the scales of the batch norms that a unit runs through;
gradients: of the loss, by the weights; activations: what the layers that make a unit put out."""
NEEDS: tuple[Need, ...] = get_args(Need)
OF_DATA: frozenset[Need] = frozenset({"gradients", "activations"})
"""Needs that only images can meet."""
OF_CHANNELS: frozenset[Need] = frozenset({"batch_norm", "activations"})
"""Needs that single weights do not have."""
BATCH = 64
"""Train images in each batch that such evidence is of."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What a criterion sees of one channel group or weight tensor: only what it needs is there.

    All tensors are float32, units × numbers. A channel's row holds what belongs to it in every layer that makes it, so
    that coupled layers are ranked by all that goes; a single weight is a unit of its own, with one number a row. What
    rests on data is of one batch of train images: a score is then the mean over the batches.
    """

    given: Mapping[Need, Tensor]
    generator: Generator | None = None
    """For criteria that draw lots: seeded by the spec's seed and the group's or tensor's name."""

    @property
    def weights(self) -> Tensor:
        """The weights that make each unit."""
        return self.given["weights"]

    @property
    def batch_norm(self) -> Tensor:
        """The scales of the batch norms that each unit runs through."""
        return self.given["batch_norm"]

    @property
    def gradients(self) -> Tensor:
        """The derivative of the loss by each of `weights`, in the same places."""
        return self.given["gradients"]

    @property
    def activations(self) -> Tensor:
        """What the layers that make each unit put out for it, at every image and place, before anything follows."""
        return self.given["activations"]


Score = Callable[[Evidence], "Tensor"]
"""Evidence to one score a unit, float32; the lowest goes first. Its docstring holds an example worked out by hand."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A number that a criterion, or the gathering of what it needs, takes."""

    name: str
    title: str
    explanation: str
    default: int
    low: int
    high: int

    def check(self, value: object) -> int:
        """`value` if it is allowed.

        Raises:
            InputError: it is no whole number from `low` to `high`.
        """
        if type(value) is not int or not self.low <= value <= self.high:
            raise InputError(
                f"The criterion's '{self.name}' is a whole number from {self.low:,} to {self.high:,}, not "
                f"{reprlib.repr(value)}."
            )
        return value


BATCHES = Parameter(
    name="batches",
    title="Batches of train images",
    explanation=f"Scores are averages over so many batches of {BATCH} train images.",
    default=16,
    low=1,
    high=1000,
)
"""A parameter of every criterion that needs images."""


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One way of ranking units."""

    name: str
    title: str
    explanation: str
    """One or two sentences: what goes first, and why that may be right."""
    score: Score
    needs: frozenset[Need] = frozenset({"weights"})
    granularities: tuple[Granularity, ...] = field(default=tuple(GRANULARITIES))
    """What it ranks. For 'weight' each single weight is a unit, millions in a tensor: a score that compares every unit
    with every other takes memory and time with the square of that, and is for ("channel",) only."""
    parameters: tuple[Parameter, ...] = ()
    draws: bool = False
    """Whether scores depend on the seed: by lot, or by the choice of the images that they rest on."""
    control: bool = False
    """A baseline that a good criterion should beat, not advice."""

    def __post_init__(self) -> None:
        assert self.needs and self.granularities, f"{self.name} needs something, and ranks something"
        assert self.granularities == ("channel",) or not self.needs & OF_CHANNELS, f"{self.name} is for channels only"
        counted = any(parameter.name == BATCHES.name for parameter in self.parameters)
        assert counted is self.needs_images, f"{self.name} takes BATCHES just where it needs images"

    @property
    def full_title(self) -> str:
        """Its title, said to be a control where it is one: 'random (control)'."""
        return f"{self.title} (control)" if self.control else self.title

    @property
    def conditions(self) -> str:
        """What it cannot do without, in a sentence or two; '' where it ranks anything."""
        found = []
        if len(self.granularities) < len(GRANULARITIES):
            found.append(f"For {' and '.join(GRANULARITIES[name].title for name in self.granularities)} only.")
        if "batch_norm" in self.needs:
            found.append("Needs a batch norm behind every layer that loses channels.")
        if self.needs_images:
            found.append("Needs train images.")
        return " ".join(found)

    @property
    def needs_images(self) -> bool:
        """Whether scores rest on train images."""
        return bool(self.needs & OF_DATA)
