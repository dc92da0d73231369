"""What is gathered of data equals sums worked out by hand, and nothing of the caller's changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning.base.errors import Cancelled, InputError
from pruning.criteria import CRITERIA, Criterion, Evidence
from pruning.criteria.record import BATCHES
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import make_plan
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from pruning.statistics import cache, gather
from pruning.statistics.cache import statistics_for
from pruning.subject import open_subject

LN3 = math.log(3)


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("mnist5k")


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins without statistics of another one."""
    cache._KNOWN.clear()
    yield
    cache._KNOWN.clear()


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> tuple[nn.Module, ModelGraph]:
    """Of the input 1 it makes (1, 2), and of that the logits (ln 3, 0): answers 3/4 and 1/4."""
    model = nn.Sequential(nn.Linear(1, 2, bias=False), nn.ReLU(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[1.0], [2.0]]))
        model[2].weight.copy_(torch.tensor([[LN3, 0.0], [0.0, 0.0]]))
    monkeypatch.setattr(gather, "BATCH", 1)
    monkeypatch.setattr(Data, "normalise", lambda self, images: images)
    return model, build_graph(model, (1,))


def ones(digits: Data, *labels: int) -> MemoryData:
    """Train images that are all 1, in an order of which every shuffle is the same."""
    return MemoryData(
        info=replace(digits.info, sizes={**digits.info.sizes, "train": len(labels)}),
        pixels={"train": torch.ones(len(labels), 1)},
        truth={"train": torch.tensor(labels)},
        digest=str(labels),
        source="made here",
    )


def by_taylor(batches: int, **changes: Any) -> PruneSpec:
    return PruneSpec(criterion="taylor", parameters=(("batches", batches),), sparsity=0.5, **changes)


def test_a_units_score_is_worked_out_by_hand(hand: tuple[nn.Module, ModelGraph], digits: Data) -> None:
    """Label 0: the loss falls along the first logit with 1/4. Of unit 0, whose weight is 1 and whose value 1 the first
    logit reads with ln 3, that is a product of −ln 3 / 4; unit 1 is read with 0. Label 1: 3 ln 3 / 4."""
    found = gather.gather_scores(*hand, ones(digits, 0, 1), by_taylor(2))
    assert found.scores["0"].tolist() == pytest.approx([(LN3**2 / 16 + 9 * LN3**2 / 16) / 2, 0.0], rel=1e-5)


def test_a_weights_score_is_worked_out_by_hand(hand: tuple[nn.Module, ModelGraph], digits: Data) -> None:
    """As above for the first layer; in the second only the weight ln 3 is not 0: it reads 1, so its product is the
    same."""
    found = gather.gather_scores(*hand, ones(digits, 0), by_taylor(1, granularity="weight"))
    assert found.scores["0.weight"].tolist() == pytest.approx([LN3**2 / 16, 0.0], rel=1e-5)
    assert found.scores["2.weight"].tolist() == pytest.approx([LN3**2 / 16, 0.0, 0.0, 0.0], rel=1e-5)


def test_without_labels_the_dense_answers_are_the_labels(hand: tuple[nn.Module, ModelGraph], digits: Data) -> None:
    model, graph = hand
    known = ones(digits, 1, 1)
    unlabelled = replace(known, info=replace(known.info, labelled=False), truth={})
    assert gather.gather_scores(model, graph, unlabelled, by_taylor(2)).scores["0"][0].item() == pytest.approx(
        LN3**2 / 16, rel=1e-5
    )
    dense = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        dense[1].weight.copy_(torch.tensor([[0.0], [1.0]]))
        dense[1].bias.zero_()
    found = gather.gather_scores(model, graph, unlabelled, by_taylor(2), dense=dense)
    assert found.scores["0"][0].item() == pytest.approx(9 * LN3**2 / 16, rel=1e-5), "it answers 1"


def test_more_batches_than_there_are_go_round_again(hand: tuple[nn.Module, ModelGraph], digits: Data) -> None:
    once, thrice = (gather.gather_scores(*hand, ones(digits, 0, 1), by_taylor(count)) for count in (2, 6))
    assert torch.allclose(once.scores["0"], thrice.scores["0"])


