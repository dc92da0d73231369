"""Networks that return objects of classes of their own: their tensors are found, and the classes are kept."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from pruning import remove_channels
from pruning.graph.outputs import output_tensors


@dataclass
class Scores:
    logits: Tensor
    hidden: tuple[Tensor, ...] | None = None
    pooled: Tensor | None = None
    count: int = 3


@dataclass(frozen=True, slots=True)
class Slots:
    logits: Tensor


class Keyed(OrderedDict[str, Any]):
    """As model libraries have them: a dict whose items are attributes, too."""

    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__.update(items)


class Pair(NamedTuple):
    first: Tensor
    second: Scores


class Plain:
    def __init__(self, logits: Tensor) -> None:
        self.logits, self.itself = logits, self


class Net(nn.Module):
    def __init__(self, wrap: Any) -> None:
        super().__init__()
        self.stem, self.mid, self.head = nn.Linear(6, 8), nn.Linear(8, 12), nn.Linear(12, 4)
        self.wrap = wrap

    def forward(self, x: Tensor) -> Any:
        return self.wrap(self.head(self.mid(self.stem(x).relu()).relu()))


WRAPS = {
    "dataclass": lambda y: Scores(y, hidden=(y.exp(), y)),
    "slots": Slots,
    "nested": lambda y: {"all": [Scores(y, pooled=y.mean(1))], "same": (y, y)},
    "keyed": lambda y: Keyed(logits=y, loss=y.sum()),
    "named tuple": lambda y: Pair(y.relu(), Scores(y)),
    "namespace": lambda y: SimpleNamespace(logits=y, extra={"n": 3, "mean": y.mean()}),
    "plain object": Plain,
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_results_of_any_class_are_seen_and_kept(wrap: Any) -> None:
    torch.manual_seed(0)
    known = set(pytree.SUPPORTED_NODES)
    model = Net(wrap).eval()
    done = remove_channels(model, torch.randn(3, 6), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == [8, 12]
    x = torch.randn(2, 6)
    assert type(done.model(x)) is type(model(x))
    assert len(output_tensors(done.model(x))) == len(output_tensors(model(x)))
    assert set(pytree.SUPPORTED_NODES) == known, "nothing stays registered"
    assert not done.model._forward_hooks and not model._forward_hooks


def test_tensors_are_found_in_a_fixed_order_as_often_as_they_are_there() -> None:
    a, b = torch.zeros(1), torch.zeros(2)
    assert [len(t) for t in output_tensors(Scores(a, hidden=(b, a), pooled=None))] == [1, 2, 1]
    assert [len(t) for t in output_tensors(Keyed(second=b, first=a))] == [2, 1]
    assert output_tensors((nn.Linear(2, 2), int, "text", None, 3)) == []
    assert [len(t) for t in output_tensors(Plain(b))] == [2]


class OneStays(nn.Module):
    """Returns what its first layer makes beside the rest, in a class of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.mid, self.head = nn.Linear(6, 8), nn.Linear(8, 12), nn.Linear(12, 4)

    def forward(self, x: Tensor) -> Scores:
        stem = self.stem(x)
        return Scores(self.head(self.mid(stem.relu()).relu()), hidden=(stem,))


def test_what_stands_in_a_result_stays() -> None:
    done = remove_channels(OneStays().eval(), torch.randn(3, 6), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert [group.units for group in done.groups] == [12]
    assert {locked.layers: locked.reason for locked in done.locked} == {
        ("stem",): "the network's outputs stay", ("head",): "the network's outputs stay"
    }  # fmt: skip
