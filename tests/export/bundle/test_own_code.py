"""Which files go along with a Python file of somebody's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.export.bundle.own_code import own_code, versions_of


def written(folder: Path, **files: str) -> Path:
    """Files by their places, '__' standing for '/'."""
    for place, text in files.items():
        path = folder / f"{place.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_what_it_imports_from_beside_it_and_nothing_else(tmp_path: Path) -> None:
    written(
        tmp_path,
        net="import json, torch, yaml\nimport one\ndef build():\n    from two import deep",
        one="from three.four import five",
        two="import one, net",
        three__four="",
        other="import torchvision",
    )
    found = own_code(tmp_path / "net.py")
    assert set(found.files) == {"net.py", "one.py", "two.py", "three/four.py"}
    assert found.main == "net.py" and found.needs == ("yaml",) and found.others == ("one.py", "three/four.py", "two.py")
    assert set(versions_of(found.needs)) == {"PyYAML"} and versions_of(found.needs)["PyYAML"]


def test_a_file_within_a_package(tmp_path: Path) -> None:
    written(
        tmp_path,
        mine__sub__net="from . import near\nfrom ..up import thing\nfrom mine.far import away\nimport near2",
        mine__sub__near="",
        mine__sub__near2="",
        mine__up="",
        mine__far__away="",
        mine__unused="",
    )
    for folder in ("mine", "mine/sub", "mine/far"):
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "mine" / "__init__.py").write_text("from mine import table")
    (tmp_path / "mine" / "table.py").write_text("")
    found = own_code(tmp_path / "mine" / "sub" / "net.py")
    assert found.main == "mine/sub/net.py"
    assert set(found.files) == {
        f"mine/{name}.py"
        for name in (
            "__init__",
            "sub/__init__",
            "sub/net",
            "sub/near",
            "sub/near2",
            "up",
            "far/__init__",
            "far/away",
            "table",
        )
    }


def test_what_lies_elsewhere_on_the_import_path_is_its_own_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "project", layers_of_mine__conv="from layers_of_mine import words", layers_of_mine__words="")
    written(tmp_path / "models", net="from layers_of_mine.conv import Conv\nimport not_there_at_all")
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    found = own_code(tmp_path / "models" / "net.py")
    assert set(found.files) == {"net.py", "layers_of_mine/conv.py", "layers_of_mine/words.py"} and not found.needs


def test_what_it_reads_goes_along_and_what_lies_elsewhere_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "code", net="")
    (folder / "table.json").write_text("[1]")
    (folder / "not read.json").write_text("[1]")
    (tmp_path / "far.json").write_text("[1]")

    def run() -> None:
        for path in (folder / "table.json", tmp_path / "far.json", folder / "net.py", Path(sys.executable)):
            path.open("rb").close()
        (folder / "log.txt").write_text("written")

    found = own_code(folder / "net.py", run)
    assert set(found.files) == {"net.py", "table.json"} and found.outside == (tmp_path / "far.json",)


def test_two_files_for_one_place_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "elsewhere", shared_by_two="import helper", helper="")
    written(tmp_path / "code", net="import shared_by_two, helper", helper="")
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    assert set(own_code(tmp_path / "code" / "net.py").files) == {"net.py", "helper.py", "shared_by_two.py"}
    written(tmp_path / "elsewhere", net="", shared_by_two="from . import net")
    with pytest.raises(InputError, match="would get the same place"):
        own_code(tmp_path / "code" / "net.py")
    (tmp_path / "code" / "net.py").write_text("def (")
    with pytest.raises(InputError, match=r"net\.py cannot be read"):
        own_code(tmp_path / "code" / "net.py")
