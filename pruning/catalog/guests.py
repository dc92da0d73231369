"""Somebody's Python file as a guest of this process: it is run, and leaves the process as it was."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import linecache
import os
import random
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pruning.base.errors import InputError, excerpt, first_line
from pruning.base.files import given_path
from pruning.catalog.guest_imports import run_guest
from pruning.catalog.network import SEED
from pruning.catalog.process_state import kept_as_it_is

_ONE_AT_A_TIME = threading.RLock()
"""What is set aside here belongs to the whole process."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a reference asks of a function: '?classes=10'."""

    name: str
    """In the reference."""
    arguments: tuple[str, ...]
    """Keyword arguments that may take it, the first there is."""
    value: Any
    needed: bool = True
    """Whether a function without such an argument is refused."""


def call_guest(path: Path, name: str, options: Sequence[Option] = (), *, what: str = "model", seed: int = SEED) -> Any:
    """Run a Python file and call a function in it, with no arguments but `options`; what the function gives.

    `what`: it gives, for sentences. `seed`: of all random numbers that it draws.

    Relative paths are looked up in the file's folder; where nothing is there, the file is run once more with those of
    the caller.

    Raises:
        InputError: no such file or function, it takes no such option, or an error in it (with file and line).
    """
    path = given_path(path).resolve()
    if not path.is_file():
        raise InputError(f"There is no file {excerpt(str(path), 200)} with a {what}: check the path.")
    try:
        return _call(path, name, options, path.parent, what, seed)
    except InputError as error:
        lost = error.__cause__
        if not isinstance(lost, FileNotFoundError) or not _is_here(lost.filename):
            raise
    return _call(path, name, options, None, what, seed)


def arguments_of_guest(path: Path, name: str, options: Sequence[Option] = ()) -> dict[str, Any]:
    """The keyword arguments by which `call_guest` hands these options to a function. The file is run for it.

    Raises:
        InputError: as `call_guest`.
    """
    path = given_path(path).resolve()
    with guest(path, path.parent):
        function = _find(_run(path, "arguments"), path, name, "model")
        return _arguments(function, path, name, options, "model")


def _is_here(name: object) -> bool:
    """Whether a relative path leads to something from where the caller is."""
    return isinstance(name, str) and not os.path.isabs(name) and os.path.exists(name)


def _call(path: Path, name: str, options: Sequence[Option], folder: Path | None, what: str, seed: int) -> Any:
    with guest(path, folder, seed):
        module = _run(path, "" if seed == SEED else str(seed))
        function = _find(module, path, name, what)
        arguments = _arguments(function, path, name, options, what)
        try:
            return function(**arguments)
        except (Exception, SystemExit) as error:
            raise InputError(f"{name}() fails {place_of(error, path)}. Correct it and try again.") from error


@contextlib.contextmanager
def guest(path: Path, folder: Path | None, seed: int = SEED) -> Iterator[None]:
    """While somebody's code runs: what it prints goes to standard error, it has no input and no arguments, `folder` is
    the current one, random numbers begin at `seed`, and whatever it sets for the whole process is set back afterwards.
    """
    with _ONE_AT_A_TIME, kept_as_it_is():
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        sys.argv = [str(path)]
        if folder is not None:
            os.chdir(folder)
        yield


def _run(path: Path, apart: str) -> types.ModuleType:
    linecache.checkcache(str(path))
    try:
        return run_guest(path, apart)
    except (Exception, SystemExit) as error:
        raise InputError(f"Running {path.name} fails {place_of(error, path)}. Correct it and try again.") from error


def _find(module: types.ModuleType, path: Path, name: str, what: str) -> Callable[..., Any]:
    function = getattr(module, name, None) if name else None
    if callable(function):
        return function
    own = [
        other
        for other, value in vars(module).items()
        if callable(value) and not other.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    near = difflib.get_close_matches(name, own, n=1) if name else []
    wanted = f"no function '{excerpt(name)}'" if name else "no factory named after it (file:PATH.py:FACTORY)"
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise InputError(
        f"There is {wanted} in {path.name}.{hint} "
        + (f"It has {', '.join(own)}." if own else f"It has none: write one that returns the {what}.")
    )


def _arguments(
    function: Callable[..., Any], path: Path, name: str, options: Sequence[Option], what: str
) -> dict[str, Any]:
    """What to call a function with; only options that its signature has."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None  # there is none to be had: call it and see
    arguments: dict[str, Any] = {}
    for option in options:
        takes = next((one for one in option.arguments if signature and one in signature.parameters), None)
        if takes is not None:
            arguments[takes] = option.value
        elif option.needed:
            raise InputError(
                f"{option.name}={excerpt(str(option.value))} cannot be handed to {name}() in {path.name}, which takes "
                f"no argument of that name: leave it out, or give the function an argument {option.arguments[0]}."
            )
    if signature is not None:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise InputError(
                f"{name}() in {path.name} cannot be called without arguments ({error}): name a function that takes "
                f"none and returns the {what}{_offer(str(error), options)}."
            ) from error
    return arguments


def _offer(complaint: str, options: Sequence[Option]) -> str:
    given = {option.name for option in options}
    return ", or write ?classes=N" if "classes" in complaint and "classes" not in given else ""


def place_of(error: BaseException, path: Path) -> str:
    """'at net.py:12 (`code`): NameError: ...' for the last line of the user's file that ran."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(path) else (lines or [None])[-1]
    text = excerpt(error.msg, 200) if isinstance(error, SyntaxError) else first_line(error)
    code = excerpt(linecache.getline(str(path), line).strip(), 120) if line else ""
    where = f"at {path.name}:{line}{f' (`{code}`)' if code else ''}" if line else f"in {path.name}"
    return f"{where}: {type(error).__name__}: {text}" if text != type(error).__name__ else f"{where}: {text}"
