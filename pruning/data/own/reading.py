"""Reading one's own images as a network sees them: decoded when somebody asks, several at a time, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pruning.base.errors import DataError, excerpt, first_line
from pruning.data.info import ROLES, Role
from pruning.data.own.decode import UnreadableImage
from pruning.data.own.describe import Described
from pruning.data.own.fit import fit
from pruning.data.own.listing import Listing
from pruning.data.own.look import CHANGED
from pruning.data.own.pixels import PixelCache
from pruning.data.own.workers import for_each
from pruning.data.streamed import StreamedData

Decoded = Callable[[int], Image.Image]
"""Gives an image of a listing by its number: mode L or RGB, upright. Raises UnreadableImage or one of CHANGED."""
LeaveOut = Callable[[int, str], None]
"""Is told of an image that turned out damaged when it was decoded, so that the next opening is without it."""


def opened(
    listing: Listing, described: Described, decoded: Decoded, source: str, leave_out: LeaveOut | None = None
) -> StreamedData:
    """The data set. Images are read when asked for."""
    reading = _Reading(listing, described, decoded, leave_out)
    labels = listing.labels
    truth: Mapping[Role, Tensor] = (
        {}
        if labels is None
        else {
            role: torch.from_numpy(labels[places].astype(np.int64)) for role, places in described.roles.places.items()
        }
    )
    return StreamedData(
        info=described.info, read=reading.read, truth=truth, digest=described.digest, source=source, keeps=True
    )


class _Reading:
    def __init__(self, listing: Listing, described: Described, decoded: Decoded, leave_out: LeaveOut | None) -> None:
        self._listing, self._decoded, self._leave_out = listing, decoded, leave_out
        self._preprocess = described.preprocess
        self._places = described.roles.places
        # Images that are looked at again and again come first, should the cache not hold all.
        order = np.concatenate([self._places[role] for role in reversed(ROLES)])
        self._slots = np.zeros(len(listing), dtype=np.int64)
        self._slots[order] = np.arange(len(order))
        self._cache = PixelCache(described.digest[:32], len(order), described.info.shape)

    def read(self, role: Role, index: Tensor) -> Tensor:
        places = self._places[role][index.numpy()]
        out = torch.empty(len(places), *self._preprocess.shape, dtype=torch.uint8)
        pixels = out.numpy()
        missing = np.flatnonzero(self._cache.take(self._slots[places], pixels))

        def read_one(number: int) -> None:
            place = int(places[number])
            try:
                fit(self._decoded(place), self._preprocess, pixels[number])
            except UnreadableImage as error:
                raise self._damaged(place, str(error)) from error
            except CHANGED as error:
                raise DataError(
                    f"{excerpt(self._listing.names[place])} in {excerpt(self._listing.title)} cannot be read any more "
                    f"({first_line(error, 100)}): the images have changed since they were opened. Open them again."
                ) from error
            self._cache.keep(int(self._slots[place]), pixels[number])

        for_each(read_one, missing.tolist())
        return out

    def _damaged(self, place: int, reason: str) -> DataError:
        after = "Put it right, or remove it."
        if self._leave_out is not None:
            self._leave_out(place, reason)
            after = "From now on it is left out: do this once more."
        return DataError(
            f"{excerpt(self._listing.names[place])} in {excerpt(self._listing.title)} turned out to be unreadable when "
            f"it was decoded: {reason}. {after}"
        )
