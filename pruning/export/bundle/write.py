"""From the material to the bundle: each form made and proven by itself, then all that tells of them; whole or not at
all."""

from __future__ import annotations

import contextlib
import functools
import gc
import json
import os
import secrets
import shutil
import traceback
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, PruningError, StorageError, first_line
from pruning.base.extras import need
from pruning.export.bundle.card import readme
from pruning.export.bundle.cases import Case, cases
from pruning.export.bundle.encoding import NotPlain
from pruning.export.bundle.forms import chosen
from pruning.export.bundle.forms.record import Form
from pruning.export.bundle.material import Material, answers, example_values, holding
from pruning.export.bundle.proof import Proof, prove
from pruning.export.bundle.provenance import provenance, versions
from pruning.export.bundle.shipped import bench as timing
from pruning.export.bundle.shipped import load as loader
from pruning.export.bundle.shipped import preprocess as preparing
from pruning.export.bundle.written import Bundle, LeftOut
from pruning.graph.source import outside_torch
from pruning.latency import noise
from pruning.runs.bundled import RUN

CONFIG, PROOF, PROVENANCE, README, LABELS, SAMPLES = (
    "config.json", "proof.json", "provenance.json", "README.md", "labels.txt", "samples.npz",
)  # fmt: skip
BENCH = "bench.json"
RECIPE = "recipe" + ".yaml"
Progress = Callable[[float, str], None]
"""(share done, what is being done)."""


