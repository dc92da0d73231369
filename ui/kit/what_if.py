"""What-if on pages: engines for all sessions, the lane in which they take turns, and known answers."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import lab, loaders

if TYPE_CHECKING:
    from pruning.spec import PruneSpec
    from pruning.subject import Subject
    from pruning.whatif import Measured, WhatIf
    from pruning.whatif.engines import Engines
    from pruning.whatif.lane import Lane

IMAGES = 2000
"""Select images that an answer rests on in the end."""
REMEMBERED = 2000
"""Plans whose answers are kept."""
ENGINES = 6
"""Networks, each with its images, of which there is an engine."""
KEPT_BYTES = 2**30
"""That they keep together between questions."""


def engine(subject: Subject) -> WhatIf:
    """The engine of a network with its images."""
    return _engines().get((subject.identity, subject.data.digest), lambda: _made(subject))


def follow(subject: Subject, cut: PruneSpec) -> Iterator[Measured]:
    """Figures of a cut on more and more images: at once the last ones where they are known already, else measured in
    turn with the other sessions. This session's next question ends it.

    Raises:
        InputError: the cut is not allowed.
    """
    known, key = _answers(), (subject.identity, subject.data.digest, cut.digest)
    found = known.get(key)
    if found is not None:
        yield found
        return
    steps = lane().follow(engine(subject), lab.plan(subject, cut), asker=_session(), cancel=loaders.asked_to_stop)
    for measured in steps:
        if measured.complete:
            known.put(key, measured)
        now = known.get(key) or measured  # perhaps another session asked the same
        yield now
        if now.complete:
            return


@st.cache_resource(show_spinner=False)
def lane() -> Lane:
    """The lane of this process: a step for each processor core, but for one network one at a time."""
    from pruning.whatif.lane import Lane

    return Lane(max(2, len(os.sched_getaffinity(0))))


@st.cache_resource(show_spinner=False)
def _engines() -> Engines:
    from pruning.whatif.engines import Engines

    return Engines(most=ENGINES, budget_bytes=KEPT_BYTES)


def _made(subject: Subject) -> WhatIf:
    from pruning.whatif import WhatIf

    with lane().turn(object(), asker=_session()):
        return WhatIf(subject.model, subject.graph, subject.data, images=IMAGES)


def _session() -> str:
    """Whose next question ends the one before."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return context.session_id if context is not None else ""


class Answers:
    """The last answers, by what was asked; safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, ...], Measured] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, ...]) -> Measured | None:
        """The answer, where it is known."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, ...], measured: Measured) -> None:
        """Keep an answer; the one that was asked for longest ago goes."""
        with self._lock:
            self._kept[key] = measured
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _answers() -> Answers:
    return Answers(REMEMBERED)
