"""Every page is in the navigation, and opens as the first one that a visitor sees, with no run there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.listing import ROOT, listed_pages

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
SECONDS = 300
"""At most, for one run of a page: a training may be using the machine."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app before its first run, with a clock that answers at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=32, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    yield AppTest.from_file(str(ROOT / "app.py"), default_timeout=SECONDS)
    st.cache_data.clear()


def test_the_navigation_leads_to_every_page() -> None:
    assert sorted(listed_pages()) == PAGES, "app.py lists each file of pages/ once"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens(app: AppTest, page: str) -> None:
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception and not app.error, (app.exception, app.error)
    assert len(app.title) == 1, "each page says what it is"
