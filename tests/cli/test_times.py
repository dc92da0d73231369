"""Times on the command line: measured at the end of a run, left out, measured again, too noisy for a requirement."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pruning.cli.main import main
from pruning.cli.requirements import parse_requirement
from pruning.latency.clock import Comparison, Timing
from pruning.latency.noise import Noise
from pruning.runs import read_run, times

QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)
PRUNE = ["prune", "sample:lenet300", "--sparsity", "0.5", "--repair", "recalibrate"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Batch sizes for which the machine is too noisy."""
    noisy: set[int] = set()

    def compare(dense: Any, pruned: Any, shape: Any, batch: int, **_: Any) -> Comparison:
        slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (1.6, 1.0))
        return Comparison(batch=batch, dense=slow, pruned=fast, speedup=(1.5, 1.6, 1.7), pairs=9, threads=1,
                          noise=NOISE if batch in noisy else QUIET, at=datetime.now(UTC))  # fmt: skip

    monkeypatch.setattr(times, "compare_latency", compare)
    return noisy


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    out, err = capsys.readouterr()
    return status, out, err


def test_a_run_is_timed_at_its_end(capsys, noise, tmp_path):
    status, out, err = call(capsys, *PRUNE, "--json", "--require", "speedup.1.0>1.4", "--out", str(tmp_path / "run"))
    found = json.loads(out)
    assert status == 0 and found["speedup"] == {"1": [1.5, 1.6, 1.7], "32": [1.5, 1.6, 1.7]}
    assert found["pruned"]["latency_ms"]["1"]["median"] == 1.0 and found["timed"]["noisy"] == []
    assert found["timed"]["threads"] == 1 and found["timed"]["at"]
    assert err.index("Done") < err.index("Timing dense and pruned"), "a run is done without them"
    result = read_run(tmp_path / "run").result
    assert result is not None and result.speedup(32) is not None


def test_they_can_be_left_out_and_measured_later(capsys, noise, tmp_path):
    status, out, err = call(capsys, *PRUNE, "--no-times", "--out", str(tmp_path / "run"))
    assert status == 0 and "time        not timed" in out and "Timing" not in err
    status, out, _ = call(capsys, "times", str(tmp_path / "run"))
    assert status == 0 and out.splitlines()[0] == "time        1.60× as fast (1.50–1.70), batch 1"
    status, out, _ = call(capsys, "times", f"run:{tmp_path / 'run'}", "--json")
    assert json.loads(out)["times"]["32"]["quiet"] is True


def test_a_required_time_that_is_too_noisy_is_a_no(capsys, noise, tmp_path):
    noise.add(1)
    status, out, err = call(capsys, *PRUNE, "--json", "--require", "speedup.1.0>1.4", "--out", str(tmp_path / "run"))
    assert status == 1 and json.loads(out)["timed"]["noisy"] == [1], "what was measured is told"
    last = err.strip().splitlines()[-1]
    assert last.startswith("Error: The run is done, but the machine was too noisy to measure speedup.1.0>1.4: ")


def test_other_requirements_do_not_mind_noise(capsys, noise):
    noise.add(1)
    assert call(capsys, *PRUNE, "--require", "speedup.32.0>1.4", "--require", "accuracy>=0.1")[0] == 0
    status, out, _ = call(capsys, *PRUNE)
    assert status == 0 and "too noisy to measure, batch 1" in out and "1.60× as fast (1.50–1.70), batch 32" in out


def test_times_that_are_all_too_noisy_are_a_no(capsys, noise, tmp_path):
    assert call(capsys, *PRUNE, "--no-times", "--out", str(tmp_path / "run"))[0] == 0
    noise |= {1, 32}
    status, out, err = call(capsys, "times", str(tmp_path / "run"))
    assert status == 1 and "too noisy to measure, batch 1" in out
    assert err.strip().splitlines()[-1].startswith("Error: The machine was too noisy to measure")


def test_a_time_cannot_be_required_and_left_out(capsys, noise):
    status, _, err = call(capsys, *PRUNE, "--no-times", "--require", "pruned.latency_ms.1.median<2")
    assert status == 2 and "--no-times leaves the times out" in err


@pytest.mark.parametrize("place", ["nowhere", "/", "run:"])
def test_what_is_no_run_is_a_sentence(capsys, noise, place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = call(capsys, "times", place)
    assert status == 2 and not out and err.count("Error:") == 1


@pytest.mark.parametrize(
    ("text", "batch"),
    [("speedup.1.0>1", 1), ("speedup.32.2<2", 32), ("pruned.latency_ms.1.median<2", 1), ("accuracy>=0.5", None),
     ("dense.latency_ms.8.high<2", 8), ("pruned.params<5", None), ("seconds<5", None)],
)  # fmt: skip
def test_which_time_a_requirement_is_about(text, batch):
    assert parse_requirement(text).batch == batch
