"""Whole numbers that a module keeps: all are found, and writing one changes nothing that others hold, too."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import IntEnum
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from pruning.base.held import number_at, numbers_of, put_number


@dataclass(frozen=True)
class Frozen:
    width: int


class Slots:
    __slots__ = ("__dict__", "width")

    def __init__(self) -> None:
        self.width, self.depth = 8, 2


class Named(NamedTuple):
    width: int


class Kind(IntEnum):
    FIRST = 1


class Holder(nn.Module):
    width = 8

    def __init__(self, held: Any) -> None:
        super().__init__()
        self.held = held


@pytest.mark.parametrize(
    ("held", "place"),
    [
        (8, ()),
        (np.int64(8), ()),
        (torch.tensor(8), ()),
        ((3, 8), (1,)),
        (torch.Size((3, 8)), (1,)),
        (Named(8), ("width",)),
        (OrderedDict(width=8), ("width",)),
        ({0: {"widths": [3, 8]}}, (0, "widths", 1)),
        (Frozen(8), ("width",)),
        (Slots(), ("width",)),
        (SimpleNamespace(model=Frozen(8)), ("model", "width")),
    ],
    ids=lambda part: str(part) if isinstance(part, tuple) else type(part).__name__,
)
def test_a_number_is_found_and_written_where_it_stands(held: Any, place: tuple[str | int, ...]) -> None:
    module, other = Holder(held), Holder(held)
    assert ("held", place, 8) in numbers_of(module)
    put_number(module, "held", place, 4)
    assert number_at(module, "held", place) == 4
    assert type(module.held) is type(held)
    assert number_at(other, "held", place) == 8
    assert other.held is held


def test_a_number_on_the_class_is_written_to_the_module() -> None:
    module = Holder(None)
    assert numbers_of(module) == [("width", (), 8)]
    put_number(module, "width", (), 4)
    assert (module.width, Holder.width) == (4, 8)
    assert numbers_of(module) == [("width", (), 4)]


def test_what_is_no_number_of_the_modules_own_is_left_out() -> None:
    circle: dict[str, Any] = {"flag": True, "share": 0.5, "kind": Kind.FIRST, "layer": nn.Linear(2, 3)}
    circle["self"] = circle
    module = Holder(circle)
    module.width = 5
    assert numbers_of(module) == [("width", (), 5)]
    assert number_at(module, "held", ("flag",)) is None
    assert number_at(module, "held", ("absent", "width")) is None
