"""Data sets that everybody knows and torchvision can fetch: the row of one, from a few facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pruning.base.errors import InputError
from pruning.data.info import DataInfo, Progress
from pruning.data.places import download_dir, find_place, given_place
from pruning.data.preprocess import Preprocess
from pruning.data.reader import Describe, Reader

if TYPE_CHECKING:
    import numpy as np

    from pruning.data.protocol import Data

Marks = Callable[["np.ndarray"], "np.ndarray"]
"""Train images (uint8, N × C × H × W) → bool, one entry an image."""


def check_preprocess(info: DataInfo, preprocess: Preprocess | None) -> None:
    """Raises InputError where images of a published data set are asked for in another way than they are."""
    if preprocess is None:
        return
    own = Preprocess(
        size=info.shape[1:], colour="grey" if info.shape[0] == 1 else "rgb", mean=info.mean, std=info.std,
    )  # fmt: skip
    same = preprocess.replace(interpolation=own.interpolation, resize=None)
    same = same.replace(colour="grey") if same.channels == 1 and same.colour == "rgb" else same
    if same != own or preprocess.resize not in (None, min(info.shape[1:])):
        raise InputError(
            f"{info.name} is a published data set, whose images are as they are ({own.words}): leave out the "
            "preprocessing, or name a folder of images of your own."
        )


def as_published(info: DataInfo) -> Describe:
    """What is known of a data set without looking at its files."""

    def describe(reference: str, preprocess: Preprocess | None = None) -> DataInfo:
        check_preprocess(info, preprocess)
        return info

    return describe


def published(info: DataInfo, *, builder: str, folder: str, kept_first: Marks | None = None) -> Reader:
    """The reader of a data set that has train and test images; `select` is taken from train, of each class as many.

    `builder`: its class in torchvision.datasets; `folder`: where that keeps it. `kept_first` marks train images that
    are in `select` in any case.
    """

    def opened(
        reference: str,
        data_dir: str | None,
        download: bool,
        progress: Progress | None,
        preprocess: Preprocess | None = None,
    ) -> Data:
        check_preprocess(info, preprocess)
        import numpy as np

        from pruning.data.sources import read_place, read_torchvision
        from pruning.data.splits import kept_for_choosing, of_parts

        place = given_place(data_dir)
        if place is None:
            raw = read_torchvision(info.name, builder, download, progress)
        else:
            raw = read_place(info.name, place, info.shape, info.classes, progress)
        images, labels = raw.train_images, raw.train_labels
        first = np.zeros(len(labels), dtype=bool) if kept_first is None else kept_first(images)
        chosen = kept_for_choosing(info, labels, first)
        return of_parts(
            info,
            {
                "train": (images[~chosen], labels[~chosen]),
                "select": (images[chosen], labels[chosen]),
                "test": (raw.test_images, raw.test_labels),
            },
            raw.source,
        )

    def is_available(reference: str, data_dir: str | None) -> bool:
        place = given_place(data_dir)
        return (download_dir() / folder).is_dir() if place is None else find_place(info.name, place) is not None

    return Reader(
        kind=info.name,
        form=info.name,
        takes=lambda reference: reference == info.name,
        describe=as_published(info),
        is_available=is_available,
        open=opened,
        names=(info.name,),
    )
