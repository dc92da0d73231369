"""Models and data sets, loaded once for all sessions, and the lock that lets one session compute at a time.

What is loaded here is shared: never change it, copy it. Nothing imports torch until one of these functions is called,
so that a page can draw its title first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from pruning.catalog.references import Reference
    from pruning.data.datasets import Dataset
    from pruning.opening.models import OpenModel

_COMPUTING = threading.RLock()
LONGEST_WAIT = 4.0
"""Seconds that a page waits for a training run on this machine to end before it says so."""


def model_refs() -> dict[str, str]:
    """The sample networks that have trained weights: reference → title."""
    _ready()
    from sample_models import SAMPLES

    return {f"sample:{name}": sample.title for name, sample in SAMPLES.items() if sample.weights_path.is_file()}


def open_model(ref: str) -> OpenModel:
    """A model by reference, shared by all sessions.

    Raises as `pruning.opening.models.open_model` does, and InputError for what a visitor may not open.
    """
    _ready()
    from pruning.catalog.references import parse_reference
    from pruning.catalog.visitors import check_visitor

    reference = parse_reference(ref)
    check_visitor(reference)
    return _open_library(ref) if reference.kind in ("torchvision", "timm") else _open_model(ref, _stamp(reference))


def load_data(name: str, data_dir: str | None = None) -> Dataset:
    """A data set, shared by all sessions. Raises as `pruning.data.datasets.load_dataset` does."""
    _ready()
    return _load_data(name, data_dir)


@contextmanager
def computing() -> Iterator[None]:
    """One session computes at a time: side by side they would only slow each other down, and spoil each other's
    timings."""
    with _COMPUTING:
        yield


def asked_to_stop() -> bool:
    """Never true: looking into the session is where Streamlit ends a run of the page that a newer one replaces."""
    return "loaders_never" in st.session_state


@contextmanager
def quiet(longest: float = LONGEST_WAIT) -> Iterator[None]:
    """`computing`, and no training run on this machine beside it: for timings and short trainings.

    Raises:
        Cancelled: a run kept the machine busy for `longest` seconds.
    """
    import time

    from pruning.base.errors import Cancelled
    from pruning.latency.clock import quiet_machine

    # The machine first, then the turn in this process: waiting for a run must not hold up the other sessions.
    until = time.monotonic() + longest
    with ExitStack() as held:
        try:
            held.enter_context(quiet_machine(cancel=lambda: time.monotonic() > until))
        except Cancelled as error:
            raise Cancelled("A run is training on this machine: try again when it has ended.") from error
        held.enter_context(_COMPUTING)
        yield


@st.cache_resource(show_spinner=False)
def _ready() -> None:
    """Import torch and give this process one thread: pages compute little, and jobs need the other cores."""
    import torch

    torch.set_num_threads(1)


def _stamp(reference: Reference) -> tuple[int, ...]:
    """What tells a run's network from one made anew under its name."""
    if reference.kind != "run":
        return ()
    from pruning.runs.saved_model import model_stamp  # adds run: to the openers

    return model_stamp(Path(reference.name))


@st.cache_resource(show_spinner=False, max_entries=12)
def _open_model(ref: str, stamp: tuple[int, ...]) -> OpenModel:
    from pruning.opening.models import open_model

    return open_model(ref)


@st.cache_resource(show_spinner=False, max_entries=4)
def _open_library(ref: str) -> OpenModel:
    """Apart from the small ones: these hold up to 600 MB each."""
    from pruning.opening.models import open_model

    return open_model(ref)


@st.cache_resource(show_spinner=False, max_entries=3)
def _load_data(name: str, data_dir: str | None) -> Dataset:
    from pruning.data.datasets import load_dataset

    return load_dataset(name, data_dir)
