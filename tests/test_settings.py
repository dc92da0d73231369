"""Settings of the server's owner: read strictly, with one sentence for whatever is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pruning.base.errors import InputError, PruningError
from pruning.settings import VARIABLE, Settings, parse, settings
from pruning.settings.__main__ import main

ROOT = Path(__file__).parents[1]


def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    path = tmp_path / "pruning.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("PRUNING_SETTINGS", str(path))
    return path


def test_without_a_file_nothing_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRUNING_SETTINGS", raising=False)
    found = settings()
    assert not found.python.allowed and found.python.folders == () and found.data.folders == ()
    assert not found.allows_code(Path("/home/me/net.py"))


def test_a_file_says_what_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"""
[python]
allowed = true
folders = ["{tmp_path}/nets"]
[data]
folders = ["/srv/photos", "/srv/flowers.zip"]
[uploads]
folder = "{tmp_path}/sent"
largest_images_mb = 2000
hours = 2
"""
    written(tmp_path, monkeypatch, text)
    found = settings()
    assert found.data.folders == (Path("/srv/photos"), Path("/srv/flowers.zip"))
    assert (found.uploads.largest_images_mb, found.uploads.largest_weights_mb, found.uploads.hours) == (2000, 500, 2.0)
    assert found.uploads.largest_mb == 2000


def test_code_is_allowed_in_listed_folders_alone_links_followed(tmp_path: Path) -> None:
    nets, sent = tmp_path / "nets", tmp_path / "sent"
    nets.mkdir()
    (tmp_path / "outside.py").write_text("")
    (nets / "inside.py").write_text("")
    (nets / "link.py").symlink_to(tmp_path / "outside.py")
    found = parse({"python": {"allowed": True, "folders": [str(nets)]}, "uploads": {"folder": str(sent)}})
    assert found.allows_code(nets / "inside.py")
    assert not found.allows_code(tmp_path / "outside.py")
    assert not found.allows_code(nets / "link.py") and not found.allows_code(nets / ".." / "outside.py")
    assert not parse({"python": {"folders": [str(nets)]}}).allows_code(nets / "inside.py"), "listed, but not allowed"


@pytest.mark.parametrize(("python", "sent"), [("a", "a"), ("a", "a/sent"), ("a/nets", "a")])
def test_what_is_sent_never_lies_where_code_is_run(tmp_path: Path, python: str, sent: str) -> None:
    with pytest.raises(InputError, match="must not lie in the other"):
        parse({"python": {"folders": [str(tmp_path / python)]}, "uploads": {"folder": str(tmp_path / sent)}})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[uplods]\nhours = 2", "no table called 'uplods'. Did you mean 'uploads'?"),
        ("[uploads]\nhour = 2", "no setting in [uploads] called 'hour'. Did you mean 'hours'?"),
        ("[uploads]\nhours = true", "[uploads] hours takes a number, not True"),
        ("[uploads]\nseconds = 1.5", "[uploads] seconds takes a whole number, not 1.5"),
        ("[uploads]\nseconds = 4", "[uploads] seconds goes from 5 to 3600, not 4"),
        ("[python]\nallowed = 1", "[python] allowed takes true or false, not 1"),
        ("[python]\nallowed = true", "names no folders"),
        ('[data]\nfolders = "/srv"', "[data] folders takes a list of paths"),
        ('[data]\nfolders = ["photos"]', "write 'photos' in full"),
        ("data = 3", "'data' is a table: write [data]"),
        ("[data", "is no TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str) -> None:
    written(tmp_path, monkeypatch, text)
    with pytest.raises(PruningError) as caught:
        settings()
    assert words in str(caught.value) and "pruning.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_SETTINGS", str(tmp_path / "none.toml"))
    with pytest.raises(PruningError, match="there is no such file"):
        settings()


def test_all_settings_have_defaults_that_hold() -> None:
    assert Settings() == parse({})


def test_the_start_stops_with_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pruning.toml"
    path.write_text("[uploads]\nhour = 2")
    done = subprocess.run(
        [sys.executable, "-m", "pruning.settings"],
        cwd=ROOT,
        env={"PRUNING_SETTINGS": str(path), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "Did you mean 'hours'?" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--app", ""], None),
        (["--app", "127.0.0.1"], None),
        (["--app", "::1"], None),
        (["--app", "0.0.0.0"], "use 'make serve HOST=0.0.0.0'"),
        (["--app", "lab7"], "use 'make serve HOST=lab7'"),
        (["--serve", "0.0.0.0"], None),
        (["--serve", ""], "HOST=0.0.0.0"),
        (["--serve", "localhost"], "Nobody else reaches localhost: use 'make app'"),
    ],
)
def test_who_serves_others_says_so(
    arguments: list[str], said: str | None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert main(arguments) == (0 if said is None else 2)
    captured = capsys.readouterr()
    assert captured.out == "" and (said or "") in captured.err


def test_behind_a_proxy_localhost_is_served_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "pruning.toml"
    path.write_text('[server]\npublic = true\nhosts = ["class.example.org", "*.example.net"]')
    monkeypatch.setenv(VARIABLE, str(path))
    assert main(["--serve", "localhost"]) == 0
    assert main([]) == 0
    assert "[server] hosts: class.example.org, *.example.net" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"server": {"hosts": "a.org"}}, "takes a list of texts"),
        ({"server": {"hosts": [3]}}, "takes a list of texts"),
        ({"server": {"hosts": ["https://a.org"]}}, r"takes names such as class.example.org"),
        ({"server": {"hosts": ["*"]}}, r"takes names"),
        ({"server": {"largest_network_millions": 0}}, "from 1 to 100000"),
        ({"server": {"public": "yes"}}, "takes true or false"),
    ],
)
def test_a_servers_settings_are_checked(tables: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(tables)
