"""What the owner of a server allows its visitors: `pruning.toml`, named by the environment variable PRUNING_SETTINGS.

    python -m pruning.settings      # says what holds, or what is wrong, in a sentence

A table of the file is a field of `Settings`, a key in it a field of that table's class (`tables`): another setting is
another field.
"""

from __future__ import annotations

import difflib
import functools
import ipaddress
import os
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pruning.base.errors import InputError, PruningError, StorageError, excerpt
from pruning.base.files import cache_dir, given_path, read_bytes
from pruning.settings.tables import DataFolders, Latency, PythonFiles, Queue, Runs, Server, Uploads

VARIABLE = "PRUNING_SETTINGS"
LARGEST = 1_000_000
"""Bytes of the file."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, as they are where nobody says anything."""

    python: PythonFiles = field(default_factory=PythonFiles)
    data: DataFolders = field(default_factory=DataFolders)
    uploads: Uploads = field(default_factory=Uploads)
    server: Server = field(default_factory=Server)
    runs: Runs = field(default_factory=Runs)
    queue: Queue = field(default_factory=Queue)
    latency: Latency = field(default_factory=Latency)

    def __post_init__(self) -> None:
        """Raises InputError where code could be sent into a folder that code is run from."""
        sent = _real(self.uploads.folder)
        for folder in map(_real, self.python.folders):
            if folder == sent or folder in sent.parents or sent in folder.parents:
                raise InputError(
                    f"[python] runs files in {folder}, and [uploads] keeps what visitors send in {sent}: one must not "
                    "lie in the other."
                )

    def allows_code(self, path: Path) -> bool:
        """Whether a file with code may be opened in the app: it lies, links followed, in one of the listed folders."""
        real = _real(path)
        return self.python.allowed and any(_real(folder) in real.parents for folder in self.python.folders)

    def check_code(self, path: Path) -> None:
        """Raises InputError unless `allows_code`, for a file with code or the weights that it is opened with."""
        if not self.allows_code(path):
            raise InputError(
                f"{path.name} lies in none of the folders that pruning.toml lists under [python]: move it there, or "
                "add its folder."
            )


def settings() -> Settings:
    """The settings that hold, read once: a change counts when the server is started again.

    Raises:
        InputError: a table, a name or a value that there is not.
        StorageError: the file is missing or damaged.
    """
    named = os.environ.get(VARIABLE)
    return _read(named) if named else _as_they_are(cache_dir())


@functools.lru_cache(maxsize=8)
def _as_they_are(cache: Path) -> Settings:
    """Without a file; uploads lie in the cache."""
    return Settings()


@functools.lru_cache(maxsize=8)
def _read(named: str) -> Settings:
    path = given_path(named)
    content = read_bytes(path, most_bytes=LARGEST)
    if content is None:
        raise StorageError(f"{VARIABLE} names {excerpt(named, 200)}, but there is no such file.")
    try:
        return parse(tomllib.loads(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise StorageError(f"{path.name} is not written in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise StorageError(f"{path.name} is no TOML: {error}.") from error
    except InputError as error:
        raise InputError(f"In {path.name}: {error}") from error


def parse(tables: Mapping[str, Any]) -> Settings:
    """Settings from the tables of a TOML file.

    >>> parse({"uploads": {"hours": 2}}).uploads.hours
    2.0

    Raises:
        InputError: a table, a name or a value that there is not.
    """
    kinds = typing.get_type_hints(Settings)
    given = {}
    for name, values in tables.items():
        kind = kinds[_known(name, kinds, "table")]
        if not isinstance(values, Mapping):
            raise InputError(f"'{excerpt(name)}' is a table: write [{name}], and its settings below.")
        fields = typing.get_type_hints(kind)
        read = {key: _value(fields[_known(key, fields, f"setting in [{name}]")], value, f"[{name}] {key}")
                for key, value in values.items()}  # fmt: skip
        given[name] = kind(**read)
    return Settings(**given)


def _known(name: str, names: Mapping[str, Any], what: str) -> str:
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(f"There is no {what} called '{excerpt(name)}'.{hint} There is {', '.join(names)}.")
    return name


def _value(kind: Any, value: Any, where: str) -> Any:
    words, read = KINDS[kind]
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        if isinstance(error, PruningError):
            raise InputError(f"{where}: {error}") from error
        raise InputError(f"{where} takes {words}, not {excerpt(repr(value))}.") from error


def _exactly(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return read


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError
    return float(value)


def _folder(value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise TypeError
    path = given_path(value)
    if not path.is_absolute():
        raise InputError(f"write '{excerpt(value)}' in full, from / on.")
    return path


def _folders(value: Any) -> tuple[Path, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_folder, value))


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return tuple(value)


KINDS: dict[Any, tuple[str, Callable[[Any], Any]]] = {
    bool: ("true or false", _exactly(bool)),
    int: ("a whole number", _exactly(int)),
    float: ("a number", _number),
    Path: ("a path", _folder),
    tuple[Path, ...]: ("a list of paths", _folders),
    tuple[str, ...]: ("a list of texts", _texts),
}
"""Of a field's type: its words, and what reads it."""


def _real(path: Path) -> Path:
    """With links followed, as far as there is anything."""
    return Path(os.path.realpath(path))


def is_loopback_address(address: str | None) -> bool:
    """Whether a server bound to this address serves its own machine alone.

    >>> [is_loopback_address(address) for address in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None)]
    [True, True, True, False, False, False]
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False
