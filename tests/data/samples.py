"""A small data set for each reader that has no names to choose from: what it reads, made in a folder."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("cat", "dog")
A_CLASS = {"train": 4, "val": 3, "test": 2}
"""Images of each class by the part of the layout."""


def picture(part: str, kind: str, number: int, size: tuple[int, int] = (12, 16)) -> np.ndarray:
    """uint8 pixels, H × W × 3, other ones for every name."""
    seed = [sorted(A_CLASS).index(part), CLASSES.index(kind), number]
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """Pixels as the content of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def files(parts: dict[str, int] = A_CLASS) -> dict[str, bytes]:
    """Path → content of a data set in ImageFolder layout."""
    return {
        f"{part}/{kind}/{number}.png": png(picture(part, kind, number))
        for part, count in parts.items()
        for kind in CLASSES
        for number in range(count)
    }


def write_folder(place: Path, contents: dict[str, bytes]) -> Path:
    """Files below a folder."""
    for name, content in contents.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return place


def write_zip(path: Path, contents: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """The same files in a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def aged(place: Path) -> Path:
    """A file or folder as if it had last changed an hour ago."""
    for path in (*place.rglob("*"), place):
        if not path.is_symlink():
            os.utime(path, (time.time() - 3600,) * 2)
    return place


def arrays() -> dict[str, np.ndarray]:
    """Images and labels of each part."""
    found = {}
    for part, count in A_CLASS.items():
        pairs = [(kind, number) for number in range(count) for kind in CLASSES]
        found[f"{part}_images"] = np.stack([picture(part, *pair) for pair in pairs])
        found[f"{part}_labels"] = np.array([CLASSES.index(kind) for kind, _ in pairs])
    return found


def write_parquet(place: Path, contents: dict[str, bytes] | None = None) -> Path:
    """A folder of Parquet files as Hugging Face writes them: image bytes with a path, labels with names."""
    import pyarrow as pa
    from pyarrow import parquet

    features = {"image": {"_type": "Image"}, "label": {"names": list(CLASSES), "_type": "ClassLabel"}}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema(
        [("image", kind), ("label", pa.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    place.mkdir(parents=True, exist_ok=True)
    contents = files() if contents is None else contents
    for part, name in (("train", "train"), ("val", "validation"), ("test", "test")):
        rows = [
            {"image": {"bytes": content, "path": path}, "label": CLASSES.index(path.split("/")[1])}
            for path, content in contents.items()
            if path.startswith(f"{part}/")
        ]
        table = pa.Table.from_pylist(rows, schema=schema)
        parquet.write_table(table, place / f"{name}-00000-of-00001.parquet", row_group_size=3)
    return place


CODE = """
import numpy as np
from PIL import Image

class Drawn:
    classes = ["cat", "dog"]

    def __init__(self, seed, count):
        self.seed, self.count = seed, count

    def __len__(self):
        return self.count

    def __getitem__(self, place):
        if not 0 <= place < self.count:
            raise IndexError(place)
        pixels = np.random.default_rng([self.seed, place]).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        return Image.fromarray(pixels), place % 2

def build():
    return {"train": Drawn(0, 8), "select": Drawn(1, 6), "test": Drawn(2, 4)}
"""


def _npz(folder: Path) -> str:
    np.savez(folder / "drawn.npz", **arrays())
    return f"npz:{folder / 'drawn.npz'}"


def _code(folder: Path) -> str:
    (folder / "data.py").write_text(CODE)
    return f"file:{folder / 'data.py'}:build"


SAMPLES: dict[str, Callable[[Path], str]] = {
    "folder": lambda folder: f"folder:{write_folder(folder / 'photos', files())}",
    "zip": lambda folder: f"zip:{write_zip(folder / 'photos.zip', files())}",
    "npz": _npz,
    "parquet": lambda folder: f"parquet:{write_parquet(folder / 'rows')}",
    "file": _code,
}
"""Kind → writes files into an empty folder and gives the reference that opens them."""
