"""Training is repeatable, keeps pruned weights at zero, sees train images only, and stops when told to."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import Cancelled, InputError
from pruning.data.info import ROLES
from pruning.data.memory import MemoryData
from pruning.data.readers import data_names, describe_data, open_data
from pruning.tasks.classification import distance_to_teacher
from pruning.training.evaluate import evaluate
from pruning.training.finetune import (
    TrainConfig,
    TrainEvent,
    augment,
    choose_precision,
    paste_box,
    schedule_factor,
    train,
)
from sample_models.architectures import LeNet300, mini_resnet


@pytest.fixture(scope="module")
def digits() -> MemoryData:
    data = open_data("mnist5k")
    assert isinstance(data, MemoryData)
    return data


def fresh() -> LeNet300:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return LeNet300()


def weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return all(torch.equal(left[name], right[name]) for name in left)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(digits: MemoryData) -> None:
    results = []
    for seed in (1, 1, 2):
        model = nn.Sequential(nn.Flatten(), nn.Dropout(), fresh())  # order, shifts and dropout are all left to chance
        torch.rand(1)  # the caller's random numbers stand elsewhere each time
        train(model, digits, TrainConfig(steps=6, shift=1, seed=seed))
        results.append(weights(model))
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_training_leaves_the_callers_random_numbers_alone(digits: MemoryData) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(784, 10))
    before = torch.get_rng_state()
    train(model, digits, TrainConfig(steps=2, shift=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_two_epochs_learn_to_read_digits(digits: MemoryData) -> None:
    model = fresh()
    before = evaluate(model, digits, "select").value
    train(model, digits, TrainConfig(steps=2 * digits.info.steps_per_epoch(128), lr=0.1))
    after = evaluate(model, digits, "select").value
    assert before < 0.3 and after > 0.8
    assert not model.training


def test_one_step_is_the_update_of_the_textbook(digits: MemoryData) -> None:
    """One Nesterov step from rest: w ← w − lr · (1 + momentum) · (gradient + decay · w); no decay on biases."""
    config = TrainConfig(steps=1, batch_size=3000, lr=0.05, momentum=0.9, weight_decay=0.1, warmup=0.0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    reference = copy.deepcopy(model)
    train(model, digits, config)
    images, labels = digits.pixels["train"], digits.truth["train"]  # a batch of all: its order does not matter
    nn.functional.cross_entropy(reference(digits.normalise(images)), labels).backward()
    for (name, found), start in zip(model.named_parameters(), reference.parameters(), strict=True):
        assert start.grad is not None
        decay = 0.1 if name.endswith("weight") else 0.0
        expected = start - 0.05 * 1.9 * (start.grad + decay * start)
        torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_masked_weights_stay_exactly_zero_and_the_others_learn(digits: MemoryData) -> None:
    model = fresh()
    chance = torch.Generator().manual_seed(0)
    masks = {name: torch.rand(p.shape, generator=chance) > 0.9 for name, p in model.named_parameters() if p.dim() == 2}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in masks:
                parameter.mul_(masks[name])
    before = weights(model)
    seen: list[int] = []
    train(
        model,
        digits,
        TrainConfig(steps=30, lr=0.1, shift=1),
        masks=masks,
        progress=lambda _: seen.append(sum(int(weights(model)[n][~m].count_nonzero()) for n, m in masks.items())),
    )
    assert seen == [0] * 30  # at every step, not only at the end
    for name, mask in masks.items():
        changed = weights(model)[name][mask] != before[name][mask]
        assert changed.float().mean() > 0.5, name  # pixels in the margin are constant: their weights only decay


def test_masks_hold_from_the_start_even_without_a_step(digits: MemoryData) -> None:
    model = fresh()
    mask = torch.zeros_like(model.fc2.weight, dtype=torch.bool)
    train(model, digits, TrainConfig(steps=0), masks={"fc2.weight": mask})
    assert model.fc2.weight.count_nonzero() == 0


def test_a_mask_for_an_unknown_weight_is_refused(digits: MemoryData) -> None:
    with pytest.raises(KeyError, match="fc9"):  # our own bug, not the user's: never a mask that silently does nothing
        train(fresh(), digits, TrainConfig(steps=1), masks={"fc9.weight": torch.ones(1, dtype=torch.bool)})


def test_cancelling_leaves_the_last_finished_step(digits: MemoryData) -> None:
    config = TrainConfig(steps=8)
    at_step: dict[int, dict[str, Tensor]] = {}
    whole = fresh()
    train(whole, digits, config, progress=lambda event: at_step.update({event.step: weights(whole)}))
    stopped, events = fresh(), list[TrainEvent]()
    with pytest.raises(Cancelled):
        train(stopped, digits, config, progress=events.append, cancel=lambda: len(events) == 3)
    assert [event.step for event in events] == [1, 2, 3]
    assert same(weights(stopped), at_step[3])
    assert not stopped.training


def test_cancelling_during_a_measurement_ends_in_eval_mode_too(digits: MemoryData) -> None:
    model, calls = fresh(), list[bool]()

    def cancel() -> bool:
        calls.append(model.training)
        return len(calls) == 3  # the first question is asked before step 1, the next ones while measuring

    with pytest.raises(Cancelled, match="measuring"):
        train(model, digits, TrainConfig(steps=4), evaluations=4, progress=lambda _: None, cancel=cancel)
    assert not model.training


def test_events_tell_every_step_and_measure_as_often_as_asked(digits: MemoryData) -> None:
    events: list[TrainEvent] = []
    model = fresh()
    train(model, digits, TrainConfig(steps=10, lr=0.1), evaluations=2, progress=events.append)
    assert [event.step for event in events] == list(range(1, 11))
    assert [event.step for event in events if event.value is not None] == [5, 10]
    assert events[-1].value == evaluate(model, digits, "select").value
    assert events[-1].interval == evaluate(model, digits, "select").interval
    assert max(event.lr for event in events) == pytest.approx(0.1)
    assert events[-1].loss < events[0].loss


def test_measuring_does_not_change_what_is_learnt(digits: MemoryData) -> None:
    start, results = mini_resnet(), []  # it has BN, whose statistics a forward pass in training mode would move
    for evaluations in (0, 3):
        model = copy.deepcopy(start)
        config = TrainConfig(steps=3, batch_size=16)
        train(model, digits, config, evaluations=evaluations, progress=lambda _: None)
        results.append(weights(model))
    assert same(*results)


class Witness(nn.Module):
    """Notes the first pixel of every image it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(784, 10)
        self.seen: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen += ((x[:, 0, 0, 0] * 0.3081 + 0.1307) * 255).round().int().tolist()
        return self.fc(x.flatten(1))


