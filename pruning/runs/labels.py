"""What people call a run: a name, tags and a note, an object in its folder for each visitor, so that those who share a
run each have their own.

labels/owner.json       of the one whose machine it is
labels/3f2a....json     of a visitor
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pruning.base.errors import InputError, StorageError, excerpt
from pruning.base.fields import Fields
from pruning.base.safe_json import dump, load_object
from pruning.jobs.store import Store
from pruning.jobs.wishes import OWNER, VISITOR

LABELS = "labels"
LONGEST_TITLE, LONGEST_TAG, LONGEST_NOTE = 80, 30, 2000
"""Characters."""
MOST_TAGS = 12
LARGEST = 40_000
"""Bytes of one file."""
MOST_VISITORS = 200
"""So many visitors' labels of one run are read."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """What one visitor calls a run; all empty: nothing."""

    title: str = ""
    """One line."""
    tags: tuple[str, ...] = ()
    """Single words, sorted."""
    note: str = ""

    def __post_init__(self) -> None:
        _check("name", self.title, LONGEST_TITLE, lines=False)
        _check("note", self.note, LONGEST_NOTE, lines=True)
        if len(self.tags) > MOST_TAGS:
            raise InputError(f"A run has {MOST_TAGS} tags at most, not {len(self.tags)}.")
        for tag in self.tags:
            _check("tag", tag, LONGEST_TAG, lines=False)
            if not tag or re.search(r"[\s,]", tag):
                raise InputError(f"A tag is one word without commas, not '{excerpt(tag)}': join words by '-'.")
        object.__setattr__(self, "tags", tuple(sorted(set(self.tags))))

    @staticmethod
    def of(*, title: str = "", tags: Iterable[str] | str = (), note: str = "") -> Label:
        """From what somebody typed; tags may be one text with spaces or commas between them.

        >>> Label.of(title=" my  run ", tags="small, fast").title, Label.of(tags="small, fast").tags
        ('my run', ('fast', 'small'))

        Raises:
            InputError: too long, too many, or with characters that cannot be shown.
        """
        given = re.split(r"[\s,]+", tags) if isinstance(tags, str) else tags
        return Label(title=" ".join(title.split()), tags=tuple(tag for tag in given if tag), note=note.strip())

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return self == Label()


def read_label(store: Store, visitor: str = OWNER) -> Label:
    """A visitor's label of a run; an empty one where there is none.

    Raises:
        InputError: no visitor has such a name.
        StorageError: it is damaged or cannot be read.
    """
    name = _name(visitor)
    content = store.read(name, most_bytes=LARGEST)
    if content is None:
        return Label()
    fields = Fields(load_object(content, name), name)
    try:
        return Label(
            title=fields.text("title") if "title" in fields else "",
            tags=fields.texts("tags") if "tags" in fields else (),
            note=fields.text("note") if "note" in fields else "",
        )
    except InputError as error:
        raise StorageError(f"{name} is damaged: {error}") from error


def write_label(store: Store, label: Label, visitor: str = OWNER) -> None:
    """Keep a visitor's label in the place of an earlier one; an empty one takes it away.

    Raises:
        InputError: no visitor has such a name.
        StorageError: it cannot be written.
    """
    name = _name(visitor)
    if label.is_empty:
        store.delete(name)
    else:
        store.put(name, dump({"title": label.title, "tags": list(label.tags), "note": label.note}))


def read_labels(store: Store) -> dict[str, Label]:
    """Everybody's label by visitor; what is damaged is passed over: it harms nothing but itself.

    Raises:
        StorageError: the folder cannot be read.
    """
    found = {}
    for name in sorted(store.list(LABELS))[:MOST_VISITORS]:
        visitor = OWNER if name == "owner.json" else name.removesuffix(".json")
        try:
            label = read_label(store, visitor)
        except (InputError, StorageError):
            continue
        if not label.is_empty:
            found[visitor] = label
    return found


def _name(visitor: str) -> str:
    if visitor != OWNER and not VISITOR.fullmatch(visitor):
        raise InputError("A visitor is named by up to 64 of the characters 0 to 9 and a to f.")
    return f"{LABELS}/{visitor or 'owner'}.json"


def _check(what: str, text: str, most: int, *, lines: bool) -> None:
    if len(text) > most:
        raise InputError(f"The {what} of a run has up to {most:,} characters, not {len(text):,}: shorten it.")
    if not all(sign.isprintable() or (lines and sign in "\n\t") for sign in text):
        raise InputError(f"The {what} of a run holds a character that cannot be shown: type it anew as plain text.")


NO_LABEL = Label()
