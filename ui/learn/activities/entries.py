"""The Lab's entries on the page: this browser's own runs that meet a challenge's limit, and how they compare."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import interval, percent
from pruning.latency import turns
from pruning.lessons.challenge import BATCH, Challenge, Entry, entries_of, is_tie, ranked, what_goes
from pruning.render.markup.bars import accuracy_bar
from pruning.spec import PruneSpec
from ui.kit import lab, loaders
from ui.learn import bars, progress

if TYPE_CHECKING:
    from pruning.subject import Subject
    from pruning.training.evaluate import Evaluation
    from ui.learn.stage import Stage


def challenge_of(stage: Stage, task: str) -> Challenge:
    """What the lesson asks of everybody."""
    return Challenge(
        network=stage.value("network"),
        data=stage.value("data"),
        task=task,
        limit=stage.value(f"{task}_limit") / 100,
        steps=stage.subject().info.steps_of(stage.value("epochs"), BATCH),
    )


def share_left(stage: Stage, task: str, cut: PruneSpec) -> float:
    """What a cut leaves of what the challenge counts."""
    subject = stage.subject()
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    return now.nonzero / dense.nonzero if task == "weights" else now.macs / dense.macs


def mine(stage: Stage, challenge: Challenge) -> list[Entry]:
    """This browser's runs that take part, oldest first; equal ones once."""
    return entries_of(
        progress.get("runs"),
        challenge,
        lambda cut: share_left(stage, challenge.task, cut),
        lambda cut: removed(stage, cut),
    )


def removed(stage: Stage, cut: PruneSpec) -> str:
    """Names what a cut removes, whatever asked for it."""
    subject = stage.subject()
    return _what_goes(subject.digest, cut.digest, subject, cut)


def name_of(stage: Stage, entry: Entry) -> str:
    """What an entry is called."""
    return stage.say("entry", number=entry.number)


def how_far(stage: Stage, entry: Entry) -> tuple[float, str]:
    """How far an entry has come, as a share and in words; once it is trained, with its accuracy."""
    from pruning.runs import progress as run_progress
    from pruning.runs import read_run

    run = read_run(entry.path)
    events = run.events()
    share, _ = run_progress.progress(run.state, events)
    last = events.last
    if last.get("stage") == "finetune":
        said = stage.say("training", step=last["step"], steps=last["steps"])
    elif events.stages and events.stages[-1]["stage"] == "finetuned":
        ended = events.stages[-1]
        span = interval(tuple(ended["accuracy_interval"]))
        said = stage.say("trained", accuracy=percent(ended["accuracy"]), span=span)
    else:
        said = stage.say("starting" if last.get("stage") in (None, "open", "wait") else "cutting")
    return share, f"**{name_of(stage, entry)}.** {said}"


def measured(stage: Stage, done: list[Entry]) -> list[Entry]:
    """Finished entries, the best first, each measured on the same select images."""
    found = []
    for entry in done:
        subject = loaders.open_subject(f"run:{entry.path}", stage.value("data"))
        found.append(replace(entry, evaluation=_on_select(subject.digest, subject.data.digest, subject)))
    return ranked(found)


def draw(stage: Stage, task: str, entries: list[Entry]) -> None:
    """The list, and in words how far the entries can be told apart."""
    first = entries[0].evaluation
    assert first is not None
    st.markdown(stage.say("list", images=f"{first.images:,}"))
    bars.show(
        st.empty(),
        [
            accuracy_bar(name_of(stage, entry), entry.evaluation, badge="tuned",
                          note=stage.say(f"left_{task}", share=percent(entry.share)))
            for entry in entries
        ],
        name=stage.say("list", images=f"{first.images:,}"),
    )  # fmt: skip
    if len(entries) == 1:
        st.markdown(stage.say("one"))
        return
    for entry in entries[1:]:
        assert entry.against is not None
        words = ("tie" if is_tie(entry.against) else "behind") if stage.may_judge else "apart"
        said = stage.say(words, difference=first.metric.signed(entry.against.value),
                         span=first.metric.signed_span(entry.against.interval))  # fmt: skip
        st.markdown(f"**{name_of(stage, entry)}:** {said}")
    ties = sum(is_tie(entry.against) for entry in entries[1:] if entry.against)
    if not stage.may_judge:
        st.markdown(stage.say("look"))
    elif ties:
        st.markdown(stage.say("several_tie", count=ties, images=f"{first.images:,}"))
    else:
        st.markdown(stage.say("several_clear", name=name_of(stage, entries[0])))
    st.caption(stage.say("looks", count=len(entries)))


@st.cache_data(show_spinner=False, max_entries=500)
def _what_goes(digest: str, key: str, _subject: Subject, _cut: PruneSpec) -> str:
    return what_goes(lab.plan(_subject, _cut))


@st.cache_data(show_spinner=False, max_entries=200)
def _on_select(digest: str, data_digest: str, _subject: Subject) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with turns.computing():
        return evaluate(_subject.model, _subject.data, "select")
