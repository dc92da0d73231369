"""The bundle of a finished run: what goes along, its making in a process of its own, and the file."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import errors, jobs, state, visitor

if TYPE_CHECKING:
    from pruning.export.bundle.start import Options
    from pruning.runs import Run

IMAGES = 8
"""That go along as samples where somebody agrees."""
_SAMPLES = "bundle_samples"
state.DEFAULTS.update({_SAMPLES: False})


def offer(run: Run, key: str = "") -> None:
    """A button that opens the making of a bundle; `key` tells several on one page apart."""
    with st.popover("Bundle", icon=":material/package_2:", key=f"{key}bundle"):
        st.markdown("**To take away:** the pruned network for PyTorch and ONNX, each form proven to work without this.")
        working = False
        with suppress(errors.PruningError):  # said below
            from pruning.export.bundle.start import job_of

            working = job_of(run.path, _options()).is_working
        st.fragment(_making, run_every=1.0 if working else None)(run, key, working)


def _options() -> Options:
    from pruning.export.bundle.start import Options

    # Python files of the owner's are not for visitors
    return Options(images=IMAGES if state.get(_SAMPLES) else 0, code=visitor.is_owner())


def _making(run: Run, key: str, working: bool) -> None:
    from pruning.export.bundle.start import BUNDLE, job_of, read_bundle, start
    from pruning.export.record import Source
    from pruning.export.table import EXPORTS

    st.checkbox(
        f"With {IMAGES} of the images, as samples",
        help="Leave it out where the images must not leave this machine.",
        disabled=working,
        **state.bound(_SAMPLES),
    )
    with errors.shown(stop=False):
        options = _options()
        job = job_of(run.path, options)
        now = jobs.follow(job).status()
        if working != (now is not None and now.is_working):
            st.rerun()  # the page starts or stops the timer
        if now is not None and now.is_working:
            jobs.bar(now, jobs.cancel_of(job), key=f"{key}bundle_cancel")
            return
        if now is not None and now.state == "failed":
            st.error(errors.plain(now.text), icon=":material/error:")
        done = job.file(BUNDLE) is not None
        with st.container(horizontal=True, gap="small"):
            if done:
                st.download_button(
                    "Download bundle",
                    lambda: read_bundle(run.path, options) or b"",
                    file_name=EXPORTS["bundle"].file_for(Source.of(run)),
                    mime=EXPORTS["bundle"].media_type,
                    on_click="ignore",
                    icon=":material/download:",
                    type="primary",
                    key=f"{key}bundle_file",
                )
            if st.button(
                "Make it again" if done else "Make the bundle",
                type="secondary" if done else "primary",
                key=f"{key}bundle_make",
                help="Makes each form and proves it: about half a minute for a small network.",
            ):
                start(run.path, options, visitor=visitor.current())
                st.rerun()
