"""Is evaluating a folder of photos as fast as a loop that somebody writes by hand for it?

    python -m benchmarks.evaluate [--photos PLACE] [--network squeezenet1_1] [--rounds 3]

Claim: 1,000 JPEG photos at 224 pixels are evaluated, none of them decoded before, with at least 90 % of the throughput
of a plain loop: Pillow and torchvision's transforms in a DataLoader, with the same batch, workers and threads. Both
give the same outputs for every photo, but for rounding. The two run in turn; a second look, when pixels are kept, is
timed beside it.

PLACE: a folder or zip of photos, in folders or not; without it photos are drawn.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torchvision
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms

from benchmarks.common import report, say
from pruning.data.info import ROLES
from pruning.data.own import folder as own_folder
from pruning.data.own import kept, workers
from pruning.data.own.folder import look
from pruning.data.own.kept import kept_listing
from pruning.data.own.reference import read_reference
from pruning.data.own.roles import assign_roles
from pruning.data.preprocess import IMAGENET, Preprocess
from pruning.data.readers import open_data
from pruning.training.evaluate import outputs

SHARE = 0.9
PHOTOS, BATCH, WORKERS, THREADS = 1_000, 50, 2, 1
PREPROCESS = Preprocess(size=(224, 224), resize=256, **IMAGENET)


class Photos(torch.utils.data.Dataset[Tensor]):
    """The plain way: what torchvision's ImageFolder does."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.transform = transforms.Compose([
            transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), transforms.Normalize(**IMAGENET),
        ])  # fmt: skip

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> Tensor:
        with self.files[number].open("rb") as file:
            return self.transform(Image.open(file).convert("RGB"))


def plain(model: nn.Module, files: list[Path]) -> dict[str, Tensor]:
    """The outputs for each photo, by its name."""
    loader = torch.utils.data.DataLoader(Photos(files), batch_size=BATCH, num_workers=WORKERS)
    with torch.no_grad():
        found = [model(images.contiguous(memory_format=torch.channels_last)) for images in loader]
    return dict(zip((file.name for file in files), torch.cat(found), strict=True))


def ours(model: nn.Module, folder: Path) -> dict[str, Tensor]:
    """The same by the explorer: the folder is looked through and opened, and roles come one after the other."""
    reference = f"folder:{folder}"
    data = open_data(reference, preprocess=PREPROCESS)
    looked = look(read_reference(reference), None)
    listing = kept_listing(looked.key, looked.make)
    places = assign_roles(listing.parts, listing.labels).places
    return {
        listing.names[int(places[role][place])]: answer
        for role in ROLES
        for found, index in outputs(model, data, role, batch_size=BATCH)
        for answer, place in zip(found, index, strict=True)
    }


def agree(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether outputs are the same but for rounding."""
    return one.keys() == other.keys() and all(torch.allclose(one[k], other[k], rtol=1e-3, atol=1e-4) for k in one)


def write(photos: Iterable[bytes], folder: Path) -> list[Path]:
    """The photos as files in a flat folder."""
    files = []
    for number, content in enumerate(photos):
        files.append(folder / f"{number:04}.jpg")
        files[-1].write_bytes(content)
    return files


def given(place: Path) -> Iterable[bytes]:
    """The first JPEG photos of a folder or zip, by name."""
    if place.is_dir():
        names = sorted(path for path in place.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
        yield from (path.read_bytes() for path in names[:PHOTOS])
        return
    with zipfile.ZipFile(place) as archive:
        names = sorted(name for name in archive.namelist() if name.lower().endswith((".jpg", ".jpeg")))
        yield from (archive.read(name) for name in names[:PHOTOS])


def drawn() -> Iterable[bytes]:
    """Photos that are none, of the usual size, number of pixels and bytes."""
    dice = np.random.default_rng(0)
    for _ in range(PHOTOS):
        blurred = Image.fromarray(dice.integers(0, 256, (24, 32, 3), dtype=np.uint8)).resize((500, 375))
        noise = dice.integers(-12, 13, (375, 500, 3))
        file = io.BytesIO()
        Image.fromarray(np.clip(np.asarray(blurred) + noise, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
        yield file.getvalue()


def measured(model: nn.Module, photos: Iterable[bytes], rounds: int) -> dict[str, Any]:
    """Photos a second of both ways, round by round, and whether they answer the same."""
    times: dict[str, list[float]] = {"plain": [], "ours": [], "ours_again": []}
    same = True
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "photos"
        folder.mkdir()
        files = write(photos, folder)
        time.sleep(0.1)  # so that the folder counts as settled
        for number in range(rounds):
            os.environ["PRUNING_CACHE"] = f"{place}/cache-{number}"
            ways = [("plain", lambda: plain(model, files)), ("ours", lambda: ours(model, folder)),
                    ("ours_again", lambda: ours(model, folder))]  # fmt: skip
            answers = {}
            for name, way in ways:
                forget()
                started = time.perf_counter()
                answers[name] = way()
                times[name].append(len(files) / (time.perf_counter() - started))
                say(f"round {number + 1}, {name}: {times[name][-1]:.0f} photos a second")
            same = same and all(agree(answers["plain"], answers[name]) for name in ("ours", "ours_again"))
    found: dict[str, Any] = {name: round(statistics.median(some), 1) for name, some in times.items()}
    share = statistics.median(mine / peer for mine, peer in zip(times["ours"], times["plain"], strict=True))
    return {"photos": len(files), "photos_a_second": found, "share": round(share, 3), "same_outputs": same}


def forget() -> None:
    """What this process remembers of images that it looked through."""
    kept._known.clear()
    own_folder._scanned.clear()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, metavar="PLACE")
    parser.add_argument("--network", default="squeezenet1_1", help="of torchvision, with random weights")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(THREADS)
    workers.WORKERS = WORKERS
    torch.manual_seed(0)
    model = torchvision.models.get_model(args.network).eval().to(memory_format=torch.channels_last)
    figures = measured(model, drawn() if args.photos is None else given(args.photos), args.rounds)
    figures |= {"network": args.network, "batch": BATCH, "workers": WORKERS, "threads": THREADS}
    holds = figures["share"] >= SHARE and figures["same_outputs"]
    return report("evaluate", f"evaluating photos has {SHARE:.0%} of a plain loop's throughput", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
