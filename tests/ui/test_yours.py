"""A visitor's own files: theirs alone, one at a time, and the panel that takes them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from pruning.uploads import check
from ui.kit import place
from ui.session import slot

APP = str(Path(__file__).parents[2] / "app.py")
NET = "torchvision:squeezenet1_1"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AppTest]:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    slot.SLOT = slot.Slot()
    app = AppTest.from_file(APP, default_timeout=240)
    app.switch_page("pages/explore.py")
    yield app
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(app: AppTest, step: str = "network") -> AppTest:
    app.query_params["yours"] = step
    app.run()
    assert not app.exception, app.exception
    return app


def weights(name: str = "net.pt", classes: int = 1000) -> tuple[str, bytes, str]:
    import torchvision

    file = io.BytesIO()
    torch.save(torchvision.models.squeezenet1_1(num_classes=classes).state_dict(), file)
    return name, file.getvalue(), "application/octet-stream"


def send(app: AppTest, file: tuple[str, bytes, str], kind: str = "weights") -> AppTest:
    app.button(key=f"upload_{kind}_begin").click().run()
    (uploader,) = [box for box in app.file_uploader if box.key.startswith(f"upload_{kind}")]
    uploader.set_value(file).run()
    assert not app.exception, app.exception
    return app


@pytest.mark.slow
def test_a_bundle_that_is_sent_becomes_a_run_and_nothing_of_it_is_run(app: AppTest, tmp_path: Path) -> None:
    from pruning.export.bundle.of_run import export_run
    from pruning.runs import create_run, execute, read_run, read_runs
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec

    made = create_run(Recipe(model="sample:lenet5", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=tmp_path / "a")
    execute(made)
    bundle = export_run(read_run(made), tmp_path / "net.zip", forms=("weights",)).path
    opened(app)
    app.segmented_control(key="your_network_way").set_value("from a bundle").run()
    send(app, ("net.zip", b"PK no zip at all", "application/zip"), "bundles")
    assert any("is no bundle" in error.value for error in app.error)
    send(app, ("net.zip", bundle.read_bytes(), "application/zip"), "bundles")
    assert not app.error, app.error
    (run,) = read_runs(tmp_path / "runs").runs
    assert app.session_state["model_ref"] == run.ref and run.result == read_run(made).result
    assert not spooled(tmp_path), "the file that was sent is gone"


def spooled(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "cache" / "uploads").rglob("*") if path.is_file()]


def test_weights_that_are_sent_open_and_no_path_stands_in_the_address(app: AppTest, tmp_path: Path) -> None:
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    send(app, weights("my net.pt"))
    assert not app.error, app.error
    ref = app.session_state["model_ref"]
    assert ref.startswith(f"{NET}?weights={tmp_path}/cache/uploads/") and spooled(tmp_path) == ["weights.pt"]
    assert any("my net.pt" in option for option in app.selectbox(key="model_ref_widget").options)
    assert not any(str(tmp_path) in option for option in app.selectbox(key="model_ref_widget").options)
    assert "model" not in app.query_params and len(app.query_params["own"]) in (1, 12)
    assert str(tmp_path) not in str(app.query_params)
    address = app.query_params["own"]
    app.query_params.clear()
    app.switch_page("pages/compare.py").run()
    assert not app.exception and app.query_params["own"] == address, "F5 finds it again from there, too"


@pytest.mark.slow
def test_the_number_of_classes_in_the_file_is_enough(app: AppTest) -> None:
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    send(app, weights(classes=5))
    app.run()
    assert not app.error and app.session_state["model_ref"].startswith(f"{NET}?weights=")
    assert any("net.pt" in option for option in app.selectbox(key="model_ref_widget").options)


def test_bad_weights_are_refused_and_move_nothing(app: AppTest, tmp_path: Path) -> None:
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    file = io.BytesIO()
    torch.save({"fc.weight": torch.zeros(3, 2)}, file)
    send(app, ("net.pt", file.getvalue(), ""))
    (error,) = app.error
    assert "of another network" in error.value
    assert str(tmp_path) not in error.value
    assert app.session_state["model_ref"] == "sample:mini_resnet" and spooled(tmp_path) == []
    send(app, ("net.pt2", b"PK", ""))
    assert "exported program" in app.error[0].value and spooled(tmp_path) == []


@pytest.mark.slow
def test_somebody_elses_file_does_not_open(app: AppTest, tmp_path: Path) -> None:
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    ref = send(app, weights()).session_state["model_ref"]
    other = AppTest.from_file(APP, default_timeout=240)
    other.switch_page("pages/explore.py")
    other.query_params["model"] = ref
    other.run()
    assert not other.exception and other.session_state["model_ref"] == "sample:mini_resnet"
    assert "command line only" in other.error[0].value


def test_an_address_of_somebody_elses_says_what_is_missing(app: AppTest) -> None:
    app.query_params["own"] = "0123456789ab"
    app.run()
    assert not app.exception and any("Send them yourself" in toast.value for toast in app.toast)
    assert "own" not in app.query_params


def test_one_file_at_a_time(app: AppTest) -> None:
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    assert slot.SLOT.take("somebody else")
    app.button(key="upload_weights_begin").click().run()
    assert any("one at a time" in info.value for info in app.info) and not app.file_uploader
    slot.SLOT.give_up("somebody else")
    app.button(key="upload_weights_begin").click().run()
    assert app.file_uploader
    assert not slot.SLOT.take("somebody else"), "it is this one's turn"
    app.button(key="yours_close").click().run()
    assert slot.SLOT.take("somebody else"), "closing the panel ends the turn"


def test_without_being_asked_for_nothing_of_it_is_drawn(app: AppTest) -> None:
    app.run()
    assert not app.exception and not app.file_uploader
    assert not [button for button in app.button if (button.key or "").startswith(("yours", "your_", "upload"))]


def test_code_needs_the_owners_leave(app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = tmp_path / "nets"
    nets.mkdir()
    (nets / "net.py").write_text(
        "from torch import nn\n"
        "def build():\n"
        "    end = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)\n"
        "    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), *end)\n"
    )
    ref = f"file:{nets}/net.py:build"
    app.query_params["model"] = ref
    app.run()
    assert "its code would run on the server" in app.error[0].value

    path = tmp_path / "pruning.toml"
    path.write_text(f'[python]\nallowed = true\nfolders = ["{nets}"]')
    monkeypatch.setenv("PRUNING_SETTINGS", str(path))
    app.session_state["network_asked"] = ref
    app.run()
    assert not app.exception and not app.error and app.session_state["model_ref"] == ref
    (tmp_path / "other.py").write_text("raise SystemExit")
    app.session_state["network_asked"] = f"file:{tmp_path}/other.py:build"
    app.run()
    assert "none of the folders" in app.error[0].value

    monkeypatch.setattr(place, "is_loopback_address", lambda address: False)
    other = AppTest.from_file(APP, default_timeout=240)
    other.switch_page("pages/explore.py")
    other.session_state["network_asked"] = ref
    other.run()
    assert "serves this machine alone" in other.error[0].value


def test_wrong_settings_stop_every_page_with_one_sentence(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pruning.toml"
    path.write_text("[uploads]\nhour = 2")
    monkeypatch.setenv("PRUNING_SETTINGS", str(path))
    app.run()
    assert not app.exception and len(app.error) == 1 and "Did you mean" in app.error[0].value
    assert not app.title


def test_a_random_network_says_so_and_has_no_accuracy(app: AppTest) -> None:
    app.query_params["model"] = "torchvision:resnet18?size=64"
    app.run()
    assert any("Untrained:" in str(element.proto.body) for element in app.get("html"))
    assert not any("looks for in the image" in caption.value for caption in app.caption)


def test_the_process_that_looks_is_asked_before_the_page_opens(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuses(kind: str, reference: str, limits: object) -> None:
        from pruning.base.errors import InputError

        asked.append(reference)
        raise InputError("It was looked at, and refused.")

    monkeypatch.setattr(check, "check", refuses)
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    send(app, weights())
    assert "refused" in app.error[0].value and len(asked) == 1 and spooled(tmp_path) == []


def test_on_ones_own_machine_the_librarys_weights_are_fetched_on_request(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pruning.base.errors import InputError
    from pruning.catalog import libraries, openers

    here: list[str] = []
    fetch = openers.open_network

    def fetched(ref: str) -> object:
        if "weights=default" in ref and not here:
            raise InputError(f"The default weights of {NET} could not be fetched: no connection.")
        return fetch(ref.removesuffix("?weights=default"))

    monkeypatch.setattr(libraries, "default_weights_are_here", lambda reference: bool(here))
    monkeypatch.setattr(openers, "open_network", fetched)
    monkeypatch.setattr(place, "is_loopback", lambda: False)
    opened(app)
    app.selectbox(key="your_network_name").set_value(NET).run()
    choice = app.button_group(key="your_network_weights")
    assert "the library's" not in choice.options, "for other visitors the server fetches nothing"

    monkeypatch.setattr(place, "is_loopback", lambda: True)
    app.run()
    app.button_group(key="your_network_weights").set_value("default").run()
    app.button(key="your_network_fetch").click().run()
    assert not app.exception and [error.value.replace("\\", "") for error in app.error] == [
        f"The default weights of {NET} could not be fetched: no connection."
    ]
    assert app.session_state["model_ref"] == "sample:mini_resnet", "what was open stays so"
    here.append("weights")
    app.run()
    assert not [button for button in app.button if button.key == "your_network_fetch"]
    app.button(key="your_network_open").click().run()
    assert not app.exception and not app.error
    assert app.session_state["model_ref"] == NET
