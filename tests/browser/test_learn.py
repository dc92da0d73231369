"""Every lesson in a real browser: do its one thing, answer its question, see its tick; F5 keeps what was done."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.browser.steps import expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser


@pytest.mark.slow  # a race and two real runs: two minutes
def test_every_lesson_can_be_done_and_progress_outlives_f5(server: str, page: Page) -> None:
    from pruning.lessons.library import course

    lessons = course().lessons
    page.goto(f"{server}/learn", wait_until="domcontentloaded")
    for number, lesson in enumerate(lessons, 1):
        page.get_by_role("heading", name=f"{number} · {lesson.title}", exact=True).wait_for()
        settle(page)
        if lesson.predict:
            predict(page)
        THINGS[lesson.id](page)
        answer(page)
        step(page, lesson.title, done=True).wait_for()
        if number == 2:
            page.reload(wait_until="domcontentloaded")  # F5: a new session, the same lesson, ticks and answer
            page.get_by_role("heading", name=f"{number} · {lesson.title}", exact=True).wait_for()
            settle(page)
            expect(page.locator("nav.steps li.done")).to_have_count(2)  # told by the browser after the first picture
            page.locator(".st-key-lesson_ask").get_by_text("✓ Yes.").wait_for()
            expect(page.locator(".st-key-lesson_ask input[type=radio]").first).to_be_checked()
            expect(page.locator(".prediction .measured")).to_contain_text("Measured:")  # what was predicted, too
        page.get_by_role("button", name="Finish" if lesson is lessons[-1] else "Next").click()
    page.get_by_role("heading", name="You did it", exact=True).wait_for()
    settle(page)
    page.locator("[data-testid=stMain]").get_by_role("link", name=re.compile("Prune a network")).wait_for()

    # A teacher's link: what it locks is there and stands still, what it hides is not.
    page.goto(f"{server}/learn?lesson=units&lock=percent&hide=way", wait_until="domcontentloaded")
    page.get_by_role("heading", name=re.compile("Weights or units")).wait_for()
    settle(page)
    expect(page.locator("nav.steps li.done")).to_have_count(len(lessons))
    slider = page.locator(".st-key-lesson_units_percent")
    expect(slider.locator("input, [role=slider]").first).to_be_disabled()
    expect(page.locator(".st-key-lesson_units_way")).to_have_count(0)


def why(page: Page) -> None:
    slide(page, "lesson_why_percent", "ArrowRight", 5)
    page.locator(".st-key-lesson_activity").get_by_text("801 K of 3.13 M").wait_for()


def anatomy(page: Page) -> None:
    page.locator(".st-key-lesson_anatomy_layer [role=combobox], .st-key-lesson_anatomy_layer input").first.click()
    page.get_by_role("option", name="conv1", exact=True).click()
    settle(page)


def units(page: Page) -> None:
    page.get_by_text("whole columns").click()
    page.locator(".st-key-lesson_activity").get_by_text("is now 10 × 17").first.wait_for()
    settle(page)


def ranking(page: Page) -> None:
    page.locator(".st-key-lesson_ranking_best").get_by_text("L2 norm").click()
    settle(page)
    page.locator(".st-key-lesson_ranking_worst").get_by_text("Largest first").click()
    settle(page)
    page.get_by_role("button", name="Measure all four").click()
    page.locator(".st-key-lesson_activity").get_by_text(re.compile("Both right|One of two|A surprise")).wait_for()
    settle(page)


def repair(page: Page) -> None:
    for cut in (50, 70, 90):
        page.locator(f".st-key-lesson_repair_guess_{cut}").get_by_text("half").click()
        settle(page)
    page.get_by_role("button", name="Repair and measure").click()
    page.locator(".st-key-lesson_activity").get_by_text(re.compile("predictions fit")).wait_for()
    settle(page)


def recover(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Fine-tune")).click()
    page.locator(".st-key-lesson_activity").get_by_text(re.compile("Against the accuracy as cut")).wait_for()
    settle(page)


def race(page: Page) -> None:
    page.get_by_role("button", name="Start the race").click()
    page.locator(".st-key-lesson_activity").get_by_text(re.compile("You judge first")).wait_for()
    settle(page)


def sketch(page: Page) -> None:
    for button in ("Now the other group", None):
        point = page.get_by_role("slider", name="Accuracy you expect with 50 % removed")
        point.focus()
        point.press("ArrowDown")
        point.press("Enter")
        settle(page)
        page.get_by_role("button", name="Reveal the measured curve").click()
        page.locator(".st-key-lesson_activity").get_by_text(re.compile("Your sketch is off by")).wait_for()
        settle(page)
        if button:
            page.get_by_role("button", name=button).click()
            settle(page)


def half(page: Page) -> None:
    slide(page, "lesson_half_first", "ArrowRight", 3)
    page.locator(".st-key-lesson_activity").get_by_text("10 × 7 = 70 % left").wait_for()
    predict(page)
    page.locator(".st-key-lesson_activity").get_by_text("14/20 read × 14/20 made").wait_for()
    settle(page)


def stopping(page: Page) -> None:
    slide(page, "lesson_stopping_stop", "ArrowRight", 4)
    page.get_by_role("button", name="Fine-tune at this stop").click()
    page.locator(".st-key-lesson_activity").get_by_text(re.compile("^After fine-tuning:")).wait_for()
    settle(page)


def lab(page: Page) -> None:
    for entry in (1, 2):
        slide(page, "lesson_lab_weights_all", "End" if entry == 1 else "ArrowLeft", 1)
        page.get_by_role("button", name="Submit entry: 2 epochs").click()
        page.locator(".st-key-lesson_activity").get_by_text(f"Entry {entry}", exact=True).wait_for()
        settle(page)


THINGS: dict[str, Callable[[Page], None]] = {
    "why": why,
    "anatomy": anatomy,
    "units": units,
    "ranking": ranking,
    "repair": repair,
    "recover": recover,
    "race": race,
    "sketch": sketch,
    "half": half,
    "stopping": stopping,
    "lab": lab,
}
"""Lesson → its one thing."""


def predict(page: Page) -> None:
    """Place a prediction by the keyboard: there is no thumb before."""
    track = page.locator(".st-key-lesson_predict")
    button = track.get_by_role("button", name="Predict")
    expect(track.locator(".prediction.fresh")).to_have_count(1)
    expect(button).to_be_disabled()
    track.get_by_role("slider").press("ArrowRight")
    expect(track.locator(".prediction.fresh")).to_have_count(0)
    button.click()
    settle(page)


def answer(page: Page) -> None:
    """Take the first choice, or 25, and press Check; where it is wrong, read the hint and take the last."""
    ask = page.locator(".st-key-lesson_ask")
    choices = ask.locator("[data-testid=stRadio] label[data-baseweb=radio], [data-testid=stRadio] label:has(input)")
    if ask.locator("input[type=number]").count():
        ask.locator("input[type=number]").fill("25")
    else:
        choices.first.click()
    ask.get_by_role("button", name="Check").click()
    settle(page)
    hint = ask.get_by_text("you have a second try")
    hint.or_(ask.get_by_text(VERDICT)).first.wait_for()
    if hint.count():
        choices.last.click()
        ask.get_by_role("button", name="Check again").click()
        settle(page)
    ask.get_by_text(VERDICT).first.wait_for()


VERDICT = re.compile("^(✓ Yes|✗ Not quite)")


def step(page: Page, title: str, *, done: bool) -> Locator:
    """The step of a lesson in the row on top."""
    name = re.compile(rf"^\d+ {re.escape(title)}{', done' if done else '$'}")
    return page.locator("nav.steps").get_by_role("button", name=name)


def slide(page: Page, key: str, press: str, times: int) -> None:
    """Move a slider by the keyboard."""
    handle = page.locator(f".st-key-{key}").locator("input[type=range], [role=slider]").first
    handle.focus()
    for _ in range(times):
        handle.press(press)
    settle(page)
