"""What is remembered of an object goes with it."""

from __future__ import annotations

import gc
import weakref

from pruning.base.once import once_each


class Thing:
    pass


def test_each_question_is_answered_once_as_long_as_the_object_lives() -> None:
    asked: list[str] = []

    @once_each
    def told(thing: Thing, word: str) -> str:
        asked.append(word)
        return word.upper()

    one, other = Thing(), Thing()
    assert [told(one, "a"), told(one, "b"), told(one, "a"), told(other, "a")] == ["A", "B", "A", "A"]
    assert asked == ["a", "b", "a"]
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None, "what is remembered does not keep it"
