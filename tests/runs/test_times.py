"""A run's times: a job of their own after the run; there whole or not at all, and never more than was measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import InputError
from pruning.base.safe_json import dump
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import TIMING
from pruning.jobs.wishes import wish
from pruning.latency.clock import Comparison, Timing
from pruning.latency.noise import Noise
from pruning.render.markup import result as markup
from pruning.render.markup.ledger_tiles import result_time
from pruning.runs import create_run, delete_run, execute, read_run, times
from pruning.runs.index.index import looked
from pruning.runs.index.query import Query
from pruning.runs.job import job_of
from pruning.runs.pack import pack
from pruning.runs.recipe import Recipe
from pruning.runs.result import Result, Timed
from pruning.runs.result_json import from_values, to_values
from pruning.runs.unpack import unpack
from pruning.spec import PruneSpec

QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "a-run"
    execute(create_run(Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=path))
    return path


@pytest.fixture
def run(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run without times."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pool, "ensure", lambda line: 0)
    shutil.copytree(done, tmp_path / "a-run")
    return tmp_path / "a-run"


class Watch:
    """In place of the clock: gives what it is told to, one after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *noises: Noise) -> None:
        self.noises, self.asked = list(noises), []  # type: ignore[var-annotated]
        monkeypatch.setattr(times, "compare_latency", self)

    def __call__(self, dense: Any, pruned: Any, shape: tuple[int, ...], batch: int, **_: Any) -> Comparison:
        self.asked.append((sum(p.numel() for p in dense.parameters()), sum(p.numel() for p in pruned.parameters()),
                           shape, batch))  # fmt: skip
        return made(batch, self.noises.pop(0))


def made(batch: int, noise: Noise, at: datetime | None = None) -> Comparison:
    slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (1.6, 1.0))
    return Comparison(batch=batch, dense=slow, pruned=fast, speedup=(1.5, 1.6, 1.7), pairs=9, threads=1, noise=noise,
                      at=at or datetime.now(UTC))  # fmt: skip


def result(path: Path) -> Result:
    found = read_run(path).result
    assert found is not None
    return found


def test_a_run_is_done_without_them(run: Path) -> None:
    found = result(run)
    assert read_run(run).state == "done" and found.pruned.test is not None
    assert not found.speedups and not found.dense.latency and found.timed is None
    assert found.untimed == "not timed" and markup.verdict(found).endswith("· not timed")


def test_once_measured_they_are_the_runs(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, QUIET, QUIET)
    times.measure_times(run)
    found = result(run)
    assert [one[3] for one in watch.asked] == [1, 32]
    assert {one[:3] for one in watch.asked} == {(found.dense.params, found.pruned.params, (1, 28, 28))}
    assert [one.span for one in found.speedups] == [(1.5, 1.6, 1.7)] * 2
    assert found.dense.latency[32].median == 1.6 and found.pruned.latency[1].median == 1.0
    assert found.timed is not None and found.timed.at is not None and found.timed.noisy == ()
    assert "1.60× as fast" in markup.verdict(found) and "1.60× as fast" in markup.ledger_html(found)
    assert from_values(json.loads(json.dumps(to_values(found))), "it") == found, "as JSON and back"


def test_while_they_are_to_follow_the_run_says_so(run: Path) -> None:
    assert times.start_times(run) and not times.start_times(run), "one job"
    (ticket,) = local_line().tickets()
    assert ticket.kind == "times" and ticket.lane == TIMING and ticket.arguments == ("times", str(run))
    found = result(run)
    assert found.untimed == "times follow when the machine is quiet" and not found.speedups
    assert found.untimed in markup.verdict(found) and found.untimed in markup.footnote(found)
    assert found.untimed in markup.ledger_html(found)
    local_line().remove(ticket)
    assert result(run).untimed == "not timed"


def test_they_follow_on_the_wish_of_who_asked_for_the_run(run: Path) -> None:
    wish(job_of(run).store, "c" * 32)
    times.follow_with_times(run)
    (ticket,) = local_line().tickets()
    assert ticket.visitors == ("c" * 32,)


