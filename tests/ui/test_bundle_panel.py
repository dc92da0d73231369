"""The panel that makes a run's bundle: images only where somebody agrees, and it ends with the file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from pruning.base.errors import InputError
from pruning.export.bundle import start as job
from pruning.export.bundle.start import BUNDLE, Options
from pruning.runs import create_run
from pruning.runs.result import Result
from pruning.runs.result_json import to_values


def panel(folder: str, name: str) -> None:
    """A page with nothing but the panel."""
    from pathlib import Path

    from pruning.runs import read_run
    from ui.runs import bundle_panel

    bundle_panel.offer(read_run(Path(folder) / name))


def test_from_nothing_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_result: Callable[..., Result]
) -> None:
    result = make_result()
    run = create_run(result.recipe, path=tmp_path / "done")
    (run / "result.json").write_text(json.dumps(to_values(result)))
    started: list[tuple[Path, Options]] = []
    monkeypatch.setattr(job, "start", lambda run, options, **how: started.append((run, options)))
    app = AppTest.from_function(panel, args=(str(tmp_path), "done"), default_timeout=60).run()
    assert not app.exception and app.checkbox[0].value is False
    app.button[0].click().run()
    app.checkbox[0].check().run()
    app.button[0].click().run()
    wanted = Options(images=8)
    assert started == [(run, Options()), (run, wanted)]

    attempt = job.job_of(run, wanted).ask()
    assert attempt is not None
    app.run()
    assert [button.label for button in app.button] == ["Cancel"] and app.checkbox[0].disabled
    with pytest.raises(InputError), attempt.working() as work:
        work.say("Making and proving: PyTorch", 0.25)
        raise InputError("No form of this network can be *handed* out.")
    app.run()
    assert "\\*handed\\* out" in app.error[0].value and app.button[0].label == "Make the bundle"
    with job.job_of(run, wanted).working() as work:
        work.publish(BUNDLE, b"PK")
    app.run()
    assert not app.error and [button.label for button in app.button] == ["Make it again"]
    assert len(app.get("download_button")) == 1
    app.checkbox[0].uncheck().run()
    assert len(app.get("download_button")) == 0, "without images it is another bundle"
    assert not app.exception
