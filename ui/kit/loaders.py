"""Models and data sets, loaded once for all sessions.

What is loaded here is shared: never change it, copy it. Nothing imports torch until one of these functions is called,
so that a page can draw its title first.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pruning.settings import settings
from ui.kit import permits, place, state, visitor

if TYPE_CHECKING:
    from pruning.catalog.references import Reference
    from pruning.data.preprocess import Preprocess
    from pruning.data.protocol import Data
    from pruning.runs import Run
    from pruning.subject import Subject


def model_refs() -> dict[str, str]:
    """The networks that everybody can choose from: reference → title."""
    _ready()
    from pruning.catalog.openers import OPENERS

    return {ref: title for opener in OPENERS.values() for ref, title in opener.choices().items()}


def open_subject(ref: str, data: str | None = None, preprocess: Preprocess | None = None) -> Subject:
    """A network by reference, shared by all sessions; `data`: with these images, where they are for this session,
    prepared as `preprocess` says.

    Raises as `pruning.subject.open_subject` does, and InputError for what a visitor may not open.
    """
    _ready()
    from pruning.catalog.openers import OPENERS

    reference = check_visitor(ref)
    opener = OPENERS[reference.kind]
    subject = _open_large(ref, opener.stamp(reference)) if opener.large else _open(ref, opener.stamp(reference))
    if subject.ref != ref and permits.holds(ref):  # it says more, such as the number of classes in the file
        permits.allow(subject.ref, permits.title(ref) or "")
    return subject if data is None else with_data(subject, data, preprocess)


def from_visitor(ref: str) -> str:
    """A reference as a visitor writes it, as it is opened: `run:` and the name of a run stands for its folder.

    Raises:
        InputError: a path stands there, and they are not the owner of the machine. Nothing was looked for.
    """
    from pruning.runs import default_runs_dir
    from pruning.runs.ids import is_run_id

    kind, _, name = ref.partition(":")
    if kind != "run":
        return ref
    if is_run_id(name) and (not visitor.is_owner() or (default_runs_dir() / name).is_dir()):
        return f"run:{default_runs_dir() / name}"
    _check_place(name)
    return ref


def check_visitor(ref: str) -> Reference:
    """Let a reference pass that this visitor may open: as everybody, or because the file behind it is theirs.

    Raises:
        InputError: neither. Of a file or folder that is not theirs nothing was looked for.
    """
    _ready()
    from pruning.catalog import openers
    from pruning.runs.size import check_size

    reference = openers.parse_reference(ref)
    if reference.kind == "file":
        check_code(ref, reference)
        return reference
    if reference.kind == "run":
        if not permits.holds(ref):
            _check_place(reference.name)
        if (origin := _origin(reference)).partition(":")[0] == "file":
            check_code(origin, openers.parse_reference(origin))
            return reference
    if not permits.holds(ref):
        openers.check_visitor(ref)
    if not visitor.is_owner():
        check_size(reference)
    return reference


def _check_place(name: str) -> None:
    """Raises InputError for a run elsewhere than among those of this server, which is told from its text alone."""
    from pruning.base.errors import InputError
    from pruning.runs import default_runs_dir
    from pruning.runs.ids import is_run_id

    folder, _, last = name.rpartition("/")
    if not visitor.is_owner() and not (folder == str(default_runs_dir()) and is_run_id(last)):
        raise InputError("A run is opened here by its name alone, as its link has it: no path is looked for.")


def trust(run: Run) -> None:
    """Let this visitor open the networks and images of a run that is on this server, whatever files they are made from;
    code in them is run only where the owner allows that."""
    from pruning.base.errors import StorageError
    from pruning.catalog.openers import is_on_this_machine_alone
    from pruning.data import readers

    if readers.is_on_this_machine_alone(run.recipe.data):
        permits.allow(run.recipe.data)
    if run.origin and is_on_this_machine_alone(run.origin):
        named = [run.recipe.model, run.origin, run.ref]
        with suppress(StorageError):  # it began with nothing that can be opened
            named.append(run.dense_ref())  # says more than the recipe, such as the number of classes in the file
        for ref in dict.fromkeys(named):
            permits.allow(ref)


def _origin(reference: Reference) -> str:
    """Of a run's network; '' where its folder does not say."""
    from pruning.base.errors import StorageError
    from pruning.runs.saved_model import read_origin

    try:
        return read_origin(Path(reference.name))
    except StorageError:
        return ""


def check_code(ref: str, reference: Reference) -> None:
    """Raises InputError where a file with code may not be run for this visitor."""
    from pruning.base.files import given_path
    from pruning.catalog import openers

    if not settings().python.allowed:
        openers.check_visitor(ref)  # refuses, and says what to do instead
    _check_code(reference.name)
    if reference.weights not in (None, "default") and not permits.holds(ref):  # a run may name others
        settings().check_code(given_path(str(reference.weights)))