def test_coupled_layers_count_with_all_that_goes(digits: Data) -> None:
    """Against plain autograd: one batch, products summed over the four layers that make a unit, then squared."""
    subject = open_subject("sample:mini_resnet")
    found = gather.gather_scores(subject.model, subject.graph, digits, by_taylor(1, seed=5))
    index = digits.balanced("train", 5)[:64]
    tensors = {name: p.detach().clone().requires_grad_() for name, p in subject.model.named_parameters()}
    images = digits.normalise(digits.images("train", index))
    logits = torch.func.functional_call(subject.model, {**dict(subject.model.named_buffers()), **tensors}, images)
    labels = digits.labels("train")
    assert labels is not None
    loss = F.cross_entropy(logits, labels[index])
    slopes = dict(zip(tensors, torch.autograd.grad(loss, list(tensors.values())), strict=True))

    def product(name: str, unit: int) -> Tensor:
        return (tensors[name][unit] * slopes[name][unit]).sum()

    unit = 4
    parts = [product("conv1.weight", unit), product("layer1.0.conv2.weight", unit),
             product("layer2.0.conv2.weight", unit + 5), product("layer3.0.conv2.weight", unit + 9)]  # fmt: skip
    assert found.scores["conv1"][unit].item() == pytest.approx(float(sum(parts).detach()) ** 2, rel=1e-3)


