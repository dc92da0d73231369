"""Races on this machine: one job a race, named by its terms, which tells each mark as it comes; so all visitors look at
the same one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, StorageError
from pruning.base.fields import Fields
from pruning.base.files import cache_dir
from pruning.contest.race import Finish, Lane, Mark, Race, Terms, line_up, race
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.queue.turn import turn
from pruning.jobs.work import Work
from pruning.runs.identity import request_digest
from pruning.subject import Subject
from pruning.tasks.metric import Metric

SCHEMA_VERSION = 1
FORMAT = 2
"""Of the events that are kept."""


def job_of(terms: Terms, identity: str, data_digest: str) -> Job:
    """The job that runs a race. `identity`: of its subject."""
    asked = {"form": FORMAT, **terms.to_values()}
    name = request_digest("contest", asked, weights=identity, data=data_digest)[:32]
    return Job.in_folder(cache_dir() / "contest" / name)


def read(job: Job, terms: Terms) -> Race:
    """The race as far as its last attempt came; before its start where there is none."""
    return replay(terms, Follower(job).last_events())


def hold(
    terms: Terms,
    subject: Subject,
    *,
    progress: Callable[[Race, str], None] | None = None,
    cancel: Cancel | None = None,
    work: Work | None = None,
) -> Race:
    """Run a race from its start, unless it was run already, telling it as it comes; nothing is timed beside it.

    `work`: of the attempt that this process was started for.

    Raises:
        InputError: another process runs the same one.
        StorageError: the cache cannot be written.
        Cancelled: `cancel()` became true, or it was asked to stop; what was run is shown until the next start.
    """
    job, tell = job_of(terms, subject.identity, subject.data.digest), progress or (lambda race, text: None)
    now = read(job, terms)
    if now.done:
        return now
    now = line_up(terms)
    with job.working(work) as work:
        work.supersedes = True
        stop = work.cancel_or(cancel)

        def say(text: str) -> None:
            work.say(text)
            tell(now, text)

        with turn("contest", stop, say):
            say("On their way")
            try:
                for later in race(terms, subject, cancel=stop):
                    for event in changes(now, later):
                        work.tell(event)
                    now = later
                    tell(now, "")
            except Cancelled as error:
                raise Cancelled("The race was stopped.") from error
    return now


def changes(before: Race, after: Race) -> Iterator[dict[str, Any]]:
    """The events that lead from one state of a race to a later one."""
    for number, (old, new) in enumerate(zip(before.lanes, after.lanes, strict=True)):
        for mark in new.marks[len(old.marks) :]:
            yield {"kind": "mark", "lane": number, **_mark_values(mark, after.terms.metric)}
        if new.finish is not None and old.finish is None:
            yield {"kind": "finish", "lane": number, **_finish_values(new.finish)}


def replay(terms: Terms, events: Iterable[dict[str, Any]]) -> Race:
    """The race that events lead to from its start; what is damaged counts for nothing."""
    now = line_up(terms)
    for event in events:
        try:
            now = _with(now, Fields(event, "an event of a race"))
        except StorageError:
            continue
    return now


def _with(now: Race, event: Fields) -> Race:
    number, metric = event.whole("lane", 0, len(now.lanes) - 1), now.terms.metric
    lane = now.lanes[number]
    if event.choice("kind", ("mark", "finish")) == "mark":
        lane = replace(lane, marks=(*lane.marks, _mark(event, lane, metric)))
    else:
        lane = replace(lane, finish=_finish(event, lane, metric))
    return replace(now, lanes=(*now.lanes[:number], lane, *now.lanes[number + 1 :]))


def to_json(found: Race) -> dict[str, Any]:
    """A race as JSON: terms, and each lane's marks and finish."""
    return {
        "schema_version": SCHEMA_VERSION,
        "terms": found.terms.to_values(),
        "lanes": [
            {
                "schedule": lane.schedule,
                "seed": lane.seed,
                "marks": [_mark_values(mark, found.terms.metric) for mark in lane.marks],
                "finish": None if lane.finish is None else _finish_values(lane.finish),
            }
            for lane in found.lanes
        ],
    }


def _mark_values(mark: Mark, metric: Metric) -> dict[str, Any]:
    own = {"metric": metric.name, metric.name: mark.value} if mark.correct is None else {"correct": mark.correct}
    return {"step": mark.step, **own, "images": mark.images, "after": mark.after}


def _finish_values(finish: Finish) -> dict[str, Any]:
    counts = finish.metric.counts
    own = {"right": "".join("01"[bool(score)] for score in finish.scores)} if counts else {"scores": [*finish.scores]}
    return {**own, "kept": finish.kept, "total": finish.total, "steps": finish.steps}


def _mark(said: Fields, lane: Lane, metric: Metric) -> Mark:
    images = said.whole("images", *((lane.marks[0].images,) * 2 if lane.marks else (1,)))
    correct = said.whole("correct", 0, images) if metric.counts else None
    after = said.choice("after", ("cut", "training"))
    return Mark(
        step=said.whole("step", lane.step),
        value=said.number(metric.name, *metric.bounds) if correct is None else correct / images,
        correct=correct,
        images=images,
        after="cut" if after == "cut" else "training",
    )


def _finish(said: Fields, lane: Lane, metric: Metric) -> Finish:
    images = lane.marks[0].images if lane.marks else 0
    scores: tuple[float, ...]
    if metric.counts:
        right = said.text("right")
        if not images or not set(right) <= {"0", "1"} or len(right) != images:
            said.refuse("right", "a 0 or 1 for each image")
        scores = tuple(answer == "1" for answer in right)
    else:
        scores = tuple(said.numbers("scores", images)) if images else said.refuse("scores", "of a lane with marks")
    total = said.whole("total", 0)
    return Finish(
        metric=metric, scores=scores, kept=said.whole("kept", 0, total), total=total, steps=said.whole("steps", 0)
    )
