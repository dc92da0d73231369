"""One image from the bytes of a file: 8 bits a channel, upright, grey or RGB; whatever is wrong is a few words."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from pruning.base.errors import first_line
from pruning.base.first_bytes import LENGTH, TAKEN, kind_of

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP", "AVIF")
"""Those of them that Pillow knows here are read: it has AVIF from 11.3 on."""
LARGEST_FILE = 200_000_000
"""Bytes of one image file."""
MOST_PIXELS = 89_478_485
"""Of one image: Pillow's own limit, which here is an error and not a warning."""
GREY, ROTATED, ANIMATED, DEEP, TRANSPARENT, CMYK, UNIT, FAINT = (1 << place for place in range(8))
"""What is said of images, as bits: grey; turned as their EXIF orientation asks; several frames, of which the first is
taken; more than 8 bits; transparent, which is left out; CMYK; from 0 to 1; 16 bits of which only the lower ones are
used, as far as it was looked at."""
FAINT_BELOW = 1 << 14
"""Of 16 bits: what uses less is nearly black once it is scaled to 8."""
ORIENTATION = 0x0112
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_GREY = ("1", "L", "LA", "La", *_DEEP)
_FAILURES = (
    UnidentifiedImageError, OSError, EOFError, SyntaxError, ValueError, TypeError, KeyError, IndexError,
    AttributeError, OverflowError, ZeroDivisionError, AssertionError, NotImplementedError, RuntimeError, MemoryError,
    struct.error, zlib.error, Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
"""What Pillow raises for damaged bytes."""

warnings.filterwarnings("ignore", module=r"PIL\..*")  # of damaged metadata: nobody could do anything about it
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # checked here, and an error


class UnreadableImage(ValueError):
    """Why a file is no image that can be read, in a few words: 'it is a web page', 'it ends too early'."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What an image is before its pixels are decoded."""

    height: int
    width: int
    """Of the upright image."""
    marks: int
    """Bits: GREY, ROTATED and so on."""


def read_header(content: bytes, *, thorough: bool) -> Header:
    """Size and marks of an image; its pixels are looked through for damage only if `thorough`.

    Raises:
        UnreadableImage: it is none, or is damaged or too large.
    """
    with _opened(content) as image:
        try:
            marks = _marks(image)
            turned = _is_turned(image)
            width, height = image.size
            if turned and image.format != "TIFF":  # Pillow gives the upright size of a TIFF already
                width, height = height, width
            if thorough:
                if image.mode in _DEEP:
                    marks |= FAINT if _is_faint(image) else 0
                    _scaled(image)
                else:
                    image.draft(image.mode, (1, 1))  # JPEG: all of the file is read, at an eighth of the size
                    image.load()
        except _FAILURES as error:
            raise UnreadableImage(_words(error)) from error
    return Header(height=height, width=width, marks=marks)


def decode(content: bytes) -> Image.Image:
    """The image as modes L or RGB (P and the like become RGB), upright; of an animation the first frame.

    Transparency is left out, as torchvision does. 16 bits are scaled to 8, floats from 0–1 or taken as 0–255.

    Raises:
        UnreadableImage: it is none, or is damaged or too large.
    """
    with _opened(content) as image:
        return standard(image)


def standard(image: Image.Image) -> Image.Image:
    """An image of any mode as `decode` gives it.

    Raises:
        UnreadableImage: it is damaged, or its values are no pixels.
    """
    try:
        image.load()
        upright = ImageOps.exif_transpose(image) if _orientation(image) != 1 else image
        if upright.mode in _DEEP:
            return _scaled(upright)
        mode = "L" if upright.mode in _GREY else "RGB"
        return upright if upright.mode == mode else upright.convert(mode)
    except _FAILURES as error:
        raise UnreadableImage(_words(error)) from error


def as_image(pixels: np.ndarray) -> Image.Image:
    """uint8 pixels, H × W (grey) or H × W × 3, as an image."""
    return Image.fromarray(np.ascontiguousarray(pixels))


def _opened(content: bytes) -> ImageFile.ImageFile:
    try:
        image = Image.open(io.BytesIO(content), formats=_known_formats())
    except _FAILURES as error:
        kind = kind_of(content[:LENGTH])
        is_other = kind is not None and kind.name not in TAKEN["images"]
        raise UnreadableImage(f"it is {kind.words}" if kind and is_other else _words(error)) from error
    width, height = image.size
    if width * height > MOST_PIXELS or width < 1 or height < 1:
        image.close()
        raise UnreadableImage(f"it has {width:,}×{height:,} pixels, and {MOST_PIXELS:,} is the most")
    return image


@functools.cache
def _known_formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _marks(image: ImageFile.ImageFile) -> int:
    found = GREY if image.mode in _GREY else 0
    found |= ROTATED if _orientation(image) != 1 else 0
    found |= DEEP if image.mode in _DEEP else 0
    found |= CMYK if image.mode == "CMYK" else 0
    found |= TRANSPARENT if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info else 0
    if image.format in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
        found |= ANIMATED if getattr(image, "is_animated", False) else 0
    return found


def _orientation(image: Image.Image) -> int:
    """1 for upright and for whatever is no orientation."""
    has_any = "exif" in image.info or getattr(image, "format", None) in ("TIFF", "MPO") or "xmp" in image.info
    has_any = has_any or "Raw profile type exif" in image.info or "XML:com.adobe.xmp" in image.info
    if not has_any:
        return 1
    try:
        found: Any = image.getexif().get(ORIENTATION, 1)
    except _FAILURES:  # damaged metadata of a sound image
        return 1
    return found if found in range(1, 9) else 1


def _is_turned(image: Image.Image) -> bool:
    """Whether height and width change places."""
    return _orientation(image) >= 5


def _scaled(image: Image.Image) -> Image.Image:
    """An image of whole numbers of 16 or more bits, or of floats, as 8 bits."""
    values = np.asarray(image)
    if values.dtype.kind == "f":
        if not np.isfinite(values).all() or values.min(initial=0) < 0 or values.max(initial=0) > 255:
            raise UnreadableImage("its floats are neither from 0 to 1 nor from 0 to 255")
        return as_image(np.rint(values * (255 if values.max(initial=0) <= 1 else 1)).astype(np.uint8))
    if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
        raise UnreadableImage("its numbers have more than 16 bits")
    return as_image(eight_bits(values))


def _is_faint(image: Image.Image) -> bool:
    """Whether whole numbers of 16 bits leave the upper ones empty, as those of an X-ray of 12 bits do."""
    values = np.asarray(image)
    return values.dtype.kind != "f" and values.max(initial=0) < FAINT_BELOW


def eight_bits(values: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 65,535 as uint8: divided by 257, rounded."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _words(error: BaseException) -> str:
    if isinstance(error, UnreadableImage):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        return "it is no image of a known format"
    text = first_line(error, 100)
    return "it ends too early" if "truncated" in text.lower() else f"it is damaged ({text})"