def write_bundle(
    material: Material,
    out: Path,
    *,
    forms: Sequence[str] | None = None,
    with_code: bool = True,
    unreachable: Sequence[Path] = (),
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Bundle:
    """Write a bundle into the folder `out`, which is new or empty, or into one file where that ends in .zip.

    `forms`: names of `pruning.export.bundle.forms.FORMS`; None: all. A form that this network does not have, or that
    does not agree, is left out, and the bundle says why. `with_code`: whether a network's own Python files go along.
    `unreachable`: files and folders that nothing may be read from while it is proven.

    Raises:
        InputError: `out` can be neither, there is no such form, or none of them can be handed out.
        StorageError: it cannot be written.
        Cancelled: asked to stop.
    """
    wanted = chosen(None if forms is None else tuple(forms))
    check_target(out)
    try:
        with _beside(out) as folder:
            maker = _Maker(material, folder, with_code, tuple(unreachable), progress, cancel)
            maker.make(wanted)
            if out.suffix == ".zip":
                _zipped(folder, out)
            else:
                _moved(folder, out)
    except OSError as error:
        raise StorageError(f"The bundle cannot be written to {out} ({error.strerror or error}).") from error
    return maker.bundle(out)


def check_target(out: Path) -> None:
    """Raise InputError where no bundle can be written to `out`, before the work."""
    try:
        is_zip = out.suffix == ".zip"
        possible = out.parent.is_dir() and (
            not out.is_dir() if is_zip else not out.exists() or (out.is_dir() and not any(out.iterdir()))
        )
    except (OSError, ValueError):  # a name that no file can have
        possible = False
    if not possible:
        raise InputError(
            f"The bundle cannot be written to {out}: name a new or an empty folder, or a file that ends in .zip, in a "
            "folder that is there."
        )


@dataclass(eq=False)
class _Maker:
    """A bundle in the making."""

    material: Material
    folder: Path
    with_code: bool
    unreachable: tuple[Path, ...]
    progress: Progress | None
    cancel: Cancel | None
    config: dict[str, Any] = field(default_factory=dict)
    proofs: list[Proof] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    proven: dict[str, Form] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    bytes: int = 0

    def make(self, wanted: Sequence[Form]) -> None:
        material = self.material
        self.remarks += material.remarks
        self._say(0.02, "Answering inputs to compare with")
        found = cases(material.model, material.inputs, None if material.samples is None else material.samples.inputs)
        self.config = self._base(found)
        self._write_beside(found)
        for place, form in enumerate(wanted):
            self._say(0.05 + 0.9 * place / len(wanted), f"Making and proving: {form.title}")
            self._make_form(form, found)
        if not self.proofs:
            raise InputError(
                "No form of this network can be handed out: "
                + " ".join(f"{each.form}: {each.reason}" for each in self.left_out)
            )
        self._write_config({})
        self._write_json(PROOF, {
            "allowed": "|Δ| ≤ 1e-4 + 1e-4·|y|, and the same first class wherever its lead is more than that",
            "how": "a process of its own, without the explorer, from files that were moved to another folder",
            "forms": [proof.to_values() for proof in self.proofs],
            "left_out": [vars(each) for each in self.left_out],
        })  # fmt: skip
        card = readme(
            material,
            self.config,
            tuple(self.proven.values()),
            self.proofs,
            self.left_out,
            self.remarks,
            sorted(self._names()),
        )
        (self.folder / README).write_text(card, encoding="utf-8")
        self._write_json(PROVENANCE, provenance(material, self.folder))
        self.files = tuple(sorted(self._names()))
        for name in self.files:
            shutil.copymode(self.folder / CONFIG, self.folder / name)  # safetensors writes for its owner alone
        self.bytes = sum((self.folder / name).stat().st_size for name in self.files)

    def bundle(self, out: Path) -> Bundle:
        return Bundle(
            path=out,
            files=self.files,
            bytes=self.bytes,
            proofs=tuple(self.proofs),
            left_out=tuple(self.left_out),
            images=0 if self.material.samples is None else len(self.material.samples.inputs),
            remarks=tuple(self.remarks),
        )

    def _make_form(self, form: Form, found: Sequence[Case]) -> None:
        """One form; whatever is wrong with it costs only itself."""
        before = set(self._names())
        try:
            if form.extra is not None:
                need(form.extra, f"{form.title} of a bundle")
            model, held = self._network(form, found)
            made = form.write(self.material, model, self.folder, self.with_code)
            del model
            gc.collect()
            self._check_cancel()
            self._write_config(made.config)
            file = made.files[0]
            proof = prove(form, made, file, self.folder, held, unreachable=self.unreachable, cancel=self.cancel)
            if proof.holds:
                self.config |= made.config
                self.proofs.append(proof)
                self.proven[form.name] = form
                self.remarks += made.remarks
                return
            reason = f"It did not pass its proof: {proof.reason}."
        except (Cancelled, StorageError, OSError):
            raise
        except PruningError as error:
            reason = str(error)
            reason = f"{reason[:1].upper()}{reason[1:]}".rstrip(".") + "."
        except Exception as error:  # of torch, of an exporter, or of somebody's network: it costs this form alone
            reason = f"Writing it failed with {type(error).__name__}: {first_line(error, 300)}{_line(error)}."
        for name in set(self._names()) - before - {CONFIG}:
            (self.folder / name).unlink()
        _remove_empty(self.folder)
        self.left_out.append(LeftOut(form=form.name, reason=reason))

    def _network(self, form: Form, found: Sequence[Case]) -> tuple[nn.Module, Sequence[Case]]:
        """The network that a form holds, and what it answers."""
        if form.of == "pruned":
            return self.material.model, found
        dense = self.material.dense()
        samples = self.material.samples
        return dense, cases(dense, self.material.inputs, None if samples is None else samples.inputs)

    def _base(self, found: Sequence[Case]) -> dict[str, Any]:
        material = self.material
        try:
            inputs, call = example_values(material.inputs)
        except NotPlain as error:
            raise InputError(
                f"The example inputs hold a {error}: a bundle can only say tensors and plain values."
            ) from error
        batch = found[-1].batch
        return {
            "format": loader.FORMAT,
            "version": loader.VERSION,
            "title": material.title,
            "made_with": versions(material),
            "inputs": inputs,
            "call": call,
            "outputs": [
                [None if place == 0 and size == batch else size for place, size in enumerate(array.shape)]
                for array in found[-1].expected
            ],
            "classes": list(material.classes),
            "preprocess": None if material.preprocess is None else material.preprocess.to_values(),
            "held_zero": list(material.held_zero),
        }

    def _write_beside(self, found: Sequence[Case]) -> None:
        """What is no form: names of classes, preparation of images, recipe, samples."""
        material = self.material
        if material.classes:
            (self.folder / LABELS).write_text("".join(f"{name}\n" for name in material.classes), encoding="utf-8")
        if material.preprocess is not None:
            shutil.copyfile(preparing.__file__, self.folder / "preprocess.py")
        if material.recipe is not None:
            (self.folder / RECIPE).write_text(material.recipe, encoding="utf-8")
        if material.run is not None:
            self._write_json(RUN, dict(material.run))
        if material.bench is not None:
            self._write_json(BENCH, dict(material.bench()))
            for file in (timing.__file__, noise.__file__):
                shutil.copyfile(file, self.folder / Path(file).name)
        samples = material.samples
        if samples is not None:
            count = len(samples.inputs)
            self.remarks.append(f"It contains {count:,} of your images, in {SAMPLES}.")
            given = holding(material.inputs, samples.inputs)
            arrays: dict[str, Any] = {
                "inputs": samples.inputs.numpy(),
                **{
                    f"outputs_{k}" if k else "outputs": each.numpy()
                    for k, each in enumerate(answers(material.model, given))
                },
            }
            if samples.pixels is not None:
                arrays["pixels"] = samples.pixels.numpy()
            if samples.labels:
                arrays["labels"] = np.array(samples.labels)
            np.savez(self.folder / SAMPLES, **arrays)

    def _write_config(self, more: dict[str, Any]) -> None:
        self._write_json(CONFIG, {**self.config, **more})

    def _write_json(self, name: str, values: object) -> None:
        (self.folder / name).write_text(_laid_out(values) + "\n", encoding="utf-8")

    def _names(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()]

    def _say(self, share: float, text: str) -> None:
        self._check_cancel()
        if self.progress is not None:
            self.progress(share, text)

    def _check_cancel(self) -> None:
        if self.cancel is not None and self.cancel():
            raise Cancelled("Cancelled: no bundle was written.")


def _laid_out(values: object, level: int = 0) -> str:
    """JSON with an entry a line on the first levels, and what is below in one line."""
    if not values or level > 2 or not (isinstance(values, dict) or (isinstance(values, list) and level < 2)):
        return json.dumps(values, ensure_ascii=False, allow_nan=False)
    inner, outer = " " * (level + 1), " " * level
    if isinstance(values, list):
        if not isinstance(values[0], dict):
            return json.dumps(values, ensure_ascii=False, allow_nan=False)
        entries, ends = [_laid_out(value, level + 1) for value in values], "[]"
    else:
        name = functools.partial(json.dumps, ensure_ascii=False)
        entries, ends = [f"{name(str(key))}: {_laid_out(value, level + 1)}" for key, value in values.items()], "{}"
    lines = f",\n{inner}".join(entries)
    return f"{ends[0]}\n{inner}{lines}\n{outer}{ends[1]}"


@contextmanager
def _beside(out: Path) -> Iterator[Path]:
    """A folder beside `out`, gone afterwards unless it was moved."""
    folder = out.absolute().parent / f".{secrets.token_hex(4)}.{os.getpid()}.part"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _moved(folder: Path, out: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        out.rmdir()
    os.rename(folder, out)


def _zipped(folder: Path, out: Path) -> None:
    """All files in one, below a folder of its name; weights as they are, since they hardly shrink."""
    part = folder.with_suffix(".zip")
    try:
        with zipfile.ZipFile(part, "w") as file:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    small = path.stat().st_size < 1_000_000
                    how = zipfile.ZIP_DEFLATED if small else zipfile.ZIP_STORED
                    file.write(path, f"{out.stem}/{path.relative_to(folder).as_posix()}", how)
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


def _line(error: BaseException) -> str:
    """' at net.py:12' for the innermost line of a network's own code."""
    frames = outside_torch(traceback.extract_tb(error.__traceback__))
    return f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
