"""What a reader of images is: one record a kind of data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pruning.data.info import DataInfo, Progress
from pruning.data.preprocess import Preprocess

if TYPE_CHECKING:
    from pruning.data.protocol import Data


class Describe(Protocol):
    """Says what a reference names; of one's own images, as a preprocessing makes them, None: a default one."""

    def __call__(self, reference: str, preprocess: Preprocess | None = None) -> DataInfo: ...


class Open(Protocol):
    """Opens what a reference names.

    Raises:
        DataError: the images are absent, damaged, or not those of the data set, with what to do.
    """

    def __call__(
        self,
        reference: str,
        data_dir: str | None,
        download: bool,
        progress: Progress | None,
        preprocess: Preprocess | None = None,
    ) -> Data: ...


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One kind of data set. A row in `pruning.data.readers.READERS` is all that app, commands and recipes need.

    Nothing heavy is imported to make one, so that a reference can be refused before torch is there.
    """

    kind: str
    """Its name in the table."""
    form: str
    """How a reference to it is written, to be named in a sentence: 'mnist5k', 'npz:FILE'."""
    takes: Callable[[str], bool]
    """Whether a reference is of this kind, told from its text alone."""
    describe: Describe
    """Nothing but the reference's text is needed for a published data set; one's own images are looked through, for
    classes, sizes and damage. Pages ask at every step, so what files told is to be kept until they change
    (`pruning.data.own.kept`). Raises InputError or DataError where it cannot be told."""
    is_available: Callable[[str, str | None], bool]
    """Whether a reference (and `data_dir`) can be opened without asking for a download. Reads no image."""
    open: Open
    names: tuple[str, ...] = ()
    """References that everybody can choose from; empty where the user brings their own."""
    is_path: bool = False
    """Whether what it names is a file or folder, written 'KIND:PATH', which only this machine has: a visitor of the
    web pages may not name one, and no link leads there."""
