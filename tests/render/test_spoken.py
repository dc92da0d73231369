"""What two networks say of one image: the answer, how sure, a bar a class, and whether they agree."""

from __future__ import annotations

import re

import pytest
import torch

from pruning.render.markup.spoken import agreement, html
from pruning.training.one_image import Said

IMAGE = torch.zeros(1, 28, 28, dtype=torch.uint8)
NAMES = ("zero", "<one>", "two")


def named(output: int) -> str:
    return NAMES[output] if output >= 0 else "no answer"


def test_each_network_says_its_answer_and_has_a_bar_for_every_class() -> None:
    said = Said(shares=(0.25, 0.7, 0.05))
    text = html(
        IMAGE, [("original", "dense", said), ("pruned", "kept", Said(shares=(0.9, 0.1, 0.0)))], named, "They <differ>."
    )
    assert "<one>" not in text and "They &lt;differ&gt;." in text
    assert re.findall(r"<b>([^<]*)</b><small>([^<]*)<", text) == [("&lt;one&gt;", "70 % sure"), ("zero", "90 % sure")]
    assert re.findall(r"height:([\d.]+)%", text) == ["25.0", "70.0", "5.0", "90.0", "10.0", "0.0"]
    assert text.count("px-chosen") == 3, "one an answer, and the style"
    assert 'aria-label="measured"' in text and "28 × 28 pixels" in text


def test_nothing_is_rounded_up_to_certainty() -> None:
    sure = Said(shares=(0.9996, 0.0004, 0.0))
    assert "over 99 % sure" in html(IMAGE, [("pruned", "kept", sure)], named, "")


def test_outputs_that_are_no_numbers_are_drawn_as_none() -> None:
    broken = Said(shares=(float("nan"),) * 3)
    text = html(IMAGE, [("pruned", "kept", broken)], named, "")
    assert "no answer" in text and "its outputs are no numbers" in text and "nan" not in text.lower()


@pytest.mark.parametrize(
    ("first", "second", "truth", "words"),
    [
        (0, 0, None, "Both say zero."),
        (0, 0, 0, "Both say zero."),
        (0, 0, 2, "Both say zero. It is labelled two."),
        (0, 2, None, "They disagree: zero before pruning, two after."),
        (0, 2, 0, "They disagree: zero before pruning, two after. It is labelled zero."),
        (-1, -1, None, "Neither has an answer."),
    ],
)
def test_whether_they_agree(first: int, second: int, truth: int | None, words: str) -> None:
    def says(output: int) -> Said:
        share = float("nan") if output < 0 else 0.0
        return Said(shares=tuple(1.0 if number == output else share for number in range(3)))

    assert agreement([says(first), says(second)], named, truth) == words
