"""Nicknames and PINs: how a visitor goes on at another computer, and leaves one that others use as well.

names/1f3b....json       by nickname: which visitor it is, and their PIN, hashed
people/3f2a....json      by visitor: their nickname
browsers/9c0d....json    by browser: which visitor sits there, where that is not the one of its cookie

Each file is whole or absent, and holds no secret that opens anything.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pruning.base.errors import InputError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import create_file, read_bytes, replace_file
from pruning.base.safe_json import dump, load_object
from pruning.base.words import duration
from pruning.visitors.identity import is_visitor, new_visitor
from pruning.visitors.tries import Tries

LONGEST = 30
"""Characters of a nickname."""
DIGITS = 6
"""Of a PIN."""
MOST = 20_000
"""Files in each of the folders; then the oldest of the browsers are forgotten, and no nickname is given out."""
LARGEST = 4096
"""Bytes of a file."""
WRONG = "There is no such nickname with this PIN: check both, letter by letter."
"""The same whichever is wrong."""
_COST = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt: 16 MB and about 50 ms a guess."""
_LOCK = threading.Lock()
"""Of two windows of one visitor that ask for a nickname, one is first."""
_HASHING = threading.Lock()
"""One guess at a time: each takes memory."""


@dataclass(frozen=True)
class Nicknames:
    """The nicknames of a server, in a folder."""

    root: Path
    tries: Tries

    @staticmethod
    def at(root: Path) -> Nicknames:
        """Those of a folder; five wrong PINs for a nickname, and a hundred for all, in ten minutes."""
        return Nicknames(root, Tries(most=5, of_all=100, seconds=600))

    def of(self, visitor: str) -> str | None:
        """A visitor's nickname; None where they have none, or it cannot be read.

        Raises:
            StorageError: the folder cannot be read.
        """
        return self._read("people", visitor, "nickname")

    def register(self, nickname: str, visitor: str) -> str:
        """Give a visitor a nickname and a PIN, which is told this once; or a new PIN for the nickname that they have.

        Raises:
            InputError: it is somebody else's, is none, or too many were asked for.
            StorageError: it cannot be written.
        """
        nickname = checked(nickname)
        self._wait(f"new {visitor}")
        pin = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        salt = secrets.token_bytes(16)
        record = {
            "version": 1,
            "nickname": nickname,
            "visitor": visitor,
            "salt": salt.hex(),
            "pin": _hashed(pin, salt).hex(),
        }
        path = self._path("names", _key(nickname))
        with _LOCK, self._writing():
            other = self.of(visitor)
            if other is not None and _key(other) != _key(nickname):
                raise InputError(f"You have the nickname {other} already.")
            if other is None and len(self._names("people")) >= MOST:
                raise InputError("This server has given out all the nicknames that it has room for: ask its owner.")
            if not create_file(path, dump(record)):
                if self._read("names", _key(nickname), "visitor") != visitor:
                    raise InputError(f"The nickname {nickname} is taken: choose another one.")
                replace_file(path, dump(record))
            replace_file(self._path("people", visitor), dump({"version": 1, "nickname": nickname}))
        return pin

    def find(self, nickname: str, pin: str) -> str:
        """The visitor with this nickname and PIN.

        Raises:
            InputError: there is none, or too many were tried.
            StorageError: the folder cannot be read.
        """
        key = _key(nickname)
        self._wait(key)
        visitor, pin_held, salt = (self._read("names", key, field) for field in ("visitor", "pin", "salt"))
        given = _hashed("".join(pin.split())[: 2 * DIGITS], _bytes(salt))  # also where there is no such nickname
        if visitor is None or not is_visitor(visitor) or not hmac.compare_digest(given, _bytes(pin_held)):
            raise InputError(WRONG)
        self.tries.forget(key)
        return visitor

    def at_browser(self, browser: str) -> str:
        """The visitor who sits at a browser, which is named as a visitor is: by its cookie.

        Raises:
            StorageError: the folder cannot be read.
        """
        visitor = self._read("browsers", browser, "visitor")
        return visitor if visitor is not None and is_visitor(visitor) else browser

    def sit_down(self, browser: str, visitor: str) -> None:
        """Note that a visitor sits at a browser from now on.

        Raises:
            StorageError: it cannot be written.
        """
        with self._writing():
            if visitor == browser:
                self._path("browsers", browser).unlink(missing_ok=True)
            else:
                self._forget_oldest()
                replace_file(self._path("browsers", browser), dump({"version": 1, "visitor": visitor}))

    def leave(self, browser: str) -> str:
        """Forget who sits at a browser: whoever comes next is somebody new, whose name is given.

        Raises:
            StorageError: it cannot be written.
        """
        visitor = new_visitor()
        self.sit_down(browser, visitor)
        return visitor

    def _wait(self, key: str) -> None:
        left = self.tries.wait(key)
        if left:
            raise InputError(f"That was tried too often: wait {duration(left)}.")

    def _forget_oldest(self) -> None:
        names = self._names("browsers")
        if len(names) < MOST:
            return
        paths = [self.root / "browsers" / name for name in names]
        for path in sorted(paths, key=_written)[: MOST // 10]:
            path.unlink(missing_ok=True)

    def _names(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError):
            return os.listdir(self.root / folder)
        return []

    def _path(self, folder: str, name: str) -> Path:
        return self.root / folder / f"{name}.json"

    def _read(self, folder: str, name: str, field: str) -> str | None:
        """A text in a file; None where there is no file, or it is damaged: then nobody is known by it."""
        content = read_bytes(self._path(folder, name), most_bytes=LARGEST)
        if content is None:
            return None
        with suppress(StorageError):
            return Fields(load_object(content, name), name).text(field)
        return None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            for folder in ("names", "people", "browsers"):
                (self.root / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
            yield
        except OSError as error:
            raise StorageError(
                f"Nicknames cannot be kept just now ({error.strerror or error}): the owner of this server must make "
                "room in the cache folder, or let it be written to."
            ) from error


def checked(nickname: str) -> str:
    """A nickname as it is kept.

    >>> checked("  Ada   L. ")
    'Ada L.'

    Raises:
        InputError: it is none.
    """
    text = " ".join(unicodedata.normalize("NFKC", nickname).split())
    if not 2 <= len(text) <= LONGEST or not all(letter.isalnum() or letter in " .-_'" for letter in text):
        raise InputError(f"A nickname has 2 to {LONGEST} letters, digits, spaces, dots or dashes.")
    return text


def _key(nickname: str) -> str:
    """Of a nickname in files: the same for ADA and ada."""
    text = " ".join(unicodedata.normalize("NFKC", nickname[: 4 * LONGEST]).casefold().split())
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def _hashed(pin: str, salt: bytes) -> bytes:
    with _HASHING:
        return hashlib.scrypt(pin.encode("utf-8", "replace"), salt=salt, **_COST)


def _bytes(text: str | None) -> bytes:
    """What hexadecimal digits stand for; zeros where they are none."""
    try:
        return bytes.fromhex(text or "") or bytes(16)
    except ValueError:
        return bytes(16)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
