"""The proof looks at the smaller network as it runs, and traces it only where its calls are others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels
from pruning.base.errors import RemovalError
from pruning.planning.plan import make_plan
from pruning.removal import verify
from pruning.removal.build import build_graph
from pruning.removal.compare import compare_running, compare_traced
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import check_removal, prove
from pruning.spec import PruneSpec

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
ROWS = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
HALF = PruneSpec(sparsity=0.5)


class Net(nn.Module):
    """Batch norm, dropout, a buffer that counts, a call nobody uses, a part of float32, and a head for training."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.bn, self.b = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 3)
        self.head, self.other = nn.Linear(6, 3), nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        self.calls += 1
        x = F.relu(self.bn(self.a(x)))
        torch.sigmoid(x)
        x = F.dropout(self.b(x.float()), 0.5, self.training).mean((2, 3))
        return (self.head(x), self.other(x)) if self.training else self.head(x)


class Attending(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.attention, self.head = (
            nn.Linear(5, 8),
            nn.MultiheadAttention(8, 4, batch_first=True),
            nn.Linear(8, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        return self.head(x + self.attention(x, x, x)[0])


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.rnn, self.head = nn.Linear(5, 8), nn.LSTM(8, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(torch.relu(self.a(x)))[0][:, -1])


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Tensor]] = {
    "convolutions": (Net, IMAGES),
    "attention": (Attending, ROWS),
    "recurrent": (Recurrent, ROWS),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor]:
    make, inputs = NETWORKS[request.param]
    torch.manual_seed(0)
    return make().eval(), inputs


def test_no_trace_of_the_smaller_network_is_needed(
    network: tuple[nn.Module, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise AssertionError("it was traced")

    monkeypatch.setattr(verify, "_trace_small", refuse)
    done = remove_channels(*network, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and done.check.batches == (2, 3)


def test_running_and_traced_it_says_the_same(network: tuple[nn.Module, Tensor]) -> None:
    model, inputs = network
    graph = build_graph(model, inputs)
    removed, _ = prove(model, graph, plan := make_plan(model, graph, HALF))
    pair = verify._Pair(dense=model, removed=removed, what=shrinkage(graph, plan))
    drawn = graph.inputs.random(2, torch.float64, seed=5)
    for units, wrong in ((plan.kept, False), (verify._shifted(graph, plan), True)):
        assert units is not None
        gone, walk = graph.removed(units), graph.walks[0]
        first: list[Tensor] = []
        second: list[Tensor] = []
        running = compare_running(walk, pair.as_compared(), pair.tensors, drawn, gone, first)
        trace = verify._trace_small(pair.small, graph.inputs, False, walk.trace)
        traced = compare_traced(walk, trace, pair.tensors, pair.fewer, drawn, gone, second)
        assert isinstance(running, str) is isinstance(traced, str) is wrong
        assert running == traced if wrong else max(running, traced) < 1e-12
        assert [t.shape for t in first] == [t.shape for t in second]
        assert wrong or all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_single_wrong_weight_is_found_and_named() -> None:
    torch.manual_seed(0)
    model = Net().eval()
    graph = build_graph(model, IMAGES)
    removed, _ = prove(model, graph, plan := make_plan(model, graph, HALF))
    with torch.no_grad():
        removed.b.weight[1, 2, 0, 1] += 1e-5
    with pytest.raises(RemovalError, match=r"at conv2d in b, test_compare.py:\d+ the smaller network diff"):
        check_removal(model, removed, graph, plan)


class OtherCalls(nn.Module):
    """Does in one call what it does in two when it is exported."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        x = torch.clamp(x, min=0) * 1.0 if torch.compiler.is_exporting() else F.relu(x)
        return self.b(x)


def test_other_calls_than_those_exported_are_proven_by_a_trace() -> None:
    torch.manual_seed(0)
    done = remove_channels(OtherCalls().eval(), ROWS[:, 0], sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"


class Deaf(nn.Module):
    """`how` it comes not to depend on its input."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.a, self.b = nn.Linear(5, 8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.b(F.relu(self.a(x)))
        if self.how == "constant":
            return self.b.bias + self.a.bias[:3]
        return y * 0 if self.how == "zeros" else y / 0 * 0


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("constant", "does not depend on its inputs"),
        ("zeros", "gives the same for different inputs"),
        ("nan", "none of the numbers that this network gives is finite"),
    ],
)
def test_what_nothing_can_prove_is_refused(how: str, words: str) -> None:
    torch.manual_seed(0)
    with pytest.raises(RemovalError, match=rf"cannot be proven: .*{words}.*check=False"):
        remove_channels(Deaf(how).eval(), ROWS[:, 0], sparsity=0.5)
    assert remove_channels(Deaf(how).eval(), ROWS[:, 0], sparsity=0.5, check=False).check is None


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 8, 3), nn.Linear(8, 3)

    def forward(self, image: Tensor, scale: Tensor) -> Tensor:
        return self.head(self.conv(image.float() / 255 * scale).relu().mean((2, 3)))


def test_numbers_that_are_those_of_the_example_twice_are_no_sign_of_dead_weights() -> None:
    """Whole numbers and what has no batch are not drawn anew."""
    torch.manual_seed(0)
    image = torch.randint(0, 255, (2, 3, 8, 8), dtype=torch.uint8)
    done = remove_channels(Scaled(), (image, torch.tensor(1.5)), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and done.model.conv.out_channels == 4
