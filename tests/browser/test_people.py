"""Two visitors of one server in real browsers: whose runs are in whose lists, what a link opens, and how a nickname
with its PIN goes on at another computer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import PATIENCE
from tests.browser.steps import SETTLED, expect, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def another(page: Page) -> Page:
    """A window of another browser, which has no cookies."""
    browser = page.context.browser
    assert browser is not None
    window = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    window.set_default_timeout(PATIENCE)
    return window


def open_at(page: Page, address: str) -> None:
    """Go to a page and wait until it stands still; errors may stand on it."""
    page.goto(address, wait_until="domcontentloaded")
    page.locator(".st-key-who_open button").wait_for()
    page.wait_for_timeout(300)
    page.wait_for_selector(SETTLED)


def corner(page: Page) -> None:
    """Open what the button in the corner offers."""
    page.locator(".st-key-who_open button").first.click()
    page.locator(".st-key-who_leave").wait_for()


def runs_listed(page: Page, server: str) -> int:
    """How many runs Trade-off lists for this visitor."""
    open_at(page, f"{server}/tradeoff")
    if page.get_by_text("No run yet.").count():
        return 0
    page.get_by_text("all networks", exact=True).click()
    settle(page)
    found = page.get_by_role("heading", name=re.compile(r"^\d+ runs?$")).inner_text()
    return int(found.split()[0])


def test_a_run_is_its_visitors_and_a_link_opens_it(public_server: str, page: Page) -> None:
    ada, bob = page, another(page)
    open_at(ada, f"{public_server}/prune")
    ada.locator(".st-key-start_run button").first.click()
    ada.wait_for_url(re.compile("run="))
    run = parse_qs(urlsplit(ada.url).query)["run"][0]
    ada.locator(".st-key-cancel_run button").first.wait_for()

    assert runs_listed(bob, public_server) == 0, "it is in nobody else's list"
    open_at(bob, f"{public_server}/prune?run={run}")
    panel = bob.locator(".st-key-run_panel")
    expect(panel).to_be_visible()
    expect(bob.locator(".st-key-cancel_run")).to_have_count(0)

    ada.reload(wait_until="domcontentloaded")
    panel = ada.locator(".st-key-run_panel")
    panel.wait_for()
    ada.locator(".st-key-longer button").first.wait_for()  # it is done
    assert runs_listed(ada, public_server) == 1
    expect(ada.locator(".st-key-delete_run")).to_have_count(1)

    open_at(bob, f"{public_server}/compare?b={run}")
    bob.get_by_role("heading", name="Compare", exact=True).wait_for()
    settle(bob)
    expect(bob.locator(".st-key-compare_after_widget")).to_be_visible()
    assert runs_listed(bob, public_server) == 0, "and looking at it makes it nobody's"


def test_a_nickname_and_its_pin_go_on_elsewhere(public_server: str, page: Page) -> None:
    ada, elsewhere = page, another(page)
    open_at(ada, f"{public_server}/prune")
    ada.locator(".st-key-start_run button").first.click()
    ada.wait_for_url(re.compile("run="))
    corner(ada)
    ada.locator(".st-key-who_nickname input").fill("Ada L.")
    ada.get_by_role("button", name="Get a PIN").click()
    told = ada.get_by_role("heading", name=re.compile(r"^\d{3} \d{3}$"))
    told.wait_for()
    pin = told.inner_text()
    ada.locator(".st-key-who_have_pin button").click()
    ada.reload(wait_until="domcontentloaded")
    expect(ada.locator(".st-key-who_open button").first).to_contain_text("Ada L.")
    expect(ada.get_by_text(pin)).to_have_count(0)

    open_at(elsewhere, f"{public_server}/tradeoff")
    for given, said in (("000 000" if pin != "000 000" else "111111", "no such nickname"), (pin, None)):
        corner(elsewhere)
        elsewhere.get_by_role("tab", name="Go on with mine").click()
        elsewhere.locator(".st-key-who_back_nickname input").fill("ada l.")
        elsewhere.locator(".st-key-who_back_pin input").fill(given)
        elsewhere.get_by_role("button", name="Go on", exact=True).click()
        if said is not None:
            elsewhere.get_by_text(said).wait_for()
            elsewhere.keyboard.press("Escape")
    expect(elsewhere.locator(".st-key-who_open button").first).to_contain_text("Ada L.")
    assert runs_listed(elsewhere, public_server) == 1, "her run is in her list here, too"

    corner(elsewhere)
    elsewhere.locator(".st-key-who_leave button").first.click()
    expect(elsewhere.locator(".st-key-who_open button").first).to_contain_text("Visitor")
    assert runs_listed(elsewhere, public_server) == 0
    expect(ada.locator(".st-key-who_open button").first).to_contain_text("Ada L.")
    assert runs_listed(ada, public_server) == 1, "at the first computer nobody has left"


def test_on_ones_own_machine_there_is_nothing_of_it(server: str, page: Page) -> None:
    page.goto(f"{server}/explore", wait_until="domcontentloaded")
    page.get_by_role("heading", name="Look inside").wait_for()
    settle(page)
    expect(page.locator(".st-key-who")).to_have_count(0)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["pruning_visitor"]["httpOnly"] and cookies["pruning_visitor"]["sameSite"] == "Lax"
    assert "pruning_visitor" not in page.evaluate("document.cookie")
