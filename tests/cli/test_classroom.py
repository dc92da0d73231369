"""`doctor --students`: what is right for so many people, and what to do where it is not."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest

from pruning.cli import classroom, machine
from pruning.cli.main import main


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two cores, 8 GB free, a local disk; folders of its own."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    monkeypatch.setattr(machine, "core_count", lambda: 2)
    monkeypatch.setattr(machine, "free_memory", lambda: 8 * 2**30)
    monkeypatch.setattr(machine, "file_system", lambda folder: "ext4")
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 4096))
    monkeypatch.setattr(classroom.shutil, "disk_usage", lambda folder: Disk())
    return tmp_path


class Disk:
    free = 100 * 2**30


def found(students: int) -> dict[str, classroom.Finding]:
    """By name; what is to be mended wins."""
    return {one.name: one for one in sorted(classroom.check(students), key=lambda one: one.ok, reverse=True)}


def test_thirty_on_two_cores_are_right(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--students", "30"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("ok  ") for line in lines)
    names = [line[4:].strip().partition(":")[0] for line in lines]
    assert set(names) == {"settings", "memory", "cores", "queue", "open files", "cache", "runs", "clock"}
    assert not (place / "runs").exists() and not (place / "cache").exists(), "nothing is left behind"


def test_json_and_exit(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: 2**30)
    assert main(["doctor", "--students", "30", "--json"]) == 1
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["students"] == 30 and result["schema_version"] == 1
    (memory,) = [one for one in result["checks"] if one["name"] == "memory"]
    assert memory["ok"] is False and "end other programs" in memory["text"]
    assert "To be mended for 30 students: memory." in captured.err


def test_too_many_for_the_cores_names_how_many_would_do(place: Path) -> None:
    cores = found(300)["cores"]
    assert not cores.ok and "take 11 cores" in cores.text


def test_the_settings_count(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place / "pruning.toml"
    monkeypatch.setenv("PRUNING_SETTINGS", str(path))
    path.write_text(f'[queue]\nworkers = 1\nmost_waiting = 40\n[data]\nfolders = ["{place}/gone"]')
    assert [name for name, one in found(60).items() if not one.ok] and not found(60)["cores"].ok
    assert "set most_waiting in [queue] to 120" in found(60)["queue"].text
    assert "is gone or may not be read" in found(60)["images"].text
    wrong = place / "wrong.toml"
    wrong.write_text("[queue]\nworkers = -1")
    monkeypatch.setenv("PRUNING_SETTINGS", str(wrong))
    (only,) = classroom.check(5)
    assert only.name == "settings" and not only.ok and "workers" in only.text


def test_open_files_that_the_user_may_raise(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = found(200)["open files"]
    assert not files.ok and "ulimit -n 2600" in files.text
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (1024, 1024))
    assert "have the limit" in found(200)["open files"].text
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (resource.RLIM_INFINITY,) * 2)
    assert found(200)["open files"].ok


def test_a_full_disk_and_one_of_another_machine(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "file_system", lambda folder: "nfs4")
    assert not found(5)["cache"].ok and "local folder by PRUNING_CACHE" in found(5)["cache"].text
    assert (
        found(5)["runs"].ok
        and "another machine (nfs4)" in [one.text for one in classroom.check(5) if one.name == "runs"][1]
    )
    monkeypatch.setattr(machine, "file_system", lambda folder: "tmpfs")
    assert found(5)["cache"].ok and any("empty after a restart" in one.text for one in classroom.check(5))
    monkeypatch.setattr(Disk, "free", 10)
    assert not found(5)["runs"].ok and "make room" in found(5)["runs"].text


def test_a_folder_that_cannot_be_written_to(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "file").write_text("")
    monkeypatch.setenv("PRUNING_RUNS", str(place / "file"))
    assert not found(5)["runs"].ok and "PRUNING_RUNS" in found(5)["runs"].text


def test_a_clock_that_differs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = classroom.time.time
    monkeypatch.setattr(classroom.time, "time", lambda: real() + 60)
    assert not found(5)["clock"].ok and "60 s" in found(5)["clock"].text
    monkeypatch.setattr(classroom.time, "time", lambda: 0.0)
    assert "before this program was written" in found(5)["clock"].text


@pytest.mark.parametrize("count", ["0", "-3", "1001", "many", "3.5"])
def test_how_many(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", f"--students={count}"]) == 2
    assert "--students" in capsys.readouterr().err


def test_what_a_container_may_take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    assert machine.free_memory() is None
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    assert machine.free_memory() == 2048 * 1024
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("400\n")
    assert machine.free_memory() == 600
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.free_memory() == 2048 * 1024
    (tmp_path / "cpu.max").write_text("50000 100000")
    assert machine.core_count() == 1
    (tmp_path / "cpu.max").write_text("max 100000")
    assert machine.core_count() >= 1


def test_the_disk_below_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    real = os.path.realpath(tmp_path)
    mounts.write_text(f"a / ext4 rw 0 0\nb {real}/my\\040class nfs4 rw 0 0\nc {real}/my tmpfs rw 0 0\nbroken\n")
    monkeypatch.setattr(machine, "MOUNTS", mounts)
    assert machine.file_system(tmp_path / "my class" / "runs") == "nfs4"
    assert machine.file_system(tmp_path / "my") == "tmpfs"
    assert machine.file_system(tmp_path / "myself") == "ext4"
    mounts.unlink()
    assert machine.file_system(tmp_path) == ""
