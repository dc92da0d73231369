"""The Learn page: its words, its lessons, its links, and another language."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

import streamlit as st
import yaml
from streamlit.testing.v1 import AppTest

from pruning.lessons import library
from pruning.lessons.activities import ACTIVITIES
from pruning.lessons.progress import Mark, Progress
from pruning.render.markup import badges, ledger_tiles
from pruning.spec import PruneSpec
from ui.kit import charts
from ui.learn import activities

ROOT = Path(__file__).parents[2]
APP = str(ROOT / "app.py")


def test_every_text_that_an_activity_says_is_in_the_file_of_words() -> None:
    folder = Path(activities.__file__).parent
    words = library.course().words
    for name in ACTIVITIES:
        place = folder / name
        files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        said = {key for file in files for key in re.findall(r'\bsay\(\s*"(\w+)"', file.read_text())}
        assert said, name
        assert said - set(words[name]) == set(), name
    rooms = (folder.parent / f"{room}/__init__.py" for room in ("steps", "prediction"))
    page = "".join(file.read_text() for file in (*folder.parent.glob("*.py"), *rooms))
    assert set(re.findall(r'say\(\s*"page", "(\w+)"', page)) - set(words["page"]) == set()


def test_what_lessons_share_with_other_pages_is_said_alike() -> None:
    words = library.course().words
    assert words["legend"] == badges.WORDS
    assert charts.STRIP.items() <= words["savings"].items()
    assert ledger_tiles.WORDS.items() <= words["matrix"].items()


def test_what_the_lessons_say_of_the_network_is_true() -> None:
    from pruning.render import layers
    from pruning.statistics.distributions import weight_stats
    from ui.kit import lab, loaders

    subject = loaders.open_subject("sample:mini_resnet")
    zeros = [weight_stats(layers.weight(subject, name)).zeros for name in layers.layer_names(subject)]
    assert sum(zeros) == 0, "lesson 2: not one"
    assert tuple(layers.weight(subject, "fc").shape) == (10, 28), "lesson 3: each row adds up 28 numbers"
    left = lab.costs(subject, PruneSpec(sparsity=0.3)).macs / lab.costs(subject, PruneSpec()).macs
    assert 0.48 < left < 0.52, "lesson 9: near the square of 0.7"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app before its first run, with a clock that answers at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=32, dense=time, pruned=time, speedup=(1.9, 2.0, 2.1), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    yield AppTest.from_file(APP, default_timeout=300)
    st.cache_data.clear()


def marks(app: AppTest) -> dict[str, Mark]:
    held: Progress = app.session_state["progress_held"]
    return held.lessons


def predict(app: AppTest, lesson: str, value: float) -> None:
    """As if the learner had placed a prediction: the track itself is a component, which runs in a browser alone."""
    known = app.session_state["progress_held"] if "progress_held" in app.session_state else Progress()
    app.session_state["progress_held"] = known.with_mark(lesson, replace(known.of(lesson), predicted=value))


def check(app: AppTest, answer: str) -> None:
    """Choose and press Check."""
    app.radio[0].set_value(answer)
    next(button for button in app.button if button.label.startswith("Check")).click().run()
    assert not app.exception and not app.error


def test_the_first_lesson_is_done_by_predicting_acting_and_answering(app: AppTest) -> None:
    app.switch_page("pages/learn.py").run()
    assert not app.exception and not app.error
    assert [title.value for title in app.title] == ["Learn"] and "Why prune" in app.header[0].value
    assert "why" not in marks(app) and not app.slider, "first a prediction"
    assert not [text for text in seen(app) if "Multiplications" in text or "ms" in text.split()], "nothing given away"
    check(app, "macs")
    assert "why" not in marks(app) and "First do" in app.info[0].value
    predict(app, "why", 50.0)
    app.run()
    assert not [text for text in seen(app) if "26 %" in text.replace("\u00a0", " ")]
    app.slider(key="lesson_why_percent").set_value(50).run()
    assert marks(app)["why"] == Mark(acted=True, predicted=50.0)
    assert app.session_state["learn_measured"]["why"] == {"at": 26.0, "words": "26 % ●"}
    check(app, "macs")
    assert marks(app)["why"].verdict == "open" and "second try" in app.info[0].value
    assert not app.warning and not app.success, "a hint, and no explanation yet"
    assert not app.expander(key="lesson_code").proto.expanded
    check(app, "macs")
    assert marks(app)["why"].verdict == "open", "the same answer again is no other try"
    check(app, "time")
    assert marks(app)["why"].verdict == "second" and "at the second try" in app.success[0].value
    assert "fell to 26\u00a0%" in app.success[0].value and "only to 50\u00a0%" in app.success[0].value
    assert app.radio[0].disabled
    app.button(key="lesson_next").click().run()
    assert not app.exception and "What is in a layer" in app.header[0].value


def test_two_wrong_answers_are_marked_apart_explained_and_may_be_answered_anew(app: AppTest) -> None:
    app.query_params["lesson"] = "anatomy"
    predict(app, "anatomy", 30.0)
    app.switch_page("pages/learn.py").run()
    assert app.session_state["learn_measured"]["anatomy"]["words"].endswith("% ●"), "it begins where it is asked"
    app.selectbox(key="lesson_anatomy_layer").set_value("conv1").run()
    check(app, "most")
    check(app, "few")
    assert marks(app)["anatomy"].verdict == "wrong" and not app.success
    assert "Not quite" in app.warning[0].value and "The answer: Not one." in app.warning[0].value
    app.button(key="lesson_anew").click().run()
    assert marks(app)["anatomy"] == Mark(acted=True, predicted=30.0)
    check(app, "none")
    assert marks(app)["anatomy"].verdict == "first" and app.success


def test_what_was_found_at_another_setting_is_withdrawn(app: AppTest) -> None:
    predict(app, "why", 50.0)
    app.switch_page("pages/learn.py").run()
    app.slider(key="lesson_why_percent").set_value(50).run()
    assert app.session_state["learn_facts"]["why"]["percent"] == 50
    app.slider(key="lesson_why_percent").set_value(0).run()
    assert not app.session_state["learn_facts"]["why"] and marks(app)["why"].acted


@pytest.mark.slow
def test_what_comes_back_is_predicted_before_it_is_shown(app: AppTest) -> None:
    app.query_params["lesson"] = "repair"
    app.switch_page("pages/learn.py").run()
    assert not app.exception and not app.error and "What can be won back?" in app.header[0].value
    measure = app.button(key="won_back_measure")
    assert measure.disabled, "first all three are predicted"
    assert not [text for text in seen(app) if re.search("Repaired|Recalibrated|came back", text)], "nothing given away"
    as_cut = [text.value for text in app.markdown if "Accuracy as cut" in text.value]
    assert len(as_cut) == 3 and "11.2 %" in as_cut[0]
    for cut, guess in ((50, 100), (70, 0), (90, 0)):
        app.segmented_control(key=f"lesson_repair_guess_{cut}").set_value(guess).run()
    assert not app.button(key="won_back_measure").disabled and "repair" not in marks(app)
    app.button(key="won_back_measure").click().run()
    assert not app.exception and not app.error and marks(app)["repair"].acted
    said = [text.value for text in app.markdown]
    assert "**2 of 3 predictions fit.**" in said, "at 70 % half of it comes back"
    facts = app.session_state["learn_facts"]["repair"]
    lightest, middle, hardest = (float(share) for share in re.findall(r"\d+", facts["share"]))
    assert lightest > 85 and 35 < middle < 70 and hardest < 20
    check(app, "labels")
    check(app, "as_cut")
    assert "Not quite" in app.warning[0].value and facts["share"] in app.warning[0].value.replace("\u00a0", " ")
    app.button(key="won_back_again").click().run()
    assert app.button(key="won_back_measure"), "to be predicted once more"


@pytest.mark.parametrize("taken", ["lock", "hide"])
def test_a_layer_that_is_not_there_is_one_sentence(app: AppTest, taken: str) -> None:
    app.query_params.update({"lesson": "anatomy", "set": "layer:foo", taken: "layer"})
    predict(app, "anatomy", 30.0)
    app.switch_page("pages/learn.py").run()
    assert not app.exception and "no layer 'foo'" in app.error[0].value
    app.query_params.pop("set")
    app.run()
    assert not app.exception and not app.error, "the first layer"


def test_a_link_hides_and_locks_and_says_what_does_not_exist(app: AppTest) -> None:
    app.query_params.update({"lesson": "units", "hide": "percent,volume", "lock": "way"})
    predict(app, "units", 80.0)
    app.switch_page("pages/learn.py").run()
    assert not app.exception
    assert "Weights or units" in app.header[0].value
    assert not [slider for slider in app.slider if slider.key == "lesson_units_percent"]
    assert app.segmented_control(key="lesson_units_way").disabled
    assert "no control 'volume'" in app.warning[0].value
    assert marks(app)["units"].acted, "what a link takes away is not asked for"
    app.query_params.pop("hide")
    app.query_params.update({"set": "percent:60,way:columns,volume:3,layer", "lock": "percent"})
    app.run()
    assert not app.exception
    percent = app.slider(key="lesson_units_percent")
    assert percent.value == 60 and percent.disabled, "locked where the link puts it"
    assert app.segmented_control(key="lesson_units_way").value == "columns"
    app.segmented_control(key="lesson_units_way").set_value("entries").run()
    assert app.segmented_control(key="lesson_units_way").value == "entries", "what is free only begins there"
    assert [text.value for text in app.warning if "no control 'volume'" in text.value]
    app.query_params.update({"set": "percent:97,way:<b>"})
    app.run()
    said = " ".join(text.value for text in app.warning)
    assert "must be from 0 to 80" in said and "must be entries or columns" in said and "<b>" not in said
    assert app.slider(key="lesson_units_percent").value == 40, "as in the lesson"
    app.query_params.update({"lesson": "nothing"})
    app.run()
    assert "There is no lesson 'nothing'" in app.warning[0].value


def test_a_link_that_holds_a_control_elsewhere_asks_for_no_prediction(app: AppTest) -> None:
    app.query_params.update({"lesson": "units", "set": "percent:60", "lock": "percent"})
    app.switch_page("pages/learn.py").run()
    assert not app.exception and app.slider(key="lesson_units_percent").disabled, "the activity is there at once"
    app.query_params.update({"set": "percent:40"})
    app.run()
    assert not app.exception and not app.slider, "where it can be answered it is asked for"


def test_the_code_to_copy_follows_the_controls(app: AppTest) -> None:
    app.query_params["lesson"] = "anatomy"
    predict(app, "anatomy", 30.0)
    app.switch_page("pages/learn.py").run()
    app.slider(key="lesson_anatomy_near").set_value(12).run()
    (code,) = app.expander(key="lesson_code").get("code")
    assert 'network.weight("layer3.0.conv2")' in code.value and "0.12 * weight" in code.value


def test_what_was_learnt_is_summed_up_once_nothing_is_open(app: AppTest) -> None:
    app.query_params["lesson"] = "end"
    app.switch_page("pages/learn.py").run()
    assert not [text for text in seen(app) if "Zeros save no time" in text], "it answers lessons that are open"
    done = {lesson.id: Mark(answered="x", right=True, tries=1, acted=True) for lesson in library.course().lessons}
    done["why"] = Mark(answered="x", right=False, tries=2, acted=True)
    app.session_state["progress_held"] = Progress(lessons=done)
    app.run()
    said = " ".join(seen(app))
    assert "Zeros save no time" in said and "first try: 10" in said and "answered wrong: 1" in said


MARK = "¤"
SAME = re.compile(r"\d|\bms\b|%|×|÷|·|L[12]|conv|layer|fc|Learn|MNIST|PyTorch|Mini ResNet|\W")
"""What is alike in every language: numbers, signs, names of layers."""


def marked(entry: Any, key: str = "") -> Any:
    """A file of words in which every text that a reader sees has a mark."""
    if isinstance(entry, dict):
        return {name: value if name == "at" else marked(value, name) for name, value in entry.items()}
    if isinstance(entry, list):
        return [marked(value, key) for value in entry]
    names = ("id", "activity", "done", "answer", "answer_from", "settings", "controls", "arxiv", "doi", "unit",
             "fact")  # fmt: skip
    return entry if key in names or not isinstance(entry, str) else MARK + entry


def seen(app: AppTest) -> Iterator[str]:
    """Every text on the page: of elements, of choices, in HTML, in figures."""
    for kind in ("title", "header", "markdown", "caption", "button", "slider", "selectbox", "radio", "select_slider",
                 "number_input", "info", "warning", "success", "metric", "expander"):  # fmt: skip
        for element in app.get(kind):
            yield str(getattr(element, "value", "") if kind in ("title", "header", "markdown", "caption", "info",
                                                                "warning", "success") else element.label)  # fmt: skip
    for element in app.get("html"):
        body = re.sub(r"<style>.*?</style>", "", element.proto.body, flags=re.S)
        body = re.sub(r'<span class="px-badge.*?</i></span>', "", body, flags=re.S)
        yield from re.findall(r">([^<>]+)<", body)
    for element in app.get("plotly_chart"):
        figure = json.loads(element.proto.spec)
        yield from (entry["name"] for entry in figure["data"] if entry.get("name"))
        layout = figure["layout"]
        yield from (layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis") if layout[axis].get("title"))


@pytest.mark.slow
def test_another_language_is_one_file(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(library.FOLDER / "en.yaml", tmp_path)
    whole = yaml.safe_load((tmp_path / "en.yaml").read_text())
    kept = {name: entry for name, entry in whole.items() if name != "lessons"}
    other = marked(kept) | {"lessons": [
        {name: value if name in ("settings", "controls") else marked(value, name) for name, value in lesson.items()}
        for lesson in whole["lessons"]
    ]}  # fmt: skip
    (tmp_path / "xx.yaml").write_text(yaml.safe_dump(other, allow_unicode=True, sort_keys=False))
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library._ours.cache_clear()
    try:
        left: dict[str, list[str]] = {}
        for lesson in library.course("xx").lessons:
            if lesson.predict:
                predict(app, lesson.id, lesson.predict.high)
            app.query_params.update({"lesson": lesson.id, "lang": "xx"})
            app.switch_page("pages/learn.py").run()
            assert not app.exception
            texts = list(seen(app))
            assert sum(MARK in text for text in texts) > 5, "the page speaks the other language"
            english = [text for text in texts if MARK not in text and re.sub(SAME, "", text)]
            if english:
                left[lesson.id] = english
        assert left == {}, "words that are in no file"
    finally:
        library._ours.cache_clear()
