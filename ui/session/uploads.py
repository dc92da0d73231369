"""Files that visitors send: taken one at a time, kept on disk, looked at by a process with limits, and then theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.settings import settings
from pruning.visitors.bodies import LIMITS
from ui.kit import errors, permits
from ui.session import slot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruning.uploads.spool import Kind, Upload

_TURN = "uploads_turn"
"""Kind of the file that this session is about to send."""
_ROUND = "uploads_round"
"""How many files it has sent: a new uploader each time, so that the old file leaves the memory."""
_REFUSED = "uploads_refused"
_BUSY = "uploads_busy"
"""That it was somebody else's turn."""
BUSY = "Somebody else is sending a file just now, and the server takes one at a time: try again in a moment."


def offer(
    kind: Kind,
    label: str,
    reference_of: Callable[[Upload], str],
    accepted: Callable[[str, Upload, Mapping[str, Any]], None],
) -> None:
    """A button that asks for a turn, and then the place to drop a file.

    `reference_of`: how a kept file is opened, raises InputError where that cannot be; `accepted`: called with the
    reference, the file and what was found, once it was looked at.
    """
    from pruning.uploads.spool import SUFFIXES

    largest = getattr(settings().uploads, f"largest_{kind}_mb")
    if not largest:
        st.caption(f"This server takes no {kind}: its owner has set their size to 0.")
        return
    if st.session_state.get(_TURN) != kind:
        st.button(
            label, icon=":material/upload_file:", key=f"upload_{kind}_begin", type="primary", on_click=_begin,
            args=(kind,),
        )  # fmt: skip
        if st.session_state.pop(_BUSY, False):
            st.info(BUSY, icon=":material/hourglass_empty:")
    elif not slot.take():
        st.session_state[_TURN] = None
        st.info(BUSY, icon=":material/hourglass_empty:")
    else:
        LIMITS.grant(slot.session(), largest * 2**20)
        place = st.empty()
        key = f"upload_{kind}_{st.session_state.get(_ROUND, 0)}"
        file = place.file_uploader(
            f"{', '.join(SUFFIXES[kind])}; at most {largest:,} MB",
            type=[*SUFFIXES[kind], *([".pt2"] if kind == "weights" else [])],
            max_upload_size=largest,
            key=key,
        )
        if file is not None:
            st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
            st.session_state[_TURN] = None
            try:
                _take(kind, file, largest, reference_of, accepted)
            except errors.PruningError as error:
                st.session_state[_REFUSED] = (kind, str(error))
            finally:
                _give_up()
            st.rerun()
    refused = st.session_state.get(_REFUSED)
    if refused and refused[0] == kind:
        st.error(errors.plain(refused[1]), icon=":material/error:")
    if kind == "bundles":
        return
    st.caption(
        f"Kept on this server for {settings().uploads.hours:g} hours after it was last used, for this browser alone; "
        "with a run that uses it, as long as the run."
    )


def _begin(kind: Kind) -> None:
    st.session_state.pop(_REFUSED, None)
    st.session_state[_BUSY] = not slot.take()
    if not st.session_state[_BUSY]:
        st.session_state[_TURN] = kind


def leave() -> None:
    """The panel is closed: the turn is the next one's, and nothing is said any more of the last file."""
    _give_up()
    for key in (_TURN, _REFUSED):
        st.session_state.pop(key, None)


def _give_up() -> None:
    """The turn is the next one's, and no more than a small file is taken from this session."""
    slot.give_up()
    LIMITS.withdraw(slot.session())


def _take(
    kind: Kind,
    file: Any,
    largest: int,
    reference_of: Callable[[Upload], str],
    accepted: Callable[[str, Upload, Mapping[str, Any]], None],
) -> None:
    from pruning.uploads import check, spool

    limits = settings().uploads
    st.session_state.pop(_REFUSED, None)
    with st.spinner(f"Looking at {errors.plain(file.name)}"):
        upload = spool.keep(limits.folder, file, file.name, kind, largest * 2**20)
        file.close()
        try:
            reference = reference_of(upload)
            found = check.check(kind, reference, limits)
        except errors.PruningError as error:
            spool.forget(upload)
            words = str(error).replace(str(upload.path), upload.title)  # where it lay is nobody's business
            raise type(error)(words) from error
        except BaseException:
            spool.forget(upload)
            raise
        permits.allow(reference, upload.title)
        accepted(reference, upload, found)


def tidy() -> None:
    """Delete what nobody has used for long, and runs that were deleted long ago; looked at each half hour, for all
    sessions."""
    _tidied()


@st.cache_resource(show_spinner=False, ttl=1800)
def _tidied() -> bool:
    from pruning.runs import default_runs_dir
    from pruning.runs.quota import purge_old
    from pruning.uploads import spool

    limits = settings().uploads
    with suppress(errors.PruningError):
        purge_old(default_runs_dir())
    if limits.folder.is_dir():
        spool.sweep(limits.folder, limits.hours, lambda: _in_use(limits.folder))
    return True


def touch(*references: str) -> None:
    """What is on show was opened just now: kept for longer."""
    from pruning.uploads import spool

    for reference in references:
        spool.touch(reference, settings().uploads.folder)


def _in_use(folder: Any) -> Iterator[str]:
    """Random names of uploads that runs name."""
    from pruning.runs.trash import named_references
    from pruning.uploads import spool

    numbers = (spool.number_in(reference, folder) for reference in named_references())
    return (number for number in numbers if number is not None)
