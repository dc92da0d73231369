"""The recipe: everything a run needs to be done again, as versioned YAML."""

from __future__ import annotations

import dataclasses
import reprlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from pruning.base import safe_yaml
from pruning.base.errors import InputError
from pruning.criteria import find_criterion
from pruning.data.datasets import dataset_info
from pruning.granularity import GRANULARITIES
from pruning.spec import check_sparsity

VERSION = 1
Schedule = Literal["oneshot", "iterative"]
SCHEDULES: tuple[Schedule, ...] = typing.get_args(Schedule)
LARGEST_RECIPE = 200_000
"""Characters of a recipe file; a larger file is not one."""
LONGEST_TEXT = 4096
"""Characters of a name in it, which may be a path."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole run. The same recipe on the same machine gives the same numbers, times apart."""

    model: str
    """Model reference: sample:NAME or run:DIR."""
    data: str
    """Name of the data set."""
    granularity: str = "channel"
    """channel: whole units are removed; weight: single weights become zero."""
    criterion: str = "l2"
    sparsity: float = 0.5
    """Fraction removed in each layer or channel group."""
    layers: dict[str, float] = field(default_factory=dict)
    """Layers with a sparsity of their own."""
    schedule: Schedule = "oneshot"
    iterations: int = 1
    """Prune–fine-tune rounds on the way to the final sparsity; 1 for oneshot."""
    finetune_steps: int = 0
    """Optimiser steps over all rounds together. Epochs and seconds are turned into steps when a run is planned."""
    batch_size: int = 64
    lr: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 5e-4
    shift: int = 0
    """Training images are moved by up to so many pixels at random."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the forward pass in training."""
    seed: int = 0
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InputError(
                f"This recipe has version {reprlib.repr(self.version)}; this explorer reads version {VERSION}. "
                "Open it with the explorer that wrote it, or write it anew."
            )
        for text in (self.model, self.data, self.criterion, *self.layers):
            _check_text(text)
        dataset_info(self.data)
        find_criterion(self.criterion)
        check_sparsity(self.sparsity, "the network")
        for layer, value in self.layers.items():
            check_sparsity(value, f"layer {layer}")
        _allowed("granularity", self.granularity, GRANULARITIES)
        _allowed("schedule", self.schedule, SCHEDULES)
        _allowed("precision", self.precision, ("fp32", "bf16"))
        _between("iterations", self.iterations, 1, 100)
        _between("finetune_steps", self.finetune_steps, 0, 10_000_000)
        _between("batch_size", self.batch_size, 2, 10_000)
        _between("lr", self.lr, 1e-8, 10)
        _between("momentum", self.momentum, 0, 0.999)
        _between("weight_decay", self.weight_decay, 0, 1)
        _between("shift", self.shift, 0, 16)
        _between("seed", self.seed, 0, 2**31 - 1)
        if self.schedule == "oneshot" and self.iterations != 1:
            raise InputError(f"A oneshot recipe has 1 iteration, not {self.iterations}: choose schedule 'iterative'.")

    def to_yaml(self) -> str:
        """The recipe as YAML text that `from_yaml` reads back to an equal recipe."""
        values = dataclasses.asdict(self)
        return yaml.safe_dump({"version": values.pop("version"), **values}, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """Read a recipe.

        Raises:
            InputError: not YAML, another version, an unknown field, or a value that is not allowed.
        """
        if len(text) > LARGEST_RECIPE:
            raise InputError("This file is too large to be a recipe.")
        try:
            values = safe_yaml.load(text)
        except yaml.YAMLError as error:
            raise InputError(f"The recipe is not readable YAML: {safe_yaml.problem(error)}.") from error
        if not isinstance(values, dict) or "version" not in values:
            raise InputError("This is not a recipe: it should be YAML with 'version', 'model', 'data' and so on.")
        if values["version"] != VERSION:
            return cls(model="", data="mnist5k", version=values["version"])  # refused there, with the reason
        return cls.from_values(values)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Recipe:
        """A recipe from its fields by name; what is not named has its default.

        Raises:
            InputError: an unknown or missing field, or a value that is not allowed.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for name in values:
            if name not in fields:
                raise InputError(f"The recipe has an unknown field {reprlib.repr(name)}. Allowed: {', '.join(fields)}.")
        missing = [name for name in ("model", "data") if name not in values]
        if missing:
            raise InputError(f"The recipe does not say '{missing[0]}'.")
        kinds = typing.get_type_hints(cls)
        return cls(**{name: _typed(name, value, kinds[name]) for name, value in values.items()})

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Read a recipe file.

        Raises:
            InputError: it cannot be read, or is not a recipe.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # ValueError: it is no UTF-8, or no file can have that name
            raise InputError(f"The recipe {_plain(path)} cannot be read ({_plain(error)}).") from error
        return cls.from_yaml(text)


def _typed(name: str, value: Any, kind: Any) -> Any:
    """`value` if it has the type of the field; whole numbers are accepted for fractions."""
    if typing.get_origin(kind) is Literal:
        return value  # checked against its choices when built
    if typing.get_origin(kind) is dict:
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return {key: _typed(f"{name}.{key[:100]}", item, float) for key, item in value.items()}
    elif kind is float:
        too_long = isinstance(value, int) and abs(value) > 1e300  # allowed in YAML, but no float
        if isinstance(value, int | float) and not isinstance(value, bool) and not too_long:
            return float(value)
    elif isinstance(value, kind) and not isinstance(value, bool):
        return value
    wanted = {float: "a number", int: "a whole number", str: "a text"}.get(kind, "layer names with numbers")
    raise InputError(f"The recipe's '{name}' must be {wanted}, not {reprlib.repr(value)}.")


def _check_text(text: str) -> None:
    """Raises InputError where a text is no name: far too long, or not to be written down."""
    if text != _plain(text) or len(text) > LONGEST_TEXT:
        raise InputError(f"The recipe holds a text that is no name: {reprlib.repr(text)}.")


def _plain(text: object) -> str:
    """A text as UTF-8 can hold it; a stray half of a character becomes '?'."""
    return str(text).encode(errors="replace").decode()


def _allowed(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"'{name}' must be one of {', '.join(choices)}, not {reprlib.repr(value)}.")


def _between(name: str, value: float, low: float, high: float) -> None:
    if not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"'{name}' must lie between {low:g} and {high:g}, not {reprlib.repr(value)}.")
