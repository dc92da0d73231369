"""Somebody's Python file as a guest of this process: it is run, and leaves the process as it was."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import linecache
import logging
import os
import random
import sys
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pruning.base.errors import InputError, excerpt, first_line
from pruning.base.files import given_path
from pruning.catalog.guest_imports import run_guest

_ONE_AT_A_TIME = threading.RLock()
"""What is set aside here belongs to the whole process."""


def call_guest(
    path: Path, name: str, options: Mapping[str, tuple[str, Any]] | None = None, *, what: str = "model"
) -> Any:
    """Run a Python file and call a function in it; what the function gives.

    The function is called without arguments, but for `options`: what each is called in a reference ('classes') → the
    keyword arguments that may take it, joined by commas, and the value.

    Relative paths are looked up in the file's folder; where nothing is there, the file is run once more with those of
    the caller.

    Raises:
        InputError: no such file or function, it takes no such option, or an error in it (with file and line).
    """
    path = given_path(path).resolve()
    if not path.is_file():
        raise InputError(f"There is no file {excerpt(str(path), 200)} with a {what}: check the path.")
    try:
        return _call(path, name, options or {}, path.parent, what)
    except InputError as error:
        lost = error.__cause__
        if not isinstance(lost, FileNotFoundError) or not _is_here(lost.filename):
            raise
    return _call(path, name, options or {}, None, what)


def _is_here(name: object) -> bool:
    """Whether a relative path leads to something from where the caller is."""
    return isinstance(name, str) and not os.path.isabs(name) and os.path.exists(name)


def _call(path: Path, name: str, options: Mapping[str, tuple[str, Any]], folder: Path | None, what: str) -> Any:
    with guest(path, folder):
        module = _run(path)
        function = _find(module, path, name, what)
        arguments = _arguments(function, path, name, options, what)
        try:
            return function(**arguments)
        except (Exception, SystemExit) as error:
            raise InputError(f"{name}() fails {place_of(error, path)}. Correct it and try again.") from error


@contextlib.contextmanager
def guest(path: Path, folder: Path | None) -> Iterator[None]:
    """While somebody's code runs: what it prints goes to standard error, it has no input and no arguments, `folder` is
    the current one, and whatever it sets for the whole process is set back afterwards."""
    with _ONE_AT_A_TIME, contextlib.ExitStack() as stack:
        for keeper in (_python_state, _numbers_state, _torch_state, _output_state):
            stack.enter_context(keeper())
        sys.argv = [str(path)]
        if folder is not None:
            os.chdir(folder)
        yield


@contextlib.contextmanager
def _python_state() -> Iterator[None]:
    """Settings of Python itself."""
    here = os.getcwd()
    environment = dict(os.environ)
    argv, path, hook, limit = list(sys.argv), list(sys.path), sys.excepthook, sys.getrecursionlimit()
    log, handlers = logging.root.level, list(logging.root.handlers)
    disabled, modules = logging.root.manager.disable, set(sys.modules)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.chdir(here)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        _forget_modules(set(sys.modules) - modules, [place for place in sys.path if place not in path])
        sys.argv, sys.path[:], sys.excepthook = argv, path, hook
        sys.setrecursionlimit(limit)
        logging.root.setLevel(log)
        logging.root.handlers[:] = handlers
        logging.root.manager.disable = disabled


def _forget_modules(names: set[str], places: list[str]) -> None:
    """Take away modules that came from places on the import path that a guest added: another guest may have others of
    these names."""
    folders = tuple(os.path.join(os.path.realpath(place), "") for place in places)
    for name in names if folders else ():
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and os.path.realpath(file).startswith(folders):
            del sys.modules[name]


@contextlib.contextmanager
def _numbers_state() -> Iterator[None]:
    """Random states, and what NumPy does with errors."""
    python, numpy, errors = random.getstate(), np.random.get_state(), np.geterr()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        np.seterr(**errors)


@contextlib.contextmanager
def _torch_state() -> Iterator[None]:
    """Settings of torch."""
    dtype, device, threads, grad = (
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
    )
    strict, only_warned = torch.are_deterministic_algorithms_enabled(), _only_warned()
    flags = (torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.mkldnn.enabled)
    precision = torch.get_float32_matmul_precision()
    anomalies = torch.is_anomaly_enabled()
    try:
        yield
    finally:
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(None if device.type == "cpu" else device)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        torch.set_grad_enabled(grad)
        torch.use_deterministic_algorithms(strict, warn_only=only_warned)
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = flags[:2]
        torch.backends.mkldnn.enabled = flags[2]
        torch.set_float32_matmul_precision(precision)
        torch.autograd.set_detect_anomaly(anomalies)


def _only_warned() -> bool:
    return torch.is_deterministic_algorithms_warn_only_enabled()


@contextlib.contextmanager
def _output_state() -> Iterator[None]:
    """Standard output is for results alone; what a guest asks to be typed in, nobody can type."""
    out, error, typed = sys.stdout, sys.stderr, sys.stdin
    with open(os.devnull, encoding="utf-8") as nothing:
        sys.stdin = nothing
        try:
            with contextlib.redirect_stdout(sys.stderr), _descriptor_redirected():
                yield
        finally:
            sys.stdout, sys.stderr, sys.stdin = out, error, typed


@contextlib.contextmanager
def _descriptor_redirected() -> Iterator[None]:
    """The same for programs that a guest starts, and for libraries that are not written in Python."""
    try:
        sys.__stdout__.flush() if sys.__stdout__ else None
        kept = os.dup(1)
    except (OSError, ValueError):
        yield  # there is no standard output
        return
    try:
        with contextlib.suppress(OSError):
            os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _run(path: Path) -> types.ModuleType:
    linecache.checkcache(str(path))
    try:
        return run_guest(path)
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
    function: Callable[..., Any], path: Path, name: str, options: Mapping[str, tuple[str, Any]], what: str
) -> dict[str, Any]:
    """What to call a function with; only options that its signature has."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        signature = None  # there is none to be had: call it and see
    arguments: dict[str, Any] = {}
    for option, (names, value) in options.items():
        takes = next((one for one in names.split(",") if signature and one in signature.parameters), None)
        if takes is None:
            raise InputError(
                f"{option}={excerpt(str(value))} cannot be handed to {name}() in {path.name}, which takes no argument "
                f"of that name: leave it out, or give the function an argument {names.split(',')[0]}."
            )
        arguments[takes] = value
    if signature is not None:
        try:
            signature.bind(**arguments)
        except TypeError as error:
            raise InputError(
                f"{name}() in {path.name} cannot be called without arguments ({error}): name a function that takes "
                f"none and returns the {what}{_offer(str(error), options)}."
            ) from error
    return arguments


def _offer(complaint: str, options: Mapping[str, tuple[str, Any]]) -> str:
    return ", or write ?classes=N" if "classes" in complaint and "classes" not in options else ""


def place_of(error: BaseException, path: Path) -> str:
    """'at net.py:12 (`code`): NameError: ...' for the last line of the user's file that ran."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == str(path) else (lines or [None])[-1]
    text = excerpt(error.msg, 200) if isinstance(error, SyntaxError) else first_line(error)
    code = excerpt(linecache.getline(str(path), line).strip(), 120) if line else ""
    where = f"at {path.name}:{line}{f' (`{code}`)' if code else ''}" if line else f"in {path.name}"
    return f"{where}: {type(error).__name__}: {text}" if text != type(error).__name__ else f"{where}: {text}"
