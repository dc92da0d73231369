"""Limits of disk: what a clean-up would remove, in which order, and what never."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.cli.main import main
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import disown, wish, withdraw
from pruning.runs import delete_run, list_runs
from pruning.runs.index.index import Index
from pruning.runs.labels import Label, write_label
from pruning.runs.quota import MEGABYTE, carry_out, check_room, plan_cleanup
from pruning.runs.trash import trashed
from pruning.settings import _read
from pruning.settings.tables import Runs as Limits

ANN = "a" * 32
LATER = datetime.now(UTC) + timedelta(days=8)


@pytest.fixture
def heavy(stored_runs: Path) -> Path:
    """Each run takes a megabyte more."""
    for folder in stored_runs.iterdir():
        (folder / "ballast").write_bytes(b"x" * MEGABYTE)
    return stored_runs


def plan(runs: Path, now: datetime | None = None, **limits: float) -> list[str]:
    index = Index(runs)
    index.look(everything=True)
    return [one.name for one in plan_cleanup(index, Limits(**limits), now).removals]  # type: ignore[arg-type]


def test_without_limits_only_old_deleted_runs_go(heavy: Path) -> None:
    assert plan(heavy) == []
    delete_run(heavy / "weight")
    assert plan(heavy) == [] and plan(heavy, LATER) == ["weight"] and plan(heavy, LATER, trash_days=30) == []


def test_deleted_then_cancelled_and_failed_then_finished_and_named_ones_last(heavy: Path) -> None:
    write_label(LocalStore.at(heavy / "failed"), Label(title="Keep me"))
    delete_run(heavy / "iterative")
    everything = plan(heavy, megabytes=1)
    assert everything[:2] == ["iterative", "cancelled"] and everything[-1] == "failed"
    assert "channel" not in everything, "another run goes on from it"
    assert plan(heavy, megabytes=6) == ["iterative"]
    assert plan(heavy, megabytes=5) == ["iterative", "cancelled"]


def test_a_run_that_works_stays(heavy: Path) -> None:
    index = Index(heavy)
    index.look(everything=True)
    planned = plan_cleanup(index, Limits(megabytes=1))
    assert "weight" in [one.name for one in planned.removals] and planned.unmet
    job = Job.in_folder(heavy / "weight")
    with job.working():
        assert "weight" not in plan(heavy, megabytes=1)
        assert "weight" not in [one.name for one in carry_out(planned)], "it has begun since it was planned"
    assert (heavy / "weight").is_dir() and not (heavy / "cancelled").exists()


def test_a_visitors_limit_is_of_what_they_alone_asked_for(heavy: Path) -> None:
    for name in ("weight", "iterative"):
        wish(LocalStore.at(heavy / name), ANN)
    assert plan(heavy, megabytes_per_visitor=1) == ["weight", "iterative"] or plan(heavy, megabytes_per_visitor=1) == [
        "iterative",
        "weight",
    ]
    wish(LocalStore.at(heavy / "weight"), "b" * 32)
    assert plan(heavy, megabytes_per_visitor=1) == ["iterative"]
    withdraw(LocalStore.at(heavy / "iterative"), ANN)
    assert plan(heavy, megabytes_per_visitor=1) == ["iterative"], "who cancelled a run keeps it"
    disown(LocalStore.at(heavy / "iterative"), ANN)
    assert plan(heavy, megabytes_per_visitor=1) == []


def test_above_a_limit_no_run_is_started(heavy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "pruning.toml"
    settings.write_text("[runs]\nmegabytes = 100\nmegabytes_per_visitor = 1\n")
    monkeypatch.setenv("PRUNING_SETTINGS", str(settings))
    check_room()
    check_room(ANN)
    wish(LocalStore.at(heavy / "weight"), ANN)
    with pytest.raises(InputError, match=r"Your runs take 1\.14 MB, and 1\.00 MB are allowed"):
        check_room(ANN)
    _read.cache_clear()
    settings.write_text("[runs]\nmegabytes = 6\n")
    delete_run(heavy / "failed")
    delete_run(heavy / "cancelled")
    check_room()
    assert [one.name for one in trashed(heavy)] == ["cancelled"], "the first deleted has made room"
    _read.cache_clear()
    settings.write_text("[runs]\nmegabytes = 2\n")
    with pytest.raises(InputError, match="runs clean --dry-run"):
        check_room()
    _read.cache_clear()


def test_it_is_said_before_it_is_done(
    heavy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "pruning.toml"
    settings.write_text("[runs]\nmegabytes = 3\n")
    monkeypatch.setenv("PRUNING_SETTINGS", str(settings))
    delete_run(heavy / "weight")
    before = {run.name for run in list_runs(heavy)}
    assert main(["runs", "clean", "--dry-run"]) == 0
    said = [line.split(" ")[0] for line in capsys.readouterr().out.splitlines() if "would go" in line]
    assert said[0] == "weight" and {run.name for run in list_runs(heavy)} == before and trashed(heavy)
    assert main(["runs", "clean"]) == 0
    done = [line.split(" ")[0] for line in capsys.readouterr().out.splitlines() if "is gone" in line]
    assert done == said and {run.name for run in list_runs(heavy)} == before - set(said) and not trashed(heavy)
    assert "channel" in before - set(said)
    shutil.rmtree(heavy)
    assert main(["runs", "clean"]) == 0 and "nothing has to go" in capsys.readouterr().out
    _read.cache_clear()
