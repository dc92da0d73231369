"""How the weights in a file are written, told by its first bytes and by the names in an archive; nothing is loaded."""

from __future__ import annotations

import json
import re
import zipfile
from enum import Enum
from pathlib import Path, PurePosixPath

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.base.first_bytes import FileKind, Group, start_of
from pruning.base.first_bytes import kind_of as kind_of_start

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".tar")
"""Of files that hold weights; what counts is what is in them."""
MOST_MEMBERS = 200_000
"""Of a zip archive."""
SAVE = "save torch.save(model.state_dict(), FILE) where the network is, or safetensors"
UNPACK = "unpack it and name the file that was in it"
NAME = "name the file with the weights"
_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class Kind(Enum):
    """Files that weights are read from."""

    SAFETENSORS = "safetensors"
    ZIP = "torch.save's archive"
    LEGACY = "torch.save's first format"


_BY_GROUP: dict[Group, str] = {
    "archive": UNPACK, "image": NAME, "data": NAME, "text": NAME, "weights": SAVE, "other": NAME,
}  # fmt: skip
"""What to do with a file that is of another kind."""
_TOLD: dict[str, str] = {
    "empty": "is empty: copy it again",
    "zeros": "begins with nothing but zeros, as a download that was cut off does: fetch it again",
    "lfs": "is a pointer of Git LFS, which stands for the weights: fetch them with 'git lfs pull'",
    "html": "is a web page and no weights, as a failed download leaves: fetch the file itself",
    "xml": "is an XML text and no weights, as a refused download leaves: fetch the file itself",
    "hdf5": f"is HDF5, as Keras writes it, whose names and layouts are others: {SAVE}",
    "numpy": f"is a NumPy array and no weights with their names: {SAVE}",
    "gguf": f"is GGUF, for language models: {SAVE}",
    "tflite": f"is TensorFlow Lite: {SAVE}",
    "parquet": f"is a Parquet file, as data sets are: {NAME}",
    **{name: f"is compressed with {name}: {UNPACK}" for name in ("gzip", "bzip2", "xz", "zstd")},
}
"""What is said of some kinds beside, or instead of, their words; to go on 'FILE …'."""
_BY_SUFFIX = {
    ".onnx": f"is ONNX, which no longer has the network's own names: {SAVE}",
    ".pt2": "is a program that torch.export has written, not weights: " + SAVE,
    ".h5": f"is a file of Keras, whose names and layouts are others: {SAVE}",
    ".keras": f"is a file of Keras, whose names and layouts are others: {SAVE}",
    ".tflite": _TOLD["tflite"],
    ".msgpack": f"is a file of Flax, whose names and layouts are others: {SAVE}",
    ".pb": f"is a file of TensorFlow, whose names and layouts are others: {SAVE}",
}


def kind_of(path: Path | str) -> Kind:
    """How the weights in a file are written.

    Raises:
        InputError: there is no such file, or it is something else, which is said.
    """
    path = given_path(path)
    said = excerpt(str(path), 160)
    if path.is_dir():
        inside = next((one.name for suffix in SUFFIXES for one in sorted(path.glob(f"*{suffix}"))), None)
        hint = f"name the file in it, {said}/{excerpt(inside)}" if inside else "name the file with the weights"
        raise InputError(f"{said} is a folder: {hint}.")
    if not path.is_file():
        if path.suffix not in SUFFIXES and "/" not in str(path):
            raise InputError(
                f"weights= takes 'default' or a file ({', '.join(SUFFIXES[:3])} and the like), not '{said}'."
            )
        raise InputError(f"There is no file {said} to take weights from: check the path.")
    try:
        start = start_of(path)
    except OSError as error:
        raise InputError(f"{said} cannot be read ({error.strerror or error}).") from error
    try:
        found = _kind(path, start)
    except OSError as error:
        raise InputError(f"{said} cannot be read ({error.strerror or error}).") from error
    if isinstance(found, Kind):
        return found
    raise InputError(f"{said} {found}.")


def _kind(path: Path, start: bytes) -> Kind | str:
    """The kind, or what else it is, to go on 'FILE …'."""
    known = kind_of_start(start)
    if known is not None:
        return _of_known(path, start, known)
    if start[8:9] == b"{":
        return "is no readable safetensors file: its header is larger than the format allows"
    if path.suffix.lower() in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix.lower()]
    if re.match(rb"\x08[\x01-\x20](?:\x12|\x3a|\x42)", start):
        return _BY_SUFFIX[".onnx"]
    if start[:1] == b"\x80" and start[1:2] in b"\x00\x01\x02\x03\x04\x05":
        return f"is a Python pickle that torch.save did not write, and such files can run code: {SAVE}"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")):
        return _json(path)
    if path.suffix == ".safetensors":
        return "is no readable safetensors file, cut short, damaged or something else: fetch or copy it again"
    return f"is no file of weights that can be read, or it is damaged: {SAVE}"


def _of_known(path: Path, start: bytes, known: FileKind) -> Kind | str:
    """The same of a file whose first bytes are known."""
    match known.name:
        case "zip":
            return _archive(path)
        case "torch":
            return Kind.LEGACY
        case "safetensors":
            whole = int.from_bytes(start[:8], "little") + 8 <= path.stat().st_size
            return Kind.SAFETENSORS if whole else "is cut short within its header: fetch it again"
        case "json":
            return _json(path)
    return _TOLD.get(known.name) or f"is {known.words}: {_BY_GROUP[known.group]}"


def _archive(path: Path) -> Kind | str:
    """What a zip archive holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OverflowError):
        return "is an archive that is cut short or damaged: fetch or copy it again"
    names = [PurePosixPath(member.filename) for member in members]
    tops = {name.name for name in names if len(name.parts) <= 2}
    if tops & {"archive_format", "archive_version", "serialized_exported_program.json"} or path.suffix == ".pt2":
        return _BY_SUFFIX[".pt2"]
    if "data.pkl" in tops and ("constants.pkl" in tops or any(name.parts[1:2] == ("code",) for name in names)):
        return f"is a TorchScript archive, which holds a program: {SAVE}"
    if "data.pkl" in tops:
        size = path.stat().st_size
        if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > size:
            return "is an archive that declares more than it holds: save it again with torch.save"
        return Kind.ZIP
    if tops & {"model.weights.h5", "keras_metadata.pb"}:
        return _BY_SUFFIX[".keras"]
    if names and all(name.suffix == ".npy" for name in names):
        return f"is a NumPy archive (.npz), as JAX and TensorFlow write weights, with other names and layouts: {SAVE}"
    if sum(name.suffix.lower() in _IMAGES for name in names) > len(names) // 2:
        return "is a zip of images and no weights: name it as the data, and here the file with the weights"
    inside = next((str(name) for name in names if name.suffix in SUFFIXES), None)
    if inside is not None:
        return f"is a zip archive that holds {excerpt(inside, 60)}: unpack it and name that file"
    return "is a zip archive and no weights: name the file with the weights"


def _json(path: Path) -> str:
    try:
        values = json.loads(path.read_bytes()) if path.stat().st_size <= 16 * 2**20 else None
    except (ValueError, RecursionError):
        values = None
    parts = values.get("weight_map") if isinstance(values, dict) else None
    if isinstance(parts, dict):
        files = sorted({str(file) for file in parts.values()})
        return (
            f"lists the {len(files)} parts of weights that were split ({excerpt(files[0], 60) if files else 'none'} "
            "and so on): join them and save one file"
        )
    return "is text (JSON) and no weights: name the file with the weights"
