"""Who asked for a job: each visitor's wish is an object of its own, so that one of many takes back theirs alone.

wishes/owner.json       of the one whose machine it is: a command, or the app on localhost
wishes/3f2a....json     of a visitor, by their name among the visitors of a server
withdrawn/3f2a....json  of a visitor who took it back: what nobody wishes any more stays theirs
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.base.safe_json import dump, load_object
from pruning.jobs.store import Store

WISHES, WITHDRAWN = "wishes", "withdrawn"
OWNER = ""
"""The visitor who is none: whoever's machine it is."""
VISITOR = re.compile(r"[0-9a-f]{1,64}")
"""What a visitor is called in files."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """That a visitor asked for the work."""

    visitor: str = OWNER
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """For people: nothing is decided by it."""


def wish(store: Store, visitor: str = OWNER) -> bool:
    """Note that a visitor asks for the work of a store; False where they did before.

    Raises:
        InputError: no visitor has such a name.
        StorageError: it cannot be written.
    """
    return store.create(_name(visitor), dump({"at": datetime.now(UTC).isoformat()}))


def withdraw(store: Store, visitor: str = OWNER) -> bool:
    """Take back a visitor's wish; whether nobody's is left. Errors as `wish`."""
    if has_wish(store, visitor):
        with suppress(StorageError):  # on a full disk it is taken back all the same
            store.create(_name(visitor, WITHDRAWN), b"{}")
    store.delete(_name(visitor))
    return not wishes(store)


def disown(store: Store, visitor: str) -> None:
    """Let the work of a store be a visitor's no longer, whatever they wished. Errors as `wish`."""
    for folder in (WISHES, WITHDRAWN):
        store.delete(_name(visitor, folder))


def wishes(store: Store) -> list[Wish]:
    """Who asked for the work, the first to ask first; of what is damaged, only who. None for work of before there were
    wishes.

    Raises:
        StorageError: the folder cannot be read.
    """
    found = [Wish(visitor=visitor, at=_at(store, _name(visitor))) for visitor in _visitors(store, WISHES)]
    return sorted(found, key=lambda one: (one.at, one.visitor))


def owners(store: Store) -> frozenset[str]:
    """Whose the work of a store is: of those who wish for it; of those who did, where nobody does any more; else OWNER.

    Raises:
        StorageError: the folder cannot be read.
    """
    return frozenset(_visitors(store, WISHES)) or frozenset(_visitors(store, WITHDRAWN)) or frozenset({OWNER})


def has_wish(store: Store, visitor: str) -> bool:
    """Whether a visitor asks for the work of a store.

    Raises:
        InputError: no visitor has such a name.
    """
    return store.exists(_name(visitor))


def _visitors(store: Store, folder: str) -> list[str]:
    names = [OWNER if name == "owner.json" else name.removesuffix(".json") for name in store.list(folder)]
    return [name for name in names if name == OWNER or VISITOR.fullmatch(name)]


def _name(visitor: str, folder: str = WISHES) -> str:
    if visitor != OWNER and not VISITOR.fullmatch(visitor):
        raise InputError("A visitor is named by up to 64 of the characters 0 to 9 and a to f.")
    return f"{folder}/{visitor or 'owner'}.json"


def _at(store: Store, name: str) -> datetime:
    try:
        content = store.read(name)
        return (
            datetime.min.replace(tzinfo=UTC)
            if content is None
            else Fields(load_object(content, name), name).moment("at")
        )
    except StorageError:
        return datetime.min.replace(tzinfo=UTC)
