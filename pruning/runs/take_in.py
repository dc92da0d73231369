"""A bundle taken in as a run, from its zip file or its folder: checked as hostile, and then whole among the runs, or
not at all.

Of all that lies in it three files are read (`pruning.runs.bundled`); nothing of it is run, and no network is built.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors.torch import save_file

from pruning.base import safe_json
from pruning.base.clone import apart
from pruning.base.errors import InputError, PruningError, StorageError, excerpt, first_line
from pruning.base.files import replace_file
from pruning.runs.bundled import CONFIG, LARGEST_CONFIG, LARGEST_RUN, RUN, Bundled, read_bundled
from pruning.runs.files import JOB, MODEL, RECIPE, RESULT, STRUCTURE
from pruning.runs.order import brought_text
from pruning.runs.result_json import to_values
from pruning.runs.run import LARGEST_MODEL
from pruning.runs.saved_model import structure_values
from pruning.runs.unpack import CHUNK, ENCRYPTED, Unpacked, check_weights, checked_run, fresh_id, remarks_of

MOST_MEMBERS = 10_000
WEIGHTS = "model.safetensors"
PARTS = {CONFIG: LARGEST_CONFIG, RUN: LARGEST_RUN, WEIGHTS: LARGEST_MODEL}
"""What is taken out of a zip file, and its most bytes."""
BOMB = 200
"""No file of a bundle shrinks to less than one part in so many."""


def take_in(bundle: Path, runs: Path) -> Unpacked:
    """Take a bundle of a run in under a new id. Its figures are those that the bundle states.

    Raises:
        InputError: it is no bundle of a run, or holds what none may hold.
        StorageError: it cannot be read or written, or is damaged.
    """
    part = runs / f".unpacking-{secrets.token_hex(8)}"
    try:
        part.mkdir(parents=True)
        with opened_bundle(bundle) as found:
            _write(found, part)
        run = checked_run(part)
        path = runs / fresh_id(run)
        os.rename(part, path)
    except OSError as error:
        raise StorageError(
            f"{excerpt(bundle.name)} cannot be taken in ({error.strerror or first_line(error)})."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return Unpacked(path=path, remarks=remarks_of(run))


@contextmanager
def opened_bundle(bundle: Path) -> Iterator[Bundled]:
    """A bundle, from its folder or its zip file.

    Raises:
        InputError, StorageError: as `take_in`.
    """
    if bundle.is_dir():
        found = read_bundled(bundle)
        check_weights(found.weights)
        yield found
        return
    if not bundle.is_file():
        raise InputError(f"There is no bundle {excerpt(str(bundle), 200)}: name its folder, or its zip file.")
    place = bundle.absolute().parent / f".bundle-{secrets.token_hex(8)}"
    try:
        place.mkdir()
        _extract(bundle, place)
        found = read_bundled(place)
        check_weights(found.weights)
        yield found
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _extract(file: Path, place: Path) -> None:
    """Write the files that are read into a folder."""
    try:
        with zipfile.ZipFile(file) as archive:
            for info in _members(archive, file.name):
                name = info.filename.rpartition("/")[2]
                length = 0
                with archive.open(info) as member, (place / name).open("xb") as target:
                    while chunk := member.read(CHUNK):
                        length += len(chunk)
                        if length > info.file_size:
                            raise InputError(f"{excerpt(file.name)}: {name} is longer than the file says.")
                        target.write(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, PruningError):
            raise
        raise InputError(f"{excerpt(file.name)} is no bundle: {first_line(error)}.") from error


def _members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Those that are read, from beside the one `config.json` that lies highest."""
    infos = archive.infolist()
    if len(infos) > MOST_MEMBERS:
        raise InputError(f"{excerpt(name)} is no bundle: it holds more files than one has.")
    places = sorted((info.filename for info in infos if _last(info) == CONFIG), key=lambda path: path.count("/"))
    if not places:
        raise InputError(f"{excerpt(name)} is no bundle: it has no {CONFIG}.")
    folder = places[0].removesuffix(CONFIG)
    found = [info for info in infos if info.filename.removeprefix(folder) in PARTS and info.filename.startswith(folder)]
    if len({info.filename for info in found}) != len(found):
        raise InputError(f"{excerpt(name)} is no bundle: it holds two files of one name.")
    for info in found:
        kind = stat.S_IFMT(info.external_attr >> 16)
        most = PARTS[_last(info)]
        if kind not in (0, stat.S_IFREG) or info.is_dir():
            raise InputError(f"{excerpt(name)}: {_last(info)} is a link or a device, not a file.")
        if info.flag_bits & ENCRYPTED:
            raise InputError(f"{excerpt(name)} is encrypted: make the bundle again.")
        if info.file_size > most:
            raise InputError(f"{excerpt(name)}: {_last(info)} has {info.file_size:,} bytes, more than {most:,}.")
        if info.file_size > 1_000_000 and info.file_size > BOMB * max(1, info.compress_size):
            raise InputError(f"{excerpt(name)}: {_last(info)} unpacks to far more than it takes, as in no bundle.")
    return found


def _last(info: zipfile.ZipInfo) -> str:
    return info.filename.rpartition("/")[2]


def _write(found: Bundled, folder: Path) -> None:
    """The files of a run."""
    save_file(apart(found.tensors()), folder / MODEL)
    (folder / STRUCTURE).write_bytes(safe_json.dump(structure_values(found.structure)))
    replace_file(folder / RESULT, safe_json.dump(to_values(found.result), indent=1))
    replace_file(folder / RECIPE, found.recipe.to_yaml().encode())
    replace_file(folder / JOB, brought_text(created=found.created))
