"""How often something may be tried."""

from __future__ import annotations

from pruning.visitors.tries import Tries


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_key_has_its_own_count_and_all_have_one_together() -> None:
    clock = Clock()
    tries = Tries(most=2, of_all=3, seconds=60, clock=clock)
    assert [tries.wait(key) for key in ("a", "a", "b")] == [0, 0, 0]
    assert tries.wait("a") == 60 and tries.wait("c") == 60
    clock.now += 59
    assert tries.wait("b") == 1
    clock.now += 1
    assert tries.wait("b") == 0


def test_a_refused_try_does_not_count() -> None:
    clock = Clock()
    tries = Tries(most=1, of_all=9, seconds=10, clock=clock)
    assert tries.wait("a") == 0
    for _ in range(5):
        clock.now += 1
        assert tries.wait("a") > 0
    clock.now += 5
    assert tries.wait("a") == 0


def test_what_was_right_is_forgotten() -> None:
    tries = Tries(most=1, of_all=9, seconds=10)
    assert tries.wait("a") == 0
    tries.forget("a")
    assert tries.wait("a") == 0