class Watched(nn.Module):
    """Counts its calls, keeps a buffer that training mode would change, and draws in every call."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 5, 4), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, 10))
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        if not torch.compiler.is_exporting():
            self.calls += 1
        return self.body(x)


def test_nothing_of_the_callers_changes(digits: Data) -> None:
    model = Watched().train()
    model.body[0].weight.requires_grad_(False)
    model.body[4].weight.grad = torch.ones_like(model.body[4].weight)
    graph = build_graph(model, (1, 28, 28))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    lots = torch.get_rng_state()
    with torch.inference_mode():
        found = gather.gather_scores(model, graph, digits, by_taylor(2))
    assert bool((found.scores["body.0"] > 0).any()), "a frozen weight has a gradient all the same"
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert [p.requires_grad for p in model.parameters()] == [False, *[True] * 5]
    assert [p.grad is not None for p in model.parameters()] == [False, False, False, False, True, False]
    assert bool((model.body[4].weight.grad == 1).all()) and torch.equal(torch.get_rng_state(), lots)


def test_the_seed_draws_the_images(digits: Data) -> None:
    subject = open_subject("sample:lenet300")
    specs = [by_taylor(1, seed=seed) for seed in (0, 0, 1)]
    found = [gather.gather_scores(subject.model, subject.graph, digits, spec).scores["fc1"] for spec in specs]
    first, again, other = found
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_it_is_told_how_far_it_is_and_can_be_stopped(digits: Data) -> None:
    subject = open_subject("sample:lenet300")
    told: list[tuple[int, int]] = []

    def progress(done: int, count: int) -> None:
        told.append((done, count))

    with pytest.raises(Cancelled):
        statistics_for(
            subject.model, subject.graph, digits, by_taylor(4), progress=progress, cancel=lambda: len(told) == 2
        )
    assert told == [(1, 4), (2, 4)] and not cache._KNOWN
    assert statistics_for(subject.model, subject.graph, digits, by_taylor(4)) is not None


def test_gradients_that_are_no_numbers_are_refused(digits: Data) -> None:
    subject = open_subject("sample:lenet300")
    model = open_subject("sample:lenet300").model
    with torch.no_grad():
        model.fc3.bias[0] = torch.nan
    with pytest.raises(InputError, match=r"gradients of fc1\.weight are NaN or infinite"):
        gather.gather_scores(model, subject.graph, digits, by_taylor(1))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[PruneSpec]:
    """What was gathered for."""
    asked: list[PruneSpec] = []
    real = gather.gather_scores

    def count(model: nn.Module, graph: ModelGraph, data: Data, spec: PruneSpec, **options: Any) -> Any:
        asked.append(spec)
        return real(model, graph, data, spec, **options)

    monkeypatch.setattr(cache, "gather_scores", count)
    return asked


def test_equal_questions_are_answered_once(digits: Data, counted: list[PruneSpec]) -> None:
    subject = open_subject("sample:lenet300")
    spec = by_taylor(1)
    first = statistics_for(subject.model, subject.graph, digits, spec)
    same = [spec, spec.replace(sparsity=0.9), spec.replace(layers=(("fc1", 0.1),)), spec.replace(round_to=4)]
    assert all(statistics_for(subject.model, subject.graph, digits, one) is first for one in same)
    others = [spec.replace(seed=1), by_taylor(2), by_taylor(1, granularity="weight")]
    assert len({id(statistics_for(subject.model, subject.graph, digits, one)) for one in others} | {id(first)}) == 4
    statistics_for(subject.model, subject.graph, replace(digits, digest="other"), spec)
    changed = open_subject("sample:lenet300").model
    with torch.no_grad():
        changed.fc1.weight[0, 0] += 1
    statistics_for(changed, subject.graph, digits, spec)
    assert len(counted) == 6
    assert statistics_for(subject.model, subject.graph, digits, PruneSpec()) is None, "weights alone"


def test_what_is_remembered_is_bounded(digits: Data, counted: list[PruneSpec], monkeypatch: pytest.MonkeyPatch) -> None:
    subject = open_subject("sample:lenet300")
    monkeypatch.setattr(cache, "MOST_BYTES", 2 * 4 * (300 + 100))  # float32 scores of two
    for seed in (0, 1, 0, 2, 1):
        statistics_for(subject.model, subject.graph, digits, by_taylor(1, seed=seed))
    assert [spec.seed for spec in counted] == [0, 1, 2, 1], "the one that was not asked for longest goes"
    monkeypatch.setattr(cache, "MOST_BYTES", 1)
    statistics_for(subject.model, subject.graph, digits, by_taylor(1, seed=3))
    assert len(cache._KNOWN) == 1, "the newest stays, however large"


def test_where_images_are_needed_and_there_are_none_it_says_what_works_without() -> None:
    subject = open_subject("sample:lenet300")
    with pytest.raises(InputError, match=r"works without \(l2, l1, random, largest, bn_scale\)"):
        statistics_for(subject.model, subject.graph, None, by_taylor(1))
    with pytest.raises(InputError, match=r"works without \(l2, l1, random, largest\)"):
        make_plan(subject.model, subject.graph, by_taylor(1, granularity="weight"))
    nothing = make_plan(subject.model, subject.graph, by_taylor(1).replace(sparsity=0.0))
    assert nothing.removes_nothing, "what loses nothing needs no scores"


def mean_size(evidence: Evidence) -> Tensor:
    return evidence.activations.abs().mean(1)


@pytest.fixture
def by_output(monkeypatch: pytest.MonkeyPatch) -> PruneSpec:
    """A criterion that the explorer has not: the channels that put out the least go first."""
    record = Criterion(
        name="output", title="mean output", explanation="Remove what puts out the least.", score=mean_size,
        needs=frozenset({"activations"}), granularities=("channel",), parameters=(BATCHES,), draws=True,
    )  # fmt: skip
    monkeypatch.setitem(CRITERIA, record.name, record)
    return PruneSpec(criterion="output", parameters=(("batches", 2),), sparsity=0.5)


def test_outputs_of_layers_are_seen(by_output: PruneSpec, hand: tuple[nn.Module, ModelGraph], digits: Data) -> None:
    found = gather.gather_scores(*hand, ones(digits, 0, 1), by_output)
    assert found.scores["0"].tolist() == [1.0, 2.0]
    assert make_plan(*hand, by_output, found).kept == {"0": (1,)}


def test_outputs_of_coupled_layers_stand_side_by_side(by_output: PruneSpec, digits: Data) -> None:
    opened = open_subject("sample:mini_resnet")
    seen: dict[str, list[Tensor]] = {}
    copy = open_subject("sample:mini_resnet").model
    for name in ("conv1", "layer1.0.conv2", "layer2.0.conv2", "layer3.0.conv2"):
        copy.get_submodule(name).register_forward_hook(
            lambda module, given, out, name=name: seen.setdefault(name, []).append(out)
        )
    for index in digits.balanced("train", 0)[:128].split(64):
        with torch.no_grad():
            copy(digits.normalise(digits.images("train", index)))
    unit = 4
    places = {"conv1": unit, "layer1.0.conv2": unit, "layer2.0.conv2": unit + 5, "layer3.0.conv2": unit + 9}
    each = [torch.cat([seen[name][batch][:, at].reshape(-1) for name, at in places.items()]) for batch in (0, 1)]
    wanted = sum(float(values.abs().mean()) for values in each) / 2
    found = gather.gather_scores(opened.model, opened.graph, digits, by_output)
    assert found.scores["conv1"][unit].item() == pytest.approx(wanted, rel=1e-4)
    assert not any(p.requires_grad and p.grad is not None for p in opened.model.parameters())


def test_an_output_that_cannot_be_seen_is_one_sentence(by_output: PruneSpec, digits: Data) -> None:
    class Aside(nn.Module):
        """Its first layer's weight is used by a function, not by the layer."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(784, 6), nn.Linear(6, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.second(F.linear(x.flatten(1), self.first.weight, self.first.bias).relu())

    model = Aside().eval()
    with pytest.raises(InputError, match="What first puts out cannot be seen"):
        gather.gather_scores(model, build_graph(model, (1, 28, 28)), digits, by_output)
