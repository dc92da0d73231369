"""Who looks at the pages: the owner of the machine, where the app serves it alone; else a visitor with a cookie.

The cookie is set by the server (`pruning.visitors.web`) and read by nothing but it. Files and pages know a visitor by
a name that follows from it, or, after a nickname and its PIN were given, by the name that these stand for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.files import cache_dir
from pruning.jobs.store import LocalStore, Store
from pruning.jobs.wishes import OWNER, has_wish, owners
from pruning.visitors.identity import COOKIE, is_secret, new_visitor, visitor_of
from pruning.visitors.nicknames import Nicknames
from ui.kit import place

if TYPE_CHECKING:
    pass

_HERE = "visitor_here"
"""What this session calls a browser that keeps no cookies."""
_LAST = "visitor_last"
"""Who sat here when the page was last drawn."""


def current() -> str:
    """Whose pages these are: OWNER where the app serves this machine alone, else the visitor's name.

    Raises:
        StorageError: the folder with nicknames cannot be read.
    """
    return OWNER if place.is_loopback() else nicknames().at_browser(browser())


def browser() -> str:
    """What the browser is called: a name that follows from its cookie; without one, from this session alone."""
    secret = st.context.cookies.get(COOKIE)
    if isinstance(secret, str) and is_secret(secret):
        return visitor_of(secret)
    name: str = st.session_state.setdefault(_HERE, new_visitor())
    return name


def is_owner() -> bool:
    """Whether it is the owner of the machine, to whom nothing of visitors is shown."""
    return place.is_loopback()


def check() -> None:
    """Before a page is drawn: where somebody else sits at the browser than a moment ago, nothing of the session is
    left to them."""
    now = current()
    if now != OWNER and st.session_state.get(_LAST, now) not in (now, OWNER):
        start_anew()
    st.session_state[_LAST] = now


def start_anew() -> None:
    """Forget everything that this session has chosen, done and shown; its address, too."""
    st.session_state.clear()
    st.query_params.clear()


def owns(job: Path) -> bool:
    """Whether the visitor asked for the work in a folder, and so sees it in lists, may cancel it and go on with it. The
    owner of the machine owns all.

    Raises:
        StorageError: the folder cannot be read.
    """
    return owns_job(LocalStore.at(job))


def owns_job(job: Store) -> bool:
    """As `owns`, for the store of a job."""
    visitor = current()
    return visitor == OWNER or has_wish(job, visitor) or visitor in owners(job)


@st.cache_resource(show_spinner=False)
def nicknames() -> Nicknames:
    """Those of this server."""
    return Nicknames.at(cache_dir() / "visitors")
