"""Work in other processes, followed on pages: each look reads only what is new, for all sessions together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.waiting import wait_asleep
from pruning.base.words import duration, ordinal
from pruning.jobs.wishes import OWNER
from ui.kit import errors, visitor

if TYPE_CHECKING:
    from pruning.jobs.follower import Follower
    from pruning.jobs.job import Job
    from pruning.jobs.queue.line import Place
    from pruning.jobs.status import Status


def follow(job: Job) -> Follower:
    """The one who follows a job, shared by all sessions."""
    return _follower(repr(job), job)


def keep() -> None:
    """Look after the processes that carry jobs out, as long as this server lives: what was killed is replaced, and what
    an earlier server left in line is done."""
    from pruning.jobs.queue import pool
    from pruning.jobs.queue.local import local_line

    wait_asleep()
    pool.keep(local_line())


def waiting_words(now: Status) -> str:
    """What somebody reads who waits for a turn: '3rd of 12 · starts in about 2 min'; '' where there is nothing to say
    but what the job says itself."""
    return "" if now.place is None or now.place.seconds <= 0 else _place_words(now.place)


def outlook_words() -> str:
    """The same for a job that this visitor would ask for now; '' where it would begin at once."""
    from pruning.jobs.queue.local import local_line

    with errors.shown(stop=False):
        place = local_line().outlook(visitor.current())
        return "" if place is None else _place_words(place)
    return ""


def _place_words(place: Place) -> str:
    about = f"starts in about {duration(max(place.seconds, 1.0))}"
    if place.visitors < 2 and visitor.current() == OWNER:
        return f"waits for other work on this machine · {about} ○"
    return f"{ordinal(place.number)} of {place.of} · {about} ○"


def cancel_of(job: Job) -> Callable[[], None] | None:
    """What takes back this visitor's wish for a job; None where it is others' alone."""
    return partial(job.request_cancel, visitor.current()) if visitor.owns_job(job.store) else None


def bar(
    now: Status,
    request_cancel: Callable[[], None] | None,
    *,
    key: str,
    share: float | None = None,
    text: str = "",
    cancel: str = "Cancel",
    cancelling: str = "Cancelling",
) -> None:
    """How far work is, and the button that asks it to stop; none where `request_cancel` is None, as for the work of
    others. `share` and `text`: what a page knows better than the work's own words, `text` in Markdown. `key`: of the
    button."""
    place, button = st.columns([6, 1], vertical_alignment="center")
    known = now.share if share is None else share
    words = waiting_words(now) or text
    place.progress(min(max(known or 0.0, 0.0), 1.0), _capitalised(words) or errors.plain(now.text))
    if request_cancel is None:
        return
    button.button(
        cancelling if now.is_cancelling else cancel,
        key=key,
        disabled=now.is_cancelling,
        width="stretch",
        on_click=_cancel,
        args=(request_cancel,),
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cancel(request_cancel: Callable[[], None]) -> None:
    try:
        request_cancel()
    except errors.PruningError as error:
        st.toast(errors.plain(str(error)), icon=":material/error:")


@st.cache_resource(show_spinner=False, max_entries=300)
def _follower(name: str, _job: Job) -> Follower:
    from pruning.jobs.follower import Follower

    return Follower(_job)
