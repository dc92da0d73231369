"""What lies in a file of weights, without a network: for whoever receives a file and has to say what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from pruning.base.errors import InputError
from pruning.catalog.class_names import Classes, named_in
from pruning.catalog.weights.contents import Contents, read_contents
from pruning.catalog.weights.misfit import known_as, without_tensors


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One tensor in a file."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """As torch calls it, such as 'float32'."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a file of weights holds."""

    kind: str
    """How it is written, in words."""
    tensors: tuple[Stored, ...]
    numbers: int
    """In all tensors."""
    family: str | None
    """Whose names these are, where they are known."""
    classes: Classes
    """Names of classes that lie beside the weights; () for none."""

    @property
    def words(self) -> str:
        """In one line."""
        what = f"{len(self.tensors)} tensors with {self.numbers:,} numbers ({self.kind})"
        return f"{what}: {self.family}" if self.family else what


def state_summary(path: Path | str) -> Summary:
    """Names, shapes and types of the tensors in a file of weights.

    Raises:
        InputError: there is no such file, it is something else, damaged, holds no tensors, or would run code.
    """
    return summary_of(read_contents(path))


def summary_of(contents: Contents) -> Summary:
    """The same of a file that is open.

    Raises:
        InputError: it holds no tensors.
    """
    if not contents.tensors:
        raise InputError(without_tensors(contents))
    return Summary(
        kind=contents.kind.value,
        tensors=tuple(
            Stored(name=name, shape=tuple(tensor.shape), dtype=str(tensor.dtype).removeprefix("torch."))
            for name, tensor in contents.tensors.items()
        ),
        numbers=sum(math.prod(tensor.shape) for tensor in contents.tensors.values()),
        family=known_as(contents.tensors),
        classes=named_in(contents.values, None),
    )
