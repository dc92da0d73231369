"""Lessons as data: what a file may say, how answers are judged, what a browser may have stored; and the page runs."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("streamlit")

import streamlit as st
import yaml
from streamlit.testing.v1 import AppTest

from pruning.base.errors import InputError
from pruning.lessons import library, reading
from pruning.lessons.activities import ACTIVITIES, COMMON, Setting, check_value, settings_of
from pruning.lessons.lesson import Question
from pruning.render.markup import badges, ledger_tiles
from pruning.spec import PruneSpec
from pruning.tasks.metric import Difference
from ui.kit import charts
from ui.learn import activities, energy, progress, question

ROOT = Path(__file__).parents[2]
APP = str(ROOT / "app.py")

GOOD: dict[str, Any] = {
    "id": "mine",
    "title": "Mine",
    "text": "A sentence.",
    "do": "Look.",
    "activity": "matrix",
    "settings": {"percent": 60},
    "controls": ["percent"],
    "question": {"text": "How many?", "answer": 140, "tolerance": 1, "explain": "Half, at {percent} %."},
    "done": "both",
    "references": [{"text": "Han 2015", "arxiv": "1506.02626"}],
}


def test_our_lessons_are_ten_and_read_without_a_complaint() -> None:
    course = library.course()
    assert course.problems == ()
    order = ["why", "anatomy", "units", "ranking", "recover", "race", "sketch", "half", "stopping", "lab"]
    assert [lesson.id for lesson in course.lessons] == order
    assert all(lesson.question and lesson.references and lesson.done == "both" for lesson in course.lessons)


def test_every_text_that_an_activity_says_is_in_the_file_of_words() -> None:
    folder = Path(activities.__file__).parent
    words = library.course().words
    for name in ACTIVITIES:
        place = folder / name
        files = sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        said = {key for file in files for key in re.findall(r'\bsay\(\s*"(\w+)"', file.read_text())}
        assert said, name
        assert said - set(words[name]) == set(), name
    page = "".join(file.read_text() for file in (*folder.parent.glob("*.py"), folder.parent / "steps/__init__.py"))
    assert set(re.findall(r'say\(\s*"page", "(\w+)"', page)) - set(words["page"]) == set()


def test_what_lessons_share_with_other_pages_is_said_alike() -> None:
    words = library.course().words
    assert words["legend"] == badges.WORDS
    assert charts.STRIP.items() <= words["savings"].items()
    assert ledger_tiles.WORDS.items() <= words["matrix"].items()


def test_a_good_lesson_is_read_as_it_stands() -> None:
    lesson = reading.read_lesson(GOOD)
    assert lesson.setting("percent") == 60 and lesson.setting("way") == "entries"
    assert lesson.controls == ("percent",) and lesson.short == "Mine"
    assert lesson.references[0].link == "https://arxiv.org/abs/1506.02626"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": "Mine/../x"}, "`id`"),
        ({"title": None}, "`title` is missing"),
        ({"title": 3}, "`title` must be a text"),
        ({"text": "x" * 5000}, "`text`"),
        ({"activity": "hack"}, "`activity` 'hack' does not exist"),
        ({"colour": "red"}, "`colour` is not known"),
        ({"settings": {"percent": 95}}, "`settings.percent` must be from 0 to 80"),
        ({"settings": {"percent": "60"}}, "`settings.percent` must be a whole number"),
        ({"settings": {"percent": True}}, "`settings.percent` must be a whole number"),
        ({"settings": {"way": "rows"}}, "`settings.way` must be entries or columns"),
        ({"settings": {"speed": 3}}, "`settings.speed` does not exist"),
        ({"controls": ["layer"]}, "`controls` must be"),
        ({"controls": "percent"}, "`controls` must be"),
        ({"question": {"text": "?", "explain": "!"}}, "`question.answer`"),
        ({"question": {"text": "?", "choices": {"a": "A"}, "answer": "b", "explain": "!"}}, "one of the choices: a"),
        ({"question": {"text": "?", "choices": {True: "Yes"}, "answer": True, "explain": "!"}}, "`question.choices`"),
        ({"question": {"text": "?", "answer_from": "mood", "explain": "!"}}, "`question.answer_from`"),
        ({"question": {"text": "?", "answer": 1, "explain": "{secret}"}}, "{secret}"),
        ({"question": {"text": "?", "answer": 1, "tolerance": -1, "explain": "!"}}, "`question.tolerance`"),
        ({"question": None}, "`done` is both, but there is no `question`"),
        ({"done": "maybe"}, "`done` must be"),
        ({"references": [{"text": "x", "arxiv": "javascript:1"}]}, "`references.arxiv`"),
        ({"references": [{"text": "x", "doi": '10.1/x" onclick'}]}, "`references.doi`"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(change: dict[str, Any], named: str) -> None:
    with pytest.raises(InputError, match=re.escape(named)) as caught:
        reading.read_lesson(copy.deepcopy(GOOD) | change)
    assert "\n" not in str(caught.value)


def test_a_teachers_files_stand_after_ours_and_a_bad_one_keeps_out_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untitled = copy.deepcopy(GOOD) | {"id": "two", "title": ""}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"lessons": [GOOD, untitled]}))
    (tmp_path / "b.yaml").write_text("lessons:\n  - id: x\n   title: y")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"lessons": [GOOD | {"id": "why"}, 3]}))
    (tmp_path / "d.yaml").write_text("!!python/object/apply:os.system ['true']")
    monkeypatch.setenv(library.ENVIRONMENT, str(tmp_path))
    course = library.course()
    assert [lesson.id for lesson in course.lessons][-2:] == ["lab", "mine"]
    files = [problem.split(",")[0].split(" ")[0] for problem in course.problems]
    assert files == ["a.yaml", "b.yaml", "c.yaml", "c.yaml", "d.yaml"]
    assert "lesson two: `title`" in course.problems[0] and "(line 3)" in course.problems[1]
    assert not any(str(tmp_path) in problem for problem in course.problems)


def test_the_readmes_example_and_its_table_are_true(tmp_path: Path) -> None:
    text = (ROOT / "pruning" / "lessons" / "files" / "README.md").read_text()
    example = re.search(r"```yaml\n(.*?)```", text, re.S)
    assert example
    (tmp_path / "example.yaml").write_text(example[1])
    found, wrong = reading.read_lessons(tmp_path / "example.yaml")
    assert wrong == [] and found[0].id == "harder-cut"
    for name, activity in ACTIVITIES.items():
        row = re.search(rf"^\| `{name}` \| (.*?) \| (.*?) \|$", text, re.M)
        assert row, name
        named = re.findall(r"`(\w+)`(\*?)", row[1])
        assert {key: not star for key, star in named} == {key: s.control for key, s in activity.settings.items()}, name
        assert re.findall(r"`(\w+)`", row[2]) == list(activity.facts), name


def test_another_language_is_one_file_and_what_it_lacks_is_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = yaml.safe_load((library.FOLDER / "en.yaml").read_text(encoding="utf-8"))
    first = base["lessons"][0] | {"title": "Wozu"}
    (tmp_path / "en.yaml").write_text(yaml.safe_dump(base))
    (tmp_path / "de.yaml").write_text(yaml.safe_dump({"words": {"page": {"next": "Weiter"}}, "lessons": [first]}))
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    library._ours.cache_clear()
    try:
        course = library.course("de")
        assert course.lessons[0].title == "Wozu" and len(course.lessons) == len(base["lessons"])
        assert course.say("page", "next") == "Weiter" and course.say("page", "back") == "Back"
        assert library.course("../../etc").language == "en"
    finally:
        library._ours.cache_clear()


def test_answers_are_judged_by_the_file_or_by_what_was_found() -> None:
    number = Question(text="?", answer=25, tolerance=1)
    assert [question.judge(number, given, {}) for given in (24.0, 26.0, 26.5)] == [True, True, False]
    choice = Question(text="?", choices={"a": "A", "b": "B"}, answer_from="found")
    assert question.judge(choice, "a", {}) is None
    assert question.judge(choice, "a", {"found": "a"}) and not question.judge(choice, "b", {"found": "a"})


def test_an_explanation_leaves_out_what_is_not_known_yet() -> None:
    assert question.filled("There are {n} of it. So.", {"n": 1200}) == "There are 1,200 of it. So."
    assert question.filled("There are {n} of it. So.", {}) == "So."
    assert question.filled("{n.__class__} stays.", {"n": 1}) == "{n.__class__} stays."


@pytest.mark.parametrize(
    ("setting", "value", "good"),
    [
        (Setting(default=30, low=10, high=70), 10, True),
        (Setting(default=30, low=10, high=70), 9, False),
        (Setting(default=0, low=0, high=5), -1, False),
        (Setting(default=1.0, allowed=(0.5, 1.0)), 0.5, True),
        (Setting(default=1.0), float("nan"), False),
        (Setting(default=("a",), allowed=("a", "b")), ["b", "a"], True),
        (Setting(default=("a",), allowed=("a", "b")), ["c"], False),
        (Setting(default=None), "layer1", True),
        (Setting(default=None), 3, False),
    ],
)
def test_a_setting_takes_what_it_declares(setting: Setting, value: Any, good: bool) -> None:
    assert (check_value(setting, value) is None) == good


def test_every_activitys_own_defaults_are_allowed() -> None:
    for name in ACTIVITIES:
        assert COMMON.keys() <= settings_of(name).keys()
        for key, setting in settings_of(name).items():
            assert setting.default is None or check_value(setting, setting.default) is None, (name, key)


@pytest.mark.parametrize(
    "text",
    [None, 3, "", "null", "[]", "{", "[" * 50_000, "x" * 70_000, '{"lessons": 3}', '{"lessons": {"why": [1]}}',
     '{"lessons": {"<script>": {"acted": true}}}', '{"runs": {"a": 1}}', '{"runs": [1, null, ""]}'],
)  # fmt: skip
def test_what_a_browser_has_stored_is_anybodys_to_edit(text: Any) -> None:
    found = progress.read(text)
    assert found.lessons == {} and found.lists == {"runs": []}


def test_progress_comes_back_as_it_was_stored() -> None:
    kept = progress.Progress(
        lessons={"why": progress.Mark(answered="time", right=True, acted=True), "half": progress.Mark(answered=25.0)},
        lists={"runs": ["a", "b"]},
    )
    assert progress.read(progress.written(kept)) == kept
    odd = json.dumps({"lessons": {"why": {"answered": "a\nb", "right": 1, "acted": "yes"}, "x": {"answered": 1e99}}})
    assert progress.read(odd).lessons == {"why": progress.Mark(), "x": progress.Mark()}
    assert len(progress.read(json.dumps({"runs": [str(i) for i in range(999)]})).lists["runs"]) == progress.MOST


def test_the_energy_is_that_of_the_published_operations() -> None:
    assert energy.of(1_000_000, 1_000) == pytest.approx(1e6 * 4.6e-12 + 1e3 * 640e-12)
    assert round(energy.FETCH / (energy.MULTIPLY + energy.ADD)) == 139, "as the lesson says"


def test_what_the_lessons_say_of_the_network_is_true() -> None:
    from pruning.render import layers
    from pruning.statistics.distributions import weight_stats
    from ui.kit import lab, loaders

    subject = loaders.open_subject("sample:mini_resnet")
    zeros = [weight_stats(layers.weight(subject, name)).zeros for name in layers.layer_names(subject)]
    assert sum(zeros) == 0, "lesson 2: not one"
    assert tuple(layers.weight(subject, "fc").shape) == (10, 28), "lesson 3: each row adds up 28 numbers"
    left = lab.costs(subject, PruneSpec(sparsity=0.3)).macs / lab.costs(subject, PruneSpec()).macs
    assert 0.48 < left < 0.52, "lesson 8: near the square of 0.7"


@pytest.mark.parametrize(
    ("interval", "standing"),
    [((-0.005, 0.001), "within"), ((-0.01, 0.0), "within"), ((-0.02, -0.005), "open"), ((-0.05, -0.02), "beyond")],
)
def test_a_loss_is_judged_by_its_whole_interval(interval: tuple[float, float], standing: str) -> None:
    from ui.learn.activities import stopping

    change = Difference(value=sum(interval) / 2, interval=interval, newly_wrong=0, newly_right=0)
    assert stopping.judge(change, 1.0) == standing


def test_entries_are_told_apart_only_where_the_interval_leaves_out_zero() -> None:
    from ui.learn.activities import entries

    def against(low: float, high: float) -> Difference:
        return Difference(value=(low + high) / 2, interval=(low, high), newly_wrong=0, newly_right=0)

    assert entries.is_tie(against(-0.01, 0.002)) and not entries.is_tie(against(-0.019, -0.003))
    assert entries.span(against(-0.019, 0.003)) == "−1.9 to +0.3"


def test_names_of_runs_that_a_browser_sends_lead_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.runs import create_run
    from pruning.runs.recipe import Recipe
    from ui.learn.activities import entries
    from ui.learn.stage import Stage

    course = library.course()
    stage = Stage(course=course, lesson=course.lessons[-1])
    prune = PruneSpec(granularity="weight", sparsity=0.9)
    recipe = Recipe(model="sample:mini_resnet", data="mnist5k", finetune_steps=entries.steps(stage), prune=prune)
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    outside = create_run(recipe, path=tmp_path / "outside")
    inside = create_run(recipe)
    sent = ["..", f"../{outside.name}", str(outside), ".", "nothing", inside.name]
    monkeypatch.setattr(progress, "get", lambda name: sent)
    assert [entry.run for entry in entries.mine(stage, "weights", 0.25)] == [inside.name]
    assert entries.mine(stage, "macs", 0.5) == [] and entries.mine(stage, "weights", 0.05) == []


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app, with a clock that answers at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=32, dense=time, pruned=time, speedup=(1.9, 2.0, 2.1), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    yield AppTest.from_file(APP, default_timeout=300).run()
    st.cache_data.clear()


def marks(app: AppTest) -> dict[str, progress.Mark]:
    held: progress.Progress = app.session_state["progress_held"]
    return held.lessons


def test_the_first_lesson_is_done_by_acting_and_answering(app: AppTest) -> None:
    app.switch_page("pages/learn.py").run()
    assert not app.exception and not app.error
    assert [title.value for title in app.title] == ["Learn"] and "Why prune" in app.header[0].value
    assert "why" not in marks(app)
    app.slider(key="lesson_why_percent").set_value(50).run()
    assert marks(app)["why"] == progress.Mark(acted=True)
    app.radio(key="lesson_why_answer_0").set_value("macs")
    next(button for button in app.button if button.label == "Check").click().run()
    assert marks(app)["why"] == progress.Mark(answered="macs", right=False, acted=True)
    assert "fell to 26\u00a0%" in app.warning[0].value and "only to 50\u00a0%" in app.warning[0].value
    app.radio(key="lesson_why_answer_0").set_value("time")
    next(button for button in app.button if button.label == "Check").click().run()
    assert marks(app)["why"].right and app.success
    app.button(key="lesson_next").click().run()
    assert not app.exception and "What is in a layer" in app.header[0].value


def test_what_was_found_at_another_setting_is_withdrawn(app: AppTest) -> None:
    app.switch_page("pages/learn.py").run()
    app.slider(key="lesson_why_percent").set_value(50).run()
    assert app.session_state["learn_facts"]["why"]["percent"] == 50
    app.slider(key="lesson_why_percent").set_value(0).run()
    assert not app.session_state["learn_facts"]["why"] and marks(app)["why"].acted


def test_a_fact_in_words_judges_a_number_and_a_number_judges_choices() -> None:
    number = Question(text="?", answer_from="left", tolerance=1)
    assert question.judge(number, 53.5, {"left": "54 %"}) and not question.judge(number, 50.0, {"left": "54 %"})
    assert question.judge(number, -0.3, {"left": "−0.3"}) and question.judge(number, 1234.0, {"left": "1,234"})
    assert question.judge(number, 1.0, {"left": "no number"}) is None and question.judge(number, 1.0, {}) is None
    choices = Question(text="?", choices={"40": "x", "60": "y"}, answer_from="percent")
    assert question.judge(choices, "60", {"percent": 60}) and not question.judge(choices, "40", {"percent": 60})


def test_an_explanation_keeps_its_paragraphs_and_leaves_out_what_is_not_known() -> None:
    text = "One, e.g. {a}. Two {b}.\n\n- Three {a}."
    assert question.filled(text, {"a": 1}) == "One, e.g. 1.\n\n- Three 1."


@pytest.mark.parametrize("taken", ["lock", "hide"])
def test_a_layer_that_is_not_there_is_one_sentence(app: AppTest, taken: str) -> None:
    app.query_params.update({"lesson": "anatomy", "set": "layer:foo", taken: "layer"})
    app.switch_page("pages/learn.py").run()
    assert not app.exception and "no layer 'foo'" in app.error[0].value
    app.query_params.pop("set")
    app.run()
    assert not app.exception and not app.error, "the first layer"


def test_a_link_hides_and_locks_and_says_what_does_not_exist(app: AppTest) -> None:
    app.query_params.update({"lesson": "units", "hide": "percent,volume", "lock": "way"})
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


MARK = "¤"
SAME = re.compile(r"\d|\bms\b|%|×|÷|·|L[12]|conv|layer|fc|Learn|MNIST|PyTorch|Mini ResNet|\W")
"""What is alike in every language: numbers, signs, names of layers."""


def marked(entry: Any, key: str = "") -> Any:
    """A file of words in which every text that a reader sees has a mark."""
    if isinstance(entry, dict):
        return {name: marked(value, name) for name, value in entry.items()}
    if isinstance(entry, list):
        return [marked(value, key) for value in entry]
    names = ("id", "activity", "done", "answer", "answer_from", "settings", "controls", "arxiv", "doi", "unit")
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
