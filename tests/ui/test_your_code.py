"""A network from a Python file with its weights, chosen in the app: only from folders that the owner lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from ui.kit import place

APP = str(Path(__file__).parents[2] / "app.py")
CODE = """
from torch import nn

def build():
    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *end)
"""


def network() -> nn.Module:
    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *end)


@pytest.fixture
def nets(tmp_path: Path) -> Path:
    """A folder with a network and its weights."""
    folder = tmp_path / "nets"
    folder.mkdir()
    (folder / "net.py").write_text(CODE)
    torch.save(network().state_dict(), folder / "net.pt")
    torch.save({"other.weight": torch.zeros(2)}, folder / "other.pt")
    return folder


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nets: Path) -> Iterator[AppTest]:
    (tmp_path / "pruning.toml").write_text(f'[python]\nallowed = true\nfolders = ["{nets}"]')
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PRUNING_SETTINGS", str(tmp_path / "pruning.toml"))
    monkeypatch.setattr(place, "is_loopback_address", lambda address: True)
    app = AppTest.from_file(APP, default_timeout=240)
    app.switch_page("pages/explore.py")
    app.query_params["yours"] = "network"
    yield run(app)
    st.cache_data.clear()
    st.cache_resource.clear()


def run(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception
    return app


def from_code(app: AppTest, weights: Path | None) -> AppTest:
    """Choose the file, and these weights."""
    app.segmented_control(key="your_network_way").set_value("from a Python file").run()
    assert app.selectbox(key="your_code_file").options == ["nets/net.py"]
    assert app.selectbox(key="your_code_weights").options == ["nets/net.pt", "nets/other.pt"]
    app.selectbox(key="your_code_weights").set_value(weights).run()
    app.button(key="your_code_open").click()
    return run(app)


def test_a_file_and_its_weights_open_together(app: AppTest, nets: Path, tmp_path: Path) -> None:
    from_code(app, nets / "net.pt")
    assert not app.error and app.session_state["model_ref"] == f"file:{nets}/net.py:build?weights={nets}/net.pt"
    shown = app.selectbox(key="model_ref_widget").options
    assert "net.py:build (weights=net.pt)" in shown and not any(str(tmp_path) in option for option in shown)
    assert not any("Untrained:" in str(part.proto.body) for part in app.get("html"))
    assert "own" in app.query_params and str(tmp_path) not in str(app.query_params)
    assert any("one folder a class" in caption.value for caption in app.caption), "images are asked for next"


def test_weights_that_do_not_fit_are_refused_where_they_were_chosen(app: AppTest, nets: Path) -> None:
    from_code(app, nets / "other.pt")
    assert len(app.error) == 1 and app.session_state["model_ref"] == "sample:mini_resnet"
    assert app.selectbox(key="your_code_weights").value == nets / "other.pt", "the form still stands there"


def test_weights_from_elsewhere_are_not_read(app: AppTest, nets: Path, tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "secret.pt")
    app.session_state["network_asked"] = f"file:{nets}/net.py:build?weights={tmp_path}/secret.pt"
    run(app)
    assert "secret.pt lies in none of the folders" in app.error[0].value
    assert app.session_state["model_ref"] == "sample:mini_resnet"


def test_random_weights_say_so_and_lead_to_the_form(app: AppTest, nets: Path) -> None:
    from_code(app, None)
    assert any("Untrained:" in str(part.proto.body) for part in app.get("html"))
    app.button(key="yours_close").click().run()
    app.button(key="add_weights").click()
    run(app)
    assert app.selectbox(key="your_code_file").value == nets / "net.py"


def test_weights_of_a_librarys_network_are_asked_for_by_its_name(app: AppTest) -> None:
    app.button(key="yours_close").click().run()
    app.session_state["network_asked"] = "torchvision:squeezenet1_1?size=64"
    run(app)
    app.button(key="add_weights").click()
    run(app)
    assert app.selectbox(key="your_network_name").value == "torchvision:squeezenet1_1"
    assert app.segmented_control(key="your_network_weights").value == "file"
    assert app.button(key="upload_weights_begin")


def test_elsewhere_there_is_no_such_choice(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    run(app)
    ways = app.segmented_control(key="your_network_way")
    assert ways.options == ["from torchvision or timm", "from a bundle"]
    ways.set_value("from a Python file")  # as a browser may send it
    assert not [box for box in app.run().selectbox if box.key == "your_code_file"]


def test_of_several_files_each_offers_its_own_functions(app: AppTest, nets: Path) -> None:
    (nets / "more.py").write_text("def helper(): ...\nclass Net: ...\n")
    st.cache_data.clear()
    app.segmented_control(key="your_network_way").set_value("from a Python file").run()
    assert app.selectbox(key="your_code_file").value is None and app.button(key="your_code_open").disabled
    for name, offered in (("more.py", ["helper", "Net"]), ("net.py", ["build"])):
        app.selectbox(key="your_code_file").set_value(nets / name).run()
        function = app.selectbox(key=f"your_code_function_{nets / name}")
        assert function.options == offered and function.value == offered[0]
        assert not app.button(key="your_code_open").disabled
