"""Options that say which images, and how they are prepared. Nothing here imports torch before something is opened."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from pruning.base import safe_yaml
from pruning.base.errors import InputError, StorageError, excerpt
from pruning.base.files import given_path, read_bytes
from pruning.cli.arguments import whole
from pruning.data.orders import ORDERS
from pruning.data.preprocess import COLOURS, INTERPOLATIONS, LARGEST_SIDE, Preprocess
from pruning.data.readers import READERS, data_reference, is_on_this_machine_alone

if TYPE_CHECKING:
    from pruning.subject import Subject

SQUASH = "squash"
LARGEST_FILE = 20_000
"""Bytes of a file that says how images are prepared."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which images were asked for, and what of their preparation."""

    data: str | None = None
    """A reference; None for the network's own."""
    data_dir: str | None = None
    preprocess: Preprocess | None = None
    """All of it, from a file."""
    size: tuple[int, int] | None = None
    crop: float | None = None
    """Share of the shorter side that is kept; 0 for both sides brought to the size, whatever the image's shape."""
    resize: int | None = None
    interpolation: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    colour: str | None = None

    @property
    def single(self) -> list[str]:
        """Options that were given for a part of the preparation."""
        names = ("size", "crop", "resize", "interpolation", "mean", "std", "colour")
        return [f"--{name}" for name in names if getattr(self, name) is not None]

    def applied(self, base: Preprocess) -> Preprocess:
        """What was asked for, the rest as in `base`.

        Raises:
            InputError: they contradict each other.
        """
        size = self.size or base.size
        resize = base.resize
        if self.resize is not None:
            resize = self.resize
        elif self.crop is not None:
            resize = math.floor(max(size) / self.crop) if self.crop else None
        elif resize is not None and size != base.size:
            resize = max(max(size), round(resize * max(size) / max(base.size)))
        changes: dict[str, Any] = {"size": size, "resize": resize}
        changes |= {name: getattr(self, name) for name in ("interpolation", "colour") if getattr(self, name)}
        for name in ("mean", "std"):
            numbers = getattr(self, name)
            if numbers is not None:
                changes[name] = numbers * base.channels if len(numbers) == 1 else numbers
        return base.replace(**changes)


def add_image_options(sub: argparse.ArgumentParser) -> None:
    """Add all of them."""
    names = ", ".join(reader.form for reader in READERS.values())
    sub.add_argument(
        "--data", metavar="NAME|PATH",
        help=f"images: {names}; or the path of a folder, zip or file (a known name wins: write ./NAME for a folder of "
        "that name). Default: the model's own",
    )  # fmt: skip
    sub.add_argument(
        "--data-dir", metavar="PLACE", help="folder or zip that holds a named data set (else PRUNING_DATA)"
    )
    sub.add_argument(
        "--split", metavar="A/B/C", help="shares of train/select/test where the folders name no roles (40/40/20)"
    )
    orders = "; ".join(f"{order.name}: {order.words}" for order in ORDERS.values())
    sub.add_argument(
        "--class-order", choices=tuple(ORDERS),
        help=f"in which the network numbers the classes, where it does not name them (default: as the images have "
        f"them, which a classes.txt beside them may say). {orders}",
    )  # fmt: skip
    sub.add_argument("--preprocess", metavar="FILE", help="YAML with size, resize, interpolation, mean, std, colour")
    sub.add_argument(
        "--size", metavar="N|HxW", help="pixels that the network sees (default: what it or the images say)"
    )
    sub.add_argument("--crop", metavar="C", help=f"share of the shorter side that is kept, such as 0.875; or {SQUASH}")
    sub.add_argument(
        "--resize", type=whole, metavar="N", help="instead of --crop: pixels of the shorter side before it"
    )
    sub.add_argument("--interpolation", choices=INTERPOLATIONS, help="how images are resized")
    sub.add_argument("--mean", metavar="M,M,M", help="of pixels scaled to 0-1, one number or one a channel")
    sub.add_argument("--std", metavar="S,S,S", help="the deviation, likewise")
    sub.add_argument("--colour", choices=COLOURS, help="order of the channels")


