"""Compare with somebody's own images without labels: pictures told by agreement, and what has changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.latency.clock import Comparison, Timing
from pruning.runs import create_run, execute, times
from pruning.runs.suitable import suitable_recipe
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from tests import own_files
from ui.session import changed

APP = str(Path(__file__).parents[2] / "app.py")
pytestmark = pytest.mark.slow


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app beside a run that the command line made, with weights and photos of somebody's own."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    time = Timing(median=1.0, low=0.9, high=1.1)

    def clock(*args: object, **_: object) -> Comparison:
        return Comparison(batch=int(str(args[3])), dense=time, pruned=time, speedup=(0.9, 1.0, 1.1), pairs=9, threads=1)

    monkeypatch.setattr(times, "compare_latency", clock)
    ref = f"{own_files.NETWORK}?weights={own_files.weights_file(tmp_path / 'net.pt')}"
    photos = own_files.photos_zip(tmp_path / "photos.zip", labelled=False)
    recipe = suitable_recipe(open_subject(ref, f"zip:{photos}"), PruneSpec(sparsity=0.2), epochs=0)
    execute(create_run(recipe.replace(model=ref), path=tmp_path / "runs" / "flat"))  # as it was typed, without classes=
    times.measure_times(tmp_path / "runs" / "flat")
    app = AppTest.from_file(APP, default_timeout=240)
    app.run()
    yield app
    st.cache_data.clear()
    st.cache_resource.clear()


def said(app: AppTest) -> str:
    """All that can be read."""
    html = " ".join(re.sub(r"<style>.*?</style>", "", str(part.proto.body), flags=re.S) for part in app.get("html"))
    shown = [*(block.value for block in app.markdown), *(caption.value for caption in app.caption), html]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", " ".join(shown)))


def test_pictures_tell_where_the_two_agree_until_the_images_are_others(app: AppTest, tmp_path: Path) -> None:
    app.switch_page("pages/compare.py").run()
    assert not app.exception and not app.error and not app.warning, [error.value for error in app.error]
    app.segmented_control(key="compare_part_widget").set_value("pictures").run()
    assert not app.exception and not app.error
    text = said(app)
    differ, alike = (int(n) for n in re.search(r"They differ: (\d+).*Both say the same: (\d+)", text).groups())
    assert differ + alike == sum(own_files.PER_CLASS.values()) * 3 * 20 // 100
    assert text.count("they differ") == min(24, differ) and text.count("both say class") == min(24, alike)
    assert not re.findall(r"\b(?:right|wrong|correct)\b", text, re.I)
    for part in ("classes", "inside", "race"):
        app.segmented_control(key="compare_part_widget").set_value(part).run()
        assert not app.exception and not app.error, part

    own_files.photos_zip(tmp_path / "other.zip")
    (tmp_path / "other.zip").replace(tmp_path / "photos.zip")
    changed._changed.clear()
    app.segmented_control(key="compare_part_widget").set_value("pictures").run()
    assert not app.exception
    assert any("photos.zip are not what they were when this run was made" in box.value for box in app.warning)
    app.switch_page("pages/tradeoff.py").run()
    app.segmented_control(key="tradeoff_models_widget").set_value("all networks").run()
    assert any("photos.zip are not what they were" in box.value for box in app.warning), "beside the run as well"
