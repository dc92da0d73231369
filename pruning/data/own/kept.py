"""Listings that are kept: in this process, and on disk for the next."""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from pruning.base.errors import excerpt
from pruning.data.own import listing as files
from pruning.data.own.listing import Listing

MOST = 8
"""Listings that a process remembers."""
_known: OrderedDict[str, Listing] = OrderedDict()
_lock = threading.Lock()
_working: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def kept_listing(key: str, make: Callable[[], Listing]) -> Listing:
    """The listing of a key, made and kept where there is none; '' for one that is not kept.

    Raises:
        PruningError: as `make` raises.
    """
    if not key:
        return make()
    with _lock:
        working = _working[key]
    with working:  # a second thread that wants the same waits, instead of looking through all files as well
        with _lock:
            found = _known.get(key)
        if found is None:
            found = files.load(key)
        if found is None:
            found = make()
            files.save(key, found)
        _remember(key, found)
    return found


def leave_out(key: str, listing: Listing, place: int, reason: str) -> None:
    """Keep the listing without one image, which turned out damaged."""
    keep = np.arange(len(listing)) != place
    with _lock:
        if not keep.any() or _known.get(key, listing) is not listing:
            return  # another image has just been left out; this one will be the next time
    remark = f"{excerpt(listing.names[place], 60)} was left out, because it could not be decoded: {reason}."
    arrays: dict[str, Any] = {
        name: None if (array := getattr(listing, name)) is None else array[keep]
        for name in ("parts", "labels", "sizes", "marks", "contents", "where")
    }
    without = dataclasses.replace(
        listing, names=listing.names.at(np.flatnonzero(keep)), remarks=(*listing.remarks, remark), **arrays
    )
    files.save(key, without)
    _remember(key, without)


def _remember(key: str, found: Listing) -> None:
    with _lock:
        _known[key] = found
        _known.move_to_end(key)
        while len(_known) > MOST:
            _known.popitem(last=False)


def forget(key: str) -> None:
    """Have the listing of a key made once more."""
    with _lock:
        _known.pop(key, None)
    files.forget(key)