def asked_of(args: argparse.Namespace) -> Asked:
    """What the options say.

    Raises:
        InputError: a value that is not allowed, options that contradict each other, or there are no such images.
    """
    preprocess = None if args.preprocess is None else _read(args.preprocess)
    if args.crop is not None and args.resize is not None:
        raise InputError("Give --crop or --resize, not both: --crop is the share of what --resize leaves.")
    if args.split is not None and args.data is None:
        raise InputError("--split is for images named with --data.")
    if args.class_order is not None and args.data is None:
        raise InputError("--class-order is for images named with --data.")
    asked = Asked(
        data=None if args.data is None else data_reference(args.data, args.split, args.class_order),
        data_dir=args.data_dir,
        preprocess=preprocess,
        size=None if args.size is None else _size(args.size),
        crop=None if args.crop is None else _crop(args.crop),
        resize=args.resize,
        interpolation=args.interpolation,
        mean=None if args.mean is None else _numbers("--mean", args.mean),
        std=None if args.std is None else _numbers("--std", args.std),
        colour=args.colour,
    )
    if asked.single and preprocess is not None:
        raise InputError(f"--preprocess says everything: leave out {', '.join(asked.single)}, or change the file.")
    if (asked.single or preprocess) and (asked.data is None or not is_on_this_machine_alone(asked.data)):
        given = asked.single[0] if asked.single else "--preprocess"
        raise InputError(f"{given} is for images of your own, named with --data; published ones are as they are.")
    return asked


def open_asked(ref: str, asked: Asked) -> Subject:
    """Open a network with the images that were asked for.

    Raises:
        PruningError: as `pruning.subject.open_subject`.
    """
    from pruning.catalog.openers import open_network
    from pruning.fitting import fit
    from pruning.subject import Subject, open_subject

    if asked.data is None or not asked.single:
        return open_subject(ref, asked.data, asked.data_dir, asked.preprocess)
    subject = Subject.of(open_network(ref))
    base = fit(subject.network, asked.data).preprocess
    if base is None:
        raise InputError(f"{asked.single[0]} cannot be used: the images of {excerpt(asked.data)} are as they are.")
    return subject.with_data(asked.data, asked.data_dir, asked.applied(base))


def _read(text: str) -> Preprocess:
    """What a file says, or the text itself where it is the values."""
    if text.lstrip().startswith("{"):
        return _parse(text, "--preprocess")
    path = given_path(text)
    try:
        content = read_bytes(path, most_bytes=LARGEST_FILE)
        if content is None:
            raise InputError(f"--preprocess names {excerpt(text)}, and there is no such file.")
        return _parse(content.decode(), path.name)
    except StorageError as error:
        raise InputError(f"--preprocess: {error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is no UTF-8 text, so it does not say how images are prepared.") from error


def _parse(text: str, where: str) -> Preprocess:
    try:
        return Preprocess.from_values(safe_yaml.load(text), where)
    except yaml.YAMLError as error:
        raise InputError(f"{where} is not readable YAML: {safe_yaml.problem(error)}.") from error


def _size(text: str) -> tuple[int, int]:
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) not in (1, 2) or not all(part.isdecimal() and 1 <= int(part) <= LARGEST_SIDE for part in parts):
        raise InputError(
            f"--size is a number of pixels from 1 to {LARGEST_SIDE}, or HEIGHTxWIDTH, not '{excerpt(text)}'."
        )
    return int(parts[0]), int(parts[-1])


def _crop(text: str) -> float:
    if text == SQUASH:
        return 0.0
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0.05 <= share <= 1:
        raise InputError(
            f"--crop is the share of the shorter side that is kept, from 0.05 to 1, or {SQUASH}, not '{excerpt(text)}'."
        )
    return share


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) not in (1, 3) or not all(map(math.isfinite, numbers)):
        raise InputError(
            f"{option} takes one number or three with commas, such as 0.485,0.456,0.406, not '{excerpt(text)}'."
        )
    return numbers