def test_an_epoch_shows_each_train_image_once_and_no_other(digits: MemoryData) -> None:
    """Train images have the numbers 0 to 199 in their first pixel, select and test images 200 and up."""
    images = {role: digits.pixels[role][:200].clone() for role in ROLES}
    images["train"][:, 0, 0, 0] = torch.arange(200)
    images["select"][:, 0, 0, 0] = 220
    images["test"][:, 0, 0, 0] = 240
    info = type(digits.info)(**{**vars(digits.info), "sizes": {role: 200 for role in ROLES}})
    numbered = MemoryData(
        info=info, pixels=images, truth={role: digits.truth[role][:200] for role in ROLES}, digest="", source=""
    )
    model = Witness()
    train(model, numbered, TrainConfig(steps=numbered.info.steps_per_epoch(50), batch_size=50))
    assert sorted(model.seen) == list(range(200))
    assert model.seen != sorted(model.seen)  # shuffled
    first = model.seen
    model.seen = []
    train(model, numbered, TrainConfig(steps=8, batch_size=50))
    assert model.seen[:200] == first and sorted(model.seen[200:]) == list(range(200))
    assert model.seen[200:] != first  # every epoch in another order


@pytest.mark.parametrize("spoilt", ["weights", "rate"])
def test_a_loss_that_is_no_number_ends_with_advice(digits: MemoryData, spoilt: str) -> None:
    model = fresh()
    if spoilt == "weights":
        nn.init.constant_(model.fc1.weight, math.nan)
    config = TrainConfig(steps=60, lr=9.9 if spoilt == "rate" else 0.01, weight_decay=0.0)
    with pytest.raises(InputError, match=rf"diverged at step \d+ of 60 .*lower learning rate than {config.lr}"):
        train(model, digits, config)
    assert not model.training


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"steps": -1}, "0 or more steps, not -1"),
        ({"steps": 1, "batch_size": 1}, "at least 2 images, not 1"),
        ({"steps": 1, "lr": 0.0}, "between 0 and 10, not 0.0"),
        ({"steps": 1, "lr": math.nan}, "between 0 and 10, not nan"),
        ({"steps": 1, "cutmix": 1.5}, "between 0 and 1, not 1.5"),
    ],
)
def test_wrong_settings_are_refused_when_made(wrong: dict[str, float], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        TrainConfig(**wrong)  # type: ignore[arg-type]


def test_steps_of_an_epoch_are_full_batches(digits: MemoryData) -> None:
    assert digits.info.steps_per_epoch(128) == 23  # 3,000 / 128 = 23.4
    assert digits.info.steps_per_epoch(5000) == 1


def test_bf16_is_never_chosen_for_a_network_without_bn() -> None:
    assert choose_precision(LeNet300()) == "fp32"


@pytest.mark.parametrize(
    ("step", "steps", "warmup", "expected"),
    [
        (0, 100, 0.0, 1.0),
        (50, 100, 0.0, 0.5),
        (25, 100, 0.0, 0.5 + math.sqrt(0.5) / 2),
        (0, 100, 0.1, 1 / 11),  # rises in elevenths ...
        (9, 100, 0.1, 10 / 11),
        (10, 100, 0.1, 1.0),  # ... to the top at a tenth of the way
        (55, 100, 0.1, 0.5),
        (99, 100, 0.1, 0.5 * (1 - math.cos(math.pi / 90))),  # the last step is small, not 0
        (0, 1, 0.0, 1.0),
    ],
)
def test_schedule_values(step: int, steps: int, warmup: float, expected: float) -> None:
    assert schedule_factor(step, steps, warmup) == pytest.approx(expected)


def test_schedule_rises_then_falls() -> None:
    factors = [schedule_factor(step, 200, 0.1) for step in range(200)]
    assert factors[:21] == sorted(factors[:21]) and factors[20:] == sorted(factors[20:], reverse=True)
    assert min(factors) > 0 and max(factors) == 1.0


def moved(image: Tensor, down: int, right: int, mirror: bool) -> Tensor:
    """By loops: pixel (r, c) of the result comes from (r − down, c − right), or is 0; mirrored afterwards."""
    out = torch.zeros_like(image)
    _, height, width = image.shape
    for row in range(height):
        for column in range(width):
            from_row, from_column = row - down, column - right
            if 0 <= from_row < height and 0 <= from_column < width:
                out[:, row, width - 1 - column if mirror else column] = image[:, from_row, from_column]
    return out


@pytest.mark.parametrize("flips", [False, True])
def test_augment_only_moves_and_mirrors(flips: bool) -> None:
    images = torch.randint(1, 256, (60, 3, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    result = augment(images, 1, flips, torch.Generator().manual_seed(1))
    assert result.dtype == torch.uint8 and result.shape == images.shape
    ways = [
        (down, right, mirror) for down in (-1, 0, 1) for right in (-1, 0, 1) for mirror in (False, True)[: 1 + flips]
    ]
    taken = []
    for before, after in zip(images, result, strict=True):
        (way,) = [
            way for way in ways if torch.equal(moved(before, *way), after)
        ]  # one way each, the same in all channels
        taken.append(way)
    assert len(set(taken)) >= len(ways) - 2  # 60 images: nearly every way occurs


def test_augment_differs_by_image_and_repeats_by_seed() -> None:
    images = torch.randint(0, 256, (8, 1, 28, 28), dtype=torch.uint8)
    first, again, other = (augment(images, 2, False, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_digits_are_never_mirrored_and_photos_are() -> None:
    assert {name: describe_data(name).flips for name in data_names()} == {
        "mnist5k": False,
        "mnist": False,
        "cifar10": True,
    }


def test_a_pasted_box_is_one_rectangle_and_its_share_is_what_it_covers() -> None:
    images, others = torch.zeros(3, 2, 8, 10), torch.ones(3, 2, 8, 10)
    shares = set()
    for seed in range(40):
        mixed, share = paste_box(images, others, torch.Generator().manual_seed(seed))
        assert share == pytest.approx(float(mixed.mean()))
        rows, columns = (torch.equal(mixed.amax(dim), mixed.amax(dim)[:1].expand(3, 2, -1)) for dim in (2, 3))
        assert rows and columns  # the same box in every image and channel
        assert share == pytest.approx(float(mixed[0, 0].amax(1).mean() * mixed[0, 0].amax(0).mean()))
        shares.add(round(share, 3))
    assert len(shares) > 15 and min(shares) < 0.2 and max(shares) > 0.5
    assert float(images.max()) == 0


def test_the_distance_to_a_teacher_by_its_formula() -> None:
    logits, answers = torch.tensor([[1.0, 3.0], [0.0, 0.5]]), torch.tensor([[2.0, 0.0], [0.0, 0.5]])
    expected = 0.0
    for mine, its in zip(logits.tolist(), answers.tolist(), strict=True):
        p, q = ([math.exp(x / 2) for x in row] for row in (its, mine))
        p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
        expected += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)) / 2 * 2**2
    assert float(distance_to_teacher(logits, answers, 2.0)) == pytest.approx(expected, rel=1e-5)
    assert float(distance_to_teacher(answers, answers)) == pytest.approx(0.0, abs=1e-6)


def test_a_teacher_is_followed_and_left_alone(digits: MemoryData) -> None:
    """A teacher that always answers 3 pulls the student towards 3, and learns nothing itself."""
    teacher = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()
    with torch.no_grad():
        teacher[1].weight.zero_()
        teacher[1].bias.copy_(torch.nn.functional.one_hot(torch.tensor(3), 10) * 40.0)
    before = weights(teacher)
    threes = []
    for follow in (None, teacher):
        model = fresh()
        train(model, digits, TrainConfig(steps=20, lr=0.01), teacher=follow)
        with torch.no_grad():
            answers = model(digits.normalise(digits.pixels["select"][:200])).softmax(1)
        threes.append(float(answers[:, 3].mean()))
    assert threes[1] > 2 * threes[0]
    assert same(before, weights(teacher))


def test_cutmix_changes_what_is_learnt_and_repeats_by_seed(digits: MemoryData) -> None:
    results = []
    for share in (0.0, 1.0, 1.0):
        model = fresh()
        train(model, digits, TrainConfig(steps=3, cutmix=share))
        results.append(weights(model))
    assert same(results[1], results[2]) and not same(results[0], results[1])


class Answers(NamedTuple):
    """As torchvision's networks with auxiliary heads give while they are trained."""

    logits: Tensor
    aux_logits: Tensor


@pytest.mark.parametrize(
    "more",
    [lambda y: (y, y * 0), lambda y: {"logits": y, "aux": y * 0}, lambda y: Answers(y, y * 0), lambda y: [y, y * 0]],
    ids=["tuple", "dict", "named", "list"],
)
def test_a_network_may_give_more_while_it_is_trained(more: Callable[[Tensor], object], digits: MemoryData) -> None:
    class More(LeNet300):
        def forward(self, x: Tensor) -> Any:
            answer = super().forward(x)
            return more(answer) if self.training else answer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        odd, plain = More(), fresh()
    odd.load_state_dict(plain.state_dict())
    train(odd, digits, TrainConfig(steps=3))
    train(plain, digits, TrainConfig(steps=3))
    assert same(weights(odd), weights(plain))
