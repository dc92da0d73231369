"""The what-if engine gives what plain evaluation gives, from values kept of earlier questions, within its memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import torch
import torchvision
from torch import Tensor, nn

from pruning.base.errors import Cancelled, InputError
from pruning.calls.parts import Parts
from pruning.calls.passes import Images
from pruning.calls.runner import Runner
from pruning.data.info import DataInfo
from pruning.data.memory import MemoryData
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import masked_model, removed_model
from pruning.removal.build import build_graph
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.training.evaluate import evaluate
from pruning.whatif import WhatIf, engine


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("mnist5k")


def some_plans(graph: ModelGraph, seed: int, count: int, granularity: str = "channel") -> Iterator[dict[str, float]]:
    """A random plan, then others that differ from the one before in one group."""
    draw = random.Random(seed)
    names = [g.name for g in graph.groups] if granularity == "channel" else [c.layer for c in graph.contractions]
    layers = {name: draw.choice([0.0, 0.2, 0.5]) for name in names}
    for _ in range(count):
        yield layers
        layers = {**layers, draw.choice(names): draw.choice([0.0, 0.1, 0.3, 0.6])}


def plain(subject: Subject, plan: Plan, data: Data, images: int | None) -> tuple[Tensor, Tensor | None]:
    """Right answers as cut and recalibrated, of the masked model."""
    model = masked_model(subject.model, subject.graph, plan)
    as_cut = evaluate(model, data, "select", limit=images).scores
    if not has_batch_norm(model):
        return as_cut, None
    recalibrate(model, data)
    return as_cut, evaluate(model, data, "select", limit=images).scores


@pytest.mark.parametrize("granularity", ["channel", "weight"])
@pytest.mark.parametrize("name", ["lenet300", "lenet5", "mini_resnet"])
def test_in_fp32_it_is_what_evaluate_gives_on_the_masked_model(name: str, granularity: str, digits: Data) -> None:
    subject = open_subject(f"sample:{name}")
    what_if = WhatIf(subject.model, subject.graph, digits, images=None, precision="fp32")
    assert what_if.whole_because is None and what_if.images == 1000
    for layers in some_plans(subject.graph, seed=1, count=3, granularity=granularity):
        plan = make_plan(subject.model, subject.graph, PruneSpec(granularity=granularity, layers=tuple(layers.items())))
        measured = what_if.measure(plan)
        as_cut, recalibrated = plain(subject, plan, digits, None)
        assert measured.complete and torch.equal(measured.as_cut.scores, as_cut)
        if recalibrated is None:
            assert measured.recalibrated is None
        else:
            assert torch.equal(measured.recalibrated.scores, recalibrated)


def test_a_sample_is_the_one_that_evaluate_takes_and_plans_apart_do_not_disturb_what_is_kept(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=300, precision="fp32")
    nothing = make_plan(subject.model, subject.graph, PruneSpec())
    before = what_if.measure(nothing)
    assert before.recalibrated is None, "nothing goes, so there is nothing to recalibrate"
    for group in reversed(subject.graph.groups):
        plan = make_plan(subject.model, subject.graph, PruneSpec(layers=((group.name, 0.5),)))
        measured = what_if.measure(plan, keep=False)
        as_cut, recalibrated = plain(subject, plan, digits, 300)
        assert torch.equal(measured.as_cut.scores, as_cut) and torch.equal(measured.recalibrated.scores, recalibrated)
    assert torch.equal(what_if.measure(nothing).as_cut.scores, before.as_cut.scores)


class Recorder(Runner):
    """Counts the steps that are run."""

    steps = 0

    def __call__(self, *args, **kwargs):
        Recorder.steps += 1
        return super().__call__(*args, **kwargs)


def test_only_what_follows_the_change_is_computed(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pruning.calls.parts.Runner", Recorder)
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=100, precision="fp32", figures=("as_cut",))
    counts = []
    layers: dict[str, float] = {}
    last = "layer3.0.conv1"
    for change in ({}, {}, {last: 0.5}, {last: 0.3}, {"layer1.0.conv1": 0.2}, {last: 0.2}, {"conv1": 0.3}):
        layers |= change
        Recorder.steps = 0
        what_if.measure(make_plan(subject.model, subject.graph, PruneSpec(layers=tuple(layers.items()))))
        counts.append(Recorder.steps)
    # All; the classifier from kept means; from the last convolution on, twice: channels that are fewer are taken from
    # the dense value that is kept; from layer1.0.conv2 on; the last but one too, since more channels are asked for
    # than are kept now; all but the stem, whose channels are taken from what is kept.
    assert counts == [26, 1, 8, 8, 22, 10, 24]


FAMILIES = (
    "resnet18", "mobilenet_v3_small", "shufflenet_v2_x1_0", "squeezenet1_0", "googlenet",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("convnext_tiny", "regnet_y_400mf", "resnext50_32x4d",
                                                              "swin_t")),
)  # fmt: skip


def photos(side: int, classes: int = 10, count: int = 60) -> Data:
    """Random images."""
    draw = torch.Generator().manual_seed(0)
    images = {role: torch.randint(0, 256, (count, 3, side, side), generator=draw, dtype=torch.uint8)
              for role in ("train", "select", "test")}  # fmt: skip
    labels = {role: torch.randint(0, classes, (count,), generator=draw) for role in images}
    info = DataInfo(
        name="photos", title="random", classes=tuple(map(str, range(classes))), shape=(3, side, side),
        mean=(0.5,) * 3, std=(0.25,) * 3, sizes=dict.fromkeys(images, count), shift=1, flips=False, embedded=False,
    )  # fmt: skip
    return MemoryData(info=info, pixels=images, truth=labels, digest="0", source="random")


@pytest.mark.parametrize("name", FAMILIES)
def test_families_of_networks_give_what_the_removed_network_gives(name: str) -> None:
    torch.manual_seed(0)
    options = {"init_weights": False, "aux_logits": False} if name == "googlenet" else {}
    model = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if name in ("swin_t", "convnext_tiny") and isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.1)
    graph = build_graph(model, (3, 64, 64))
    parts = Parts(model, graph)
    parts.memory.keep = frozenset(step.node for step in parts.program.steps if step.op.name not in ("alias", "getitem"))
    images = torch.randn(3, 3, 64, 64)
    for layers in some_plans(graph, seed=3, count=4):
        plan = make_plan(model, graph, PruneSpec(layers=tuple(layers.items())))
        made = parts.question(plan).answer("as_cut", 0, Images(count=3, normalised=lambda: images), keep=True)
        with torch.no_grad():
            wanted = removed_model(model, graph, plan)(images)
        assert float(wanted.std()) > 0 and torch.allclose(
            made, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max())
        )


def test_answers_come_soon_and_grow_better(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=1000)
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.3))
    answers = list(what_if.follow(plan))
    assert answers[0].as_cut.images == 100 and answers[0].recalibrated is None
    assert answers[1].recalibrated.images == 100, "the first images, then recalibration, then more images"
    counts = [answer.as_cut.images for answer in answers]
    assert counts == sorted(counts) and counts[-1] == 1000 == answers[-1].recalibrated.images
    assert [answer.complete for answer in answers] == [False] * (len(answers) - 1) + [True]
    widths = [answer.recalibrated.interval[1] - answer.recalibrated.interval[0] for answer in answers[1:]]
    assert widths[-1] < 0.5 * widths[0]


def test_a_question_that_is_left_off_spoils_nothing(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=300, precision="fp32")
    what_if.measure(make_plan(subject.model, subject.graph, PruneSpec()))
    for number, group in enumerate(subject.graph.groups):
        plan = make_plan(subject.model, subject.graph, PruneSpec(layers=((group.name, 0.4),)))
        asked = 0

        def enough(number: int = number) -> bool:
            nonlocal asked
            asked += 1
            return asked > 1 + number % 4

        with pytest.raises(Cancelled):
            what_if.measure(plan, cancel=enough)
        next(
            what_if.follow(make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.2)))
        )  # and another that nobody waits for
    as_cut, recalibrated = plain(subject, plan, digits, 300)
    measured = what_if.measure(plan)
    assert torch.equal(measured.as_cut.scores, as_cut) and torch.equal(measured.recalibrated.scores, recalibrated)


@pytest.mark.slow
@pytest.mark.parametrize("budget", [0, 60 * 2**20, 200 * 2**20])
def test_what_is_kept_stays_within_the_budget(budget: int, digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=1000, precision="fp32", budget_bytes=budget)
    most = 0
    for layers in ({}, {"layer3.0.conv1": 0.5}, {"conv1": 0.3}, {}):
        for _ in what_if.follow(make_plan(subject.model, subject.graph, PruneSpec(layers=tuple(layers.items())))):
            most = max(most, what_if.kept_bytes)
    assert most <= budget
    assert most >= 0.6 * budget, "and it is made use of"


def test_bf16_is_used_only_where_it_agrees(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = open_subject("sample:lenet5")
    insisted = WhatIf(subject.model, subject.graph, digits, images=200, precision="bf16")
    assert insisted.precision.name == "bf16" and insisted.precision.agreement >= 0.995
    assert insisted.precision.images == 200
    accuracy = insisted.measure(make_plan(subject.model, subject.graph, PruneSpec())).as_cut.value
    assert accuracy == pytest.approx(evaluate(subject.model, digits, "select", limit=200).value, abs=0.011)
    monkeypatch.setattr(engine, "AGREEMENT", 1.01)
    assert WhatIf(subject.model, subject.graph, digits, images=200, precision="bf16").precision.name == "fp32"


def test_whether_bf16_is_faster_is_settled_early_where_it_is_far_slower(
    digits: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = open_subject("sample:lenet300")
    for times, images in ((0.0, 200), (float("inf"), 500)):
        monkeypatch.setattr(engine, "HOPELESS", times)
        assert WhatIf(subject.model, subject.graph, digits, images=500).precision.images == images


class FixedBatch(nn.Module):
    """Makes as many rows as it was traced with."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(784, 20), nn.Linear(20, 10)
        self.rows: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        noise = torch.zeros(len(x), 20)
        return self.second(torch.relu(self.first(x.flatten(1))) + noise)


