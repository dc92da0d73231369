"""The box that chooses a network takes any reference that a visitor may open, and says why not for the others."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "app.py")
SECONDS = 240
BOX = "model_ref_widget"
SMALL = "torchvision:resnet18?size=64"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick_clocks: None) -> Iterator[AppTest]:
    """The app with no runs, before its first run."""
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    yield AppTest.from_file(APP, default_timeout=SECONDS)
    st.cache_data.clear()


def typed(app: AppTest, text: str) -> AppTest:
    """As the browser does when a text is typed into the box and Enter pressed."""
    box = app.selectbox(key=BOX)
    if not text.startswith("sample:") and text not in box.options:
        box.options.append(text)  # AppTest knows no new options
    box.set_value(text).run()
    assert not app.exception, app.exception
    return app


def chosen(app: AppTest) -> str:
    assert app.selectbox(key=BOX).value == app.session_state["model_ref"]
    return str(app.session_state["model_ref"])


def said(app: AppTest) -> str:
    (error,) = app.error
    return error.value.replace("\\", "")


@pytest.mark.parametrize("page", ["explore", "prune", "tradeoff"])
def test_a_library_network_opens_by_its_address(app: AppTest, page: str) -> None:
    app.switch_page(f"pages/{page}.py")
    app.query_params["model"] = SMALL
    app.run()
    assert not app.exception and not app.error
    assert chosen(app) == SMALL
    sentences = [block.value for block in app.caption if "Accuracy is absent" in block.value]
    assert len(sentences) == 1 and "comes without images" in sentences[0]


def test_prune_has_sliders_and_costs_but_no_run(app: AppTest) -> None:
    app.switch_page("pages/prune.py").run()
    typed(app, SMALL)
    assert not app.error and chosen(app) == SMALL
    app.session_state["cut_ledger"] = True
    app.run()
    html = " ".join(str(element.proto.body) for element in app.get("html"))
    assert "11,689,512" in html, "the parameters of ResNet-18"
    assert app.button(key="start_run").disabled
    assert "comes without images" in app.button(key="start_run").help
    assert any("comes without images" in block.value for block in app.markdown)
    typed(app, "sample:lenet5")
    assert chosen(app) == "sample:lenet5" and not app.button(key="start_run").disabled
    assert app.session_state["data_name"] == "mnist5k"


def test_explore_says_that_random_weights_have_learnt_nothing(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    typed(app, SMALL)
    assert any("random, seed 0" in block.value and "learnt nothing" in block.value for block in app.markdown)


REFUSED = {
    "file:/etc/net.py:build": "cannot be opened in the browser, because its code would run on the server",
    "torchvision:resnet18?weights=/etc/passwd": "works on the command line only",
    "torchvision:vit_h_14": "633 million parameters",
    "torchvision:resnet18?size=4096": "goes up to 1024 pixels",
    "torchvision:resnet19": "Did you mean 'torchvision:resnet18'?",
    "resnet18": "Did you mean 'torchvision:resnet18'?",
    "<b>nothing</b>": "There is no model '<b>nothing</b>'",
    "torchvision:" + "x" * 500: "at most 200 characters",
}


def test_what_cannot_be_opened_gets_one_sentence_and_moves_nothing(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    for text, words in REFUSED.items():
        typed(app, text)
        assert words in said(app)
        assert chosen(app) == "sample:mini_resnet"
    app.run()
    assert not app.error, "said once"


def test_a_bad_address_gets_one_sentence(app: AppTest) -> None:
    app.switch_page("pages/explore.py")
    app.query_params["model"] = "file:net.py:build"
    app.run()
    assert not app.exception
    assert "cannot be opened in the browser" in said(app)
    assert chosen(app) == "sample:mini_resnet"
    assert "model" not in app.query_params


def test_default_weights_are_not_fetched_for_a_visitor(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    app.switch_page("pages/explore.py").run()
    typed(app, "torchvision:squeezenet1_1?weights=default")
    assert "are not on this machine" in said(app)


def test_the_address_follows_the_choice(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    assert "model" not in app.query_params, "the default needs none"
    typed(app, "sample:lenet300")
    assert app.query_params["model"] in ("sample:lenet300", ["sample:lenet300"])
    typed(app, "sample:mini_resnet")
    assert "model" not in app.query_params


def test_the_last_entry_shows_how_to_name_a_network(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()
    typed(app, app.selectbox(key=BOX).options[-1])
    assert not app.error
    assert any("torchvision:resnet50" in block.value for block in app.caption)
    assert chosen(app) == "sample:mini_resnet"


def test_a_run_that_is_gone_leaves_a_sample(app: AppTest, tmp_path: Path) -> None:
    app.session_state["model_ref"] = f"run:{tmp_path / 'gone'}"
    app.switch_page("pages/explore.py").run()
    assert not app.exception
    assert "There is no folder" in said(app)
    assert chosen(app) == "sample:mini_resnet"


def test_a_recipe_for_a_library_network_is_refused(app: AppTest) -> None:
    app.switch_page("pages/prune.py").run()
    recipe = json.dumps({"version": 1, "model": SMALL, "data": "mnist5k"})
    app.file_uploader(key="prune_recipe_file").set_value(("recipe.yaml", recipe.encode(), "application/yaml")).run()
    assert not app.exception
    assert "comes without images" in said(app)


def test_the_same_weights_for_images_of_another_size_have_costs_of_their_own(app: AppTest) -> None:
    app.switch_page("pages/explore.py").run()

    def macs() -> str:
        return next(block.value for block in app.markdown if "MACs** ●" in block.value or "MACs ●" in block.value)

    typed(app, "torchvision:squeezenet1_1?size=64")
    first = macs()
    typed(app, "torchvision:squeezenet1_1?size=96")
    assert not app.error and macs() != first
    typed(app, "torchvision:squeezenet1_1?size=64")
    assert macs() == first
