"""The table of readers, and data sets by reference: `describe_data`, `open_data`.

A reference is a text, such as the name of a built-in data set. Another kind of data set is another row.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.data.digits import MNIST, MNIST5K
from pruning.data.info import DataInfo, Progress
from pruning.data.orders import find_order
from pruning.data.own.code import CODE
from pruning.data.own.folder import FOLDER
from pruning.data.own.guess import kind_of_path
from pruning.data.own.npz import NPZ
from pruning.data.own.parquet import PARQUET
from pruning.data.own.reference import read_reference, read_split, take_apart, with_option
from pruning.data.own.zip import ZIP
from pruning.data.photos import CIFAR10
from pruning.data.preprocess import Preprocess
from pruning.data.reader import Reader

if TYPE_CHECKING:
    from pruning.data.protocol import Data

READERS: dict[str, Reader] = {
    reader.kind: reader for reader in (MNIST5K, MNIST, CIFAR10, FOLDER, ZIP, NPZ, PARQUET, CODE)
}
IN_MEMORY = 1_000_000_000
"""Bytes of pixels up to which a data set is read into memory as a whole."""


def data_names() -> tuple[str, ...]:
    """References that everybody can choose from."""
    return tuple(name for reader in READERS.values() for name in reader.names)


def find_reader(reference: str) -> Reader:
    """The reader that takes a reference, told from its text alone: nothing is opened.

    Raises:
        InputError: there is none.
    """
    for reader in READERS.values():
        if reader.takes(reference):
            return reader
    forms = ", ".join(reader.form for reader in READERS.values())
    raise InputError(f"There is no data set '{excerpt(reference)}'. Choose one of: {forms}.")


def data_reference(text: str, split: str | None = None, order: str | None = None) -> str:
    """The reference that somebody means by what they gave: a name or a reference as it is, else a file or folder, which
    is looked at. A name wins over a folder of that name, which is then written './name'.

    `split`: per cent of train, select and test, as '40/40/20', for images that do not say their roles. `order`: name of
    the order in which the network numbers the classes (`pruning.data.orders`), where it does not name them.

    Raises:
        InputError: there is nothing of that name, nothing of a kind that can be read, or `split` or `order` is not
            allowed.
    """
    if split is not None:
        read_split(split)
    if order is not None:
        find_order(order)
    if any(reader.takes(text) for reader in READERS.values()):
        return _with_options(text, split, order)
    kind, why_not = kind_of_path(text)
    if kind is not None:
        return _with_options(f"{kind}:{text}", split, order)
    if why_not is not None:
        raise InputError(f"{excerpt(text)} {why_not}")
    forms = ", ".join(reader.form for reader in READERS.values())
    raise InputError(
        f"There is neither a data set nor a file or folder '{excerpt(text)}': check the path, or choose one of: "
        f"{forms}."
    )


def _with_options(reference: str, split: str | None, order: str | None) -> str:
    """Raises InputError where these images take none, or have them already."""
    own = is_on_this_machine_alone(reference)
    said = read_reference(reference) if own and (split or order) else None
    if split is not None:
        if said is None:
            raise InputError(f"{excerpt(reference)} has its own roles: leave out the split {split}.")
        if said.split is not None:
            raise InputError(f"'{excerpt(reference)}' says how it is split already: leave out the split {split}.")
        reference = with_option(reference, "split", split)
    if order is not None:
        if said is None:
            raise InputError(f"{excerpt(reference)} has its own classes: leave out the class order {order}.")
        if said.order is not None:
            raise InputError(f"'{excerpt(reference)}' names a class order already: leave out the class order {order}.")
        reference = with_option(reference, "order", order)
    return reference


def is_on_this_machine_alone(reference: str) -> bool:
    """Whether a reference names a file or folder, so that it means nothing elsewhere.

    Raises:
        InputError: there is no such data set.
    """
    return find_reader(reference).is_path


def absolute(reference: str) -> str:
    """The same reference, with a path that holds from any folder.

    Raises:
        InputError: there is no such data set, or its path cannot be one.
    """
    if not is_on_this_machine_alone(reference):
        return reference
    kind, place, rest = take_apart(reference)
    return f"{kind}:{given_path(place).resolve()}{rest}"


def without_path(reference: str) -> str:
    """A reference for other people's eyes: a file or folder by its last name alone.

    Raises:
        InputError: there is no such data set.
    """
    if not is_on_this_machine_alone(reference):
        return reference
    kind, place, rest = take_apart(reference)
    return f"{kind}:{PurePath(place).name}{rest}"


def check_visitor(reference: str) -> None:
    """Let a reference pass that a visitor of the web pages may open. Nothing is looked for, whatever it names.

    Raises:
        InputError: there is no such data set, or it is a file or folder of the server.
    """
    if is_on_this_machine_alone(reference):
        raise InputError(
            f"The images of {excerpt(reference)} are a file or folder of this machine, so they cannot be opened from a "
            "link or recipe in the browser: use 'python -m pruning prune' with them, and open the run that it makes."
        )


def describe_data(reference: str, preprocess: Preprocess | None = None) -> DataInfo:
    """What a reference names; of a published data set no file is read.

    `preprocess`: how a network sees images of one's own; None for a default chosen from them, which
    `DataInfo.remarks` states.

    Raises:
        InputError: there is no such data set, or it is published and its images are not as `preprocess` says.
        DataError: it cannot be told without the files, and they are absent or damaged.
    """
    return find_reader(reference).describe(reference, preprocess)


def is_available(reference: str, data_dir: str | None = None) -> bool:
    """Whether a data set can be opened without asking for a download. Reads no image.

    Raises:
        InputError: there is no such data set.
    """
    return find_reader(reference).is_available(reference, data_dir)


def open_data(
    reference: str,
    data_dir: str | None = None,
    *,
    preprocess: Preprocess | None = None,
    download: bool = False,
    progress: Progress | None = None,
) -> Data:
    """Open a data set by reference, with its three roles; in memory where it is small enough for that. Images of one's
    own are read when they are asked for, and kept on disk as `preprocess` makes them.

    `data_dir` names a folder or zip that holds the images of a built-in data set (`mnist.zip`, `cifar10/`, ...);
    without it the environment variable PRUNING_DATA is used. `preprocess`: as `describe_data` takes it.
    `download=True` fetches what is absent, where that is possible. `progress` gets a text and a fraction.

    Raises:
        InputError: there is no such data set, or it is published and its images are not as `preprocess` says.
        DataError: the images are absent, damaged, or not those of the data set.
    """
    from pruning.data.streamed import StreamedData

    data = find_reader(reference).open(reference, data_dir, download, progress, preprocess)
    if isinstance(data, StreamedData) and not data.keeps and data.bytes <= IN_MEMORY:
        return data.in_memory()
    return data
