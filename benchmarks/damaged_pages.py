"""Visits to every page of the app while damaged folders lie among the runs, for `benchmarks.mutated_folders`."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from benchmarks.common import say
from benchmarks.damaged_folders import FINISHED, LEARNER, SOUND, Damaged, damage_job
from benchmarks.mutation_kinds import LONGEST
from pruning.jobs.job import Job
from pruning.runs import Listing, read_runs
from ui.compare.parts import PARTS
from ui.learn.progress import Mark, Progress

APP = str(Path(__file__).parents[1] / "app.py")
SECONDS = 300
"""That a page may take at most; the machine may be doing other work."""
TRACE = "Traceback (most recent call last)"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A page as a visitor opens it."""

    page: str
    asks: Mapping[str, str] = field(default_factory=dict)
    """Parameters in the address."""
    session: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen before on this or other pages."""
    shows: Callable[[AppTest, Listing], list[str]] = lambda app, found: []
    """What is missing from the page, a sentence each."""

    def open(self) -> AppTest:
        """Open it in a session of its own."""
        app = AppTest.from_file(APP, default_timeout=SECONDS)
        app.switch_page(f"pages/{self.page}.py")
        for name, value in self.asks.items():
            app.query_params[name] = value.encode(errors="replace").decode()  # as browsers write what is no text
        for name, value in self.session.items():
            app.session_state[name] = value
        return app.run()

    def complaints(self, found: Listing) -> list[str]:
        """Open it, and say what is wrong with what it shows; nothing where all is well.

        `found`: what the folder of runs holds.
        """
        try:
            app = self.open()
        except Exception as error:  # it took too long, or the test of the app itself gave up
            return [self._said(f"{type(error).__name__}: {error}")]
        wrong = [f"an exception: {one.message} {one.stack_trace[-1:]}" for one in app.exception]
        wrong += [f"a traceback: {text[:200]}" for text in _texts(app) if TRACE in text]
        wrong += _odd_sentences([one.value for kind in (app.error, app.warning, app.toast) for one in kind])
        wrong += _odd_rows(greyed_rows(app), found)
        if not wrong:
            wrong = self.shows(app, found)
        return [self._said(text) for text in wrong]

    def _said(self, text: str) -> str:
        where = " ".join(f"{name}={value}" for name, value in {**self.asks, **self.session}.items())
        return f"{self.page} {where[:200]}: {text}"[:1200]


def greyed_rows(app: AppTest) -> list[tuple[str, str]]:
    """The folders that a page says cannot be read, with why."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    rows = re.findall(r"<li><b>(.*?)</b> cannot be read\. (.*?)</li>", html, re.DOTALL)
    return [(unescape(name), unescape(reason)) for name, reason in rows]


def visits_of_all() -> list[Visit]:
    """Every page as it opens, with all the damaged folders among the runs."""
    whole = [
        Visit(page="start", shows=_greys_all),
        Visit(page="explore"),
        Visit(page="sensitivity"),
        Visit(page="prune"),
        Visit(page="tradeoff", shows=_greys_all),
        Visit(page="tradeoff", session={"tradeoff_models": "all networks"}, shows=_lists_all),
        Visit(page="learn"),
    ]
    return whole + [Visit(page="compare", session={"compare_part": part}, shows=_offers_all) for part in PARTS]


def visits_to(damaged: Damaged, turn: int) -> list[Visit]:
    """The pages with one damaged run chosen; `turn` changes what else is chosen on them."""
    name, part = damaged.name, list(PARTS)[turn % len(PARTS)]
    everyone = {"tradeoff_models": "all networks"}
    reference = {"model": f"run:{damaged.path}"}
    mine = Progress(lessons={"lab": Mark(predicted=90.0)}, lists={"runs": [name, LEARNER]})
    return [
        Visit(page="prune", asks={"run": name}),
        Visit(page="compare", asks={"b": name}, session={"compare_part": part}),
        Visit(page="tradeoff", session={**everyone, "tradeoff_run": name}, shows=_lists_all),
        Visit(page="compare", asks={"a": name, "b": "iterative"}, session={"compare_part": part}),
        Visit(page="learn", asks={"lesson": "lab"}, session={"progress_held": mine}),
        Visit(page="explore", asks=reference),
        Visit(page="sensitivity", asks=reference),
        Visit(page="start", session={"prune_run": name}, shows=_greys_all),
    ]


