"""Which names a server answers to."""

from __future__ import annotations

import socket

import pytest

from pruning.base.hosts import is_allowed, is_host_name, name_of, own_names

NAMES = frozenset({"localhost", "lab7", "*.example.org", "class.example.net"})


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8501", "127.0.0.1:8501", "[::1]:8501", "192.168.1.5", "lab7:80", "lab7.", "a.example.org",
     "a.b.example.org", "class.example.net:443", "my.localhost"],
)  # fmt: skip
def test_its_own_names_and_numbers(host: str) -> None:
    assert is_allowed(host, NAMES)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "localhost.evil.example", "evil-example.org", "example.org", "lab7.evil.example",
     "localhost@evil.example", "evil.example/localhost", "localhost:x", "localhost:99999", "a b", "[::1", "127.0.0.1.x",
     "evil.example#localhost", "evil.example?localhost"],
)  # fmt: skip
def test_any_other_is_somebody_elses(host: str | None) -> None:
    assert not is_allowed(host, NAMES)


def test_what_it_is_called_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Lab7.uni.example")
    assert own_names("localhost") == {"localhost"}
    own = {"localhost", "lab7.uni.example", "lab7", "lab7.local"}
    assert own_names("0.0.0.0") == own_names(None) == own, "a number needs no name"
    assert own_names("class.uni.example", ["Other.example"]) == own | {"class.uni.example", "other.example"}


@pytest.mark.parametrize("text", ["*", "*.*.org", "http://a.org", "a.org:80", "a/b", "", "-a.org", "a" * 254, "a..b"])
def test_no_name_of_a_host(text: str) -> None:
    assert not is_host_name(text)


def test_a_port_is_no_part_of_a_name() -> None:
    assert name_of("a.Org:80") == "a.org" and name_of("[::1]:1") == "::1" and name_of("a:b@c") is None
