"""Data sets that a Python file makes: run because they are trusted, and refused to visitors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pruning.base.errors import DataError, InputError
from pruning.data.readers import check_visitor, describe_data, open_data
from tests.data.samples import CODE, aged, files, write_folder


def written(folder: Path, code: str, function: str = "build") -> str:
    (folder / "data.py").write_text(code)
    return f"file:{folder / 'data.py'}:{function}"


def test_roles_classes_and_images(tmp_path: Path) -> None:
    reference = written(tmp_path, CODE)
    info = describe_data(reference)
    assert info.sizes == {"train": 8, "select": 6, "test": 4} and info.classes == ("cat", "dog")
    data = open_data(reference)
    drawn = {
        np.random.default_rng([2, place]).integers(0, 256, (12, 16, 3), dtype=np.uint8).tobytes(): place % 2
        for place in range(4)
    }
    labels = data.labels("test")
    assert labels is not None
    images = data.images("test", torch.arange(4)).permute(0, 2, 3, 1).contiguous()
    assert {i.numpy().tobytes(): int(label) for i, label in zip(images, labels, strict=True)} == drawn


TENSORS = """
import torch
from torch.utils.data import TensorDataset, Subset

def build():
    images = torch.randint(0, 256, (20, {shape}), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = {images}
    return {made}
"""
WHOLE = "TensorDataset(images, torch.arange(20) % 2)"


@pytest.mark.parametrize(
    ("images", "shape", "made", "sizes"),
    [
        ("images", "3, 8, 9", f"{{'train': {WHOLE}}}", [8, 8, 4]),
        ("images / 255", "3, 8, 9", WHOLE, [8, 8, 4]),
        (
            "images",
            "1, 8, 9",
            f"{{'train': Subset({WHOLE}, range(12)), 'val': Subset({WHOLE}, range(12, 20))}}",
            [12, 4, 4],
        ),
        ("images", "8, 9", WHOLE, [8, 8, 4]),
        ("images", "3, 8, 9", "TensorDataset(images)", [8, 8, 4]),
        ("images", "3, 8, 9", "[{'image': image, 'label': 3} for image in images]", [8, 8, 4]),
        ("images", "3, 8, 9", "[(image, 'ab'[i % 2]) for i, image in enumerate(images)]", [8, 8, 4]),
    ],
)
def test_what_may_be_returned(images: str, shape: str, made: str, sizes: list[int], tmp_path: Path) -> None:
    reference = written(tmp_path, TENSORS.format(images=images, shape=shape, made=made))
    info = describe_data(reference)
    assert list(info.sizes.values()) == sizes and info.labelled == (made != "TensorDataset(images)")
    generator = torch.Generator().manual_seed(0)
    channels = int(shape[0]) if shape.count(",") == 2 else 1
    drawn = torch.randint(0, 256, (20, channels, 8, 9), dtype=torch.uint8, generator=generator)
    data = open_data(reference)
    found = torch.cat([data.images(role, torch.arange(size)) for role, size in data.info.sizes.items()])
    assert {image.numpy().tobytes() for image in found} == {image.numpy().tobytes() for image in drawn}


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        ("3", InputError, "returned a int for its images, not a data set"),
        ("{}", DataError, "without any image"),
        ("{'extra': []}", InputError, "a role 'extra': return a dict of 'train'"),
        ("{'val': [1], 'valid': [1]}", InputError, "one role under two names"),
        ("[]", DataError, "without any image"),
        ("[(torch.zeros(5), 0)] * 5", DataError, "of shape"),
        ("[(torch.randn(3, 4, 4), 0)] * 5", DataError, "before they are normalised"),
        ("[(torch.zeros(3, 4, 4), 0.5)] * 5", DataError, "labels are whole numbers"),
        ("[(torch.zeros(3, 4, 4), 0), torch.zeros(3, 4, 4)]", DataError, "Some items .* have labels"),
        ("TensorDataset(torch.zeros(2, 3, 4, 4), torch.zeros(2))", DataError, "labels are whole numbers"),
        ("1 / 0", InputError, r"build\(\) fails at data.py:\d+ .*ZeroDivisionError"),
    ],
)
def test_what_may_not(made: str, error: type[Exception], words: str, tmp_path: Path) -> None:
    reference = written(tmp_path, TENSORS.format(images="images", shape="3, 8, 9", made=made))
    with pytest.raises(error, match=words):
        describe_data(reference)


def test_an_item_that_fails_is_named(tmp_path: Path) -> None:
    broken = CODE.replace("pixels = np", "assert place != 5, 'no fifth'\n        pixels = np")
    with pytest.raises(DataError, match=r"Item 5 of a Drawn cannot be read \(AssertionError: no fifth\)"):
        describe_data(written(tmp_path, broken))


def test_references_that_name_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        describe_data(f"file:{tmp_path}/none.py:build")
    with pytest.raises(InputError, match="names no Python file"):
        describe_data(f"file:{tmp_path}/none.txt")
    with pytest.raises(InputError, match=r"no function 'bild' in data\.py\. Did you mean 'build'"):
        describe_data(written(tmp_path, CODE, "bild"))


def test_it_is_run_once_until_it_changes(tmp_path: Path) -> None:
    code = CODE + f"\nopen({str(tmp_path / 'runs')!r}, 'a').write('x')\n"
    reference = written(tmp_path, code)
    aged(tmp_path)
    describe_data(reference)
    open_data(reference)
    assert (tmp_path / "runs").read_text() == "x"
    written(tmp_path, code + "\n# changed\n")
    describe_data(reference)
    assert (tmp_path / "runs").read_text() == "xx"


def test_visitors_run_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file or folder of this machine"):
        check_visitor(written(tmp_path, "1 / 0"))


def test_what_it_prints_is_no_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = CODE.replace("pixels = np", "print('item', place)\n        pixels = np").replace(
        "def build():", "print('run')\n\ndef build():\n    print('built')"
    )
    reference = written(tmp_path, code)
    describe_data(reference)
    open_data(reference).images("train", torch.arange(3))
    said = capsys.readouterr()
    assert said.out == "" and all(word in said.err for word in ("run", "built", "item 2"))


FOLDER = """
from torchvision.datasets import ImageFolder

def build():
    return {"train": ImageFolder("photos/train"), "test": ImageFolder("photos/val")}
"""


@pytest.mark.parametrize("beside_the_file", [True, False])
def test_relative_paths_begin_at_the_file_or_where_the_caller_is(
    beside_the_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "here").mkdir()
    write_folder(tmp_path / ("code" if beside_the_file else "here") / "photos", files())
    monkeypatch.chdir(tmp_path / "here")
    reference = written(tmp_path / "code", FOLDER)
    assert describe_data(reference).sizes == {"train": 8, "select": 3, "test": 3}
    assert open_data(reference).images("test", torch.arange(3)).shape == (3, 3, 12, 16)
    assert Path.cwd() == tmp_path / "here"


def test_names_and_labels_as_torchvision_and_others_give_them(tmp_path: Path) -> None:
    write_folder(tmp_path / "photos", {name.removeprefix("train/"): some for name, some in files({"train": 8}).items()})
    code = """
import torch
from torch.utils.data import Subset
from torchvision.datasets import ImageFolder

def build():
    whole = ImageFolder("photos")
    return {"train": Subset(whole, range(0, 16, 2)), "dev": Subset(Subset(whole, range(16)), range(1, 16, 2))}

def halves():
    return [(image, label / 2) for image, label in ImageFolder("photos")]
"""
    info = describe_data(written(tmp_path, code))
    assert info.classes == ("cat", "dog") and info.sizes == {"train": 8, "select": 4, "test": 4}
    with pytest.raises(DataError, match="is a float: labels are whole numbers"):
        describe_data(written(tmp_path, code, "halves"))
