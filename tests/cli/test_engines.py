"""Engines on the command line: times, sizes and accuracies in lines for people, and as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pruning.base.extras import is_installed
from pruning.cli.main import build_parser, main
from pruning.latency.clock import Comparison, Timing
from pruning.latency.engines import measure
from pruning.latency.noise import Noise
from pruning.runs import engine_networks
from pruning.runs.engines import Asked

pytestmark = pytest.mark.usefixtures("quick_exporter")
QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)
RATIOS = {"PyTorch eager, float32, CPU": 2.0, "ONNX Runtime, float32, CPU": 1.4}


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(engine_networks, "CALIBRATION", 32)


@pytest.fixture
def noisy(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the machine is."""
    found = [False]

    def compare(first: Any, second: Any, *, batch: int, engine: str, **_: Any) -> Comparison:
        ratio = RATIOS.get(engine, 3.0)
        slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (ratio, 1.0))
        span = (ratio - 0.1, ratio, ratio + 0.1)
        return Comparison(batch=batch, dense=slow, pruned=fast, speedup=span, pairs=9, threads=1, engine=engine,
                          noise=NOISE if found[0] else QUIET, at=datetime.now(UTC))  # fmt: skip

    monkeypatch.setattr(measure, "compare", compare)
    return found


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    place = str(tmp_path / "run")
    assert (
        main(["prune", "sample:lenet300", "--sparsity", "0.5", "--repair", "none", "--no-times", "--out", place]) == 0
    )
    capsys.readouterr()
    return place


@pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here")
def test_lines_and_json(run: str, noisy: list[bool], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["engines", run, "--engine", "eager", "--engine", "onnxruntime", "--batch", "1"]
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("PyTorch eager 2.") and lines[0].endswith("batch 1, 1 thread")
    assert lines[1] == "  float32 2.00 ms (1.80–2.20) dense, 1.00 ms (0.90–1.10) pruned: 2.00× as fast (1.90–2.10)"
    said = " ".join(out.split())
    assert "3.00× (2.90–3.10) from the engine and 1.40× (1.30–1.50) from pruning: together 4.20×" in said
    assert "Pruning gains less on ONNX Runtime than in PyTorch eager at batch 1" in said
    assert "calibrated on 32 train images without their labels" in said and "on ONNX Runtime, of" in said
    assert "Timing on ONNX Runtime, one sample at a time" in err
    assert main([*arguments, "--json", "--no-int8"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cells"][1]["engine"] == "onnxruntime" and found["quiet"] is True and found["run"] == run
    assert found["no_int8"] == "int8 was not asked for."


def test_a_machine_that_is_too_noisy_is_a_no(run: str, noisy: list[bool], capsys: pytest.CaptureFixture[str]) -> None:
    noisy[0] = True
    assert main(["engines", run, "--engine", "eager", "--batch", "1", "--no-int8"]) == 1
    out, err = capsys.readouterr()
    assert "too noisy to measure" in out and "ms" not in out.splitlines()[1]
    assert err.strip().splitlines()[-1].startswith("Error: The machine was too noisy to measure")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engine", "tensorrt"], "There is no engine 'tensorrt': take eager, compile, onnxruntime, openvino."),
        (["--batch", "0"], "A batch of 0 cannot be timed"),
        (["--batch", "x"], "'x' is not a whole number"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    assert main(["engines", str(tmp_path / "run"), *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("asked", [Asked(), Asked(engines=("openvino",), batches=(4, 8), int8=False)])
def test_a_job_is_carried_out_by_the_command(asked: Asked) -> None:
    args = build_parser().parse_args(["engines", *asked.arguments, "--", "a run"])
    assert args.run == "a run"
    assert Asked(engines=tuple(args.engine), batches=tuple(args.batch), int8=not args.no_int8) == asked
