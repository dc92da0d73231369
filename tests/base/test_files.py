"""Files on this machine: what people give as a path, and reading that waits for nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path


def test_home_stands_for_a_users_folder_where_there_is_such_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert given_path("~/runs") == Path("/home/somebody/runs")
    assert given_path("~no such user/runs") == Path("~no such user/runs"), "a folder may be called so"


@pytest.mark.parametrize("text", ["a\0b", "a" * 5000, "/" + "b/" * 3000, "\ud800"])
def test_what_no_file_can_be_called_is_one_short_sentence(text: str) -> None:
    with pytest.raises(InputError, match="is no path") as caught:
        given_path(text)
    assert len(str(caught.value)) < 200 and str(caught.value).isprintable()


def test_an_excerpt_can_be_printed_and_is_short() -> None:
    assert excerpt("a\nb\0c\ud800") == "a?b?c?"
    assert excerpt("x" * 5000) == "x" * 80 + "…"
