"""Images of every kind become 8 bits, upright, grey or RGB; what is none is told apart in a few words."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pruning.data.own import decode as decoding
from pruning.data.own.decode import (
    ANIMATED,
    CMYK,
    DEEP,
    GREY,
    ORIENTATION,
    ROTATED,
    TRANSPARENT,
    UnreadableImage,
    decode,
    read_header,
)  # fmt: skip

DICE = np.random.default_rng(0)
COLOURS = DICE.integers(0, 256, (9, 14, 3), dtype=np.uint8)
GREYS = DICE.integers(0, 256, (9, 14), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def both(content: bytes, thorough: bool = True) -> tuple[np.ndarray, int]:
    """Pixels and marks; the header agrees with the pixels in size and colour."""
    header, image = read_header(content, thorough=thorough), decode(content)
    assert image.size == (header.width, header.height) and image.mode == ("L" if header.marks & GREY else "RGB")
    return np.asarray(image), header.marks


@pytest.mark.parametrize("kind", ["PNG", "BMP", "PPM", "TIFF", "WEBP"])
def test_lossless_formats_give_what_was_put_in(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels, marks = both(encoded(Image.fromarray(COLOURS), kind, **options))
    assert np.array_equal(pixels, COLOURS) and marks == 0


def test_grey_and_one_bit() -> None:
    assert np.array_equal(both(encoded(Image.fromarray(GREYS)))[0], GREYS)
    pixels, marks = both(encoded(Image.fromarray(GREYS > 127)))
    assert marks == GREY and np.array_equal(pixels, np.where(GREYS > 127, 255, 0))


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        pixels, marks = both(encoded(Image.fromarray(ramp), kind))
        assert np.array_equal(pixels.reshape(-1), np.arange(256)) and marks == GREY | DEEP


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floats_of_both_ranges(top: float) -> None:
    values = (np.arange(256, dtype=np.float32) / 255 * top).reshape(16, 16)
    assert np.array_equal(both(encoded(Image.fromarray(values), "TIFF"))[0].reshape(-1), np.arange(256))


@pytest.mark.parametrize("values", [np.full((4, 4), np.nan), np.full((4, 4), -1.0), np.full((4, 4), 256.0)])
def test_other_floats_are_refused(values: np.ndarray) -> None:
    content = encoded(Image.fromarray(values.astype(np.float32)), "TIFF")
    for read in (decode, lambda content: read_header(content, thorough=True)):
        with pytest.raises(UnreadableImage, match="from 0 to 1 nor from 0 to 255"):
            read(content)


def test_whole_numbers_of_32_bits() -> None:
    values = np.arange(0, 65536, 257, dtype=np.int32).reshape(16, 16)
    assert np.array_equal(both(encoded(Image.fromarray(values), "TIFF"))[0].reshape(-1), np.arange(256))
    with pytest.raises(UnreadableImage, match="more than 16 bits"):
        decode(encoded(Image.fromarray(values * 300), "TIFF"))


def test_cmyk_palette_and_transparency() -> None:
    cmyk = Image.fromarray(COLOURS).convert("CMYK")
    pixels, marks = both(encoded(cmyk, "TIFF"))
    assert marks == CMYK and np.array_equal(pixels, np.asarray(cmyk.convert("RGB")))
    assert both(encoded(cmyk, "JPEG"))[1] == CMYK
    palette = Image.fromarray(COLOURS).quantize(16)
    pixels, marks = both(encoded(palette))
    assert marks == 0 and np.array_equal(pixels, np.asarray(palette.convert("RGB")))
    alpha = np.concatenate([COLOURS, GREYS[:, :, None]], axis=2)
    pixels, marks = both(encoded(Image.fromarray(alpha)))
    assert marks == TRANSPARENT and np.array_equal(pixels, COLOURS), "what torchvision's loader gives"
    assert both(encoded(palette, transparency=3))[1] == TRANSPARENT


def test_of_an_animation_the_first_frame() -> None:
    frames = [Image.fromarray(np.full((9, 14), value, dtype=np.uint8)) for value in (10, 200)]
    for kind in ("GIF", "PNG", "TIFF"):
        pixels, marks = both(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
        assert marks & ANIMATED and (pixels == 10).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture = np.zeros((32, 48, 3), dtype=np.uint8)
    picture[:16, :16] = 255  # the upper left corner is bright
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels, marks = both(encoded(Image.fromarray(picture), kind, exif=exif, **options))
    assert bool(marks & ROTATED) == (orientation != 1)
    assert pixels.shape[:2] == ((32, 48) if orientation < 5 else (48, 32))
    corner = {1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0), 5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0)}[
        orientation
    ]
    bright = [place for place in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if pixels[place].mean() > 200]
    assert bright == [corner]


def test_damaged_metadata_of_a_sound_image_is_no_harm() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    content = encoded(Image.fromarray(COLOURS), "JPEG", exif=exif)
    place = content.index(b"Exif\0\0") + 6
    assert decode(content[:place] + b"\xff" * 8 + content[place + 8 :]).size == (14, 9)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\n <html><body>404", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x1f\x8b\x08rest", "a gzip archive"),
        (b"%PDF-1.4", "a PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"<svg xmlns='x'/>", "SVG"),
        (b"\0" * 100, "zeros"),
        (b"hello there", "no image of a known format"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, words: str) -> None:
    for read in (decode, lambda content: read_header(content, thorough=False)):
        with pytest.raises(UnreadableImage, match=words):
            read(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
def test_a_truncated_file_is_found_by_a_thorough_look_and_when_decoded(kind: str) -> None:
    content = encoded(Image.fromarray(DICE.integers(0, 256, (64, 64, 3), dtype=np.uint8)), kind)
    for read in (decode, lambda content: read_header(content, thorough=True)):
        with pytest.raises(UnreadableImage):
            read(content[: len(content) * 2 // 3])


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_sizes_are_judged_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PNG of 40 bytes that says it has 10 to the power of 10 pixels."""
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0))
    bomb += chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    for read in (decode, lambda content: read_header(content, thorough=False)):
        with pytest.raises(UnreadableImage, match=r"pixels"):
            read(bomb)
    monkeypatch.setattr(decoding, "MOST_PIXELS", 9 * 14 - 1)
    with pytest.raises(UnreadableImage, match=r"it has 14×9 pixels, and 125 is the most"):
        decode(encoded(Image.fromarray(COLOURS)))
