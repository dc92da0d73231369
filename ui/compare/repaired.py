"""What a repair without training gave the second network: of all select images, and class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.render.markup import result as markup
from ui.kit import charts, errors

if TYPE_CHECKING:
    from pruning.compare.repaired import RepairGain
    from pruning.compare.sides import Pair


def show(pair: Pair) -> None:
    """The stages of the run, who gained, and who still loses."""
    from pruning.compare import repaired_words as words
    from pruning.compare.repaired import repair_gain, was_repaired
    from pruning.runs.repair_words import in_short

    run = pair.after.run
    assert run is not None and run.result is not None, "the second network is that of a finished run"
    result, note = run.result, run.result.stages.repair
    if note is None or not was_repaired(result):
        st.info(words.not_repaired(result), icon=":material/info:")
        return
    st.markdown("### What repair gave")
    found = repair_gain(run, pair.after.subject.info.classes)
    if found is not None:
        st.markdown(f"**{errors.plain(words.headline(found))}**")
    st.markdown(errors.plain(in_short(note)))
    st.html(markup.stages_html(result))
    if found is None:
        st.info(words.OLDER, icon=":material/info:")
    elif not found.classes:
        st.info(words.NO_CLASSES, icon=":material/info:")
    else:
        _by_class(found)


def _by_class(found: RepairGain) -> None:
    from pruning.compare import repaired_words as words
    from pruning.render.figures import repaired as plots
    from pruning.render.markup import repair_table

    st.markdown("### Class by class")
    st.markdown(errors.plain(words.who_gained(found)))
    st.markdown(errors.plain(words.who_still_loses(found)))
    count = len(found.classes)
    charts.show(
        st,
        plots.classes_repaired(found, charts.dark()),
        key="compare_repaired",
        caption=words.how_to_read(found) + words.drawn(found, plots.MOST),
        alt=f"Accuracy of {min(count, plots.MOST)} classes as cut and repaired: the table has each",
    )
    st.html(repair_table.html(found))
