"""Trade-off: runs found by words and tags, called by names, deleted and brought back; each look as the folders are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.jobs.store import LocalStore
from pruning.runs import Run
from pruning.runs.labels import Label, read_label, write_label
from pruning.runs.trash import trashed
from ui.runs import run_list

APP = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def app(stored_runs: Path) -> Iterator[AppTest]:
    app = AppTest.from_file(APP, default_timeout=240)
    app.session_state["tradeoff_models"] = "all networks"
    app.switch_page("pages/tradeoff.py").run()
    assert not app.exception and not app.error
    yield app
    st.cache_data.clear()


def names(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["name"])


def words(app: AppTest) -> str:
    return " ".join(block.value for block in (*app.markdown, *app.caption))


def test_runs_are_found_by_words(app: AppTest) -> None:
    assert len(names(app)) == 6
    app.text_input(key="tradeoff_text_widget").set_value("weights L1").run()
    assert names(app) == ["weight"] and "## 1 run" in words(app)
    app.text_input(key="tradeoff_text_widget").set_value("nothing of the kind").run()
    assert not app.dataframe and any("fits what you look for" in info.value for info in app.info)
    app.text_input(key="tradeoff_text_widget").set_value("").run()
    assert len(names(app)) == 6


def test_a_name_and_tags_are_given_and_found(app: AppTest, stored_runs: Path) -> None:
    app.session_state["tradeoff_run"] = "weight"
    app.run()
    app.text_input(key="label_title_weight").set_value("The sparse one")
    app.text_input(key="label_tags_weight").set_value("demo, monday")
    app.text_area(key="label_note_weight").set_value("Show it last.")
    app.button(key="label_save_weight").click().run()
    assert not app.exception and not app.error
    assert read_label(LocalStore.at(stored_runs / "weight")) == Label(
        title="The sparse one", tags=("demo", "monday"), note="Show it last."
    )
    assert "## The sparse one" in words(app) and "Show it last." in words(app)
    frame = app.dataframe[0].value
    assert dict(zip(frame["name"], frame["label"], strict=True))["weight"] == "The sparse one"
    app.session_state["tradeoff_tags"] = ("demo",)
    app.session_state["tradeoff_tags_widget"] = ["demo"]
    app.run()
    assert names(app) == ["weight"]


def test_a_name_that_cannot_be_is_a_sentence_and_changes_nothing(app: AppTest, stored_runs: Path) -> None:
    write_label(LocalStore.at(stored_runs / "weight"), Label(title="Kept"))
    app.session_state["tradeoff_run"] = "weight"
    app.run()
    app.text_input(key="label_tags_weight").set_value(" ".join(f"t{n}" for n in range(20)))
    app.button(key="label_save_weight").click().run()
    assert [error.value for error in app.error] == ["A run has 12 tags at most, not 20."]
    assert read_label(LocalStore.at(stored_runs / "weight")) == Label(title="Kept")


def test_a_deleted_run_is_brought_back(app: AppTest, stored_runs: Path) -> None:
    app.session_state["tradeoff_run"] = "weight"
    app.run()
    app.button(key="delete_run").click().run()
    assert "weight" not in names(app) and not (stored_runs / "weight").exists()
    assert "weight is deleted" in words(app) and [one.name for one in trashed(stored_runs)] == ["weight"]
    app.button(key="undo_delete").click().run()
    assert "weight" in names(app) and (stored_runs / "weight").is_dir() and "is deleted" not in words(app)
    assert app.session_state["tradeoff_run"] == "weight"


def test_what_cannot_be_brought_back_is_a_sentence(app: AppTest, stored_runs: Path) -> None:
    app.session_state["tradeoff_run"] = "weight"
    app.run()
    app.button(key="delete_run").click().run()
    shutil.copytree(stored_runs / "channel", stored_runs / "weight")
    app.button(key="undo_delete").click().run()
    assert any("Another run is called weight now" in error.value for error in app.error)
    assert (stored_runs / "weight").is_dir() and len(trashed(stored_runs)) == 1


def test_of_very_many_the_newest_are_drawn_and_the_others_counted(
    app: AppTest, stored_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "MOST", 3)
    app.run()
    assert names(app) == ["cancelled", "failed", "continued"]
    assert "## 6 runs" in words(app) and "The newest 3 are listed" in words(app)
    assert "The newest 3 are drawn; 1 older one is not" in words(app), "of four finished runs"


def test_what_changes_in_the_folders_is_seen_at_the_next_look(app: AppTest, stored_runs: Path) -> None:
    shutil.copytree(stored_runs / "channel", stored_runs / "new")
    os.rename(stored_runs / "weight", stored_runs / "renamed")
    app.run()
    assert {"new", "renamed"} <= set(names(app)) and "weight" not in names(app)
    (stored_runs / "new" / "result.json").write_text("{")
    app.run()
    assert "new" not in names(app) and not app.exception


def test_stages_stand_in_the_table_and_in_the_details(app: AppTest, stored_runs: Path, repaired_run: Run) -> None:
    assert not any("repaired" in what for what in app.dataframe[0].value["what"]), "these are from before"
    shutil.copytree(repaired_run.path, stored_runs / "refitted")
    app.session_state["tradeoff_run"] = "refitted"
    app.run()
    assert not app.exception and not app.error and repaired_run.result is not None
    stages = repaired_run.result.stages
    assert stages.as_cut is not None and stages.repaired is not None
    row = app.dataframe[0].value.set_index("name").loc["refitted"]
    assert row["what"].endswith("repaired") and row["select"].startswith(
        stages.repaired.kind.words(stages.repaired.value)
    )
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    assert f"<b>{stages.repaired.kind.words(stages.repaired.value)}</b>" in html and "repaired" in html
    assert "80 %, repaired" in words(app)
    assert any("Repair: refit" in caption.value for caption in app.caption)
