"""The files that mutations start from are sound and full, so that a mutation has something to hurt."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutation_kinds import KINDS, TERMS, outline_of
from benchmarks.mutations import attack
from pruning.contest.cache import replay as replay_race
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.sensitivity.form import replay as replay_scan


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_file_is_read_and_a_few_mutations_raise_nothing_foreign(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    kind.make(tmp_path / "run")
    assert (tmp_path / "run" / kind.file).stat().st_size
    kind.read(tmp_path / "run")
    assert attack(name, kind, 10)["failures"] == []


def test_scans_and_races_are_told_to_their_end(tmp_path: Path) -> None:
    for name in ("scan", "race"):
        KINDS[name].make(tmp_path / name)
    scan = replay_scan(outline_of(), Follower(Job.in_folder(tmp_path / "scan")).events())
    assert scan.complete and len(scan.joints) == 1
    assert replay_race(TERMS, Follower(Job.in_folder(tmp_path / "race")).last_events()).done
