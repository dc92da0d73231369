"""A model from a function in a Python file of the user's own, which is trusted: it is run."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import inspect
import linecache
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

from pruning.base.errors import InputError, excerpt, first_line
from pruning.base.files import given_path


def call_factory(path: Path, factory: str) -> tuple[nn.Module, Any]:
    """Run a file and call a function in it; the model, and its example inputs or None.

    The function takes no arguments and returns a model or `(model, example_inputs)`. While it runs, the file's folder
    is on the import path.

    Raises:
        InputError: no such file or function, an error in it (with file and line), or something else is returned.
    """
    made = call_function(path, factory, form="file:PATH.py:FACTORY", gives="the model")
    path = Path(path)
    model, example = made if isinstance(made, tuple | list) and len(made) == 2 else (made, None)
    if not isinstance(model, nn.Module):
        raise InputError(
            f"{factory}() in {path.name} returned {_kind(made)}, not an nn.Module or (model, example_inputs)."
        )
    return model, example


def call_function(path: Path, name: str, *, form: str, gives: str) -> Any:
    """Run a file and call a function in it that takes no arguments; what it returns.

    `form`, `gives`: how a reference to it is written and what it is to return, for sentences.

    Raises:
        InputError: no such file or function, or an error in it (with file and line).
    """
    path = given_path(path).resolve()
    if not path.is_file():
        raise InputError(f"There is no file {excerpt(str(path), 200)} with {gives}: check the path.")
    with _importable(path.parent):
        module = _run_file(path)
        function = _find(module, path, name, form, gives)
        try:
            return function()
        except (Exception, SystemExit) as error:
            raise InputError(f"{name}() fails {_place(error, path)}. Correct it and try again.") from error


def _run_file(path: Path) -> types.ModuleType:
    name = f"file_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses and pickle look it up there
    linecache.checkcache(str(path))
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise InputError(f"Running {path.name} fails {_place(error, path)}. Correct it and try again.") from error
    return module


def _find(module: types.ModuleType, path: Path, factory: str, form: str, gives: str) -> Any:
    function = getattr(module, factory, None) if factory else None
    if not callable(function):
        own = [
            name
            for name, value in vars(module).items()
            if callable(value) and not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
        ]
        near = difflib.get_close_matches(factory, own, n=1) if factory else []
        wanted = f"no function '{excerpt(factory)}'" if factory else f"no factory named after it ({form})"
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise InputError(
            f"There is {wanted} in {path.name}.{hint} "
            + (f"It has {', '.join(own)}." if own else f"It has none: write one that returns {gives}.")
        )
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise InputError(
            f"{factory}() in {path.name} cannot be called without arguments ({error}): "
            f"name a function that takes none and returns {gives}."
        ) from error
    except ValueError:
        pass  # no signature to be had: call it and see
    return function


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))


def _place(error: BaseException, path: Path) -> str:
    """'at net.py:12 (`code`): NameError: ...' for the last line of the user's file that ran."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(path) else (lines or [None])[-1]
    text = error.msg if isinstance(error, SyntaxError) else first_line(error)
    code = linecache.getline(str(path), line).strip() if line else ""
    where = f"at {path.name}:{line}{f' (`{code}`)' if code else ''}" if line else f"in {path.name}"
    return f"{where}: {type(error).__name__}: {text}" if text != type(error).__name__ else f"{where}: {text}"


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return "None" if value is None else f"a {type(value).__name__}"
