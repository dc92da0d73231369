"""Data sets with three disjoint roles: `train` to learn, `select` to choose, `test` for one look at the end.

Which image has which role never depends on the order of files on disk, nor on the run: within each
class the images stand in the data set's own order (file number, or index), and fixed random ranks are
drawn from it. The 2,000 images that `mnist5k` keeps for select and test are MNIST-train images; they
are in the `select` role of `mnist` as well, so nothing trained on `mnist` has learnt from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from pruning.base.errors import DataError, InputError
from pruning.data import sources

Role = Literal["train", "select", "test"]
ROLES: tuple[Role, ...] = get_args(Role)
Progress = Callable[[str, float], None]


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What a data set is, known without loading it."""

    name: str
    title: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    """Channels, height, width of one image."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Per channel, of pixels scaled to 0–1; every network here takes (pixel − mean) / std."""
    sizes: dict[Role, int]
    flips: bool
    """Whether a mirrored image is still a fair training image (not so for digits)."""
    embedded: bool
    """Whether the images come with the installation."""


DIGITS = tuple(str(digit) for digit in range(10))
CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DATASETS: dict[str, DatasetInfo] = {
    info.name: info
    for info in (
        DatasetInfo(
            name="mnist5k", title="MNIST, 5,000 digits (built in)", classes=DIGITS, shape=(1, 28, 28),
            mean=(0.1307,), std=(0.3081,), sizes={"train": 3000, "select": 1000, "test": 1000},
            flips=False, embedded=True,
        ),
        DatasetInfo(
            name="mnist", title="MNIST, 70,000 digits", classes=DIGITS, shape=(1, 28, 28),
            mean=(0.1307,), std=(0.3081,), sizes={"train": 55000, "select": 5000, "test": 10000},
            flips=False, embedded=False,
        ),
        DatasetInfo(
            name="cifar10", title="CIFAR-10, 60,000 photos", classes=CIFAR_CLASSES, shape=(3, 32, 32),
            mean=(0.4914, 0.4822, 0.4465), std=(0.2470, 0.2435, 0.2616),
            sizes={"train": 45000, "select": 5000, "test": 10000}, flips=True, embedded=False,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Images in memory, apart by role.

    `images[role]`: uint8, N × C × H × W. `labels[role]`: int64, N. `digest`: SHA-256 of all pixels,
    labels and roles, so that a result names exactly what it was measured on.
    """

    info: DatasetInfo
    images: dict[Role, Tensor] = field(repr=False)
    labels: dict[Role, Tensor] = field(repr=False)
    digest: str
    source: str
    """Where the images came from, in words."""

    def normalise(self, images: Tensor) -> Tensor:
        """uint8 images, N × C × H × W, to float32 with the data set's mean 0 and deviation 1."""
        mean = torch.tensor(self.info.mean).view(1, -1, 1, 1) * 255
        std = torch.tensor(self.info.std).view(1, -1, 1, 1) * 255
        return (images.float() - mean) / std

    def batches(self, role: Role, size: int = 500, limit: int | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images and labels of one role, in order; at most `limit` images, a fixed balanced sample."""
        index = self.subset(role, limit)
        for start in range(0, len(index), size):
            part = index[start : start + size]
            yield self.normalise(self.images[role][part]), self.labels[role][part]

    def subset(self, role: Role, limit: int | None = None) -> Tensor:
        """Indices of at most `limit` images of a role, ascending: a fixed sample with as many images of each class as
        the role's own balance allows."""
        count = len(self.labels[role])
        return torch.arange(count) if limit is None or limit >= count else self.balanced(role)[:limit].sort().values

    def balanced(self, role: Role, seed: int | None = None) -> Tensor:
        """All indices of a role in an order of which every beginning holds the classes in equal parts, so that few
        images are already a fair sample. `seed` draws another order; without it the images stand as stored, shuffled.
        """
        labels = self.labels[role]
        count = len(labels)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)) if seed is not None else None
        order = torch.arange(count) if order is None else order
        by_class = labels[order].argsort(stable=True)
        sizes = labels.bincount()
        rank = torch.arange(count) - (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
        return order[by_class][rank.argsort(stable=True)]


def dataset_info(name: str) -> DatasetInfo:
    """The description of a data set.

    Raises:
        InputError: no data set has that name.
    """
    if name not in DATASETS:
        raise InputError(f"There is no data set '{name}'. Choose one of: {', '.join(DATASETS)}.")
    return DATASETS[name]


def load_dataset(
    name: str, data_dir: str | None = None, *, download: bool = False, progress: Progress | None = None
) -> Dataset:
    """Load a data set by name, with its three roles.

    `data_dir` names a folder or zip in ImageFolder layout, or a folder that holds such (`mnist.zip`,
    `cifar10/`, ...); without it the environment variable PRUNING_DATA is used. `download=True` fetches
    through torchvision. `progress` gets a text and a fraction.

    Raises:
        InputError: no data set has that name.
        DataError: the images are absent, damaged, or not those of the data set.
    """
    info = dataset_info(name)
    raw = sources.read(info.name, info.shape, info.classes, data_dir, download, progress)
    if info.embedded:
        train, select, test = _split_embedded(raw.train_labels)
        pool_images, pool_labels = raw.train_images, raw.train_labels
        parts = {role: (pool_images[i], pool_labels[i]) for role, i in zip(ROLES, (train, select, test), strict=True)}
    else:
        chosen = _select_mask(info, raw.train_images, raw.train_labels)
        parts = {
            "train": (raw.train_images[~chosen], raw.train_labels[~chosen]),
            "select": (raw.train_images[chosen], raw.train_labels[chosen]),
            "test": (raw.test_images, raw.test_labels),
        }
    for role, (_, labels) in parts.items():
        if len(labels) != info.sizes[role]:
            raise DataError(
                f"{raw.source} gives {len(labels):,} {role} images of {info.name}, but there should be "
                f"{info.sizes[role]:,}: the files are incomplete or another data set. Fetch them again."
            )
    sha = hashlib.sha256()
    images: dict[Role, Tensor] = {}
    labels_by_role: dict[Role, Tensor] = {}
    for role in ROLES:
        role_images, role_labels = parts[role]
        order = np.random.default_rng(20).permutation(len(role_labels))
        role_images, role_labels = np.ascontiguousarray(role_images[order]), role_labels[order].astype(np.int64)
        sha.update(role.encode())
        sha.update(role_images.data)
        sha.update(role_labels.data)
        images[role], labels_by_role[role] = torch.from_numpy(role_images), torch.from_numpy(role_labels)
    return Dataset(info=info, images=images, labels=labels_by_role, digest=sha.hexdigest(), source=raw.source)


def _split_embedded(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per class 300 / 100 / 100 of 500 images, by fixed random ranks."""
    parts: list[list[np.ndarray]] = [[], [], []]
    for digit in range(10):
        of_class = np.flatnonzero(labels == digit)
        shuffled = np.random.default_rng(digit).permutation(of_class)
        for part, chunk in zip(parts, np.split(shuffled, [300, 400]), strict=True):
            part.append(chunk)
    train, select, test = (np.concatenate(part) for part in parts)
    return train, select, test


def held_out_digits() -> set[bytes]:
    """Pixel hashes of the 2,000 select and test images of mnist5k, all of them MNIST-train images."""
    raw = sources.read("mnist5k", (1, 28, 28), DIGITS, None, False, None)
    _, select, test = _split_embedded(raw.train_labels)
    return {_pixel_hash(raw.train_images[i]) for i in (*select, *test)}


def _pixel_hash(image: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()


def _select_mask(info: DatasetInfo, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """True for the images kept for choosing: 500 a class; in MNIST the held-out digits first."""
    chosen = np.zeros(len(labels), dtype=bool)
    if info.name == "mnist":
        held_out = held_out_digits()
        chosen[:] = [_pixel_hash(image) in held_out for image in images]
    for class_index in range(len(info.classes)):
        of_class = np.flatnonzero(labels == class_index)
        free = of_class[~chosen[of_class]]
        wanted = info.sizes["select"] // len(info.classes) - int(chosen[of_class].sum())
        if wanted > len(free):
            raise DataError(
                f"Class '{info.classes[class_index]}' of {info.name} has only {len(of_class):,} training images: "
                "the files are incomplete. Fetch them again."
            )
        chosen[np.random.default_rng(class_index).permutation(free)[:wanted]] = True
    return chosen
