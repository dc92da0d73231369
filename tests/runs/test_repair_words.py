"""What is said of a repair, in whole sentences."""

from __future__ import annotations

from typing import Any

import pytest

from pruning.base.errors import PruningError
from pruning.repair.kinds import CANDIDATES
from pruning.runs.repair_words import no_gain_words, repair_words
from pruning.runs.result import Measurement, RepairNote, Stages

AGREEMENT = dict(zip(CANDIDATES, (0.1, 0.4, 0.3, 0.9, 0.8), strict=True))


def note(**changes: Any) -> RepairNote:
    return RepairNote(**{"method": "refitted", "agreement": AGREEMENT, "images": 1000, "judged": 250, **changes})


def test_what_was_taken_stands_before_what_was_not() -> None:
    assert repair_words(note()) == (
        "Repaired without training or labels: refit, from 1,000 train images. On 250 others it gave the answer of the "
        "network before the cut in 90.0 % (as cut 10.0 %, recalibration 40.0 %, bias correction 30.0 %, "
        "refit and recalibration 80.0 %)."
    )


def test_where_nothing_helped_nothing_was_repaired() -> None:
    words = repair_words(note(method="as_cut"))
    assert words.startswith("No repair without training helped, tried with 1,000 train images. On 250 others it gave")
    assert "as cut" not in words


def test_what_was_left_out_is_said() -> None:
    assert repair_words(note(left={"fc": "it is shared"})).endswith("Left as they were: fc: it is shared.")
    assert repair_words(note(without="it has two inputs")).endswith("No layer was fitted: it has two inputs.")


@pytest.mark.parametrize(("tuned", "said"), [(0.8, True), (0.9, True), (0.91, False), (None, False)])
def test_fine_tuning_that_gave_nothing_is_said(tuned: float | None, said: bool) -> None:
    def at(value: float) -> Measurement:
        return Measurement(metric="accuracy", value=value, interval=(0.7, 1.0), images=100, role="select")

    found = Stages(as_cut=at(0.1), repaired=at(0.9), finetuned=None if tuned is None else at(tuned))
    assert no_gain_words(found).startswith("Fine-tuning did not get beyond the repair") == said
    assert not no_gain_words(Stages(as_cut=at(0.1), finetuned=at(0.9)))


def test_a_way_that_does_not_exist_is_refused() -> None:
    with pytest.raises(PruningError):
        note(agreement={"refitted": 0.9, "prayed": 1.0})
