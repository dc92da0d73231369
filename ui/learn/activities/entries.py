"""The Lab's entries: this browser's own runs that meet a challenge's limit, ranked on the same select images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import interval, percent
from pruning.granularity import Granularity
from pruning.latency import turns
from pruning.spec import PruneSpec
from ui.kit import lab, loaders
from ui.learn import bars, progress

if TYPE_CHECKING:
    from pruning.subject import Subject
    from pruning.tasks.metric import Difference
    from pruning.training.evaluate import Evaluation
    from ui.learn.stage import Stage


GRANULARITY: dict[str, Granularity] = {"weights": "weight", "macs": "channel"}
"""What each challenge removes."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One run of the learner's."""

    run: str
    path: Path
    name: str
    state: str
    share: float
    """Of weights or multiplications that are left."""
    ended_early: str = ""
    evaluation: Evaluation | None = None
    """On select images, after fine-tuning."""
    against: Difference | None = None
    """This one minus the leader, on the same images; None for the leader."""

    @property
    def is_working(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def is_done(self) -> bool:
        return self.state == "done"


def share(stage: Stage, task: str, cut: PruneSpec) -> float:
    """What a cut leaves of what the challenge counts."""
    subject = stage.subject()
    dense, now = lab.costs(subject, PruneSpec()), lab.costs(subject, cut)
    return now.nonzero / dense.nonzero if task == "weights" else now.macs / dense.macs


def mine(stage: Stage, task: str, limit: float) -> list[Entry]:
    """This browser's runs that belong to the challenge and meet its limit, oldest first.

    The names come from the browser, so each is looked up as a run and its recipe decides whether it belongs here.
    """
    from pruning.base.errors import PruningError
    from pruning.runs import default_runs_dir, read_run

    found: list[Entry] = []
    for name in progress.get("runs"):
        if Path(name).name != name or name.startswith("."):
            continue
        try:
            run = read_run(default_runs_dir() / name)
            recipe = run.recipe
            if (recipe.model, recipe.data) != (stage.value("network"), stage.value("data")):
                continue
            if recipe.prune.granularity != GRANULARITY[task] or recipe.finetune_steps != steps(stage):
                continue
            left = share(stage, task, recipe.prune)
        except PruningError:  # deleted meanwhile, or no run at all
            continue
        if left <= limit + 1e-9:
            early = run.message or run.state if run.state in ("failed", "cancelled") else ""
            found.append(Entry(run=name, path=run.path, name=stage.say("entry", number=len(found) + 1),
                               state=run.state, share=left, ended_early=early))  # fmt: skip
    return found


def steps(stage: Stage) -> int:
    """Training steps that everybody gets."""
    return stage.subject().info.steps_of(stage.value("epochs"), 64)


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
    return share, f"**{entry.name}.** {said}"


def ranked(stage: Stage, task: str, done: list[Entry]) -> list[Entry]:
    """Finished entries, the best first, each compared with it image by image."""
    measured = []
    for entry in done:
        subject = loaders.open_subject(f"run:{entry.path}", stage.value("data"))
        measured.append(replace(entry, evaluation=_on_select(subject.digest, subject.data.digest, subject)))
    measured.sort(key=lambda entry: entry.evaluation.value if entry.evaluation else 0.0, reverse=True)
    best = measured[0].evaluation
    assert best is not None
    return [measured[0], *(
        replace(entry, against=entry.evaluation.minus(best))
        for entry in measured[1:] if entry.evaluation is not None
    )]  # fmt: skip


def draw(stage: Stage, task: str, entries: list[Entry]) -> None:
    """The list, and in words how far the entries can be told apart."""
    first = entries[0].evaluation
    assert first is not None
    st.markdown(stage.say("list", images=f"{first.images:,}"))
    bars.show(
        st.empty(),
        [
            bars.accuracy(entry.name, entry.evaluation, badge="tuned",
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
        words = "tie" if is_tie(entry.against) else "behind"
        said = stage.say(words, difference=points(entry.against.value), span=span(entry.against))
        st.markdown(f"**{entry.name}:** {said}")
    ties = sum(is_tie(entry.against) for entry in entries[1:] if entry.against)
    if ties:
        st.markdown(stage.say("several_tie", count=ties, images=f"{first.images:,}"))
    else:
        st.markdown(stage.say("several_clear", name=entries[0].name))
    st.caption(stage.say("looks", count=len(entries)))


def is_tie(difference: Difference) -> bool:
    """Whether the interval of a difference holds zero."""
    return difference.interval[0] <= 0 <= difference.interval[1]


def points(value: float) -> str:
    """A difference in points: '−0.4'."""
    return f"{100 * value + 0.0:+.1f}".replace("-", "−")


def span(difference: Difference) -> str:
    """Its interval: '−1.0 to +0.2'."""
    return f"{points(difference.interval[0])} to {points(difference.interval[1])}"


@st.cache_data(show_spinner=False, max_entries=200)
def _on_select(digest: str, data_digest: str, _subject: Subject) -> Evaluation:
    from pruning.training.evaluate import evaluate

    with turns.computing():
        return evaluate(_subject.model, _subject.data, "select")
