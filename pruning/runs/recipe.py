"""The recipe: everything a run needs to be done again, as versioned YAML."""

from __future__ import annotations

import dataclasses
import reprlib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from pruning.base import safe_yaml
from pruning.base.errors import InputError, StorageError
from pruning.base.files import read_bytes
from pruning.data.augmentations import AS_KNOWN, check_augment
from pruning.data.preprocess import Preprocess
from pruning.data.readers import find_reader
from pruning.planning.schedule import Round, rounds
from pruning.repair.kinds import REPAIRS, Repair
from pruning.spec import RUN, PruneSpec

VERSION = 5
"""Of recipe files. 2 added what a spec had not in version 1: `parameters`, `allocation` and `round_to`; 3 added
`head_rounding`; 4 what images and training of one's own need; 5 `repair`."""
ADDED: dict[int, tuple[str, ...]] = {
    2: ("parameters", "allocation", "round_to"),
    3: ("head_rounding",),
    4: ("preprocess", "distillation", "optimiser", "augment", "batch_norm"),
    5: ("repair",),
}
"""Version → fields that it added."""
EARLIER = {"head_rounding": "up"}
"""What recipes of versions before a field mean by it, where that is not its default now."""
Optimiser = Literal["sgd", "adamw"]
OPTIMISERS: tuple[Optimiser, ...] = typing.get_args(Optimiser)
BatchNorm = Literal["learnt", "fixed"]
BATCH_NORMS: tuple[BatchNorm, ...] = typing.get_args(BatchNorm)
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
    """Model reference: sample:NAME or run:RUN."""
    data: str
    """Reference of the data set."""
    preprocess: Preprocess | None = None
    """How its images are prepared; None for images that are as they are, and for what suits a network and its images.
    """
    prune: PruneSpec = RUN
    """What goes, and the seed of all that draws: the criterion, training and recalibration."""
    repair: Repair = "recalibrate"
    """How accuracy is won back after each cut, before any training. What a recipe means that does not say it is what
    runs did before there was a choice: statistics of batch normalisation are measured anew."""
    schedule: Schedule = "oneshot"
    iterations: int = 1
    """Prune–fine-tune rounds on the way to the final sparsity; 1 for oneshot."""
    finetune_steps: int = 0
    """Optimiser steps over all rounds together. Epochs and seconds are turned into steps when a run is planned."""
    batch_size: int = 64
    optimiser: Optimiser = "sgd"
    batch_norm: BatchNorm = "learnt"
    """Whether statistics of batch normalisation are learnt from each batch, or fixed as they are."""
    lr: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 5e-4
    augment: str = AS_KNOWN
    """How training images are changed at random: names of `pruning.data.augmentations`, or 'known': as is known to be
    fair for the data set."""
    shift: int = 0
    """Where that is 'known': they are moved by up to so many pixels."""
    distillation: float | None = None
    """Share of the loss that is the distance to the unpruned network's answers; None: all of it where the images have
    no labels, else nothing."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Arithmetic of the forward pass in training."""

    def __post_init__(self) -> None:
        for text in (self.model, self.data):
            _check_text(text)
        find_reader(self.data)
        _allowed("repair", self.repair, REPAIRS)
        _allowed("schedule", self.schedule, SCHEDULES)
        _allowed("precision", self.precision, ("fp32", "bf16"))
        _allowed("optimiser", self.optimiser, OPTIMISERS)
        _allowed("batch_norm", self.batch_norm, BATCH_NORMS)
        object.__setattr__(self, "augment", check_augment(self.augment))
        if self.distillation is not None:
            _between("distillation", self.distillation, 0, 1)
        _between("iterations", self.iterations, 1, 100)
        _between("finetune_steps", self.finetune_steps, 0, 10_000_000)
        _between("batch_size", self.batch_size, 2, 10_000)
        _between("lr", self.lr, 1e-8, 10)
        _between("momentum", self.momentum, 0, 0.999)
        _between("weight_decay", self.weight_decay, 0, 1)
        _between("shift", self.shift, 0, 16)
        if self.schedule == "oneshot" and self.iterations != 1:
            raise InputError(f"A oneshot recipe has 1 iteration, not {self.iterations}: choose schedule 'iterative'.")

    @property
    def continues(self) -> bool:
        """Whether it goes on from the network of another run."""
        return self.model.startswith("run:")

    @property
    def only_fine_tunes(self) -> bool:
        """Whether it only fine-tunes another run's network."""
        return self.continues and self.prune.removes_nothing

    def rounds(self) -> list[Round]:
        """Its prune–fine-tune rounds, in order."""
        return rounds(self.prune, self.iterations, self.finetune_steps)

    def replace(self, **changes: Any) -> Recipe:
        """The same with other values, those of the spec by their own names: `replace(model="run:x", sparsity=0.0)`.

        Raises:
            InputError: a value that is not allowed.
        """
        ours = {name: value for name, value in changes.items() if name not in SPEC_FIELDS}
        spec = {name: value for name, value in changes.items() if name in SPEC_FIELDS}
        if spec:
            ours["prune"] = ours.get("prune", self.prune).replace(**spec)
        return dataclasses.replace(self, **ours)

    def to_values(self) -> dict[str, Any]:
        """All fields by name, flat, those of the spec among them; ready for JSON and YAML, and for `from_values`."""
        values: dict[str, Any] = {}
        for name in FIELDS:
            values |= self.prune.to_values() if name == "prune" else {name: getattr(self, name)}
        if self.preprocess is not None:
            values["preprocess"] = self.preprocess.to_values()
        return {**values, "seed": values.pop("seed")}

    def to_yaml(self) -> str:
        """The recipe as YAML text that `from_yaml` reads back to an equal recipe."""
        return yaml.safe_dump({"version": VERSION, **self.to_values()}, sort_keys=False, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Recipe:
        """Read a recipe of this version or an earlier one.

        Raises:
            InputError: not YAML, a later version, an unknown field, or a value that is not allowed.
        """
        if len(text) > LARGEST_RECIPE:
            raise InputError("This file is too large to be a recipe.")
        try:
            values = safe_yaml.load(text)
        except yaml.YAMLError as error:
            raise InputError(f"The recipe is not readable YAML: {safe_yaml.problem(error)}.") from error
        if not isinstance(values, dict) or "version" not in values:
            raise InputError("This is not a recipe: it should be YAML with 'version', 'model', 'data' and so on.")
        return cls.from_values(values)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Recipe:
        """A recipe from its fields by name, flat as `to_values` gives them; what is not named has its default.

        `version`: of the form that the values have, by default this explorer's.

        Raises:
            InputError: a later version, an unknown or missing field, or a value that is not allowed.
        """
        version = values.get("version", VERSION)
        if type(version) is not int or not 1 <= version <= VERSION:
            raise InputError(
                f"This recipe has version {reprlib.repr(version)}; this explorer reads version {VERSION} and earlier "
                "ones. Open it with the explorer that wrote it, or write it anew."
            )
        later = {name for number, names in ADDED.items() if number > version for name in names}
        kinds = {name: kind for name, kind in _KINDS.items() if name not in later}
        given = {name: value for name, value in values.items() if name != "version"}
        for name in given:
            if name not in kinds:
                raise InputError(f"The recipe has an unknown field {reprlib.repr(name)}. Allowed: {', '.join(kinds)}.")
        missing = [name for name in ("model", "data") if name not in given]
        if missing:
            raise InputError(f"The recipe does not say '{missing[0]}'.")
        typed = {name: _typed(name, value, kinds[name]) for name, value in given.items()}
        earlier = {name: value for name, value in EARLIER.items() if name in later}
        spec = PruneSpec.from_values(
            {"sparsity": RUN.sparsity, **earlier}
            | {name: value for name, value in typed.items() if name in SPEC_FIELDS}
        )
        return cls(prune=spec, **{name: value for name, value in typed.items() if name in FIELDS})

    @classmethod
    def from_file(cls, path: Path) -> Recipe:
        """Read a recipe file.

        Raises:
            InputError: it cannot be read, or is not a recipe.
        """
        where = _plain(path)
        try:
            content = read_bytes(path)
            if content is None:
                raise InputError(f"The recipe {where} cannot be read: there is no such file.")
            return cls.from_yaml(content.decode())
        except StorageError as error:
            raise InputError(f"The recipe {where} cannot be read: {_plain(error)}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"The recipe {where} is damaged: byte {error.start:,} of it is no UTF-8 text.") from error


FIELDS = tuple(field.name for field in dataclasses.fields(Recipe))
SPEC_FIELDS = tuple(field.name for field in dataclasses.fields(PruneSpec))
_KINDS: dict[str, Any] = {
    name: kind
    for name, kind in {
        **typing.get_type_hints(Recipe),
        **typing.get_type_hints(PruneSpec),
        "parameters": dict[str, int],
        "layers": dict[str, float],
    }.items()
    if name != "prune"
}
"""Field of a recipe file → type of its value."""


def _typed(name: str, value: Any, kind: Any) -> Any:
    """`value` if it has the type of the field; whole numbers are accepted for fractions."""
    if typing.get_origin(kind) is types.UnionType:
        if value is None:
            return None
        kind = typing.get_args(kind)[0]
    if kind is Preprocess:
        return Preprocess.from_values(value, "the recipe's 'preprocess'")
    if typing.get_origin(kind) is Literal:
        return value  # checked against its choices when built
    if typing.get_origin(kind) is dict:
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            _, numbers = typing.get_args(kind)
            return {key: _typed(f"{name}.{key[:100]}", item, numbers) for key, item in value.items()}
    elif kind is float:
        too_long = isinstance(value, int) and abs(value) > 1e300  # allowed in YAML, but no float
        if isinstance(value, int | float) and not isinstance(value, bool) and not too_long:
            return float(value)
    elif isinstance(value, kind) and not isinstance(value, bool):
        return value
    names = {"layers": "layer names with numbers", "parameters": "names with whole numbers"}
    wanted = {float: "a number", int: "a whole number", str: "a text"}.get(kind) or names[name]
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
