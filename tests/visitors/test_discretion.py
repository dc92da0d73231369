"""Sentences without the server's folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.visitors.discretion import names_only

ROOTS = [Path("/srv/my class/cache"), Path("/srv/runs"), Path("/home/me")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("No file /srv/nets/a.pt: check it.", "No file a.pt: check it."),
        ("'/srv/nets/a.pt' is none", "'a.pt' is none"),
        ("run:/srv/runs/mine holds no run", "run:mine holds no run"),
        ("torchvision:resnet18?weights=/srv/x/y.pt&classes=3", "torchvision:resnet18?weights=y.pt&classes=3"),
        ("(/a/b), “/a/c” and /d/e.", "(b), “c” and e."),
        ("/srv/my class/cache/uploads/3f.pt cannot be read", "3f.pt cannot be read"),
        ("written to /srv/my class/cache (No space)", "written to cache (No space)"),
        ("~/nets/a.pt", "a.pt"),
        ("/", "/"),
    ],
)
def test_a_file_stands_by_its_name(text: str, said: str) -> None:
    assert names_only(text, ROOTS) == said


@pytest.mark.parametrize(
    "text",
    [
        "40/40/20 per cent",
        "1/2 of 3 / 4",
        "see https://a.org/b/c?d=e",
        "and/or",
        "torchvision:resnet18",
        "±0.5 /",
        "a//b",
    ],
)
def test_what_is_no_path_stays(text: str) -> None:
    assert names_only(text, ROOTS) == text
