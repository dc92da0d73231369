"""Engines are made once, the last ones stay, and together they keep within one budget."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from pruning.base.errors import InputError
from pruning.data.readers import open_data
from pruning.planning.plan import make_plan
from pruning.spec import PruneSpec
from pruning.subject import open_subject
from pruning.whatif import WhatIf
from pruning.whatif.engines import Engines


class Kept:
    """Stands for an engine that keeps so many bytes."""

    def __init__(self, kept_bytes: int) -> None:
        self.kept_bytes = kept_bytes

    def forget(self) -> None:
        self.kept_bytes = 0


def test_an_engine_is_made_once_by_whoever_asks_first() -> None:
    engines, made = Engines(most=3, budget_bytes=100), []

    def make() -> Kept:
        time.sleep(0.1)
        made.append(1)
        return Kept(10)

    found: list[object] = []
    threads = [
        threading.Thread(target=lambda: found.append(engines.get("a", make)), daemon=True)  # type: ignore[arg-type,return-value]
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert made == [1] and len(found) == 5 and len(set(map(id, found))) == 1


def test_those_asked_for_longest_ago_go_and_forget_first() -> None:
    engines = Engines(most=3, budget_bytes=100)
    held = {name: Kept(40) for name in "abcd"}
    for name in "abc":
        assert engines.get(name, lambda name=name: held[name]) is held[name]  # type: ignore[misc,arg-type,return-value,comparison-overlap]
    assert [held[name].kept_bytes for name in "abc"] == [0, 40, 40], "a forgets, so that 100 bytes are not passed"
    engines.get("b", lambda: Kept(1))  # type: ignore[arg-type,return-value]
    engines.get("d", lambda: held["d"])  # type: ignore[arg-type,return-value]
    assert [held[name].kept_bytes for name in "bcd"] == [40, 0, 40], "b was asked for after c"
    again = Kept(0)
    assert engines.get("a", lambda: again) is again, "of four the first is gone"  # type: ignore[arg-type,return-value,comparison-overlap]


def test_what_cannot_be_made_is_tried_again() -> None:
    engines = Engines(most=3, budget_bytes=100)

    def refuse() -> WhatIf:
        raise InputError("It cannot be.")

    for _ in range(2):
        with pytest.raises(InputError):
            engines.get("a", refuse)
    good = Kept(0)
    assert engines.get("a", lambda: good) is good  # type: ignore[arg-type,return-value,comparison-overlap]


def test_an_engine_that_forgot_answers_as_before() -> None:
    subject = open_subject("sample:lenet5")
    engine = WhatIf(subject.model, subject.graph, open_data("mnist5k"), images=100)
    plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=0.4))
    before = engine.measure(plan)
    assert engine.kept_bytes > 0
    engine.forget()
    assert engine.kept_bytes == 0
    after = engine.measure(plan)
    assert after.as_cut is not None and before.as_cut is not None
    assert torch.equal(after.as_cut.scores, before.as_cut.scores)
