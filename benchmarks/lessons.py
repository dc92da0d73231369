"""Does every lesson answer while a class waits?

    python -m benchmarks.lessons

Claim: on two idle cores every action of a lesson on the default data is answered within 15 s. A server of its own with
an empty cache, as at a class's first visit; the clock runs from the last key or click to the answer on the screen, in
a real browser: also from the click on Next to the next lesson with its first picture. Needs Chromium.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.board import CHROMIUM, FLAGS, SETTLED, serving
from benchmarks.common import report, say

LIMIT = 15.0


@dataclass(frozen=True)
class Action:
    """One thing to do in a lesson: what comes first, what the clock begins with, and what ends it."""

    name: str
    act: Callable[[Page], None] | None
    """None: the action before it goes on, and so does its clock."""
    answer: str
    """A pattern that is on the right side of the lesson once it is answered."""
    before: tuple[Callable[[Page], None], ...] = field(default=())


def slide(key: str, press: str, times: int = 1) -> Callable[[Page], None]:
    """Move a slider by the keyboard."""

    def move(page: Page) -> None:
        handle = page.locator(f".st-key-{key}").locator("input[type=range], [role=slider]").first
        handle.focus()
        for _ in range(times):
            handle.press(press)

    return move


def click(name: str) -> Callable[[Page], None]:
    """Press a button whose name begins so."""
    return lambda page: page.get_by_role("button", name=re.compile(f"^{name}")).click()


def choose(key: str, text: str) -> Callable[[Page], None]:
    """Press one of several choices."""
    return lambda page: page.locator(f".st-key-{key}").get_by_text(text).click()


def draw(page: Page) -> None:
    """A sketch, by the keyboard."""
    point = page.get_by_role("slider", name="Accuracy you expect with 50 % removed")
    point.focus()
    point.press("ArrowDown")
    point.press("Enter")


def predict(page: Page) -> None:
    """Place the lesson's prediction, by the keyboard."""
    track = page.locator(".st-key-lesson_predict")
    track.get_by_role("slider").press("ArrowRight")
    track.get_by_role("button", name="Predict").click()


LESSONS: dict[str, tuple[Action, ...]] = {
    "why": (Action("half of the channels", slide("lesson_why_percent", "ArrowRight", 5), "ms of", before=(predict,)),),
    "anatomy": (
        Action("what counts as small", slide("lesson_anatomy_near", "ArrowRight", 3), "smaller than 8 %",
               before=(predict,)),
    ),
    "units": (Action("whole columns", choose("lesson_units_way", "whole columns"), "ms →", before=(predict,)),),
    "ranking": (
        Action(
            "measure all four", click("Measure all four"), "Both right|One of two|A surprise",
            before=(choose("lesson_ranking_best", "L2 norm"), choose("lesson_ranking_worst", "Largest first")),
        ),
        Action("all four repaired", choose("lesson_ranking_figure", "repairing"), "repaired (no training)"),
    ),
    "repair": (
        Action("repair three cuts", click("Repair and measure"), "predictions fit",
               before=tuple(choose(f"lesson_repair_guess_{cut}", "half") for cut in (50, 70, 90))),
    ),
    "recover": (Action("fine-tune", click("Fine-tune"), "Against the accuracy as cut", before=(predict,)),),
    "race": (Action("the race", click("Start the race"), "You judge first", before=(predict,)),),
    "sketch": (Action("reveal", click("Reveal the measured curve"), "Your sketch is off by", before=(draw,)),),
    "half": (Action("the real network", predict, "14/20 read × 14/20 made"),),
    "stopping": (
        Action("fine-tune at a stop", click("Fine-tune at this stop"), "After fine-tuning:",
               before=(predict, slide("lesson_stopping_stop", "ArrowRight", 4))),
    ),
    "lab": (
        Action("entry (a), trained", click("Submit entry"), "Entry 1. [0-9.]+ %",
               before=(predict, slide("lesson_lab_weights_all", "End"))),
        Action("entry (a), in the list", None, "Enter another one"),
        Action("hand in", click("Hand in"), "Handed in:"),
    ),
}  # fmt: skip
"""Lesson → its actions, in the course's order."""


def settle(page: Page) -> None:
    page.wait_for_timeout(300)
    page.wait_for_selector(SETTLED)


def time_lesson(page: Page, lesson: str) -> dict[str, float]:
    """Seconds of each of its actions."""
    seconds: dict[str, float] = {}
    side = page.locator(".st-key-lesson_activity")
    started = time.perf_counter()
    for action in LESSONS[lesson]:
        for step in action.before:
            step(page)
            settle(page)
        if action.act is not None:
            settle(page)
            started = time.perf_counter()
            action.act(page)
        side.get_by_text(re.compile(action.answer)).first.wait_for()
        seconds[action.name] = round(time.perf_counter() - started, 2)
    return seconds


def first_picture(page: Page) -> None:
    """The lesson stands there: its own heading, and its page at rest."""
    page.locator(".st-key-lesson_ask").wait_for()
    settle(page)


def course(page: Page, address: str) -> dict[str, Any]:
    """All lessons once, as a learner who presses Next."""
    found: dict[str, Any] = {}
    started = time.perf_counter()
    page.goto(f"{address}/learn", wait_until="domcontentloaded")
    for number, lesson in enumerate(LESSONS, 1):
        page.get_by_role("heading", name=re.compile(f"^{number} · ")).wait_for()
        first_picture(page)
        subject = round(time.perf_counter() - started - 0.3, 2)  # settling begins with 0.3 s of waiting
        found[lesson] = {"opened": subject, **time_lesson(page, lesson)}
        say(f"{lesson}: {found[lesson]}")
        started = time.perf_counter()
        if number < len(LESSONS):
            page.get_by_role("button", name="Next").click()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        serving(PRUNING_RUNS=f"{home}/runs", PRUNING_CACHE=f"{home}/cache") as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(120_000)
        found = course(page, address)
        browser.close()
    slowest = max((seconds, f"{lesson}: {name}") for lesson, parts in found.items() for name, seconds in parts.items())
    claim = f"every action of a lesson is answered within {LIMIT:g} s"
    return report("lessons", claim, slowest[0] <= LIMIT, {"slowest": slowest, "seconds": found})


if __name__ == "__main__":
    sys.exit(main())
