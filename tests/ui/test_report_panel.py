"""The panel that makes a run's report: it says what goes on, and ends with the file."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from streamlit.testing.v1 import AppTest

from pruning.base.errors import InputError
from pruning.export.record import Source
from pruning.export.report import Options, contents
from pruning.export.report import start as job
from pruning.export.table import EXPORTS, offered
from pruning.runs import create_run, read_run
from pruning.runs.result import Result
from pruning.runs.result_json import to_values
from ui.runs.job_panel import PANELS


def panel(folder: str, name: str) -> None:
    """A page with nothing but the panel."""
    from pathlib import Path

    from pruning.runs import read_run
    from ui.runs import report_panel

    report_panel.offer(read_run(Path(folder) / name))


def test_from_nothing_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_result: Callable[..., Result]
) -> None:
    result = make_result()
    run = create_run(result.recipe, path=tmp_path / "done")
    (run / "result.json").write_text(json.dumps(to_values(result)))
    started: list[tuple[Path, Options]] = []
    monkeypatch.setattr(job, "start", lambda run, options, **how: started.append((run, options)))
    app = AppTest.from_function(panel, args=(str(tmp_path), "done"), default_timeout=60).run()
    assert not app.exception
    app.text_area[0].set_value("Take it.").run()
    app.checkbox[0].check().run()
    assert [button.label for button in app.button] == ["Make the report"]
    app.button[0].click().run()
    wanted = Options(recommendation="Take it.", photos=True)
    assert started == [(run, wanted)]

    attempt = job.job_of(run, wanted).ask()
    assert attempt is not None
    app.run()
    assert [button.label for button in app.button] == ["Cancel"] and app.text_area[0].disabled
    assert app.get("progress")[0].proto.text == "Starting a process"
    with pytest.raises(InputError), attempt.working() as work:
        work.say("Measuring uniform cuts on select images: 3 of 19", 0.25)
        app.run()
        assert app.get("progress")[0].proto.text == r"Measuring uniform cuts on select images\: 3 of 19"
        assert app.get("progress")[0].proto.value == 25
        app.button[0].click().run()
        assert work.is_cancelled and [button.label for button in app.button] == ["Cancelling"]
        raise InputError("The images are *absent*.")
    app.run()
    assert "images are \\*absent\\*" in app.error[0].value and app.button[0].label == "Make the report"

    with job.job_of(run, wanted).working() as work:
        work.publish("report.html", b"<!doctype html>")
    app.run()
    assert not app.error and [button.label for button in app.button] == ["Make it again"]
    assert len(app.get("download_button")) == 1
    again = job.job_of(run, wanted).ask()
    assert again is not None and again.end("failed", "The disk is full.")
    app.run()
    assert "disk is full" in app.error[0].value and [button.label for button in app.button] == ["Make it again"]
    assert len(app.get("download_button")) == 1, "the one before is still there"
    app.text_area[0].set_value("Take it.\x0bNot for cheques.\x07").run()
    assert not app.exception and not app.error and app.text_area, "as it comes from a word processor"
    app.button[-1].click().run()
    assert started[-1][1].recommendation == "Take it.\nNot for cheques."
    app.text_area[0].set_value("Do not take it.").run()
    assert len(app.get("download_button")) == 0, "other words are another report"
    assert not app.exception

    def refuse(**given: object) -> None:
        raise InputError("These words are not allowed.")

    monkeypatch.setattr(contents, "Options", refuse)
    app.run()
    assert not app.exception and len(app.error) == 1 and app.text_area, "a sentence, and where to correct it"


def files(folder: str, name: str) -> None:
    """A page with nothing but the files of a run."""
    from pathlib import Path

    from pruning.runs import read_run
    from ui.runs import job_panel

    job_panel.files(read_run(Path(folder) / name))


def test_every_format_of_a_run_is_offered(tmp_path: Path, make_result: Callable[..., Result]) -> None:
    result = make_result()
    run = create_run(result.recipe, path=tmp_path / "done")
    app = AppTest.from_function(files, args=(str(tmp_path), "done"), default_timeout=60).run()
    assert [button.proto.label for button in app.get("download_button")] == ["Recipe file"]
    (run / "result.json").write_text(json.dumps(to_values(result)))
    app.run()
    assert not app.exception
    source = Source.of(read_run(run))
    plain = [export.title for export in offered(source) if not export.takes_long]
    assert [button.proto.label for button in app.get("download_button")] == plain
    assert {export.name for export in EXPORTS.values() if export.takes_long} == PANELS.keys()
