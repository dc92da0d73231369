"""Show an error meant for people as one sentence, and nothing as a traceback. Where others can reach the server, files
in a sentence stand by their names alone."""

from __future__ import annotations

import functools
import logging
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import streamlit as st

from pruning.base.errors import Cancelled, PruningError
from pruning.base.files import cache_dir
from pruning.render import markdown
from pruning.settings import settings
from pruning.visitors.discretion import names_only
from ui.kit import place

__all__ = ["PruningError", "hidden", "plain", "seen", "shown", "unexpected"]

LOG = logging.getLogger("pruning.app")


@contextmanager
def shown(*, stop: bool = True) -> Iterator[None]:
    """Show a `PruningError` raised inside as one sentence; then end this run of the page, unless `stop` is False."""
    try:
        yield
    except Cancelled as error:
        st.info(plain(str(error)), icon=":material/cancel:")
        if stop:
            st.stop()
    except PruningError as error:
        st.error(plain(str(error)), icon=":material/error:")
        if stop:
            st.stop()


def unexpected(error: Exception) -> bool:
    """Show that the explorer itself is at fault, with a number under which the log has the traceback. What Streamlit
    calls for whatever nobody caught; True: it shows nothing of its own."""
    number = secrets.token_hex(4)
    LOG.error("%s: %s", number, type(error).__name__, exc_info=error)
    st.error(
        f"This went wrong, and it is not your fault: try it again, or another way. The server's log has the reason "
        f"under **{number}**.",
        icon=":material/error:",
    )
    return True


def plain(text: str) -> str:
    """Text that Markdown shows as it is, for this visitor's eyes."""
    return markdown.plain(seen(text))


def seen(text: str) -> str:
    """A text as this visitor may see it: on their own machine as it is, elsewhere without the server's folders."""
    return text if place.is_loopback() else hidden(text)


def hidden(text: str) -> str:
    """A text in which the server's files stand by their names alone."""
    return names_only(text, _roots(*(os.environ.get(name) for name in ("PRUNING_CACHE", "PRUNING_RUNS"))))


@functools.lru_cache(maxsize=4)
def _roots(*given: str | None) -> list[Path]:
    """Folders of this server that sentences name. `given`: where the environment puts them."""
    found = [cache_dir(), Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(st.__file__).parents[1]]
    with suppress(PruningError):
        held = settings()
        found += [held.uploads.folder, *held.data.folders, *held.python.folders]
    with suppress(PruningError):
        from pruning.runs import default_runs_dir

        found.append(default_runs_dir())
    return found