def test_where_they_cannot_follow_the_run_stays_done(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise InputError("1,000 jobs wait on this machine, as many as may.")

    monkeypatch.setattr(times, "start_times", full)
    times.follow_with_times(run)
    assert result(run).untimed == "not timed"


def test_of_noise_nothing_is_told_but_that(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch, NOISE, NOISE, NOISE, NOISE, QUIET)
    times.measure_times(run)
    found = result(run)
    assert [one[3] for one in watch.asked] == [1, 1, 1, 32, 32], "three tries, and one that was quiet the second time"
    assert [one.batch for one in found.speedups] == [32] and list(found.dense.latency) == [32]
    assert found.clock.noisy == (1,) and found.untimed == "too noisy to measure"
    assert markup.verdict(found).endswith("· too noisy to measure") and result_time(found) is None
    assert "Batch 1: too noisy to measure" in markup.footnote(found)


def test_noise_does_not_replace_what_was_measured_in_quiet(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch, QUIET, QUIET, *[NOISE] * 6)
    times.measure_times(run)
    before = result(run)
    times.measure_times(run)
    assert result(run) == before
    monkeypatch.setattr(times, "processor", lambda: "another processor")
    Watch(monkeypatch, *[NOISE] * 6)
    times.measure_times(run)
    assert not result(run).speedups and result(run).clock.noisy == (1, 32), "another machine's are not these"


def test_the_last_times_count_with_their_machine(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch, *[QUIET] * 4)
    times.measure_times(run)
    monkeypatch.setattr(times, "processor", lambda: "another processor")
    times.measure_times(run)
    assert result(run).clock.cpu == "another processor" != result(run).cpu


def test_earlier_runs_keep_the_times_that_they_took(run: Path, make_result: Any) -> None:
    earlier = make_result()
    assert times.with_times(earlier, run) == earlier and earlier.clock.cpu == "a processor"


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", dump({"schema_version": 2}), dump({"schema_version": 1, "comparisons": []})],
)
def test_damaged_times_harm_nothing_else(run: Path, damage: bytes) -> None:
    (run / "times.json").write_bytes(damage)
    found = result(run)
    assert not found.speedups and found.untimed == "its times.json is damaged" and found.pruned.test is not None


def test_times_that_contradict_each_other_are_none(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch, QUIET, QUIET)
    times.measure_times(run)
    values = json.loads((run / "times.json").read_bytes())
    values["comparisons"][1]["batch"] = 1
    (run / "times.json").write_bytes(dump(values))
    assert result(run).untimed == "its times.json is damaged"


def test_two_do_not_measure_at_once(run: Path) -> None:
    with times.times_job(run).working(), pytest.raises(InputError, match="Another process"):
        times.measure_times(run)


def test_a_run_that_is_deleted_is_not_timed(run: Path) -> None:
    times.start_times(run)
    delete_run(run)
    assert not run.exists() and not local_line().tickets()


def test_a_run_that_is_being_timed_is_not_deleted(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times.stop_times, "__defaults__", (0.1,))
    with times.times_job(run).working(), pytest.raises(InputError, match="is being timed"):
        delete_run(run)
    assert read_run(run).state == "done"


def test_they_are_cancelled_without_a_trace(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.base.errors import Cancelled

    def stopped(*_: Any, **options: Any) -> Comparison:
        raise Cancelled("Cancelled while timing.")

    monkeypatch.setattr(times, "compare_latency", stopped)
    with pytest.raises(Cancelled):
        times.measure_times(run)
    assert not (run / "times.json").exists() and not local_line().tickets()
    assert result(run).untimed == "not timed"


def test_a_result_says_when_and_on_what(make_result: Any) -> None:
    at = datetime.now(UTC) - timedelta(days=2)
    timed = Timed(at=at, cpu="a cpu", threads=2, engine="an engine", torch="2")
    found = make_result(speedups=()).with_times(timed, [made(1, QUIET, at), made(32, NOISE, at)])
    assert found.clock == replace(timed, noisy=(32,)) and found.threads == 1
    assert "2 threads" in markup.footnote(found)
    with pytest.raises(InputError):
        make_result().with_times(timed, [made(1, QUIET), made(1, QUIET)])


def test_lists_show_them_as_soon_as_they_are_there(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def listed() -> Any:
        (summary,) = looked(run.parent, everything=True).find(Query()).runs
        return summary

    assert listed().speedup is None
    Watch(monkeypatch, QUIET, QUIET)
    times.measure_times(run)
    assert listed().speedup == (1.5, 1.6, 1.7) and listed().pruned.milliseconds == 1.0


def test_a_packed_run_takes_them_along(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Watch(monkeypatch, QUIET, NOISE, NOISE, NOISE)
    times.measure_times(run)
    (tmp_path / "elsewhere").mkdir()
    found = unpack(pack(run, tmp_path / "run.zip"), tmp_path / "elsewhere")
    assert result(found.path) == result(run) and result(found.path).clock.noisy == (32,)
