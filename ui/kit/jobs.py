"""Work in other processes, followed on pages: each look reads only what is new, for all sessions together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors

if TYPE_CHECKING:
    from pruning.jobs.follower import Follower
    from pruning.jobs.job import Job
    from pruning.jobs.status import Status


def follow(job: Job) -> Follower:
    """The one who follows a job, shared by all sessions."""
    return _follower(repr(job), job)


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
    others. `share` and `text`: what a page knows better than the
    work's own words, `text` in Markdown. `key`: of the button."""
    place, button = st.columns([6, 1], vertical_alignment="center")
    known = now.share if share is None else share
    place.progress(min(max(known or 0.0, 0.0), 1.0), text or errors.plain(now.text))
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


def _cancel(request_cancel: Callable[[], None]) -> None:
    try:
        request_cancel()
    except errors.PruningError as error:
        st.toast(errors.plain(str(error)), icon=":material/error:")


@st.cache_resource(show_spinner=False, max_entries=300)
def _follower(name: str, _job: Job) -> Follower:
    from pruning.jobs.follower import Follower

    return Follower(_job)
