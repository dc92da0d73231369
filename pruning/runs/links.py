"""Any state of the pages as a link: what is chosen and planned, in one parameter of the address.

    links.encode(links.Link(recipe=recipe))      # '2.eJyrVi...'
    links.decode("2.eJyrVi...").recipe           # an equal recipe, checked as every recipe is

The text before the dot is the version; after it comes JSON with what differs from a plain recipe, packed by zlib and
spelt in the letters that an address allows. Opening one is opening a stranger's file: sizes are bounded before and
while unpacking, types are checked, and what is wrong is one sentence.
"""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from pruning.base.errors import InputError
from pruning.base.hosts import is_local as is_local
from pruning.catalog import openers
from pruning.data import readers
from pruning.runs.recipe import VERSION as RECIPE_VERSION
from pruning.runs.recipe import Recipe

VERSION = RECIPE_VERSION
"""Of links: that of the recipe in them. A new default of `Recipe` needs a new one, too: links say only what differs
from the defaults."""
PARAMETER = "r"
"""Its name in the address."""
LONGEST = 6000
"""Characters of a code; browsers and mail programs pass on addresses of 8,000."""
LARGEST = 60_000
"""Bytes of JSON that a code may unpack to."""
LONGEST_TEXT = 200
"""Characters of any name in it."""
MOST_LAYERS = 2000

View = Mapping[str, str | int | float]
_PLAIN = Recipe(model="sample:mini_resnet", data="mnist5k")


@dataclass(frozen=True, kw_only=True)
class Link:
    """What a link carries."""

    recipe: Recipe | None = None
    """The network, the images, what goes and how it is fine-tuned; None: the link is of a page that needs none."""
    has_images: bool = True
    """False for a network that comes without images: then the recipe's `data` means nothing."""
    view: View = field(default_factory=dict)
    """How the page looks at it, by names that the page knows."""


def encode(link: Link) -> str:
    """A link as a short text for the address; equal links give equal texts.

    Raises:
        InputError: the network or the images exist on this machine only, or there is too much for an address.
    """
    content: dict[str, Any] = {}
    if link.recipe is not None:
        _check_travels(link.recipe)
        plain = _PLAIN.to_values()
        content["plan"] = {name: value for name, value in link.recipe.to_values().items() if value != plain[name]}
    if not link.has_images:
        content["images"] = False
    if link.view:
        content["view"] = dict(link.view)
    packed = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    code = base64.urlsafe_b64encode(zlib.compress(packed, 9)).decode().rstrip("=")
    if len(code) > LONGEST or len(packed) > LARGEST:
        raise InputError("This plan is too long for a link: send the recipe file instead.")
    return f"{VERSION}.{code}"


def decode(code: str) -> Link:
    """Read a link, as far as it can be checked without opening the network.

    Raises:
        InputError: it is damaged, foreign, too long, of another version, or holds a value that is not allowed.
    """
    version, dot, rest = code.partition(".")
    if not dot or not re.fullmatch("[0-9]{1,4}", version, re.ASCII):
        raise InputError("The link holds no plan of this explorer: ask for it again, or for the recipe file.")
    if not 1 <= int(version) <= VERSION:
        raise InputError(
            f"The link has version {int(version)}; this explorer reads version {VERSION} and earlier ones. Open it "
            "with the explorer that made it, or ask for the recipe file."
        )
    content = _unpack(rest)
    if unknown := set(content) - {"plan", "images", "view"}:
        raise InputError(f"The link holds '{min(unknown)[:40]}', which this explorer does not know.")
    has_images = content.get("images", True)
    if not isinstance(has_images, bool):
        raise _damaged()
    recipe = _recipe(content["plan"], int(version)) if "plan" in content else None
    return Link(recipe=recipe, has_images=has_images, view=_view(content.get("view", {})))


def address(page: str, link: Link | None, keep: Mapping[str, str] | None = None) -> str:
    """The whole address of a page with a link in it, or without one; `page`: its address so far, of which the
    parameters in `keep` alone stay.

    Raises:
        InputError: as `encode`.
    """
    parts = urlsplit(page)
    carried = dict(keep or {}) | ({} if link is None else {PARAMETER: encode(link)})
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(carried), ""))


def _check_travels(recipe: Recipe) -> None:
    if openers.is_on_this_machine_alone(recipe.model):
        raise InputError(
            "This network is a file on this machine, so no link can lead to it: share a run's report or its model "
            "file, or choose a network by name."
        )
    if readers.is_on_this_machine_alone(recipe.data):
        raise InputError(
            "These images are files on this machine, so no link can lead to them: share a run's report or its model "
            "file, or choose a data set by name."
        )


def _damaged() -> InputError:
    return InputError("The link is damaged, perhaps cut off: copy it again, whole, or ask for the recipe file.")


def _unpack(code: str) -> dict[str, Any]:
    """The JSON object in a code; nothing grows beyond its bound on the way."""
    if len(code) > LONGEST:
        raise InputError(f"The link is too long to be one: at most {LONGEST:,} characters.")
    try:
        packed = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
        opener = zlib.decompressobj()
        text = opener.decompress(packed, LARGEST)
        if not opener.eof or opener.unused_data:
            raise _damaged()
        content = json.loads(text.decode("utf-8"), parse_constant=_refuse, parse_int=_whole, parse_float=_fraction)
        json.dumps(content, ensure_ascii=False).encode()  # half a character, written as \ud800, is no UTF-8
    except InputError:
        raise
    except (ValueError, zlib.error, RecursionError) as error:  # letters, UTF-8 and JSON: all of them ValueError
        raise _damaged() from error
    if not isinstance(content, dict):
        raise _damaged()
    return content


def _refuse(_: str) -> float:
    raise _damaged()  # NaN and Infinity are no JSON


def _whole(digits: str) -> int:
    if len(digits) > 15:
        raise _damaged()
    return int(digits)


def _fraction(digits: str) -> float:
    value = float(digits)
    if len(digits) > 40 or not math.isfinite(value):
        raise _damaged()
    return value


def _recipe(values: Any, version: int) -> Recipe:
    if not isinstance(values, dict) or "version" in values:
        raise _damaged()
    tables = {name: values.get(name, {}) for name in ("layers", "parameters")}
    if not all(isinstance(table, dict) for table in tables.values()):
        raise _damaged()
    if any(not isinstance(value, str | int | float) for name, value in values.items() if name not in tables):
        raise _damaged()
    texts = [text for text in (*values, *values.values(), *tables["layers"], *tables["parameters"])
             if isinstance(text, str)]  # fmt: skip
    if len(tables["layers"]) > MOST_LAYERS or any(len(text) > LONGEST_TEXT for text in texts):
        raise InputError("The link names things that no network has: ask for it again, or for the recipe file.")
    recipe = Recipe.from_values({"model": _PLAIN.model, "data": _PLAIN.data, **values, "version": version})
    _check_travels(recipe)
    return recipe


def _view(values: Any) -> dict[str, str | int | float]:
    if not isinstance(values, dict) or len(values) > 20:
        raise _damaged()
    for name, value in values.items():
        if len(name) > 40 or not isinstance(value, str | int | float) or isinstance(value, bool):
            raise _damaged()
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            raise _damaged()
    return values
