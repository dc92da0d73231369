"""Visitors on pages, without a browser: whose runs are listed, who may cancel and delete, what errors look like."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.export.record import runs_of
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import wish, withdraw
from pruning.runs import create_run
from pruning.runs.people import runs_beside
from pruning.runs.recipe import Recipe
from pruning.runs.store import read_run
from pruning.runs.trash import delete_run
from pruning.spec import PruneSpec
from pruning.visitors.identity import visitor_of
from ui.kit import errors, place, visitor

APP = str(Path(__file__).parents[2] / "app.py")
RECIPE = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5))
ADA, BOB = visitor_of("a" * 43), visitor_of("b" * 43)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of Ada, of Bob, of both, and one of the machine's owner; none of them is begun."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    for number, (name, whose) in enumerate((("ada", [ADA]), ("bob", [BOB]), ("both", [ADA, BOB]), ("owner", []))):
        create_run(RECIPE.replace(seed=number), path=tmp_path / "runs" / name)
        for one in whose:
            wish(LocalStore.at(tmp_path / "runs" / name), one)
    return tmp_path / "runs"


@pytest.fixture
def app(runs: Path, quick_clocks: None) -> Iterator[AppTest]:
    """Trade-off; nobody in particular looks at it."""
    app = AppTest.from_file(APP, default_timeout=240)
    yield app.switch_page("pages/tradeoff.py")
    st.cache_data.clear()
    st.cache_resource.clear()


def as_visitor(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    monkeypatch.setattr(visitor, "browser", lambda: who)


def listed(app: AppTest) -> set[str]:
    """Names in the table of the runs of all networks."""
    app.run()
    app.session_state["tradeoff_models"] = "all networks"  # a change of visitors forgets it
    app.run()
    assert not app.exception, app.exception
    return set(app.dataframe[0].value["name"]) if app.dataframe else set()


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


def test_each_sees_their_own_and_the_owner_all(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(app) == {"ada", "bob", "both", "owner"}
    assert "who_leave" not in keys(app), "nothing of visitors on one's own machine"
    as_visitor(monkeypatch, ADA)
    assert listed(app) == {"ada", "both"} and "who_leave" in keys(app)
    as_visitor(monkeypatch, BOB)
    assert listed(app) == {"bob", "both"}
    as_visitor(monkeypatch, visitor_of("c" * 43))
    assert listed(app) == set()


def test_who_shares_a_run_deletes_it_from_their_own_list(
    app: AppTest, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_visitor(monkeypatch, ADA)
    assert listed(app) == {"ada", "both"}
    for name in ("ada", "both"):
        withdraw(LocalStore.at(runs / name), ADA)  # as Cancel does; then it can be deleted
    wish(LocalStore.at(runs / "both"), ADA)
    for name in ("ada", "both"):
        delete_run(runs / name, ADA)
    assert listed(app) == set()
    as_visitor(monkeypatch, BOB)
    assert listed(app) == {"bob", "both"}
    with pytest.raises(errors.PruningError, match="somebody else's"):
        delete_run(runs / "bob", ADA)


@pytest.mark.parametrize(("name", "cancels"), [("ada", True), ("both", True), ("bob", False), ("owner", False)])
def test_only_who_asked_for_a_run_cancels_it(
    app: AppTest, monkeypatch: pytest.MonkeyPatch, name: str, cancels: bool
) -> None:
    as_visitor(monkeypatch, ADA)
    app.switch_page("pages/prune.py")
    app.query_params["run"] = name
    app.run()
    assert not app.exception and app.query_params["run"] in (name, [name]), "whoever has its link looks at it"
    assert ("cancel_run" in keys(app)) == cancels


def test_who_cancelled_a_run_still_has_it(app: AppTest, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ada", "both"):
        withdraw(LocalStore.at(runs / name), ADA)
    as_visitor(monkeypatch, ADA)
    assert listed(app) == {"ada"}, "what another goes on with is theirs"
    assert visitor.owns(runs / "ada") and not visitor.owns(runs / "both")
    as_visitor(monkeypatch, BOB)
    assert listed(app) == {"bob", "both"}


def test_a_damaged_folder_is_told_of_to_who_asked_for_it(
    app: AppTest, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (runs / "bob" / "recipe.yaml").write_text("nonsense")
    as_visitor(monkeypatch, ADA)
    assert listed(app) == {"ada", "both"} and not any("cannot be read" in html.proto.body for html in app.get("html"))
    as_visitor(monkeypatch, BOB)
    assert listed(app) == {"both"} and any("cannot be read" in html.proto.body for html in app.get("html"))


def test_a_nickname_and_a_pin(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    as_visitor(monkeypatch, ADA)
    app.run()
    app.text_input(key="who_nickname").set_value("Ada")
    next(button for button in app.button if button.label == "Get a PIN").click().run()
    assert not app.exception and not app.error
    pin = next(block.value for block in app.markdown if block.value.startswith("## ") and block.value[3:6].isdigit())
    app.button(key="who_have_pin").click().run()
    assert not any(block.value == pin for block in app.markdown), "it is told once"

    elsewhere = AppTest.from_file(APP, default_timeout=240)
    elsewhere.switch_page("pages/tradeoff.py")
    as_visitor(monkeypatch, visitor_of("d" * 43))
    assert listed(elsewhere) == set()
    elsewhere.text_input(key="who_back_nickname").set_value("Ada")
    elsewhere.text_input(key="who_back_pin").set_value("12")
    next(button for button in elsewhere.button if button.label == "Go on").click().run()
    assert [error.value for error in elsewhere.error] == [
        "There is no such nickname with this PIN\\: check both, letter by letter."
    ]
    elsewhere.text_input(key="who_back_pin").set_value(pin[3:])
    next(button for button in elsewhere.button if button.label == "Go on").click().run()
    assert listed(elsewhere) == {"ada", "both"}
    elsewhere.button(key="who_leave").click().run()
    assert listed(elsewhere) == set()


def test_nothing_of_the_session_is_left_to_the_next_one(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    as_visitor(monkeypatch, ADA)
    app.session_state["model_ref"] = "sample:lenet5"
    app.run()
    assert app.session_state["model_ref"] == "sample:lenet5"
    as_visitor(monkeypatch, BOB)
    app.run()
    assert app.session_state["model_ref"] == "sample:mini_resnet"


def test_a_report_tells_of_the_runs_of_the_same_people(runs: Path) -> None:
    def beside(name: str) -> set[str]:
        return {run.name for run in runs_beside(read_run(runs / name), runs_of(runs))}

    assert beside("ada") == {"ada", "both"} and beside("both") == {"ada", "bob", "both"}
    assert beside("owner") == {"ada", "bob", "both", "owner"}


def test_what_nobody_expected_is_a_number(caplog: pytest.LogCaptureFixture) -> None:
    def page() -> None:
        from ui.kit import errors

        try:
            raise RuntimeError("/srv/secret/place")
        except RuntimeError as error:
            assert errors.unexpected(error)

    with caplog.at_level(logging.ERROR, "pruning.app"):
        app = AppTest.from_function(page).run()
    assert not app.exception
    (error,) = app.error
    assert "secret" not in error.value
    number = error.value.split("**")[1]
    (record,) = [record for record in caplog.records if record.name == "pruning.app"]
    assert number in record.getMessage() and len(number) == 8
    assert record.exc_info is not None and "secret" in str(record.exc_info[1])


def test_paths_are_names_where_others_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "my runs"))
    said = f"{tmp_path}/my runs/one cannot be read"
    assert errors.seen(said) == said
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    assert errors.seen(said) == "one cannot be read" and errors.plain("a_b /x/y") == r"a\_b y"
