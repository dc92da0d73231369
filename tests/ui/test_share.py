"""Links on pages: what is opened, what is refused without a change, and what the header offers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("streamlit")

import streamlit as st
from streamlit.testing.v1 import AppTest

from pruning.runs import links
from pruning.runs.recipe import Recipe
from pruning.spec import RUN, PruneSpec
from ui.kit import place

APP = str(Path(__file__).parents[2] / "app.py")
PLAN = Recipe(
    model="sample:lenet300",
    data="mnist5k",
    prune=PruneSpec(granularity="weight", criterion="l1", sparsity=0.5, layers=(("fc2", 0.25),), seed=5),
    schedule="iterative",
    iterations=4,
    finetune_steps=93 * 2,
    batch_size=32,
    lr=0.01,
    shift=1,
)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    """The app with no runs, on its first page, which is not run yet; the clock answers at once."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=1, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    yield AppTest.from_file(APP, default_timeout=240)
    st.cache_data.clear()


def open_link(app: AppTest, page: str, link: str) -> AppTest:
    """As a new visitor who comes by a link."""
    app.switch_page(f"pages/{page}.py")
    app.query_params["r"] = link
    app.run()
    assert not app.exception, app.exception
    return app


def offered(app: AppTest) -> links.Link:
    """What the link in the header carries."""
    (address,) = [code.value for code in app.code if code.value.startswith("http")]
    return links.decode(parse_qs(urlsplit(address).query)["r"][0])


def toasts(app: AppTest) -> list[str]:
    return [toast.value for toast in app.toast]


def test_a_link_sets_network_plan_options_and_view_and_is_offered_again(app: AppTest) -> None:
    link = links.Link(recipe=PLAN, view={"layer": "fc2", "norm": "l1"})
    open_link(app, "explore", links.encode(link))
    assert toasts(app) == ["Opened the plan in the link: lenet300, 25–50 %, row by row, of the weights by L1 norm."]
    assert app.selectbox(key="explore_layer_widget").value == "fc2"
    assert offered(app) == link, "the same state gives the same link"
    app.query_params["r"] = links.encode(links.Link(recipe=Recipe(model="sample:lenet5", data="mnist5k")))
    app.run()
    assert offered(app) == link, "a session reads the address once"


def test_locked_rows_travel_with_a_link(app: AppTest) -> None:
    plan = Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.3))
    link = links.Link(recipe=plan, view={"locked": "0,2"})
    open_link(app, "prune", links.encode(link))
    board = app.session_state["layer_board_shown"]
    assert board["pinned"] == ["conv1", "layer2.0.conv1"]
    assert offered(app).view == {"locked": "0,2"}, "and with the next one, as after F5"


@pytest.mark.parametrize("locked", ["x", "1;2", "-1", "0," * 90])
def test_locks_that_are_none_are_refused(locked: str, app: AppTest) -> None:
    open_link(app, "prune", links.encode(links.Link(view={"locked": locked})))
    assert "Nothing was opened" in toasts(app)[0] and "layer_board_shown" in app.session_state


def test_a_link_on_which_something_breaks_is_not_tried_again(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(code: str) -> links.Link:
        raise ValueError

    app.query_params["r"] = links.encode(links.Link(recipe=PLAN))
    with monkeypatch.context() as patch:
        patch.setattr(links, "decode", breaks)
        app.run()
    assert app.exception
    app.run()
    assert not app.exception and app.title and not toasts(app)


def test_a_link_of_start_and_nothing_to_share_at_first(app: AppTest) -> None:
    open_link(app, "start", links.encode(links.Link(view={"percent": 65, "removes": "channel"})))
    assert app.slider(key="start_percent_widget").value == 65
    assert app.segmented_control(key="start_granularity_widget").value == "channel"
    assert offered(app).view == {"percent": 65, "removes": "channel"}
    app.slider(key="start_percent_widget").set_value(40)
    app.segmented_control(key="start_granularity_widget").set_value("weight").run()
    assert not any("r=" in code.value for code in app.code), "as at first: the page's own address will do"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (
            links.Link(
                recipe=Recipe(model="sample:lenet5", data="mnist5k", prune=RUN.replace(layers=(("nowhere", 0.5),)))
            ),
            "no prunable layer",
        ),
        (links.Link(recipe=Recipe(model="sample:lenet5", data="cifar10")), "cannot be used with"),
        (links.Link(recipe=PLAN, view={"norm": "l7"}), "does not offer"),
        (links.Link(recipe=PLAN, view={"session": "x"}), "does not offer"),
        ("1.damaged", "damaged"),
        ("9.eNqrVgpydQcAAkYBEA", "version 9"),
    ],
)
def test_what_does_not_fit_changes_nothing(app: AppTest, link: links.Link | str, words: str) -> None:
    open_link(app, "explore", link if isinstance(link, str) else links.encode(link))
    (said,) = toasts(app)
    assert said.startswith("**Nothing was opened.**") and words in said
    assert app.session_state["model_ref"] == "sample:mini_resnet"
    assert "prune_granularity" not in app.session_state or app.session_state["prune_granularity"] == "channel"
    assert app.session_state["explore_norm"] == "l2"
    assert not any("r=" in code.value for code in app.code)


def test_a_network_without_images_travels_with_its_plan_alone(app: AppTest) -> None:
    recipe = Recipe(
        model="torchvision:squeezenet1_1?size=64", data="mnist5k", prune=PruneSpec(criterion="l1", sparsity=0.25)
    )
    link = links.Link(recipe=recipe, has_images=False)
    open_link(app, "explore", links.encode(link))
    assert offered(app) == link
    assert "prune_epochs" not in app.session_state or app.session_state["prune_epochs"] == 3


def test_start_leads_on_to_the_last_run_where_it_can_only_be_the_visitors_own(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.runs import create_run

    def continued() -> list[str]:
        labels = [link.proto.label for link in app.get("page_link")]
        return [label for label in labels if label.startswith("**Continue:**")]

    app.run()
    assert not app.exception and continued() == []
    path = create_run(PLAN)
    app.run()
    words = "**Continue:** LeNet-300-100, weights by L1 norm, 25–50 % by layer in 4 rounds, fine-tuned (starting)"
    assert [block.replace("\\", "") for block in continued()] == [words]
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    app.run()
    assert continued() == [], "with other visitors about, the newest run is somebody else's"
    app.session_state["prune_run"] = path.name
    app.run()
    assert len(continued()) == 1, "the run of this session is the visitor's own"
