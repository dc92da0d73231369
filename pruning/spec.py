"""The spec: what is asked to go. One type for recipe, plan, board, command line, notebook, sensitivity and contest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

from pruning.base.errors import InputError
from pruning.criteria import find_criterion
from pruning.granularity import GRANULARITIES, Granularity, GranularityInfo, find_granularity

Allocation = Literal["uniform"]
"""How the overall sparsity becomes one for each target. uniform: the same for all."""
ALLOCATIONS: tuple[Allocation, ...] = get_args(Allocation)
HeadRounding = Literal["down", "up"]
"""How many attention heads stay where a sparsity leaves a fraction of one. down: as Torch-Pruning does, half of three
heads leaves one; up: as everywhere else, two."""
HEAD_ROUNDINGS: tuple[HeadRounding, ...] = get_args(HeadRounding)
LONGEST_NAME = 4096
"""Characters of a layer's name."""
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class PruneSpec:
    """What is asked to go; hashable, checked when built. What that means for a network is its plan.

    >>> spec = PruneSpec(criterion="taylor", layers=(("fc1", 0.5), ("conv1", 0.25)))
    >>> spec.layers, spec.parameters
    ((('conv1', 0.25), ('fc1', 0.5)), (('batches', 16),))
    >>> spec.replace(criterion="l1").parameters
    ()
    """

    granularity: Granularity = "channel"
    """channel: whole units are removed; weight: single weights become zero."""
    criterion: str = "l2"
    """What goes first: a name of `pruning.criteria.CRITERIA`."""
    parameters: tuple[tuple[str, int], ...] = ()
    """Numbers that the criterion takes, by name; sorted, and complete once built: what is not given has its default."""
    allocation: Allocation = "uniform"
    sparsity: float = 0.0
    """Fraction that goes of each target that is not named in `layers`."""
    layers: tuple[tuple[str, float], ...] = ()
    """Layers or channel groups with a sparsity of their own; sorted once built."""
    round_to: int = 1
    """Each layer keeps a multiple of so many channels, where that is possible; 1 for single weights."""
    head_rounding: HeadRounding = "down"
    """Of attention heads, which are few; other units that stay are rounded up. Means nothing for single weights."""
    seed: int = 0
    """Of whatever draws: a criterion; in a recipe training and recalibration, too."""

    def __post_init__(self) -> None:
        """
        Raises:
            InputError: a value that is not allowed, or that does not go with another one.
        """
        info, criterion = find_granularity(self.granularity), find_criterion(self.criterion)
        if self.granularity not in criterion.granularities:
            others = ", ".join(GRANULARITIES[name].title for name in criterion.granularities)
            raise InputError(
                f"{criterion.title} ranks {others} only, not {info.title}: choose another criterion, or another "
                "granularity."
            )
        if self.allocation not in ALLOCATIONS:
            raise InputError(
                f"'allocation' must be one of {', '.join(ALLOCATIONS)}, not {reprlib.repr(self.allocation)}."
            )
        if self.head_rounding not in HEAD_ROUNDINGS:
            raise InputError(
                f"'head_rounding' must be {' or '.join(HEAD_ROUNDINGS)}, not {reprlib.repr(self.head_rounding)}."
            )
        check_sparsity(self.sparsity, "the network")
        if type(self.round_to) is not int or self.round_to < 1:
            raise InputError(f"round_to must be a whole number of at least 1, not {reprlib.repr(self.round_to)}.")
        if self.granularity == "weight" and self.round_to != 1:
            raise InputError("round_to is for channels; single weights go one by one: leave it at 1.")
        if type(self.seed) is not int or not 0 <= self.seed <= LARGEST_SEED:
            raise InputError(f"'seed' must lie between 0 and {LARGEST_SEED}, not {reprlib.repr(self.seed)}.")
        self._settle("sparsity", float(self.sparsity))
        if self.granularity == "weight":
            self._settle("head_rounding", "down")  # single weights are no heads
        self._settle("parameters", _parameters(self.criterion, _unique("parameters", self.parameters)))
        layers = _unique("layers", self.layers)
        self._settle(
            "layers",
            tuple(
                sorted((_name(name), check_sparsity(value, f"layer {name[:100]}")) for name, value in layers.items())
            ),
        )

    def _settle(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    @property
    def info(self) -> GranularityInfo:
        """Its granularity, in words."""
        return find_granularity(self.granularity)

    @property
    def draws(self) -> bool:
        """Whether the seed decides what goes."""
        return find_criterion(self.criterion).draws

    @property
    def needs_images(self) -> bool:
        """Whether what goes can be told only with train images."""
        return find_criterion(self.criterion).needs_images

    @property
    def removes_nothing(self) -> bool:
        """Whether no sparsity above 0 is asked for."""
        return not self.sparsity and not any(value for _, value in self.layers)

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what goes: the seed only where something draws."""
        values = {**self.to_values(), "seed": self.seed if self.draws else None}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def replace(self, **changes: Any) -> PruneSpec:
        """The same with other values; another criterion begins with its own parameters.

        Raises:
            InputError: as when built.
        """
        if changes.get("criterion", self.criterion) != self.criterion:
            changes.setdefault("parameters", ())
        return dataclasses.replace(self, **changes)

    def to_values(self) -> dict[str, Any]:
        """All fields by name, ready for JSON and YAML."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {"parameters": dict(self.parameters), "layers": dict(self.layers)}

    def to_arguments(self, *fields: str) -> list[str]:
        """Options of the command line that ask for it, for the fields named."""
        found: list[str] = []
        for name, value in self.to_values().items():
            if name in fields:
                option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
                texts = [f"{key}={item}" for key, item in value.items()] if isinstance(value, dict) else [str(value)]
                found += [part for text in texts for part in (option, text)]
        return found

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> PruneSpec:
        """A spec from its fields by name, as `to_values` gives them; what is not named has its default.

        Raises:
            InputError: as when built.
        """
        pairs = {
            name: tuple(values[name].items())
            for name in ("parameters", "layers")
            if isinstance(values.get(name), Mapping)
        }
        return cls(**{**values, **pairs})


_OPTIONS = {"parameters": "--parameter", "layers": "--layer"}
"""Options that are given once for each entry."""


def check_sparsity(value: object, where: str) -> float:
    """`value` if it is a sparsity, a fraction in [0, 1).

    Raises:
        InputError: it is not.
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < 1:  # type: ignore[operator]
        raise InputError(
            f"The sparsity of {where} must be at least 0 and below 1 (0.3 removes 30 %), not {reprlib.repr(value)}."
        )
    return float(value)


def _unique(what: str, pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """(name, value) pairs by name. Raises InputError where a name has two values."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise InputError(f"'{what}' has two values for {reprlib.repr(name)}: give one.")
        found[name] = value
    return found


def _parameters(criterion: str, given: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """All parameters of a criterion, sorted by name."""
    known = {parameter.name: parameter for parameter in find_criterion(criterion).parameters}
    for name in given:
        if name not in known:
            choices = f"it takes {', '.join(known)}" if known else "it takes none"
            raise InputError(f"The criterion {criterion} has no parameter {reprlib.repr(name)}: {choices}.")
    return tuple(sorted((name, entry.check(given.get(name, entry.default))) for name, entry in known.items()))


def _name(text: object) -> str:
    """A text if it can be a layer's name. Raises InputError where it is far too long, or not to be written down."""
    try:
        if isinstance(text, str) and len(text) <= LONGEST_NAME and text.encode():
            return text
    except UnicodeEncodeError:
        pass
    raise InputError(f"'layers' holds a text that is no name: {reprlib.repr(text)}.")


RUN = PruneSpec(sparsity=0.5)
"""What a run does unless told otherwise."""
CONTEST = PruneSpec(granularity="weight", sparsity=0.99)
"""What a contest is about unless told otherwise: a cut that hurts."""
