"""Which column of a Parquet file holds images, and which labels: by the schema that Hugging Face writes, by name, then
by type."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pruning.base.errors import DataError, excerpt, first_line
from pruning.data.own.words import listed

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixel_values")
PATH_NAMES = (*IMAGE_NAMES, "file_name", "filename", "image_path", "path")
LABEL_NAMES = ("label", "labels", "class", "target", "category", "fine_label", "class_name")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What is read of each row."""

    image: str
    """The column's path: 'image.bytes', or its name alone."""
    label: str | None
    names: tuple[str, ...] | None
    """Of the classes, where the schema has them."""
    remarks: tuple[str, ...] = ()


def columns_of(file: Any, where: str) -> Columns:
    """Which columns are images and labels, by the schema that Hugging Face writes, by name, then by type."""
    import pyarrow as pa

    try:
        schema = file.schema_arrow
        fields = {field.name: field.type for field in schema}
        features = _features(schema.metadata)
    except Exception as error:
        raise DataError(f"{excerpt(where)} has a damaged schema: {first_line(error, 100)}.") from error

    def path_of(name: str) -> str | None:
        kind = fields[name]
        if pa.types.is_struct(kind):
            inner = {field.name: field.type for field in kind}
            return f"{name}.bytes" if "bytes" in inner and _is_binary(pa, inner["bytes"]) else None
        return name if _is_binary(pa, kind) else None

    paths = {name: path for name in fields if (path := path_of(name)) is not None}
    told = [name for name in paths if features.get(name, {}).get("_type") == "Image"]
    order = [*told, *(name for name in IMAGE_NAMES if name in paths), *paths]
    if not order and any(name in fields and _is_text(pa, fields[name]) for name in PATH_NAMES):
        raise DataError(
            f"{excerpt(where)} only names its images and does not hold them: name their folder, with this table in it "
            "as metadata.csv, or write the images into the column, as datasets.Image() does."
        )
    if not order:
        raise DataError(
            f"{excerpt(where)} has no column of images: it has {listed(list(fields), 6)}. Images are a column of "
            "bytes, or of structs with bytes, as Hugging Face writes them."
        )
    remarks = [f"The images are column {excerpt(order[0])}."] if len(paths) > 1 else []
    classes = [name for name in fields if features.get(name, {}).get("_type") == "ClassLabel"]
    usable = [name for name, kind in fields.items() if _is_label(pa, kind)]
    odd = [name for name in LABEL_NAMES if name in fields and name not in usable and name not in paths]
    called = [name for name in LABEL_NAMES if name in usable]
    order_of_labels = [*(name for name in called if name in classes), *classes, *called]
    labels = [name for name in dict.fromkeys(order_of_labels) if name in usable]
    if len(labels) > 1:
        remarks.append(f"The labels are column {excerpt(labels[0])}; there is {listed(labels[1:])} as well.")
    if not labels and odd:
        kind = excerpt(str(fields[odd[0]]), 40)
        remarks.append(f"The column {excerpt(odd[0])} is of {kind}, which is no label: the images have none.")
    elif not labels and usable:
        remarks.append(f"No column is called label, so the images have none; there is {listed(usable)}.")
    label = labels[0] if labels else None
    names = features.get(label or "", {}).get("names")
    texts = tuple(names) if isinstance(names, list) and names and all(isinstance(n, str) for n in names) else None
    return Columns(image=paths[order[0]], label=label, names=texts, remarks=tuple(remarks))


def _features(metadata: Any) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): feature for name, feature in found.items() if isinstance(feature, dict)}


def _is_binary(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_text(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_label(pa: Any, kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    types = pa.types
    return bool(types.is_integer(kind) or types.is_boolean(kind) or types.is_floating(kind) or _is_text(pa, kind))
