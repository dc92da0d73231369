"""What images of one's own add to training: AdamW, fixed statistics, augmentations, learning without labels."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.data.memory import MemoryData
from pruning.data.readers import open_data
from pruning.tasks.alike import divergence
from pruning.training.finetune import OWN, TrainConfig, default_hyperparameters, train
from sample_models.architectures import mini_resnet
from tests import own


@pytest.fixture(scope="module")
def digits() -> MemoryData:
    data = open_data("mnist5k")
    assert isinstance(data, MemoryData)
    return data


def fresh() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return mini_resnet()


def statistics(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.named_buffers() if "running" in name}


def test_fixed_statistics_stay_also_when_something_is_measured_on_the_way(digits: MemoryData) -> None:
    for way, stays in (("fixed", True), ("learnt", False)):
        model = fresh()
        before, weight = statistics(model), model.get_parameter("conv1.weight").detach().clone()
        config = TrainConfig(steps=4, batch_size=16, batch_norm=way)  # type: ignore[arg-type]
        train(model, digits, config, evaluations=2, progress=lambda event: None)
        same = all(torch.equal(before[name], value) for name, value in statistics(model).items())
        assert same == stays and not model.training
        assert not torch.equal(weight, model.get_parameter("conv1.weight"))


def test_one_step_of_adamw_is_the_update_of_the_textbook(digits: MemoryData) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    reference = copy.deepcopy(model)
    config = TrainConfig(steps=1, batch_size=8, lr=0.01, optimiser="adamw", weight_decay=0.1, warmup=0.0)
    train(model, digits, config)
    index = torch.randperm(3000, generator=torch.Generator().manual_seed(0))[:8]
    labels = digits.labels("train")
    assert labels is not None
    images = digits.normalise(digits.images("train", index))
    nn.functional.cross_entropy(reference(images), labels[index]).backward()
    for own_one, other, decay in zip(model.parameters(), reference.parameters(), (0.1, 0.0), strict=True):
        gradient = other.grad
        assert gradient is not None
        wanted = other.detach() * (1 - 0.01 * decay) - 0.01 * gradient / (gradient.abs() + 1e-8)
        assert torch.allclose(own_one.detach(), wanted, atol=1e-6)


def test_a_teacher_alone_needs_no_labels() -> None:
    data = own.opened("shapes:plain", None, False, None)
    net = lambda: nn.Sequential(nn.Flatten(), nn.Linear(768, 3))  # noqa: E731
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        teacher, student = net().eval(), net()
    images = data.normalise(data.images("select", torch.arange(120)))

    def apart() -> float:
        with torch.no_grad():
            return float(divergence(student(images), teacher(images)).mean())

    before = apart()
    train(student, data, TrainConfig(steps=60, batch_size=32, lr=1e-3, distillation=1.0), teacher=teacher)
    assert apart() < 0.5 * before
    with pytest.raises(InputError, match="have no labels"):
        train(student, data, TrainConfig(steps=1, batch_size=32, distillation=0.5), teacher=teacher)


@pytest.mark.parametrize("augment", ["flip", "shift,crop", "randaugment", "cutmix", "none"])
def test_each_augmentation_changes_what_is_learnt_and_repeats(augment: str) -> None:
    data = own.opened("shapes:labelled", None, False, None)

    def learnt(how: str) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            model = nn.Sequential(nn.Flatten(), nn.Linear(768, 3))
        train(model, data, TrainConfig(steps=4, batch_size=8, augment=how, seed=3))
        return model[1].weight.detach()

    assert torch.equal(learnt(augment), learnt(augment))
    assert torch.equal(learnt(augment), learnt("known")) == (augment == "none"), "no shift is known: nothing is done"


def test_defaults_are_of_the_images_and_leave_published_ones_as_they_were(digits: MemoryData) -> None:
    assert default_hyperparameters(digits.info) == {"batch_size": 32, "lr": 0.02, "shift": 1}
    mine = default_hyperparameters(own.describe("shapes:labelled"))
    assert mine == {**OWN, "augment": "flip"} and mine["optimiser"] == "adamw" and mine["batch_norm"] == "fixed"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"optimiser": "adam"}, "sgd, adamw"), ({"distillation": 1.5}, "between 0 and 1"), ({"augment": "spin"}, "flip")],
)
def test_wrong_settings_are_refused(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        TrainConfig(steps=1, **wrong)  # type: ignore[arg-type]
