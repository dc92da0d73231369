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
from pruning.data.photos import CIFAR10
from pruning.data.preprocess import Preprocess
from pruning.data.reader import Reader

if TYPE_CHECKING:
    from pruning.data.protocol import Data

READERS: dict[str, Reader] = {reader.kind: reader for reader in (MNIST5K, MNIST, CIFAR10)}
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
    kind, _, place = reference.partition(":")
    return f"{kind}:{given_path(place).resolve()}"


def without_path(reference: str) -> str:
    """A reference for other people's eyes: a file or folder by its last name alone.

    Raises:
        InputError: there is no such data set.
    """
    if not is_on_this_machine_alone(reference):
        return reference
    kind, _, place = reference.partition(":")
    return f"{kind}:{PurePath(place).name}"


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
    """What a reference names; of a published data set no file is read. `preprocess`: how images of one's own are
    prepared; None for what suits them.

    Raises:
        InputError: there is no such data set.
        DataError: it cannot be told without the files, and they are absent or damaged.
    """
    reader = find_reader(reference)
    if preprocess is None:
        return reader.describe(reference)
    _check_own(reader, reference)
    return reader.describe(reference, preprocess)


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
    """Open a data set by reference, with its three roles; in memory where it is small enough for that.

    `data_dir` names a folder or zip that holds the images of a built-in data set (`mnist.zip`, `cifar10/`, ...);
    without it the environment variable PRUNING_DATA is used. `download=True` fetches what is absent, where that is
    possible. `progress` gets a text and a fraction.

    Raises:
        InputError: there is no such data set.
        DataError: the images are absent, damaged, or not those of the data set.
    """
    from pruning.data.streamed import StreamedData

    reader = find_reader(reference)
    if preprocess is None:
        data = reader.open(reference, data_dir, download, progress)
    else:
        _check_own(reader, reference)
        data = reader.open(reference, data_dir, download, progress, preprocess)
    return data.in_memory() if isinstance(data, StreamedData) and data.bytes <= IN_MEMORY else data


def _check_own(reader: Reader, reference: str) -> None:
    if not reader.is_path:
        raise InputError(f"The images of {excerpt(reference)} are as they are: they cannot be prepared otherwise.")


def data_reference(text: str, split: str | None = None) -> str:
    """The reference of what somebody gives with --data.

    Raises:
        InputError: there is nothing of the kind.
    """
    find_reader(text)
    return text
