"""Times on the Prune page: of a whole cut, measured when asked for; and of each layer against its width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import threads
from ui.kit import errors, jobs, lab
from ui.kit.numbers import time_tile
from ui.kit.tiles import Number

if TYPE_CHECKING:
    from pruning.jobs.job import Job
    from pruning.jobs.status import Status
    from pruning.latency.clock import Comparison
    from pruning.latency.steps import Steps
    from pruning.opening.models import OpenModel
    from pruning.runs.result import Result
    from pruning.spec import PruneSpec
    from ui.session.chosen import Chosen

_TIMES = "prune_times"
"""(digest of the weights, key of the cut) → comparison, or why there is none; measured on demand."""


def measure(chosen: Chosen, cut: PruneSpec) -> None:
    """Time a cut against dense, batch 1, about two seconds; kept for the session."""
    from pruning.base.errors import PruningError

    key = _key_of(chosen, cut)
    try:
        _times()[key] = lab.speed(chosen.opened, cut, 1, 1.2, chosen.images_for(cut))
    except PruningError as error:  # a run is training on this machine
        _times()[key] = str(error)


def known(chosen: Chosen, cut: PruneSpec, result: Result | None) -> Number | None:
    """The time of this cut: from the result of a run of it, else as it was measured; None where it was not."""
    speedup = None if result is None else result.speedup()
    if result is not None and speedup is not None:
        several = f"{speedup.low:.2f}–{speedup.high:.2f}×, {threads(result.threads)}"
        words = speedup.words if result.threads == 1 else several  # one thread: as the tile's title says
        return Number(f"{speedup.middle:.2f}×" if speedup.shows else "≈ 1×", "measured", words)
    timing = _times().get(_key_of(chosen, cut))
    return time_tile(1, timing).numbers[0] if timing is not None else None


def timing(chosen: Chosen, cut: PruneSpec) -> Comparison | None:
    """The cut against dense as it was measured in this session, if it was."""
    found = _times().get(_key_of(chosen, cut))
    return None if isinstance(found, str) else found


@dataclass(frozen=True, kw_only=True)
class Widths:
    """Times of a network's layers against their widths on this machine, batch 1."""

    steps: Steps | None
    """None where they were not measured yet."""
    measuring: Status | None
    """How the last measurement stands, as long as it has not brought times; None where there was none."""

    @property
    def is_running(self) -> bool:
        return self.measuring is not None and self.measuring.is_working


def widths(opened: OpenModel) -> Widths:
    """What is known of the layers' times; reads them only where they have changed."""
    from pruning.base.errors import StorageError
    from pruning.latency.cache import STEPS

    job = _job(opened)
    try:
        file = job.file(STEPS)
        steps = None if file is None else _steps(opened.digest, file.sha256, opened)
    except StorageError:  # damaged: measuring again writes it anew
        steps = None
    return Widths(steps=steps, measuring=jobs.follow(job).status() if steps is None else None)


def start_widths(opened: OpenModel) -> None:
    """Begin to time all layers in a process of its own.

    Raises:
        StorageError: it cannot be started.
    """
    from pruning.latency.start import start_profile

    if not widths(opened).is_running:
        start_profile(opened.ref, opened.graph, 1)


def follow_widths(opened: OpenModel) -> None:
    """How far the timing of layers is, with a way to stop it; nothing where none is under way."""
    if widths(opened).is_running:
        st.fragment(_progress, run_every=1.0)(opened)


def _progress(opened: OpenModel) -> None:
    now = widths(opened)
    if not now.is_running or now.measuring is None:
        st.rerun()
    text = f"Timing layers at their widths: {errors.plain(now.measuring.text)}"
    jobs.bar(now.measuring, _job(opened).request_cancel, key="cancel_widths", text=text)


def _job(opened: OpenModel) -> Job:
    from pruning.latency.cache import job_of

    return job_of(_key(opened.digest, opened))


@st.cache_resource(show_spinner=False, max_entries=64)
def _key(digest: str, _opened: OpenModel) -> str:
    from pruning.latency.cache import steps_key

    return steps_key(_opened.graph, 1)


@st.cache_resource(show_spinner=False, max_entries=16)
def _steps(digest: str, sha256: str, _opened: OpenModel) -> Steps | None:
    from pruning.latency.cache import read_steps

    return read_steps(_key(digest, _opened))


def _key_of(chosen: Chosen, cut: PruneSpec) -> tuple[str, str]:
    """Names a cut of a network among the times."""
    return chosen.opened.digest, lab.key(cut, chosen.images_for(cut))


def _times() -> dict[tuple[str, str], Comparison | str]:
    found: dict[tuple[str, str], Comparison | str] = st.session_state.setdefault(_TIMES, {})
    return found
