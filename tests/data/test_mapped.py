"""Classes of images and outputs of a network are brought together by name, never by position where counts differ."""

from __future__ import annotations

import pytest
import torch

from pruning.base.errors import InputError
from pruning.data.info import DataInfo
from pruning.data.mapped import MappedData, by_position, map_classes, mapped_info
from pruning.data.memory import MemoryData

ANIMALS = (("n01", "tench, Tinca tinca"), ("n02", "great white shark"), ("n03", "house-cat"), ("n04", "crane"),
           ("n05", "crane"))  # fmt: skip


def info(*classes: str) -> DataInfo:
    return DataInfo(
        name="own", title="My photos", classes=classes, shape=(1, 2, 2), mean=(0.5,), std=(0.5,),
        sizes={"train": 4, "select": 0, "test": 0}, shift=0, flips=False, embedded=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("classes", "outputs"),
    [
        (("n03", "n01"), (2, 0)),
        (("House_Cat", "TENCH"), (2, 0)),
        (("tinca tinca", "great-white_shark"), (0, 1)),
        (("n02 great white shark", "n05"), None),
        (("n05", "n04"), (4, 3)),
        (("tench, Tinca tinca", "house cat"), (0, 2)),
    ],
)
def test_fewer_classes_are_found_by_name(classes: tuple[str, ...], outputs: tuple[int, ...] | None) -> None:
    if outputs is None:
        with pytest.raises(InputError, match="'n02 great white shark' is not among the network's 5"):
            map_classes(info(*classes), ANIMALS, 5)
        return
    found = map_classes(info(*classes), ANIMALS, 5)
    assert found is not None and found.outputs == outputs
    assert found.classes == ("tench, Tinca tinca", "great white shark", "house-cat", "crane", "crane")
    assert "5 classes" in found.remark and "have 2" in found.remark and "by its name" in found.remark


def test_all_must_be_found_and_those_that_are_not_are_named() -> None:
    with pytest.raises(InputError, match=r"'cow' is not among the network's 5; 'crane' stands for several") as caught:
        map_classes(info("n01", "cow", "crane"), ANIMALS, 5)
    assert "My photos" in str(caught.value) and "Name them as the network does" in str(caught.value)
    with pytest.raises(InputError, match="are the same class of the network"):
        map_classes(info("tench", "n01"), ANIMALS, 5)
    many = [f"thing {number}" for number in range(9)]
    with pytest.raises(InputError, match="and 4 more"):
        map_classes(info(*many), ANIMALS, 5)


def test_without_names_nothing_is_taken_by_position_unless_the_counts_agree() -> None:
    assert map_classes(info("a", "b"), (), 2) is None
    with pytest.raises(InputError, match=r"tells 3 classes apart.*has 2.*\?classes=2"):
        map_classes(info("a", "b"), (), 3)
    with pytest.raises(InputError, match="tells 2 classes apart"):
        map_classes(info("a", "b", "c"), (), 2)


def test_the_same_names_in_another_order_go_by_name_and_that_is_said() -> None:
    names = (("cat",), ("dog",), ("eel",))
    assert map_classes(info("cat", "dog", "eel"), names, 3) is None, "they stand as the network has them"
    found = map_classes(info("Eel", "CAT", "dog"), names, 3)
    assert found is not None and found.outputs == (2, 0, 1) and "another order" in found.remark


def test_names_that_are_known_in_part_go_by_position_only_where_they_agree() -> None:
    names = (("cat",), ("dog",), ("eel",))
    assert map_classes(info("cat", "dog", "3"), names, 3) is None
    with pytest.raises(InputError, match="'3' is not among"):
        map_classes(info("dog", "cat", "3"), names, 3)


def test_labels_become_outputs_and_images_stay() -> None:
    pixels = torch.arange(16, dtype=torch.uint8).reshape(4, 1, 2, 2)
    own = info("eel", "cat")
    inner = MemoryData(
        info=own, pixels={"train": pixels}, truth={"train": torch.tensor([0, 1, 1, 0])}, digest="d", source="here"
    )
    by_name = map_classes(own, (("cat",), ("dog",), ("eel",)), 3)
    assert by_name is not None
    data = MappedData(info=mapped_info(own, by_name), inner=inner, by_name=by_name)
    labels = data.labels("train")
    assert labels is not None and labels.tolist() == [2, 0, 0, 2]
    assert torch.equal(data.images("train", torch.tensor([1, 3])), pixels[[1, 3]])
    assert data.info.classes == ("cat", "dog", "eel") and data.info.remarks[-1] == by_name.remark
    assert data.digest != inner.digest and data.source == "here"
    assert sorted(data.balanced("train").tolist()) == [0, 1, 2, 3]
    first_two = labels[data.balanced("train")[:2]]
    assert set(first_two.tolist()) == {0, 2}, "both classes come first"


def test_what_is_taken_by_position_is_said() -> None:
    said = by_position(info("ant", "bee", "cow"), ())
    assert (
        said
        == "Classes are taken for outputs in this order (ant, bee, cow), since the network does not name its outputs."
    )
    names = (("cat",), ("dog",), ("eel",))
    assert "names its outputs otherwise" in str(by_position(info("0", "1", "2"), names))
    assert map_classes(info("0", "1", "2"), names, 3) is None, "the counts agree, and no name speaks against it"
    assert by_position(info("Cat", "dog", "eel"), names) is None
    assert str(by_position(info(*"abcdefgh"), ())).count(",") == 6
