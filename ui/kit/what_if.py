"""What-if on pages: engines for all sessions, the lane in which they take turns, and known answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import streamlit as st

from pruning.spec import PruneSpec
from ui.kit import lab, loaders, visitor

if TYPE_CHECKING:
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from pruning.whatif import Measured, WhatIf
    from pruning.whatif.engines import Engines
    from pruning.whatif.known import Answers
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
    """Figures of a cut on more and more images: at once the last ones where they are known already, those of a session
    that asked the same as they come, else measured in turn with the others. This session's next question ends it.

    Raises:
        InputError: the cut is not allowed.
    """

    return _follow(subject, cut, repaired=False)


def follow_repaired(subject: Subject, cut: PruneSpec, *, patience: float | None = None) -> Iterator[Measured]:
    """The same of what a coarse repair gives. `patience`: it is measured when nobody asks anything else, and that is
    waited for so many seconds; None: in turn with the others.

    Raises:
        InputError: the cut is not allowed, or the network cannot be refitted.
        Overtaken: others have asked all the while.
    """

    return _follow(subject, cut, repaired=True, patience=patience)


def _follow(subject: Subject, cut: PruneSpec, *, repaired: bool, patience: float | None = None) -> Iterator[Measured]:
    def ask() -> Iterator[Measured]:
        return lane().follow(
            engine(subject),
            lab.plan(subject, cut),
            asker=_session(),
            visitor=visitor.current() or None,
            cancel=loaders.asked_to_stop,
            repaired=repaired,
            patience=patience,
        )

    key = _key_of_repaired(subject, cut) if repaired else (subject.identity, subject.data.digest, cut.digest)
    return _answers().follow(key, ask, loaders.asked_to_stop)


def dense(subject: Subject) -> Evaluation:
    """The dense network on the images of what-if."""
    *_, last = follow(subject, PruneSpec())
    assert last.as_cut is not None, "engines of pages measure it"
    return last.as_cut


def repaired(subject: Subject, cut: PruneSpec) -> Evaluation | None:
    """What a coarse repair gives on all images of what-if; None where the network cannot be refitted.

    Raises:
        InputError: the cut is not allowed.
    """
    if not engine(subject).repairs:
        return None
    *_, last = follow_repaired(subject, cut)
    return last.repaired


def known_repaired(subject: Subject, cut: PruneSpec) -> Measured | None:
    """The answer to that, where it is known already."""
    return _answers().get(_key_of_repaired(subject, cut))


def _key_of_repaired(subject: Subject, cut: PruneSpec) -> tuple[str, str, str]:
    return (subject.identity, subject.data.digest, f"{cut.digest} repaired")


@contextmanager
def turn(engine: object) -> Iterator[Callable[[], bool]]:
    """A long step of any kind on an engine, after everybody's questions. What it gives is to be called again and again
    within the step: others go first then, and it ends where this session has asked something else."""
    with lane().turn(
        engine, asker=_session(), visitor=visitor.current() or None, cancel=loaders.asked_to_stop
    ) as question:
        question.urgent, question.last = False, True
        yield question.give_way


def is_idle() -> bool:
    """Whether nobody waits for a job on this machine."""
    from pruning.jobs.queue.local import local_line

    return not local_line().waiting()


@st.cache_resource(show_spinner=False)
def lane() -> Lane:
    """The lane of this process: a step for each processor core, but for one network one at a time."""
    from pruning.jobs.queue.local import cores
    from pruning.whatif.lane import Lane

    return Lane(max(2, cores()))


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


@st.cache_resource(show_spinner=False)
def _answers() -> Answers:
    from pruning.whatif.known import Answers

    return Answers(REMEMBERED)
