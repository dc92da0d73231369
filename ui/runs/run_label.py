"""A run's name, tags and note, each visitor's own; and deleting it, which can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, state, visitor

if TYPE_CHECKING:
    from pruning.runs import Run
    from pruning.runs.labels import Label

CHOSEN = "tradeoff_run"
"""Name of the run whose details are shown."""
_DELETED = "runs_deleted"
"""What was deleted last, for its Undo."""
_REFUSED = "runs_refused"
"""Why something was not done."""
state.DEFAULTS.update({CHOSEN: None})


def show(label: Label) -> None:
    """Tags and note, where there are any."""
    if label.tags:
        st.markdown(" ".join(f":gray-badge[{errors.plain(tag)}]" for tag in label.tags))
    if label.note:
        st.markdown(errors.plain(label.note))


def offer(run: Run, label: Label) -> None:
    """A button that opens what can be written about a run."""
    from pruning.runs import labels

    with (
        st.popover("Name", icon=":material/label:", key="label_run", help="Give it a name, tags and a note."),
        st.form(f"label_{run.name}", border=False),
    ):
        st.text_input(
            "Name", label.title, max_chars=labels.LONGEST_TITLE, placeholder="In your words",
            key=f"label_title_{run.name}",
        )  # fmt: skip
        st.text_input(
            "Tags", " ".join(label.tags), max_chars=labels.MOST_TAGS * (labels.LONGEST_TAG + 1),
            placeholder="small fast", help="Single words; the list of runs can be filtered by them.",
            key=f"label_tags_{run.name}",
        )  # fmt: skip
        st.text_area("Note", label.note, max_chars=labels.LONGEST_NOTE, key=f"label_note_{run.name}")
        st.form_submit_button("Save", type="primary", key=f"label_save_{run.name}", on_click=_save, args=(run.name,))


def _save(name: str) -> None:
    """The button: keep what stands in the form, or why it cannot be kept."""
    from pruning.runs.index.index import index_of
    from pruning.runs.labels import Label

    typed = {what: st.session_state[f"label_{what}_{name}"] for what in ("title", "tags", "note")}
    st.session_state.pop(_REFUSED, None)
    try:
        index_of().label(name, Label.of(**typed), visitor.current())
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)


def delete(path: Path) -> None:
    """Delete a run; what was deleted is kept for `offer_undo`, and why it was not is said there."""
    from pruning.runs.index.index import index_of
    from pruning.runs.trash import delete_run

    st.session_state.pop(_REFUSED, None)
    try:
        st.session_state[_DELETED] = delete_run(path, visitor.current())
        index_of().reread(path.name)
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)


def offer_undo() -> None:
    """After a deletion: what was deleted, and the button that brings it back."""
    refused, deleted = st.session_state.get(_REFUSED), st.session_state.get(_DELETED)
    if refused:
        st.error(errors.plain(refused), icon=":material/error:")
    if deleted is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="deleted_run"):
        st.markdown(f":material/delete: {errors.plain(deleted.name)} is deleted.", width="stretch")
        st.button("Undo", key="undo_delete", icon=":material/undo:", on_click=_undo)
        st.button("Close", key="close_delete", type="tertiary", on_click=_forget)


def _undo() -> None:
    from pruning.runs import default_runs_dir
    from pruning.runs.index.index import index_of
    from pruning.runs.trash import undo

    deleted = st.session_state.pop(_DELETED)
    st.session_state.pop(_REFUSED, None)
    try:
        path = undo(deleted, default_runs_dir())
        index_of().reread(path.name)
        state.put(CHOSEN, path.name)
    except errors.PruningError as error:
        st.session_state[_REFUSED] = str(error)


def _forget() -> None:
    for key in (_DELETED, _REFUSED):
        st.session_state.pop(key, None)
