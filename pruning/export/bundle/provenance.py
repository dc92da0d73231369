"""Where everything in a bundle comes from: digests of its files, versions, data with its roles, licence."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from pruning.export.bundle.material import Material

PACKAGES = ("torch", "safetensors", "numpy")
"""That every bundle is made with."""


def versions(material: Material) -> dict[str, str]:
    """Packages that the network needs where it is loaded, as they are here."""
    library = material.architecture.kind if material.architecture is not None else "file"
    names = (*PACKAGES, *((library,) if library != "file" else ()))
    return {name: importlib.metadata.version(name) for name in names}


def provenance(material: Material, folder: Path) -> dict[str, Any]:
    """Ready for JSON. All files in `folder` are there by now, but for the one that this becomes."""
    return {
        "made_by": {"name": "Pruning Explorer", "version": _own_version(), "python": platform.python_version()},
        "versions": {**versions(material), **_installed("onnx", "onnxscript", "onnxruntime")},
        "licence_of_base_weights": material.licence or "not known",
        **material.origin,
        "held_zero": list(material.held_zero),
        "images_within": 0 if material.samples is None else len(material.samples.inputs),
        "images_from": "" if material.samples is None else material.samples.source,
        "files": {
            path.relative_to(folder).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size}
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }


def _own_version() -> str:
    return _installed("pruning-explorer").get("pruning-explorer", "from its folder")


def _installed(*names: str) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
