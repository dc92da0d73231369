"""Roles follow the layout; select and test are never taken from train while another role exists."""

from __future__ import annotations

import numpy as np
import pytest

from pruning.base.errors import DataError
from pruning.data.info import ROLES
from pruning.data.own.folder_names import NO_PART
from pruning.data.own.roles import LEARNT, Roles, assign_roles

TRAIN, VAL, TEST = 0, 1, 2


def assigned(counts: dict[int, int], classes: int | None = 2, split: tuple[int, int, int] | None = None) -> Roles:
    """Roles of so many images of each part, their classes in turn."""
    parts = np.repeat(list(counts), list(counts.values())).astype(np.int8)
    labels = None if classes is None else np.arange(len(parts)) % classes
    found = assign_roles(parts, labels, split)
    places = np.concatenate([found.places[role] for role in ROLES])
    assert len(np.unique(places)) == len(places), "an image has one role"
    return found


def sizes(found: Roles) -> list[int]:
    return [len(found.places[role]) for role in ROLES]


def test_three_parts_are_three_roles() -> None:
    found = assigned({TRAIN: 10, VAL: 6, TEST: 4})
    assert sizes(found) == [10, 6, 4] and found.remarks == ()
    assert sorted(found.places["select"]) == list(range(10, 16))


@pytest.mark.parametrize(("other", "name", "absent"), [(VAL, "val", "test"), (TEST, "test", "val")])
def test_the_other_part_is_halved_and_train_stays_whole(other: int, name: str, absent: str) -> None:
    found = assigned({TRAIN: 10, other: 8})
    assert sizes(found) == [10, 4, 4] and set(found.places["train"]) == set(range(10))
    assert found.remarks[0].startswith(f"There is no {absent}, so {name} was halved by lot: 4 to select with")
    for role in ("select", "test"):
        assert (found.places[role] % 2).sum() == 2, "as many of each class"


def test_val_and_test_alone_leave_test_whole() -> None:
    found = assigned({VAL: 8, TEST: 6})
    assert sizes(found) == [4, 4, 6] and LEARNT in found.remarks[0]
    assert set(found.places["test"]) == set(range(8, 14))


@pytest.mark.parametrize("part", [NO_PART, TRAIN, VAL, TEST])
def test_one_part_alone_is_split_by_class(part: int) -> None:
    found = assigned({part: 100}, classes=4)
    assert sizes(found) == [40, 40, 20] and LEARNT in found.remarks[0] and "40/40/20" in found.remarks[0]
    for role, share in zip(ROLES, (10, 10, 5), strict=True):
        assert np.bincount(found.places[role] % 4).tolist() == [share] * 4


def test_a_split_that_is_asked_for_is_followed_or_refused_aloud() -> None:
    assert sizes(assigned({NO_PART: 100}, split=(70, 20, 10))) == [70, 20, 10]
    found = assigned({TRAIN: 10, VAL: 8}, split=(70, 20, 10))
    assert sizes(found) == [10, 4, 4] and "70/20/10 was not followed" in found.remarks[0]


def test_small_classes_are_drawn_without_looking_at_classes_and_it_is_said() -> None:
    found = assigned({NO_PART: 100}, classes=50)
    assert sizes(found) == [40, 40, 20] and found.by_lot_alone
    assert "fewer than three images" in found.remarks[1]
    found = assigned({TRAIN: 5, VAL: 6}, classes=6)
    assert sizes(found) == [5, 3, 3] and "fewer than two images in val" in found.remarks[1]


def test_images_without_labels_are_split_as_well() -> None:
    found = assigned({NO_PART: 10}, classes=None)
    assert sizes(found) == [4, 4, 2] and not found.by_lot_alone


@pytest.mark.parametrize("count", [3, 4, 5, 7])
def test_no_role_is_empty(count: int) -> None:
    assert min(sizes(assigned({NO_PART: count}, classes=None, split=(98, 1, 1)))) >= 1
    assert min(sizes(assigned({NO_PART: count}, classes=1))) >= 1


@pytest.mark.parametrize(
    ("counts", "words"), [({NO_PART: 2}, "only 2 images"), ({TRAIN: 9, VAL: 1}, "only 1 image in val")]
)
def test_too_few_are_refused(counts: dict[int, int], words: str) -> None:
    with pytest.raises(DataError, match=words):
        assigned(counts, classes=None)


def test_the_same_each_time_and_shuffled() -> None:
    first, again = assigned({NO_PART: 60}), assigned({NO_PART: 60})
    for role in ROLES:
        assert first.places[role].tolist() == again.places[role].tolist() != sorted(first.places[role])
