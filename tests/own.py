"""Images of one's own for tests: three shapes of light that a small network learns in seconds, `shapes:NAME`, as a
reader of files would give them. NAME says how they lie: 'labelled', 'plain' (no labels), 'renamed' (other names)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from pruning.catalog.openers import open_network
from pruning.data.info import DataInfo, Progress, Role
from pruning.data.memory import MemoryData
from pruning.data.own.reference import take_apart
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.data.protocol import Data
from pruning.data.reader import Reader
from pruning.data.readers import READERS
from pruning.training.finetune import TrainConfig, train

SIZE = 16
SIZES: dict[Role, int] = {"train": 240, "select": 120, "test": 90}
CLASSES = ("bar", "dot", "ring")
DEFAULT = Preprocess(size=(SIZE, SIZE), mean=IMAGENET["mean"], std=IMAGENET["std"])
NAMES: Mapping[str, tuple[str, ...]] = {
    "labelled": CLASSES, "plain": (), "renamed": ("Ring", "BAR", "dot"), "strange": ("bar", "blob", "ring"),
    "two": ("dot", "ring"),
}  # fmt: skip


def draw(role: Role, name: str) -> tuple[Tensor, Tensor]:
    """Images (uint8) and labels: by their place, bar, dot and ring in turn, with noise."""
    lots = torch.Generator().manual_seed(("train", "select", "test").index(role))
    kinds = [CLASSES.index(own.casefold()) for own in NAMES[name] if own.casefold() in CLASSES] or [0, 1, 2]
    labels = torch.arange(SIZES[role]) % len(kinds)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    found = []
    for label in labels.tolist():
        top, left = (4 + 8 * torch.rand(2, generator=lots)).tolist()
        away = ((y - top) ** 2 + (x - left) ** 2).sqrt()
        shape = ((y - top).abs() < 1.5, away < 3, (away - 4).abs() < 1)[kinds[label]]
        colour = torch.tensor([0.9, 0.6, 0.2])[:, None, None]
        noise = 0.15 * torch.rand(3, SIZE, SIZE, generator=lots)
        found.append(((shape * colour + noise).clamp(0, 1) * 255).to(torch.uint8))
    return torch.stack(found), labels


def describe(reference: str, preprocess: Preprocess | None = None) -> DataInfo:
    name, how = PurePath(take_apart(reference)[1]).name, preprocess or DEFAULT
    return DataInfo(
        name=reference, title=f"Shapes, {name}", classes=NAMES[name], shape=how.shape, mean=how.mean, std=how.std,
        sizes=SIZES, shift=1, flips=True, embedded=False, labelled=bool(NAMES[name]), things="shapes", preprocess=how,
        remarks=("The images are drawn.",),
    )  # fmt: skip


def opened(
    reference: str,
    data_dir: str | None,
    download: bool,
    progress: Progress | None,
    preprocess: Preprocess | None = None,
) -> Data:
    info, name = describe(reference, preprocess), PurePath(take_apart(reference)[1]).name
    assert info.preprocess is not None
    pixels, truth = {}, {}
    for role in SIZES:
        images, labels = draw(role, name)
        if info.shape[1:] != (SIZE, SIZE):
            images = F.interpolate(images.float(), info.shape[1:], mode="bilinear").to(torch.uint8)
        if info.preprocess.colour == "bgr":
            images = images.flip(1)
        pixels[role] = images[:, : info.shape[0]]
        truth[role] = labels
    digest = hashlib.sha256(f"{reference} {info.preprocess}".encode()).hexdigest()
    return MemoryData(info=info, pixels=pixels, truth=truth if info.labelled else {}, digest=digest, source="drawn")


READER = Reader(
    kind="shapes",
    form="shapes:NAME",
    takes=lambda reference: reference.startswith("shapes:"),
    describe=describe,
    is_available=lambda reference, data_dir: True,
    open=opened,
    is_path=True,
)
NETWORK = """
from torch import nn

def build():
    print("building")
    return nn.Sequential(
        nn.Conv2d(3, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    ), (3, 16, 16)
"""


@contextmanager
def added() -> Iterator[pytest.MonkeyPatch]:
    """The reader in its table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(READERS, "shapes", READER)
        yield patch


def learnt_in(folder: Path) -> str:
    """A trained network with its file of weights in a folder: its reference."""
    (folder / "net.py").write_text(NETWORK)
    ref = f"file:{folder}/net.py:build"
    model = open_network(ref).model
    train(model, opened("shapes:labelled", None, False, None), TrainConfig(steps=120, batch_size=32, lr=0.05))
    save_file(model.state_dict(), folder / "net.safetensors")
    return f"{ref}?weights={folder}/net.safetensors"


def with_names(info: DataInfo, *names: str) -> DataInfo:
    """The same with other names of classes."""
    return replace(info, classes=names)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder with a trained network."""

    folder: Path
    ref: str


@contextmanager
def placed(folder: Path) -> Iterator[Place]:
    """The reader in its table, and a folder that also holds cache and runs."""
    with added() as patch:
        for name in ("PRUNING_CACHE", "PRUNING_RUNS"):
            patch.setenv(name, str(folder / name.lower()))
        yield Place(folder=folder, ref=learnt_in(folder))
