"""The pages run: Start and Explore open without an exception, and their controls do what they say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 300
"""At most, for one run of a page: a training may be using the machine."""


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    """The app before its first run, with a clock that answers at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=32, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


@pytest.fixture
def start(app: AppTest) -> AppTest:
    """The app on its first page."""
    return app.run()


def words(app: AppTest) -> str:
    """All the text of the HTML parts, without tags, styles aside."""
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", html, flags=re.S))


def test_start_opens_with_four_numbers_and_a_legend(start: AppTest) -> None:
    assert not start.exception and not start.error
    text = words(start)
    for title in ("original 99.4 %", "Non-zero parameters", "Multiplications (MACs)", "Time for 32 images"):
        assert title in text
    assert "no measurable speed-up (0.97–1.02×)" in text
    assert all(meaning in text for meaning in ("estimated", "measured", "measured after fine-tuning"))


def test_slider_changes_the_numbers(start: AppTest) -> None:
    before = words(start)
    start.slider(key="start_percent_widget").set_value(80).run()
    assert not start.exception
    after = words(start)
    assert before != after
    # Layers of 90, 900, 900, 1800, 3600, 5040, 7056 and 280 weights keep 3,934; 262 other parameters stay.
    assert re.search(r"÷ 4\.\d\d\s+●\s+4\.20 K of 19\.9 K", after)
    assert any("There is the cliff" in block.value for block in start.markdown)


def test_zeroed_weights_leave_every_block_whole(start: AppTest) -> None:
    start.slider(key="start_percent_widget").set_value(80).run()
    assert any("every block keeps its size" in caption.value for caption in start.caption)
    start.segmented_control(key="start_granularity_widget").set_value("channel").run()
    assert any("the block shrinks" in caption.value for caption in start.caption)


def buttons(app: AppTest) -> dict[str, bool]:
    """Label → whether it stands out, of the buttons of the next step."""
    return {
        button.label: button.proto.type == "primary"
        for button in app.button
        if button.key in ("recover", "try_channels")
    }


def test_after_the_cliff_recover_is_the_one_next_step_and_says_its_result(
    start: AppTest,
) -> None:
    assert buttons(start) == {"Recover": False}, "nothing that the images can tell is lost yet"
    start.slider(key="start_percent_widget").set_value(0).run()
    assert buttons(start) == {}
    start.slider(key="start_percent_widget").set_value(95).run()
    assert buttons(start) == {"Recover": True}
    start.button(key="recover").click().run()
    assert not start.exception and not start.error
    (said,) = [block.value for block in start.markdown if block.value.startswith("**Recovered: ")]
    assert "◆" in said
    assert buttons(start) == {"Now try channels": True}
    start.button(key="try_channels").click().run()
    assert start.segmented_control(key="start_granularity_widget").value == "channel"
    assert "Recover" in buttons(start)


def test_nothing_is_answered_before_something_is_drawn(start: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.training import one_image

    asked = []
    ask = one_image.ask
    monkeypatch.setattr(one_image, "ask", lambda *of: asked.append(of) or ask(*of))
    start.slider(key="start_percent_widget").set_value(50).run()
    assert not asked and "% sure" not in words(start)
    start.session_state["drawn_digit"] = {"drawn": {"strokes": ONE, "sample": None}}
    start.run()
    assert not start.exception and not start.error
    assert len(asked) == 2, "the original and the pruned network"
    text = words(start)
    assert text.count("% sure") == 2 and "28 × 28 pixels" in text


ONE = [[[0.5, 0.1 + 0.08 * step] for step in range(11)]]
"""A straight stroke from the top to the bottom."""


def test_the_answers_follow_the_slider(start: AppTest) -> None:
    start.session_state["drawn_digit"] = {"drawn": {"strokes": ONE, "sample": None}}
    start.run()
    assert "Both say 1." in words(start)
    first = re.findall(r"(\d+) % sure", words(start))
    start.segmented_control(key="start_granularity_widget").set_value("channel").run()
    start.session_state["drawn_digit"] = {"drawn": {"strokes": ONE, "sample": None}}
    start.slider(key="start_percent_widget").set_value(95).run()
    then = re.findall(r"(\d+) % sure", words(start))
    assert first[0] == then[0] and first[1] != then[1], "the original's stays, the pruned one's does not"


def test_our_images_are_answered_with_what_is_right(start: AppTest) -> None:
    start.session_state["drawn_digit"] = {"drawn": {"strokes": [], "sample": 3}}
    start.run()
    assert not start.exception and words(start).count("% sure") == 2


@pytest.mark.parametrize(
    "sent",
    [{"strokes": "x"}, {"strokes": [[["1", 2]]]}, {"strokes": [[[0.1, 0.2]] * 6000]}, {"strokes": None, "sample": 99}],
    ids=["text", "a word for a number", "too many points", "no such image"],
)
def test_a_drawing_that_is_none_is_refused_in_a_sentence(start: AppTest, sent: dict[str, object]) -> None:
    start.session_state["drawn_digit"] = {"drawn": sent}
    start.run()
    assert not start.exception
    assert len(start.error) == 1 and "draw again" in start.error[0].value


def test_channels_shrink_the_network(start: AppTest) -> None:
    assert "÷ 1.00" in words(start), "zeroed weights save no multiplications"
    start.segmented_control(key="start_granularity_widget").set_value("channel").run()
    assert not start.exception
    text = words(start)
    assert "Parameters" in text and "÷ 1.00" not in text


def test_values_survive_a_change_of_page(start: AppTest) -> None:
    start.slider(key="start_percent_widget").set_value(20).run()
    start.switch_page("pages/explore.py").run()
    assert not start.exception
    start.switch_page("pages/start.py").run()
    assert start.slider(key="start_percent_widget").value == 20


@pytest.mark.parametrize("model", ["sample:mini_resnet", "sample:lenet5", "sample:lenet300"])
def test_explore_opens_every_layer(app: AppTest, model: str) -> None:
    app.session_state["model_ref"] = model
    app.switch_page("pages/explore.py").run()
    for layer in app.selectbox(key="explore_layer_widget").options:
        app.selectbox(key="explore_layer_widget").set_value(layer).run()
        assert not app.exception and not app.error
        assert any(layer in block.value.replace("\\", "") for block in app.markdown)


def test_explore_says_what_is_tied_and_what_is_locked(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    assert any("tied to 3 other layers" in block.value for block in app.markdown)
    app.selectbox(key="explore_layer_widget").set_value("fc").run()
    assert any("Locked" in block.value and "outputs stay" in block.value for block in app.markdown)


def test_explore_ends_with_one_next_step(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    button = app.button(key="explore_next")
    assert button.label == "Measure what each layer can spare" and button.proto.type == "primary"


def test_what_cannot_be_measured_goes_on_to_prune_and_shows_no_noise(app: AppTest) -> None:
    app.session_state["model_ref"] = "torchvision:squeezenet1_1"
    app.switch_page("pages/explore.py").run()
    assert not app.exception and not app.error
    assert app.button(key="explore_next").label == "Prune this network"
    assert not any("What each filter looks for" in caption.value for caption in app.caption), "its weights are random"
