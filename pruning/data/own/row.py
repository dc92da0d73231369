"""The row of a reader of one's own images, from what is special of its kind."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pruning.data.info import DataInfo, Progress
from pruning.data.own.reference import OwnReference, read_reference
from pruning.data.preprocess import Preprocess
from pruning.data.reader import Reader

if TYPE_CHECKING:
    from pruning.data.own.describe import Described
    from pruning.data.own.listing import Listing
    from pruning.data.own.reading import Decoded
    from pruning.data.protocol import Data

MOST = 8
"""Data sets, and descriptions of them, that a process remembers."""


class Look(Protocol):
    """Looks through what a reference names.

    Raises:
        InputError: it names nothing of this kind.
        DataError: what it names holds no images, or is damaged.
    """

    def __call__(self, reference: OwnReference, progress: Progress | None) -> Looked: ...


class Looked(NamedTuple):
    """What looking found."""

    key: str
    """Tells this state of these files from all others; '' where nothing is kept on disk."""
    make: Callable[[], Listing]
    """Looks through them; called only where no listing is kept under the key."""


def own_reader(
    *,
    kind: str,
    form: str,
    look: Look,
    decoded: Callable[[OwnReference, Listing, str], Decoded],
    source: str,
    is_file: bool = True,
) -> Reader:
    """A reader. `decoded` opens what a listing, kept under a key, is of.

    `source`: what it is in words: 'folder', 'zip'. `is_file`: whether it names a file, and not a folder.
    """
    known: OrderedDict[object, Described] = OrderedDict()
    lock = threading.Lock()

    def described(
        text: str, preprocess: Preprocess | None, progress: Progress | None
    ) -> tuple[Described, Listing, str]:
        from pruning.data.own.describe import describe
        from pruning.data.own.kept import kept_listing

        reference = read_reference(text)
        looked = look(reference, progress)
        listing = kept_listing(looked.key, looked.make)
        question = (text, listing.digest, listing.remarks, reference.split, preprocess)
        with lock:
            answer = known.get(question)
        if answer is None:
            answer = describe(text, listing, reference.split, preprocess)
            with lock:
                known[question] = answer
                while len(known) > MOST:
                    known.popitem(last=False)
        return answer, listing, looked.key

    def opened(
        reference: str,
        data_dir: str | None,
        download: bool,
        progress: Progress | None,
        preprocess: Preprocess | None = None,
    ) -> Data:
        from pruning.data.own import reading
        from pruning.data.own.kept import leave_out

        found, listing, key = described(reference, preprocess, progress)
        parts = read_reference(reference)
        without = None if not key else lambda place, reason: leave_out(key, listing, place, reason)
        return reading.opened(
            listing, found, decoded(parts, listing, key), f"{source} {parts.place.name}", leave_out=without
        )

    def describe_it(reference: str, preprocess: Preprocess | None = None) -> DataInfo:
        return described(reference, preprocess, None)[0].info

    def is_available(text: str, data_dir: str | None) -> bool:
        place = read_reference(text).place
        return place.is_file() if is_file else place.exists()

    return Reader(
        kind=kind,
        form=form,
        takes=lambda reference: reference.startswith(f"{kind}:"),
        describe=describe_it,
        is_available=is_available,
        open=opened,
        is_path=True,
    )