def visits_to_caches() -> list[Visit]:
    """The pages that show what was measured before: scans, layer times and races."""
    predicted = Progress(lessons={"race": Mark(predicted=5.0)})
    race = {"learn_memory": {"race": {"heats": {99: 1}}}, "progress_held": predicted}
    return [
        Visit(page="sensitivity"),
        Visit(page="prune"),
        Visit(page="learn", asks={"lesson": "race"}, session=race),
    ]


@dataclass
class Tally:
    """What all visits came to."""

    visits: Counter[str] = field(default_factory=Counter)
    """By page."""
    complaints: list[str] = field(default_factory=list)

    def make(self, visit: Visit, found: Listing) -> None:
        """Note a visit; what is wrong is said at once, for the rest takes minutes."""
        self.visits[visit.page] += 1
        for text in visit.complaints(found):
            say(text)
            self.complaints.append(text)


def open_pages(
    damaged: Sequence[Damaged], caches: Mapping[Path, Job], tally: Tally, dice: random.Random, *, opened: int
) -> None:
    """Open every page, then `opened` pages with each damaged folder chosen, and for every tenth of those the pages
    that read caches. `caches`: sound job → the job that pages look at."""
    for visit in visits_of_all():
        tally.make(visit, read_runs())
    for number, one in enumerate(damaged):
        turns = visits_to(one, number)
        for place in range(opened):
            tally.make(turns[(number * opened + place) % len(turns)], read_runs())
        if number % 10 == 0:
            for visit in visits_to_caches():
                for sound, job in caches.items():
                    damage_job(job, sound, dice)
                tally.make(visit, read_runs())


def _texts(app: AppTest) -> list[str]:
    html = [str(element.proto.body) for element in app.get("html")]
    return html + [str(one.value) for kind in (app.markdown, app.caption, app.error, app.warning) for one in kind]


def _odd_sentences(texts: Sequence[str]) -> list[str]:
    plain = [text.replace("\\", "") for text in texts]
    wrong = [f"no short sentence: {text[:300]!r}" for text in plain if len(text) > LONGEST or "\n" in text.strip()]
    return wrong + [f"said {count} times: {text[:200]}" for text, count in Counter(plain).items() if count > 1]


def _odd_rows(rows: Sequence[tuple[str, str]], found: Listing) -> list[str]:
    wanted = {one.name: one.reason for one in found.unreadable}
    wrong = [f"{name} has {count} rows" for name, count in Counter(name for name, _ in rows).items() if count > 1]
    wrong += [f"{name} has a row, though it can be read" for name, _ in rows if name not in wanted]
    return wrong + _odd_sentences([f"{name} {reason}" for name, reason in rows])


def _greys_all(app: AppTest, found: Listing) -> list[str]:
    missing = {one.name for one in found.unreadable} - {name for name, _ in greyed_rows(app)}
    return [f"no row for {name}" for name in sorted(missing)]


def _lists_all(app: AppTest, found: Listing) -> list[str]:
    listed = list(app.dataframe[0].value["name"]) if app.dataframe else []
    wrong = _greys_all(app, found) + [f"{name} is not in the table" for name in SOUND if name not in listed]
    wrong += [f"{name} is in the table {count} times" for name, count in Counter(listed).items() if count > 1]
    return wrong + [f"{run.name} is not in the table" for run in found.runs if run.name not in listed]


def _offers_all(app: AppTest, found: Listing) -> list[str]:
    boxes = [box for box in app.selectbox if box.label == "After"]
    finished = [run for run in found.runs if run.result is not None]
    if not boxes or len(boxes[0].options) != len(finished) or not {run.name for run in finished} >= set(FINISHED):
        return [f"not all {len(finished)} finished runs can be chosen"]
    return _greys_all(app, found)
