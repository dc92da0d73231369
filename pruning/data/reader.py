"""What a reader of images is: one record a kind of data set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pruning.data.info import DataInfo

if TYPE_CHECKING:
    from pruning.data.protocol import Data


class Open(Protocol):
    """Opens what a reference names.

    Raises:
        DataError: the images are absent, damaged, or not those of the data set, with what to do.
    """

    def __call__(self, *given: Any) -> Data: ...


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
    describe: Callable[..., DataInfo]
    """Says what a reference names. Nothing but its text is needed for a published data set; of one's own, labels and a
    sample of the images may be read, for classes, sizes, mean and deviation. Pages ask at every step, so what files
    told is to be kept until they change (`pruning.base.remembered`). Raises InputError or DataError where it cannot be
    told."""
    is_available: Callable[[str, str | None], bool]
    """Whether a reference (and `data_dir`) can be opened without asking for a download. Reads no image."""
    open: Open
    names: tuple[str, ...] = ()
    """References that everybody can choose from; empty where the user brings their own."""
    is_path: bool = False
    """Whether what it names is a file or folder, written 'KIND:PATH', which only this machine has: a visitor of the
    web pages may not name one, and no link leads there."""
