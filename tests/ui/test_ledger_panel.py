"""The ledger on a page: every number with its badge, sentences below their lines, names from files escaped."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.cost.devices import KB, Budget
from pruning.cost.ledger import Clock, Ledger, Side
from pruning.render.markup import ledger_table

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240
DENSE = Side(params=1000, nonzero=1000, macs=100_000, raw=400_000, deflate=370_000, sparse=412_500, activation=8000)
CUT = replace(DENSE, params=500, nonzero=500, macs=50_000, raw=200_000, deflate=185_000, sparse=206_250,
              activation_place="<img src=x onerror=alert(1)>")  # fmt: skip


def cells(html: str) -> dict[str, list[str]]:
    """Title of a line → its cells, without tags."""
    rows = re.findall(r"<tr><th>(.*?)</th>(.*?)</tr>", html)
    return {title: [re.sub("<[^>]+>", "", cell) for cell in re.findall("<td>(.*?)</td>", row)] for title, row in rows}


def test_every_number_has_its_badge() -> None:
    clock = Clock(batch=1, dense=(3.9, 4.0, 4.1), pruned=(3.8, 3.9, 4.1), speedup=(0.97, 1.01, 1.05))
    html = ledger_table.html(
        Ledger(dense=DENSE, pruned=CUT, clocks=(clock,), deflate_estimated=True),
        budget=Budget(flash=256 * KB, ram=4 * KB),
    )
    found = cells(html)
    assert found["Parameters"] == ["1,000●", "500●", "÷ 2.00●"]
    assert found["Bytes, raw"] == ["400 kB●", "200 kB●", "÷ 2.00●"]
    assert found["Bytes, compressed (deflate)"] == ["370 kB○", "185 kB○", "÷ 2.00○"]
    assert found["Activation memory of one image, at most"] == ["8.00 kB○", "8.00 kB○", "same○"]
    assert found["Time of one image"] == [
        "4.00 ms (3.90–4.10)●", "3.90 ms (3.80–4.10)●", "no measurable speed-up (0.97–1.05×)●"
    ]  # fmt: skip
    assert found["Flash, 256 KB"][:2] == ["391 KB: does not fit, 135 KB too much●", "195 KB: fits, 60.7 KB to spare●"]
    assert found["RAM, 4 KB"][1] == "7.81 KB: does not fit, 3.81 KB too much○"
    for title, line in found.items():
        assert all(cell == "" or cell[-1] in "●○" for cell in line), title


def test_sentences_stand_below_their_lines_and_names_are_escaped() -> None:
    html = ledger_table.html(Ledger(dense=DENSE, pruned=CUT))
    assert html.index("Activation memory") < html.index("is unchanged") < html.index("Time of one image")
    assert "<img" not in html and "&lt;img" in html


def test_a_predicted_time_is_an_estimate() -> None:
    clock = Clock(batch=1, dense=(4.0, 4.0, 4.0), pruned=(1.8, 2.0, 2.2), speedup=(1.8, 2.0, 2.2), estimated=True)
    line = cells(ledger_table.html(Ledger(dense=DENSE, pruned=CUT, clocks=(clock,))))["Time of one image"]
    assert line == ["4.00 ms○", "2.00 ms (1.80–2.20)○", "≈ 2.00× (1.80–2.20)○"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    yield AppTest.from_file(APP, default_timeout=SECONDS).run()
    st.cache_data.clear()


def html_of(app: AppTest) -> str:
    return " ".join(str(element.proto.body) for element in app.get("html"))


def test_the_ledger_of_the_cut_is_worked_out_once_it_is_opened(app: AppTest) -> None:
    app.session_state["model_ref"] = "torchvision:squeezenet1_1?size=64"
    app.switch_page("pages/prune.py").run()
    assert not app.exception
    assert "px-ledger" not in html_of(app)
    app.session_state["cut_ledger"] = True
    app.run()
    assert not app.exception and not app.error
    assert cells(html_of(app))["Parameters"][0] == "1,235,496●"
    app.selectbox(key="ledger_device_widget").set_value(0).run()
    assert "Flash, 256 KB" in cells(html_of(app))
    app.selectbox(key="ledger_device_widget").set_value("own").run()
    app.number_input(key="ledger_flash_widget").set_value(9000).run()
    assert not app.exception
    assert "to spare" in cells(html_of(app))["Flash, 8.79 MB"][0]
