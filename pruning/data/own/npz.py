"""The reader of NumPy archives: `images` and `labels`, or `train_images`, `train_labels` and so on. Never unpickled."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pruning.data.info import Progress
from pruning.data.own.reference import OwnReference
from pruning.data.own.row import Looked, own_reader
from pruning.data.own.stamps import file_key

if TYPE_CHECKING:
    from pruning.data.own.listing import Listing
    from pruning.data.own.reading import Decoded


def look(reference: OwnReference, progress: Progress | None) -> Looked:
    def make() -> Listing:
        from pruning.data.own.array_listing import list_arrays
        from pruning.data.own.arrays import ArrayFile

        return list_arrays(ArrayFile(reference.place), progress)

    return Looked(key=file_key("npz", reference.place, reference.path), make=make)


def decoded(reference: OwnReference, listing: Listing, key: str) -> Decoded:
    from pruning.data.own.array_listing import image_of
    from pruning.data.own.arrays import ArrayFile

    file = functools.cache(lambda: ArrayFile(reference.place))
    return lambda number: image_of(file(), listing, number)


NPZ = own_reader(kind="npz", form="npz:FILE", look=look, decoded=decoded, source="arrays of")
