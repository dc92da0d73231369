"""What is no file of weights is told by its first bytes, each kind in its own sentence."""

from __future__ import annotations

import functools
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from torch import nn

from pruning.base.errors import InputError
from pruning.catalog.weights.kinds import Kind, kind_of
from pruning.catalog.weights.loading import load_state_file


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def saved(value: object, legacy: bool = False) -> bytes:
    made = io.BytesIO()
    torch.save(value, made, _use_new_zipfile_serialization=not legacy)
    return made.getvalue()


def image() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    return made.getvalue()


def array(*values: float) -> bytes:
    made = io.BytesIO()
    np.save(made, np.array(values))
    return made.getvalue()


def scripted() -> bytes:
    made = io.BytesIO()
    torch.jit.save(torch.jit.script(nn.Linear(2, 2)), made)
    return made.getvalue()


@functools.cache
def exported() -> bytes:
    made = io.BytesIO()
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.zeros(1, 2),)), made)
    return made.getvalue()


STATE = nn.Linear(3, 2).state_dict()
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n"
OTHERS: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "empty": ("w.pt", lambda: b"", "is empty"),
    "zeros": ("w.pt", lambda: b"\0" * 900, "nothing but zeros"),
    "a pointer of Git LFS": ("w.pt", lambda: LFS, "git lfs pull"),
    "a pointer, as safetensors": ("w.safetensors", lambda: LFS, "git lfs pull"),
    "a web page": ("w.pt", lambda: b"\n <!DOCTYPE html><html><body>404</body></html>", "a web page"),
    "images": ("w.pt", lambda: zipped({f"{i}.png": image() for i in range(3)}), "a zip of images"),
    "an image": ("w.pt", image, "a PNG image"),
    "a zip of weights": ("w.zip", lambda: zipped({"best.pt": saved(STATE)}), "holds best.pt: unpack it"),
    "a zip of other things": ("w.zip", lambda: zipped({"a.txt": b"a"}), "is a zip archive and no weights"),
    "TorchScript": ("w.pt", scripted, "a TorchScript archive"),
    "pt2": ("w.pt2", exported, "a program that torch.export has written"),
    "pt2 by another name": ("w.pt", exported, "a program that torch.export has written"),
    "ONNX": ("w.onnx", lambda: b"\x08\x09\x12\x07pytorch", "is ONNX"),
    "ONNX by another name": ("w.pt", lambda: b"\x08\x09\x12\x07pytorch", "is ONNX"),
    "HDF5": ("w.h5", lambda: b"\x89HDF\r\n\x1a\n" + b"\0" * 90, "is HDF5, as Keras"),
    "Keras": ("w.keras", lambda: zipped({"config.json": b"{}", "model.weights.h5": b""}), "a file of Keras"),
    "NumPy": ("w.npy", lambda: array(1, 2), "a NumPy array"),
    "NumPy's archive": ("w.npz", lambda: zipped({"a.npy": array(1)}), "a NumPy archive"),
    "GGUF": ("w.gguf", lambda: b"GGUF\3\0\0\0", "is GGUF"),
    "Flax": ("w.msgpack", lambda: b"\x81\xa6params", "a file of Flax"),
    "gzip": ("w.tar", lambda: b"\x1f\x8b\x08\0", "compressed with gzip"),
    "a list of parts": ("w.json", lambda: json.dumps({"weight_map": {"a": "m-1.bin"}}).encode(), "lists the 1 parts"),
    "JSON": ("w.json", lambda: b"{}", "is text"),
    "a pickle": ("w.pt", lambda: pickle.dumps({"a": 1}), "a Python pickle that torch.save did not write"),
    "noise": ("w.pt", lambda: b"no weights at all", "no file of weights"),
    "an archive, cut short": ("w.pt", lambda: saved(STATE)[:-100], "cut short"),
    "a file of the first format, cut short": ("w.pt", lambda: saved(STATE, legacy=True)[:-8], "cut short"),
    "safetensors, cut short": ("w.safetensors", lambda: save(STATE)[:-8], "cut short"),
    "safetensors, cut in the header": ("w.safetensors", lambda: save(STATE)[:40], "cut short within its header"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("name", OTHERS)
def test_each_kind_has_its_sentence(name: str, tmp_path: Path) -> None:
    file, make, words = OTHERS[name]
    (tmp_path / file).write_bytes(make())
    with pytest.raises(InputError, match=words) as caught:
        load_state_file(nn.Linear(3, 2), tmp_path / file)
    assert len(str(caught.value)) < 500 and str(caught.value).isprintable()


def test_what_counts_is_what_is_in_it(tmp_path: Path) -> None:
    for name, content, kind in (
        ("a.pth.tar", saved(STATE), Kind.ZIP),
        ("a.bin", saved(STATE, legacy=True), Kind.LEGACY),
        ("safetensors.pt", save(STATE), Kind.SAFETENSORS),
        ("no suffix", saved(STATE), Kind.ZIP),
    ):
        (tmp_path / name).write_bytes(content)
        assert kind_of(tmp_path / name) is kind
        net = nn.Linear(3, 2)
        load_state_file(net, tmp_path / name)
        assert torch.equal(net.weight, STATE["weight"])


def test_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder: name the file with the weights"):
        kind_of(tmp_path)
    (tmp_path / "a.safetensors").write_bytes(save(STATE))
    with pytest.raises(InputError, match=r"is a folder: name the file in it, .*a\.safetensors"):
        kind_of(tmp_path)


class Runs:
    """Unpickled, it calls what it was made with."""

    def __init__(self, *what: object) -> None:
        self.what = what

    def __reduce__(self) -> tuple[object, ...]:
        return self.what[0], self.what[1:]


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("function", [eval, exec, __import__, compile, open, pickle.loads])
def test_a_file_that_names_code_is_refused_and_nothing_is_run(function: object, legacy: bool, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    content = saved({"state_dict": STATE, "x": Runs(function, f"open({str(ran)!r}, 'w')")}, legacy)
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"asks for .* to be run when it is opened"):
        load_state_file(nn.Linear(3, 2), tmp_path / "w.pt")
    assert not ran.exists()


def test_a_file_that_declares_more_than_it_holds_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    bomb = zipped({"a/data.pkl": b"\0" * 2**26, "a/version": b"3"}, zipfile.ZIP_DEFLATED)
    path.write_bytes(bomb)
    with pytest.raises(InputError, match="declares more than it holds"):
        load_state_file(nn.Linear(3, 2), path)
    path.write_bytes(saved({"weight": torch.zeros(1, 3).expand(10**9, 3), "bias": torch.zeros(1).expand(10**9)}))
    with pytest.raises(InputError, match="more than the file holds"):
        load_state_file(nn.Linear(3, 2), path)
    deep: list[object] = ["x"]
    for _ in range(40):
        deep = [deep, deep]
    path.write_bytes(saved({"state_dict": STATE, "config": deep}))
    net = nn.Linear(3, 2)
    load_state_file(net, path)
    assert torch.equal(net.weight, STATE["weight"])
    header = json.dumps({"weight": {"dtype": "F32", "shape": [10**12, 3], "data_offsets": [0, 24]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 24)
    with pytest.raises(InputError, match="no readable safetensors file"):
        load_state_file(nn.Linear(3, 2), tmp_path / "w.safetensors")
