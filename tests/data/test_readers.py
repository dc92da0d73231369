"""Every row of the readers' table keeps its word, and images read from disk give the batches of images in memory."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pruning.base.errors import InputError
from pruning.data import readers
from pruning.data.info import ROLES, DataInfo, Role
from pruning.data.memory import MemoryData
from pruning.data.reader import Reader
from pruning.data.readers import (
    READERS,
    absolute,
    check_visitor,
    describe_data,
    find_reader,
    is_available,
    is_on_this_machine_alone,
    open_data,
    without_path,
)
from pruning.data.streamed import StreamedData
from tests.data.samples import SAMPLES

SIZES: dict[Role, int] = {"train": 23, "select": 11, "test": 7}
INFO = DataInfo(
    name="toy:4", title="Toy", classes=("a", "b", "c"), shape=(3, 4, 4), mean=(0.4, 0.5, 0.6), std=(0.2, 0.2, 0.3),
    sizes=SIZES, shift=1, flips=True, embedded=True,
)  # fmt: skip
DRAWN = {
    role: torch.randint(0, 256, (count, 3, 4, 4), generator=torch.Generator().manual_seed(count), dtype=torch.uint8)
    for role, count in SIZES.items()
}
TRUTH = {role: torch.arange(count) % 3 for role, count in SIZES.items()}


def toy(wanted: list[int] | None = None) -> StreamedData:
    """A data set whose images are read on demand; `wanted` notes how many each time."""

    def read(role: Role, index: Tensor) -> Tensor:
        if wanted is not None:
            wanted.append(len(index))
        return DRAWN[role][index]

    return StreamedData(info=INFO, read=read, truth=TRUTH, digest="0", source="drawn here")


TOY = Reader(
    kind="toy",
    form="toy:SIDE",
    takes=lambda reference: reference.startswith("toy:"),
    describe=lambda reference, preprocess=None: INFO,
    is_available=lambda reference, data_dir: True,
    open=lambda reference, data_dir, download, progress, preprocess=None: toy(),
)


def references_of(reader: Reader, folder: Path) -> tuple[str, ...]:
    """References to try a reader with: its names, or a sample that is made in the folder."""
    assert reader.names or reader.kind in SAMPLES, (
        f"reader '{reader.kind}' has no names to choose from, so it needs a sample in tests/data/samples.py"
    )
    return reader.names or (SAMPLES[reader.kind](folder),)


def check_its_word(reader: Reader, folder: Path) -> None:
    """What a record says is so, of each reference; what needs no download opens as described."""
    assert reader.form
    for name in references_of(reader, folder):
        assert [other.kind for other in READERS.values() if other.takes(name)] == [reader.kind], (
            "one reader a reference"
        )
        info = reader.describe(name)
        assert info.name == name and info.title and set(info.sizes) == set(ROLES)
        assert len(info.mean) == len(info.std) == info.shape[0]
        assert reader.is_available(name, None) >= info.embedded
        assert reader.is_path == (str(folder) in name), "a reader of files at a path says is_path, and no other does"
        if info.embedded or not reader.names:
            check_it_opens_as_described(name)


def check_it_opens_as_described(reference: str) -> None:
    info, data = describe_data(reference), open_data(reference)
    assert data.info == info and data.digest and data.source
    seen = set()
    for role in ROLES:
        assert data.length(role) == info.sizes[role] > 0
        labels = data.labels(role)
        if info.classes:
            assert labels is not None and labels.dtype == torch.int64 and len(labels) == data.length(role)
            assert int(labels.min()) >= 0 and int(labels.max()) < len(info.classes)
        image = data.image(role, 0)
        assert image.dtype == torch.uint8 and image.shape == info.shape
        seen.add(image.numpy().tobytes())
    assert len(seen) == len(ROLES), "an image has one role"


@pytest.mark.parametrize("kind", READERS)
def test_a_row_keeps_its_word(kind: str, tmp_path: Path) -> None:
    assert READERS[kind].kind == kind
    check_its_word(READERS[kind], tmp_path)


def test_a_row_without_names_is_tried_with_a_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(READERS, "toy", TOY)
    with pytest.raises(AssertionError, match=r"reader 'toy' has no names .* tests/data/samples\.py"):
        check_its_word(TOY, tmp_path)
    monkeypatch.setitem(SAMPLES, "toy", lambda folder: "toy:4")
    check_its_word(TOY, tmp_path)
    monkeypatch.setitem(SAMPLES, "toy", lambda folder: f"toy:{folder}")
    named = replace(TOY, describe=lambda reference, preprocess=None: replace(INFO, name=reference))
    with pytest.raises(AssertionError, match="says is_path"):
        check_its_word(named, tmp_path)
    monkeypatch.setitem(SAMPLES, "toy", lambda folder: "toy:4")
    broken = replace(TOY, describe=lambda reference, preprocess=None: replace(INFO, sizes={**SIZES, "test": 8}))
    monkeypatch.setitem(READERS, "toy", broken)
    with pytest.raises(AssertionError):
        check_its_word(broken, tmp_path)


def test_samples_are_of_readers() -> None:
    assert SAMPLES.keys() <= READERS.keys()


def test_another_row_is_all_that_another_kind_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = ", ".join(reader.form for reader in READERS.values())
    with pytest.raises(InputError, match=f"no data set 'toy:4'.*: {re.escape(forms)}\\."):
        find_reader("toy:4")
    monkeypatch.setitem(READERS, "toy", TOY)
    assert describe_data("toy:4") is INFO and is_available("toy:4")
    assert open_data("toy:4").length("test") == 7
    with pytest.raises(InputError, match=re.escape(f"{forms}, toy:SIDE")):
        find_reader("tox:4")


@pytest.mark.parametrize("kind", READERS)
def test_a_visitor_names_no_path(kind: str) -> None:
    for name in READERS[kind].names:
        check_visitor(name)
        assert not is_on_this_machine_alone(name), "what everybody can choose means the same everywhere"


def test_what_a_path_names_is_not_looked_for_when_a_visitor_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    noted = {"describe": asked.append, "is_available": asked.append, "open": asked.append}
    monkeypatch.setitem(READERS, "toy", replace(TOY, is_path=True, **noted))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="file or folder of this machine"):
        check_visitor("toy:/etc")
    assert is_on_this_machine_alone("toy:/etc") and not asked


def test_a_path_holds_from_any_folder_and_stays_out_of_what_others_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(READERS, "toy", replace(TOY, is_path=True))
    monkeypatch.chdir(tmp_path)
    assert absolute("toy:mine/photos") == f"toy:{tmp_path}/mine/photos" and absolute("mnist5k") == "mnist5k"
    assert without_path(f"toy:{tmp_path}/photos") == "toy:photos" and without_path("mnist5k") == "mnist5k"


def test_small_ones_are_read_once_and_large_ones_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, "toy", TOY)
    assert isinstance(open_data("toy:4"), MemoryData)
    monkeypatch.setattr(readers, "IN_MEMORY", toy().bytes - 1)
    assert isinstance(open_data("toy:4"), StreamedData)


@pytest.mark.parametrize("role", ROLES)
def test_streamed_images_give_the_batches_of_images_in_memory(role: Role) -> None:
    seen: list[int] = []
    streamed, memory = toy(seen), toy().in_memory()
    assert streamed.bytes == 41 * 3 * 4 * 4
    for limit in (None, 5):
        first, second = (list(data.batches(role, 4, limit)) for data in (streamed, memory))
        assert len(first) == len(second)
        for (images, index), (others, places) in zip(first, second, strict=True):
            assert torch.equal(images, others) and torch.equal(index, places)
    assert max(seen) == 4, "never more than a batch"
    assert torch.equal(streamed.balanced(role, 3), memory.balanced(role, 3))
    assert torch.equal(streamed.image(role, 2), DRAWN[role][2])


def test_without_labels_nothing_is_balanced_but_samples_are_still_drawn() -> None:
    bare = replace(toy(), truth={})
    assert bare.labels("train") is None
    assert torch.equal(bare.balanced("train"), torch.arange(23))
    assert sorted(bare.balanced("train", 1).tolist()) == list(range(23))
    assert not torch.equal(bare.balanced("train", 1), bare.balanced("train", 2))
    assert bare.subset("train", 5).tolist() == [0, 1, 2, 3, 4]


def test_an_epoch_has_a_step_even_where_a_batch_holds_all_images() -> None:
    assert [INFO.steps_per_epoch(size) for size in (5, 23, 24, 1000)] == [4, 1, 1, 1]
    assert [INFO.steps_of(epochs, 5) for epochs in (0, 0.5, 2, 2.6)] == [0, 2, 8, 10]
    assert INFO.steps_of(3, 1000) == 3


def test_normalising_changes_nothing_that_is_handed_over() -> None:
    pixels = DRAWN["test"].float()
    kept = pixels.clone()
    expected = (kept - 255 * torch.tensor(INFO.mean).view(1, -1, 1, 1)) / (
        255 * torch.tensor(INFO.std).view(1, -1, 1, 1)
    )
    assert torch.allclose(toy().normalise(pixels), expected) and torch.equal(pixels, kept)
