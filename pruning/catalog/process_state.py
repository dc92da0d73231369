"""What belongs to the whole process, kept as it is while somebody's code runs."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def kept_as_it_is() -> Iterator[None]:
    """Set back afterwards: the current folder, environment, import path, logging, warnings, random numbers, and the
    settings of NumPy and torch. Meanwhile what is printed goes to standard error, and there is nothing to be read from
    standard input."""
    with _python_state(), _numbers_state(), _torch_state(), _output_state():
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
