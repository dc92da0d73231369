"""Nicknames and PINs: who is found by them, what is refused, and that nothing in the files opens anything."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pruning.base.errors import InputError, StorageError
from pruning.visitors import nicknames
from pruning.visitors.identity import new_secret, new_visitor, visitor_of
from pruning.visitors.nicknames import WRONG, Nicknames, checked

ADA, BOB = visitor_of("a" * 43), visitor_of("b" * 43)


@pytest.fixture
def names(tmp_path: Path) -> Nicknames:
    return Nicknames.at(tmp_path / "visitors")


def test_who_has_a_nickname_is_found_by_its_pin(names: Nicknames) -> None:
    pin = names.register(" Ada  L.", ADA)
    assert len(pin) == 6 and pin.isdecimal()
    assert names.of(ADA) == "Ada L." and names.of(BOB) is None
    assert names.find("ada l.", f"{pin[:3]} {pin[3:]}") == ADA


def test_a_restart_forgets_nobody(names: Nicknames) -> None:
    pin = names.register("Ada", ADA)
    names.sit_down(BOB, ADA)
    again = Nicknames.at(names.root)
    assert again.find("Ada", pin) == ADA and again.at_browser(BOB) == ADA


def test_whichever_is_wrong_the_sentence_is_the_same(names: Nicknames) -> None:
    pin = names.register("Ada", ADA)
    wrong = f"{(int(pin) + 1) % 10**6:06}"
    for nickname, tried in (("Ada", wrong), ("Nobody", pin), ("Ada", ""), ("Ada", pin + "0"), ("\ud800", "x")):
        with pytest.raises(InputError) as raised:
            names.find(nickname, tried)
        assert str(raised.value) == WRONG


def test_an_unknown_nickname_takes_as_long_as_a_wrong_pin(names: Nicknames, monkeypatch: pytest.MonkeyPatch) -> None:
    names.register("Ada", ADA)
    hashed: list[str] = []
    monkeypatch.setattr(nicknames, "_hashed", lambda pin, salt: hashed.append(pin) or b"")
    for nickname in ("Ada", "Nobody"):
        with pytest.raises(InputError):
            names.find(nickname, "123")
    assert hashed == ["123", "123"]


def test_guessing_ends_after_five_and_the_right_one_must_wait_too(names: Nicknames) -> None:
    pin = names.register("Ada", ADA)
    other = names.register("Bob", BOB)
    for _ in range(5):
        with pytest.raises(InputError, match="no such nickname"):
            names.find("Ada", "wrong")
    with pytest.raises(InputError, match="too often: wait 10 min"):
        names.find("aDa", pin)
    assert names.find("Bob", other) == BOB, "nobody else waits"


def test_right_pins_are_no_guesses(names: Nicknames) -> None:
    pin = names.register("Ada", ADA)
    for _ in range(7):
        assert names.find("Ada", pin) == ADA


def test_a_nickname_is_one_persons_and_a_person_has_one(names: Nicknames) -> None:
    first = names.register("Ada", ADA)
    with pytest.raises(InputError, match="The nickname ADA is taken"):
        names.register("ADA", BOB)
    with pytest.raises(InputError, match="nickname Ada already"):
        names.register("Eve", ADA)
    second = names.register("ada", ADA)
    assert names.find("Ada", second) == ADA
    if first != second:
        with pytest.raises(InputError, match="no such"):
            names.find("Ada", first)


@pytest.mark.parametrize(
    "text", ["", "a", "x" * 31, "../etc", "a/b", "a\0b", "<b>", "a\nb" * 20, "\ud800\ud800", "$x$"]
)
def test_no_nickname(names: Nicknames, text: str) -> None:
    with pytest.raises(InputError, match="2 to 30 letters"):
        names.register(text, ADA)
    assert not names.root.exists()


def test_other_alphabets_and_spellings() -> None:
    assert checked("Åsa") == checked("Åsa") and checked("李小龙") == "李小龙"


def test_leaving_makes_somebody_new_of_the_browser(names: Nicknames) -> None:
    pin = names.register("Ada", ADA)
    left = names.leave(ADA)
    assert left not in (ADA, BOB) and names.at_browser(ADA) == left
    names.sit_down(ADA, names.find("Ada", pin))
    assert names.at_browser(ADA) == ADA
    assert os.listdir(names.root / "browsers") == [], "a browser that is its own visitor needs no file"


def test_no_file_holds_a_secret_or_a_pin(names: Nicknames) -> None:
    secret = new_secret()
    pin = names.register("Ada", visitor_of(secret))
    names.leave(visitor_of(secret))
    held = " ".join(path.read_text() + path.name for path in names.root.rglob("*.json"))
    assert "Ada" in held and secret not in held and f'"{pin}"' not in held


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"visitor": 3}', b'{"visitor": "../../x"}', b"\xff" * 9000])
def test_a_damaged_file_lets_nobody_in(names: Nicknames, damage: bytes) -> None:
    pin = names.register("Ada", ADA)
    names.sit_down(BOB, ADA)
    for path in (*(names.root / "names").iterdir(), *(names.root / "browsers").iterdir()):
        path.write_bytes(damage)
    if len(damage) > 4096:
        with pytest.raises(StorageError):
            names.at_browser(BOB)
    else:
        assert names.at_browser(BOB) == BOB
        with pytest.raises(InputError, match="no such nickname"):
            names.find("Ada", pin)


def test_a_full_disk_is_a_sentence(names: Nicknames, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nicknames, "create_file", full)
    with pytest.raises(StorageError, match="No space left"):
        names.register("Ada", ADA)
    assert names.of(ADA) is None


def test_browsers_do_not_fill_the_disk(names: Nicknames, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nicknames, "MOST", 20)
    for number in range(30):
        browser = new_visitor()
        names.leave(browser)
        os.utime(names.root / "browsers" / f"{browser}.json", (number, number))
    assert len(os.listdir(names.root / "browsers")) <= 20
    assert names.at_browser(browser) != browser, "the newest is known"


def test_a_guess_takes_a_moment() -> None:
    start = time.perf_counter()
    nicknames._hashed("123456", bytes(16))
    assert time.perf_counter() - start > 0.005
