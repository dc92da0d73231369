"""Inside, Race and Savings of the Compare page: what they say is what was measured, and nothing before that."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.compare.blind import BlindTest
from pruning.compare.knockout import knock_out, knockout_engine, verdict
from pruning.compare.race import Standing
from pruning.compare.repaired import repair_gain
from pruning.compare.repaired_words import OLDER, headline, who_gained, who_still_loses
from pruning.compare.sides import Pair, run_side
from pruning.cost.counts import Bytes
from pruning.data.protocol import Data
from pruning.data.readers import open_data
from pruning.runs import Run, read_run
from pruning.runs.repair_words import in_short
from pruning.subject import open_subject
from ui.kit.errors import plain

SECONDS = 120


@pytest.fixture(scope="module")
def digits() -> Data:
    return open_data("mnist5k")


@pytest.fixture(autouse=True)
def _own_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def part(name: str, pair: Pair) -> AppTest:
    def script(name: str, pair: object) -> None:
        import importlib

        importlib.import_module(f"ui.compare.{name}").show(pair)

    return AppTest.from_function(script, args=(name, pair), default_timeout=SECONDS)


def words(app: AppTest) -> str:
    """All that is said, without tags and styles."""
    assert not app.exception, app.exception
    html = [str(element.proto.body) for element in app.get("html")]
    said = [str(element.value) for kind in ("markdown", "caption", "info", "error") for element in app.get(kind)]
    text = re.sub(r"<style>.*?</style>", "", " ".join(html + said), flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_inside_shows_a_chosen_filters_absence_in_both_networks(pair: Pair, digits: Data) -> None:
    app = part("inside", pair)
    app.session_state["compare_layer"] = "layer2.0.conv1"
    app.run()
    assert "Click a filter." in words(app) and "Removed: 0 original, 8 pruned, of 20" in words(app)

    kept = pair.after.subject.network.structure.kept["layer2.0.conv1.weight"][0]
    app.session_state["compare_filters_layer2.0.conv1_chosen"] = str(kept[2])
    app.run()
    for word, side in (("Original", pair.before), ("Pruned", pair.after)):
        found = knock_out(knockout_engine(side.subject), side.subject, "layer2.0.conv1", kept[2])
        assert f"{word}: {plain(verdict(found))}" in words(app)

    gone = next(number for number in range(20) if number not in kept)
    app.session_state["compare_filters_layer2.0.conv1_chosen"] = str(gone)
    app.run()
    assert f"Pruned: filter {gone} was removed" in words(app) and f"Without filter {gone}" in words(app)
    assert app.button(key="compare_each")

    app.session_state["compare_layer"] = app.session_state["compare_layer_widget"] = "fc"
    app.session_state["compare_filters_fc_chosen"] = "7"
    app.run()
    assert "outputs stay" in " ".join(error.value for error in app.error), "said in words where a click asks for it"
    assert "compare_each" not in [button.key for button in app.button]


def test_networks_that_have_no_layers_in_common_are_not_laid_side_by_side(pair: Pair) -> None:
    other = replace(pair.before, subject=open_subject("sample:lenet300"))
    app = part("inside", replace(pair, before=other)).run()
    assert "different networks" in words(app)


def test_savings_claim_nothing_without_numbers_and_only_what_the_clock_shows(pair: Pair) -> None:
    app = part("savings", pair).run()
    assert "Nothing is claimed yet" in words(app) and "÷" not in words(app)

    app.number_input(key="savings_requests_widget").set_value(36_000.0)
    app.number_input(key="savings_days_widget").set_value(100)
    app.number_input(key="savings_price_widget").set_value(0.5)
    app.text_input(key="savings_currency_widget").set_value("<b>€</b>")
    app.number_input(key="savings_devices_widget").set_value(5000.0)
    app.run()
    said = words(app)
    assert "5.0 hours saved" in said and "2.0 hours to 7.5 hours · original 10.0 hours, pruned 5.0 hours" in said
    assert "2.50 <b>€</b> saved" in said, "whatever the reader calls it, it is text"
    assert "on 2 threads of" in said and app.number_input(key="savings_price_widget").label.endswith("2 such cores")
    assert "250 MB less" in said, "5,000 × 50 kB"
    assert "without its zeros" not in said.lower(), "as bitmap and non-zeros the file would be larger than it is"

    app.session_state["savings_batch"] = app.session_state["savings_batch_widget"] = 32
    app.run()
    assert "nothing measurable" in words(app) and "contains 1" in words(app) and "hours saved" not in words(app)


def test_where_no_filter_is_on_the_page_none_is_left_out(pair: Pair, digits: Data) -> None:
    def script(pair: object, data: object) -> None:
        from ui.compare import filter_importance

        filter_importance.show(pair, data, "layer2.0.conv1", "filter", 640, 64)

    app = AppTest.from_function(script, args=(pair, digits), default_timeout=SECONDS).run()
    assert not app.exception and not app.button


def test_filters_that_only_the_second_network_has_are_left_out_alone(pair: Pair, digits: Data) -> None:
    kept = pair.after.subject.network.structure.kept["layer2.0.conv1.weight"][0]
    gone = next(number for number in range(20) if number not in kept)

    def script(pair: object, data: object, gone: int) -> None:
        from ui.compare import filter_importance

        filter_importance.show(pair, data, "layer2.0.conv1", "filter", gone, 1)

    backwards = replace(pair, before=pair.after, after=pair.before)
    app = AppTest.from_function(script, args=(backwards, digits, gone), default_timeout=SECONDS).run()
    app.button(key="compare_each").click().run()
    assert re.search(r"Missed when left out alone: in after [01] of 1\.", words(app)), "and nothing of the first"


@pytest.mark.parametrize("earlier", [False, True])
def test_what_moved_the_weights_is_said_as_it_was(pair: Pair, monkeypatch: pytest.MonkeyPatch, earlier: bool) -> None:
    run = pair.after.run
    assert run is not None
    if earlier:
        weight = pair.after.subject.model.get_parameter("layer2.0.conv1.weight")
        monkeypatch.setattr(weight, "data", 1.06 * weight.data)
        run = replace(run, recipe=replace(run.recipe, model=f"run:{run.path}"))

    def script(pair: object, layer: str) -> None:
        from ui.compare import cached, weights

        weights.show(pair, cached.dense(pair), layer)  # type: ignore[arg-type]

    args = (replace(pair, after=replace(pair.after, run=run)), "layer2.0.conv1")
    said = words(AppTest.from_function(script, args=args, default_timeout=SECONDS).run())
    assert ("Fine-tuning changed them by 6 % of their size since the original network" in said) == earlier
    assert ("No fine-tuning changed them: both are the same." in said) != earlier


def test_what_zeros_save_on_the_way_is_shown_where_there_are_some(pair: Pair) -> None:
    sparse = replace(
        pair.after, figures=replace(pair.before.figures, bytes=Bytes(raw=80_000, sparse=20_000, deflate=24_000))
    )
    app = part("savings", replace(pair, after=sparse)).run()
    app.number_input(key="savings_devices_widget").set_value(5000.0).run()
    said = words(app)
    assert "the same" in said and "To send, without its zeros" in said and "300 MB less" in said, (
        "5,000 × (80 − 20) kB: dense is sent as it is"
    )


def test_the_race_says_what_its_interval_shows(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[tuple[float, float, float]] = [(1.8, 2.0, 2.2), (0.95, 1.05, 1.2), (0.4, 0.5, 0.6)]

    def quick(*_: object, **__: object) -> Iterator[Standing]:
        standing = Standing(goal=2000, batch=32, images=(500, 1000), seconds=(1.0, 1.0))
        yield standing
        yield replace(standing, images=(1000, 2000), seconds=(2.0, 2.0), speedup=ends[0])

    monkeypatch.setattr("pruning.compare.race.race", quick)
    app = part("race", pair).run()
    assert "ready" in words(app)
    for verdict_words in ("Pruned is 2.00× as fast (1.80–2.20)", "Same speed, as far as can be measured (0.95–1.20×)",
                          "Original is 2.00× as fast (1.67–2.50)"):  # fmt: skip
        app.button(key="compare_race_start").click().run()
        assert verdict_words in words(app) and "1,000 a second" in words(app)
        app.run()
        assert verdict_words in words(app), "it stays until the next race"
        ends.pop(0)


def test_the_blind_test_tells_nothing_before_the_guess_and_keeps_count(pair: Pair) -> None:
    app = part("race", pair).run()
    before = words(app)
    assert "98.0 %" not in before and "pruned:" not in before.lower() and "wrong" not in before
    (test,) = app.session_state["compare_blind"].values()
    assert isinstance(test, BlindTest)
    app.button(key=f"compare_guess_{test.truth}").click().run()
    assert f"{test.truth}: pruned" in words(app) and f"Right: {test.truth} is the pruned one." in words(app)
    assert "1 of 1 right: no better than a coin." in words(app) and "98.0 %" in words(app)
    app.button(key="compare_blind_next").click().run()
    wrong = "A" if test.truth == "B" else "B"
    app.button(key=f"compare_guess_{wrong}").click().run()
    assert f"No: {test.truth} is the pruned one." in words(app) and "1 of 2 right" in words(app)


def repaired_pair(run: Run, pair: Pair) -> Pair:
    """`pair` with the network of a run that repaired on its second side."""
    assert run.result is not None
    return replace(pair, after=run_side(run, open_subject(run.ref, run.recipe.data), "repaired"))


def test_what_repair_gave_is_said_and_drawn_class_by_class(pair: Pair, repaired_run: Run) -> None:
    app = part("repaired", repaired_pair(repaired_run, pair)).run()
    found = repair_gain(repaired_run, [*map(str, range(10))])
    assert found is not None and found.classes
    said = words(app)
    for sentence in (headline(found), who_gained(found), who_still_loses(found)):
        assert plain(sentence) in said
    assert in_short(found.note) in said
    rows = re.findall(r"<tr><th scope='row'>(.*?)</th>", " ".join(str(one.proto.body) for one in app.get("html")))
    assert rows == [one.name for one in found.classes], "every class, that which still loses most first"
    assert len(app.get("plotly_chart")) == 1


def test_a_repair_from_before_answers_were_kept_says_so(pair: Pair, repaired_run: Run, tmp_path: Path) -> None:
    path = shutil.copytree(repaired_run.path, tmp_path / "older")
    (path / "stages.safetensors").unlink()
    app = part("repaired", repaired_pair(read_run(path), pair)).run()
    assert OLDER in words(app) and "repaired" in words(app) and not app.get("plotly_chart")


def test_a_run_that_did_not_repair_says_so_in_a_sentence(pair: Pair) -> None:
    app = part("repaired", pair).run()
    assert [info.value for info in app.info] == [
        "This run measured the statistics of batch normalisation anew, and fitted no weights. A run that repairs shows "
        "here what each class won back by it."
    ]
    assert not app.get("plotly_chart") and not app.get("html")
