"""The files of images that `benchmarks.mutations` damages. Each holds a trap as well: a member with a path that leads
out, or a pickle that writes a file when it is loaded."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pruning.data.info import ROLES
from pruning.data.readers import describe_data, open_data

CLASSES = ("cat", "dog")
PARTS = ("train", "val")
IMAGES = 4
"""Of each class in each part."""
RAN = "ran"
"""The file that a pickle would write."""


class Trap:
    """What pickle runs."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


def picture(number: int) -> np.ndarray:
    """uint8, H × W × 3."""
    return np.random.default_rng(number).integers(0, 256, (12, 10, 3), dtype=np.uint8)


def encoded(number: int) -> bytes:
    """The picture as a file, of one of several formats."""
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")[number % 6])
    return file.getvalue()


def rows() -> Iterator[tuple[str, str, int]]:
    """Part, class and number of every picture."""
    return ((part, kind, 100 * i + 10 * j + n) for i, part in enumerate(PARTS) for j, kind in enumerate(CLASSES)
            for n in range(IMAGES))  # fmt: skip


def make_zip(folder: Path, method: int = zipfile.ZIP_DEFLATED) -> None:
    """Images in folders, and one whose path leads out."""
    folder.mkdir()
    with zipfile.ZipFile(folder / "images.zip", "w", method) as archive:
        for part, kind, number in rows():
            archive.writestr(f"{part}/{kind}/{number}.png", encoded(number))
        archive.writestr(f"../../{RAN}/outside.png", encoded(0))
        archive.writestr("classes.txt", "cat\ndog\n")


def make_npz(folder: Path, save: Callable[..., Any] = np.savez) -> None:
    """Images and labels, and a pickle."""
    folder.mkdir()
    arrays: dict[str, Any] = {"classes": np.array(CLASSES), "extra": np.array([Trap(folder / RAN)], dtype=object)}
    for part in PARTS:
        some = [(number, CLASSES.index(kind)) for name, kind, number in rows() if name == part]
        arrays[f"{part}_images"] = np.stack([picture(number) for number, _ in some])
        arrays[f"{part}_labels"] = np.array([label for _, label in some])
    save(folder / "images.npz", **arrays)


def make_parquet(folder: Path) -> None:
    """A file as Hugging Face writes it."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir()
    features = {"image": {"_type": "Image"}, "label": {"names": list(CLASSES), "_type": "ClassLabel"}}
    schema = pa.schema(
        [("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    table = pa.Table.from_pylist(
        [
            {"image": {"bytes": encoded(number), "path": f"/{number}"}, "label": CLASSES.index(kind)}
            for _, kind, number in rows()
        ],
        schema=schema,
    )
    parquet.write_table(table, folder / "images.parquet", row_group_size=5)


def show(kind: str, file: str) -> Callable[[Path], None]:
    """Describes and reads all images, and looks whether anything was written or run elsewhere."""

    def read(folder: Path) -> None:
        beside = set(folder.parent.iterdir())
        with cache_in(folder / "cache"):
            try:
                reference = f"{kind}:{folder / file}"
                info = describe_data(reference)
                assert all(0 < len(remark) < 1_000 and remark.isprintable() for remark in info.remarks)
                data = open_data(reference)
                for role in ROLES:
                    data.images(role, torch.arange(data.length(role)))
            finally:
                assert not (folder / RAN).exists() and set(folder.parent.iterdir()) == beside, "written elsewhere"
                assert {path.name for path in folder.iterdir()} <= {file, "cache"}, "written beside"

    return read


@contextmanager
def cache_in(folder: Path) -> Iterator[None]:
    """What is kept of images is kept there meanwhile."""
    before = os.environ.get("PRUNING_CACHE")
    os.environ["PRUNING_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["PRUNING_CACHE"]
        if before is not None:
            os.environ["PRUNING_CACHE"] = before
