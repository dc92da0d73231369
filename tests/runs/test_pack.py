"""A run as one file and back; a hostile file is refused in a sentence and leaves nothing behind."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pruning.base.errors import InputError, PruningError, StorageError
from pruning.jobs.manifest import File
from pruning.jobs.store import LocalStore
from pruning.runs import read_run
from pruning.runs.labels import Label, read_labels, write_label
from pruning.runs.pack import LIST, PARTS, VERSION, pack
from pruning.runs.unpack import unpack
from pruning.subject import open_subject

Members = dict[str, bytes]


@pytest.fixture
def packed(stored_runs: Path, tmp_path: Path) -> Path:
    write_label(LocalStore.at(stored_runs / "channel"), Label(title="To send", tags=("small",), note="Look."))
    write_label(LocalStore.at(stored_runs / "channel"), Label(title="private"), "a" * 32)
    return pack(stored_runs / "channel", tmp_path / "channel.run.zip")


def members(file: Path) -> Members:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(file: Path, contents: Members, *, relist: bool = True, **more: object) -> None:
    """A pack of these members; `relist`: its list says what they are."""
    if relist:
        files = [vars(File.of(name, content)) for name, content in contents.items() if name != LIST]
        contents = {**contents, LIST: json.dumps({"pack": VERSION, "name": "x", "files": files, **more}).encode()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def refused(file: Path, runs: Path, error: type[PruningError] = PruningError) -> str:
    before = set(os.listdir(runs))
    with pytest.raises(error) as said:
        unpack(file, runs)
    assert set(os.listdir(runs)) == before, "nothing is left of it"
    text = str(said.value)
    assert "\n" not in text and str(runs) not in text
    return text


def test_a_run_comes_back_whole_under_a_new_name(packed: Path, stored_runs: Path) -> None:
    found = unpack(packed, stored_runs)
    old, new = read_run(stored_runs / "channel"), read_run(found.path)
    assert found.path.name != "channel" and found.remarks == () and new.brought and not old.brought
    assert (new.recipe, new.result, new.created, new.state) == (old.recipe, old.result, old.created, "done")
    assert new.weights() == old.weights() and new.answers().keys() == old.answers().keys()
    assert len(new.events().training) == len(old.events().training) > 0
    assert read_labels(LocalStore.at(found.path)) == {"": Label(title="To send", tags=("small",), note="Look.")}
    assert open_subject(new.ref).title.startswith("Mini-ResNet") or open_subject(new.ref).title
    assert unpack(packed, stored_runs).path != found.path


def test_the_same_run_gives_the_same_bytes_and_no_path_of_its_machine(packed: Path, stored_runs: Path) -> None:
    again = pack(stored_runs / "channel", packed.with_name("again.zip"))
    assert again.read_bytes() == packed.read_bytes()
    assert set(members(packed)) <= {*PARTS, LIST}
    assert json.loads(members(packed)["job.json"])["data_dir"] is None


def test_only_finished_runs_are_packed(stored_runs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not finished"):
        pack(stored_runs / "failed", tmp_path / "x.zip")
    with pytest.raises(InputError, match="can be no file"):
        pack(stored_runs / "channel", tmp_path)
    (stored_runs / "channel" / "model.safetensors").unlink()
    with pytest.raises(StorageError, match=r"model\.safetensors is gone"):
        pack(stored_runs / "channel", tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists() and not list(tmp_path.glob(".*.part"))


def test_one_that_goes_on_says_so(stored_runs: Path, tmp_path: Path) -> None:
    found = unpack(pack(stored_runs / "continued", tmp_path / "x.zip"), stored_runs)
    assert "went on from another run" in found.remarks[0]


def _json(name: str, change: Callable[[dict], object]) -> Callable[[Members], Members]:
    def inflict(contents: Members) -> Members:
        values = json.loads(contents[name])
        other = change(values)
        return {**contents, name: json.dumps(values if other is None else other).encode()}

    return inflict


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda it: {**it, "../evil": b"x"}, "no file of a run"),
        (lambda it: {**it, "/etc/passwd": b"x"}, "no file of a run"),
        (lambda it: {**it, "net.py": b"import os"}, "no file of a run"),
        (lambda it: {**it, "attempts/0001/log": b"x"}, "no file of a run"),
        (lambda it: {name: it[name] for name in it if name != "recipe.yaml"}, "it has no recipe.yaml"),
        (lambda it: {name: it[name] for name in it if name != "model.safetensors"}, "it has no model.safetensors"),
        (lambda it: {**it, "recipe.yaml": b"!!python/object/apply:os.system [id]"}, "YAML"),
        (lambda it: {**it, "recipe.yaml": b"a: &a [" + b"*a," * 5 + b"]"}, "recipe"),
        (lambda it: {**it, "recipe.yaml": it["recipe.yaml"].replace(b"seed: 0", b"seed: 1")}, "another recipe"),
        (lambda it: {**it, "result.json": b"[" * 100_000}, "result.json"),
        (lambda it: {**it, "result.json": b'{"schema_version": 99}'}, "later version"),
        (lambda it: {**it, "model.json": b"{}"}, "damaged"),
        (lambda it: {**it, "held.json": b'{"files": 3}'}, "held.json"),
        (lambda it: {**it, "answers.safetensors": b"x" * 100}, "no safetensors"),
        (lambda it: {**it, "model.safetensors": b"\x80\x02c__builtin__\neval\n"}, "no safetensors"),
        (lambda it: {**it, "model.safetensors": (2**62).to_bytes(8, "little") + b"{}"}, "no safetensors"),
        (lambda it: {**it, "model.safetensors": it["model.safetensors"][:-9]}, "damaged"),
        (lambda it: {**it, "label.json": b'{"title": "a\\u0000b"}'}, "cannot be shown"),
        (lambda it: {**it, "label.json": b'{"tags": [1]}'}, "label.json"),
        (_json("result.json", lambda values: values.update(pruned=None)), "result.json"),
        (_json("result.json", lambda values: values["pruned"].update(macs=-1)), "result"),
        (_json("job.json", lambda values: values.update(created="yesterday")), "job.json"),
    ],
)  # fmt: skip
def test_what_no_run_holds_is_refused(
    packed: Path, stored_runs: Path, tmp_path: Path, change: Callable[[Members], Members], reason: str
) -> None:
    file = tmp_path / "hostile.zip"
    write(file, change(members(packed)))
    assert reason in refused(file, stored_runs)
    assert not (tmp_path / "evil").exists() and not (stored_runs.parent / "evil").exists()


def test_what_is_not_as_the_list_says_is_refused(packed: Path, stored_runs: Path, tmp_path: Path) -> None:
    file, sound = tmp_path / "hostile.zip", members(packed)
    write(file, {**sound, "recipe.yaml": sound["recipe.yaml"] + b"\n"}, relist=False)
    assert "not what was packed" in refused(file, stored_runs, StorageError)
    write(file, {name: sound[name] for name in sound if name != "label.json"}, relist=False)
    assert "other files than its" in refused(file, stored_runs)
    write(file, {name: sound[name] for name in sound if name != LIST}, relist=False)
    assert "has no pack.json" in refused(file, stored_runs)
    write(file, sound, pack=VERSION + 1)
    assert "later version" in refused(file, stored_runs)


def test_links_bombs_doubles_and_passwords_are_refused(packed: Path, stored_runs: Path, tmp_path: Path) -> None:
    file, sound = tmp_path / "hostile.zip", members(packed)
    link = zipfile.ZipInfo("recipe.yaml")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "link or a device" in refused(file, stored_runs, InputError)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.json", b"0" * 60_000_000)
    assert "unpacks to far more" in refused(file, stored_runs, InputError)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("recipe.yaml", b"0" * 2_000_000)
    assert "more than 1,000,000" in refused(file, stored_runs, InputError)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "w") as archive:
        for name in ("recipe.yaml", "recipe.yaml"):
            archive.writestr(name, sound[name])
    assert "more files" in refused(file, stored_runs, InputError)
    locked = bytearray(packed.read_bytes())
    at = locked.rindex(b"PK\x01\x02")
    locked[at + 8] |= 1
    file.write_bytes(locked)
    assert "encrypted" in refused(file, stored_runs, InputError)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 5000, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(stored_runs: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    assert "no packed run" in refused(file, stored_runs, InputError)
    assert "There is no file" in refused(tmp_path / "none", stored_runs, InputError)
    assert "There is no file" in refused(tmp_path, stored_runs, InputError)


def test_a_pack_that_is_cut_off_anywhere_leaves_nothing(packed: Path, stored_runs: Path, tmp_path: Path) -> None:
    whole, file = packed.read_bytes(), tmp_path / "cut.zip"
    for length in range(0, len(whole), len(whole) // 40):
        file.write_bytes(whole[:length])
        refused(file, stored_runs)
    for place in range(30, len(whole), len(whole) // 60):
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        file.write_bytes(damaged)
        try:
            unpack(file, stored_runs)
        except PruningError as error:
            assert "\n" not in str(error)
        assert not [name for name in os.listdir(stored_runs) if name.startswith(".unpacking")]