class RowReader(nn.Module):
    """Reads an image row by row. torch writes over memory where an LSTM's images are not as many as its states."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.says = nn.LSTM(28, 20, batch_first=True), nn.Linear(20, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.says(self.reads(x[:, 0])[0][:, -1])


@pytest.mark.parametrize(("network", "why"), [(FixedBatch, "does not follow"), (RowReader, "lstm in reads")])
def test_a_network_whose_calls_do_not_follow_is_computed_whole(
    network: type[nn.Module], why: str, digits: Data
) -> None:
    torch.manual_seed(1)
    model = network().eval()
    graph = build_graph(model, (1, 28, 28))
    what_if = WhatIf(model, graph, digits, images=200)
    assert what_if.whole_because is not None and why in what_if.whole_because
    assert what_if.precision.name == "fp32" and what_if.kept_bytes == 0
    plan = make_plan(model, graph, PruneSpec(sparsity=0.5))
    expected = evaluate(masked_model(model, graph, plan), digits, "select", limit=200).scores
    assert torch.equal(what_if.measure(plan).as_cut.scores, expected)


@pytest.mark.slow
def test_recalibration_of_a_family_with_several_kinds_of_norms() -> None:
    torch.manual_seed(2)
    data = photos(64)
    model = torchvision.models.resnet18(num_classes=10).eval()
    graph = build_graph(model, (3, 64, 64))
    what_if = WhatIf(model, graph, data, images=None, precision="fp32")
    for layers in some_plans(graph, seed=5, count=2):
        plan = make_plan(model, graph, PruneSpec(layers=tuple(layers.items())))
        small = removed_model(model, graph, plan)
        recalibrate(small, data)
        assert torch.equal(what_if.measure(plan).recalibrated.scores, evaluate(small, data, "select").scores)


def test_only_what_is_wanted_is_measured(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.3))
    both = WhatIf(subject.model, subject.graph, digits, images=200, precision="fp32").measure(plan)
    alone = WhatIf(subject.model, subject.graph, digits, images=200, precision="fp32", figures=("recalibrated",))
    measured = alone.measure(plan)
    assert measured.as_cut is None and torch.equal(measured.recalibrated.scores, both.recalibrated.scores)
    lenet = open_subject("sample:lenet5")
    with pytest.raises(InputError, match="no batch normalisation"):
        WhatIf(lenet.model, lenet.graph, digits, figures=("recalibrated",))


@pytest.mark.parametrize(("name", "better"), [("mini_resnet", 0.4), ("lenet300", 0.0)])
def test_a_coarse_repair_comes_close_to_what_a_run_would_give(name: str, better: float, digits: Data) -> None:
    subject = open_subject(f"sample:{name}")
    what_if = WhatIf(subject.model, subject.graph, digits, images=500, precision="fp32")
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    before = what_if.measure(plan)
    found = list(what_if.follow_repaired(plan))
    last = found[-1].repaired
    assert found[0].repaired is not None and last is not None and before.as_cut is not None
    assert found[0].repaired.images <= last.images == 500 and found[-1].complete
    assert last.value >= before.as_cut.value + better
    again = what_if.measure(plan).as_cut
    assert again is not None and torch.equal(again.scores, before.as_cut.scores), "what is kept is as it was"


def test_what_a_repair_keeps_counts_and_is_forgotten(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=200)
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5))
    before = what_if.kept_bytes
    first = list(what_if.follow_repaired(plan))[-1].repaired
    assert what_if.kept_bytes > before
    what_if.forget()
    assert what_if.kept_bytes == 0
    again = list(what_if.follow_repaired(plan))[-1].repaired
    assert first is not None and again is not None and torch.equal(first.scores, again.scores)


def test_a_coarse_repair_is_left_off_at_once(digits: Data) -> None:
    subject = open_subject("sample:mini_resnet")
    what_if = WhatIf(subject.model, subject.graph, digits, images=500)
    with pytest.raises(Cancelled):
        next(
            what_if.follow_repaired(
                make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.5)), cancel=lambda: True
            )
        )
