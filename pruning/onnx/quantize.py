"""An ONNX file in int8: static quantization, calibrated on samples without labels.

Weights become int8 with a scale for each output channel, activations uint8 with one scale a tensor, from the smallest
and the largest value that the calibration samples show (Jacob et al. 2018, arXiv 1712.05877; Nagel et al. 2021, arXiv
2106.08295). Weights keep 7 bits: products of 8 by 8 bits overflow on processors without VNNI.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, PruningError, StorageError, first_line
from pruning.base.extras import need
from pruning.graph.inputs import Inputs
from pruning.graph.trace import ALONE
from pruning.onnx.feeds import arrays_of
from pruning.onnx.silence import silence
from pruning.onnx.write import Written

METHOD = "static, weights int8 a channel (7 bits), activations uint8, from the smallest to the largest value seen"


def quantize(written: Written, samples: Iterable[Inputs], path: Path, *, cancel: Cancel | None = None) -> Written:
    """Write the network of an ONNX file in int8, as QDQ pairs that engines read, whole or not at all. `samples`:
    batches that look like what it will see, such as unlabelled images to learn from; a few hundred samples will do.

    Raises:
        InputError: the packages of the extra `export` are not here, there are no samples, or it cannot be quantized.
        StorageError: the file cannot be written.
        Cancelled: `cancel()` became true.
    """
    need("export", "Quantizing")
    folder = path.with_name(f".{secrets.token_hex(8)}.parts")
    try:
        folder.mkdir()
        _quantized(written, samples, folder, cancel)
        os.replace(folder / "int8.onnx", path)
    except PruningError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error}): make room.") from error
    except Exception as error:  # of the quantizer's own kinds
        raise InputError(f"This network cannot be quantized: {type(error).__name__}: {first_line(error)}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return replace(written, path=path, bytes=path.stat().st_size)


def _quantized(written: Written, samples: Iterable[Inputs], folder: Path, cancel: Cancel | None) -> None:
    with ALONE, silence():
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process

        ready = folder / "float32.onnx"
        quant_pre_process(str(written.path), str(ready))
        quantize_static(
            str(ready),
            str(folder / "int8.onnx"),
            _Reader(written, samples, cancel),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            activation_type=QuantType.QUInt8,
        )


class _Reader:
    """What the calibration asks for batches."""

    def __init__(self, written: Written, samples: Iterable[Inputs], cancel: Cancel | None) -> None:
        self._feeds: Iterator[dict[str, Any]] = (arrays_of(written, one) for one in samples)
        self._cancel, self._any = cancel, False

    def get_next(self) -> dict[str, Any] | None:
        if self._cancel is not None and self._cancel():
            raise Cancelled("Cancelled while quantizing.")
        feed = next(self._feeds, None)
        if feed is None and not self._any:
            raise InputError("There are no samples to calibrate with: give some of those that it learnt from.")
        self._any = True
        return feed