def _check_code(path: str) -> None:
    from pruning.base.errors import InputError
    from pruning.base.files import given_path

    if not settings().python.allowed:
        raise InputError("A Python file cannot be opened in the browser, because its code would run on the server.")
    if not place.is_loopback():
        raise InputError("A Python file is opened only where the app serves this machine alone: use the command line.")
    settings().check_code(given_path(path))


def is_large(ref: str) -> bool:
    """Whether a network may take seconds to open."""
    from pruning.catalog.openers import OPENERS

    kind = ref.partition(":")[0]
    return kind in OPENERS and OPENERS[kind].large


def with_data(subject: Subject, data: str, preprocess: Preprocess | None = None) -> Subject:
    """A network with images by reference, from where this session says they are.

    `preprocess`: how images of one's own are prepared; None: as this session says, else as the network or they do.

    Raises as `Subject.with_data` does, and InputError where the images are code that may not be run for this visitor.
    """
    from pruning.catalog.openers import OPENERS, parse_reference
    from pruning.data.readers import is_on_this_machine_alone

    how = preprocess or permits.prepared(subject.ref, data)
    if not is_on_this_machine_alone(data):
        return subject.with_data(data, state.data_dir(data), how, load_data)
    check_images(data)
    reference = parse_reference(subject.ref)
    opened = OPENERS[reference.kind].stamp(reference)
    return _with_own(subject.ref, subject.digest, opened, data, how, _stamp(data), subject)


def load_data(name: str, data_dir: str | None = None, preprocess: Preprocess | None = None) -> Data:
    """A data set, shared by all sessions. Raises as `pruning.data.readers.open_data` does."""
    _ready()
    return _load_data(name, data_dir, preprocess, _stamp(name))


def forget_images() -> None:
    """Open images of one's own anew when they are asked for next, since files have changed."""
    _load_data.clear()
    _with_own.clear()


def asked_to_stop() -> bool:
    """Never true: looking into the session is where Streamlit ends a run of the page that a newer one replaces."""
    return "loaders_never" in st.session_state


@st.cache_resource(show_spinner=False)
def _ready() -> None:
    """Import torch and give this process one thread: pages compute little, and jobs need the other cores. Once, while
    other sessions wait: so none of them reads a table that grows."""
    import torch

    import pruning.runs  # noqa: F401 - adds run: to the openers

    torch.set_num_threads(1)


@st.cache_resource(show_spinner=False, max_entries=12)
def _open(ref: str, stamp: tuple[int, ...]) -> Subject:
    return _subject(ref)


@st.cache_resource(show_spinner=False, max_entries=4)
def _open_large(ref: str, stamp: tuple[int, ...]) -> Subject:
    """Apart from the small ones: these hold up to 600 MB each."""
    return _subject(ref)


def _subject(ref: str) -> Subject:
    """Without images, which are each session's own; what cannot be traced is refused."""
    from pruning.catalog.openers import open_network
    from pruning.subject import Subject

    subject = Subject.of(open_network(ref))
    assert subject.graph
    return subject


@st.cache_resource(show_spinner=False, max_entries=3)
def _load_data(name: str, data_dir: str | None, preprocess: Preprocess | None, stamp: tuple[int, ...]) -> Data:
    from pruning.data.readers import open_data

    return open_data(name, data_dir, preprocess=preprocess)


@st.cache_resource(show_spinner=False, max_entries=6)
def _with_own(
    ref: str,
    digest: str,
    opened: tuple[int, ...],
    data: str,
    preprocess: Preprocess | None,
    stamp: tuple[int, ...],
    _subject: Subject,
) -> Subject:
    """Fitting a network and images to each other asks the network, which may take a second."""
    return _subject.with_data(data, None, preprocess, load_data)


def _stamp(data: str) -> tuple[int, ...]:
    """Numbers that change with a file or folder of one's own; () for a published data set."""
    from pruning.data.readers import is_on_this_machine_alone, take_apart

    if is_on_this_machine_alone(data):
        with suppress(OSError, ValueError):
            found = os.stat(take_apart(data)[1])
            return found.st_mtime_ns, found.st_size, found.st_ino
    return ()


def check_images(data: str) -> None:
    """Raises InputError where images of one's own may not be opened for this visitor. Then nothing was looked for."""
    from pruning.data.readers import check_visitor, take_apart

    kind, path, _ = take_apart(data)
    if kind == "file":
        _check_code(path)
    if not visitor.is_owner() and not permits.holds_images(data):
        check_visitor(data)
