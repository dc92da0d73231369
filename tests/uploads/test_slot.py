"""One visitor at a time sends a file, and nobody keeps the turn for ever."""

from __future__ import annotations

import pytest

from pruning.uploads import slot


def test_a_turn_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    turn, now = slot.Slot(), [0.0]
    monkeypatch.setattr(slot.time, "monotonic", lambda: now[0])
    assert turn.take("a") and not turn.take("b")
    now[0] = slot.PATIENCE - 1
    assert turn.take("a"), "it goes on while its page is drawn"
    now[0] = 2 * slot.PATIENCE - 2
    assert not turn.take("b")
    now[0] = 2 * slot.PATIENCE
    assert turn.take("b")


def test_only_the_one_who_has_it_gives_it_up() -> None:
    turn = slot.Slot()
    assert turn.take("a")
    turn.give_up("b")
    assert not turn.take("b")
    turn.give_up("a")
    assert turn.take("b")
