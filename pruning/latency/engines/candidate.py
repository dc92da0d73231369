"""A network that is to run on several engines, in the forms that these take."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from torch import nn

from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.onnx.write import Written, write_onnx

Precision = Literal["float32", "int8"]
PRECISIONS: tuple[str, ...] = get_args(Precision)


class Candidate:
    """A module with its inputs, or an ONNX file of it. The file is written when an engine first asks for it, for a
    batch of any size; where the network's code fixes that, one file a batch size."""

    def __init__(
        self,
        *,
        name: str,
        inputs: Inputs,
        folder: Path,
        model: nn.Module | None = None,
        file: Written | None = None,
        precision: Precision = "float32",
    ) -> None:
        """`name`: of its files in `folder`, which is there. Either `model` or `file` is given."""
        assert (model is None) != (file is None), "one of the two"
        self.name, self.inputs, self.precision = name, inputs, precision
        self._folder, self._model, self._file = folder, model, file
        self._sized: dict[int, Written] = {}

    @property
    def model(self) -> nn.Module:
        """Raises InputError where it is there as a file only."""
        if self._model is None:
            raise InputError(f"The {self.precision} network is an ONNX file, which PyTorch does not run.")
        return self._model

    @property
    def bytes(self) -> int | None:
        """Of its ONNX file; None where none was written so far."""
        files = [*([] if self._file is None else [self._file]), *self._sized.values()]
        return files[0].bytes if files else None

    def onnx(self, batch: int) -> Written:
        """A file of it that takes so many samples.

        Raises:
            InputError, StorageError: it cannot be written as ONNX.
        """
        if self._file is None and not self._sized:
            try:
                self._file = write_onnx(self.model, self.inputs, self._folder / f"{self.name}.onnx")
            except InputError:
                self._sized[batch] = self._for(batch)
        if self._file is not None:
            return self._file
        if batch not in self._sized:
            self._sized[batch] = self._for(batch)
        return self._sized[batch]

    def _for(self, batch: int) -> Written:
        return write_onnx(self.model, self.inputs, self._folder / f"{self.name}-{batch}.onnx", batch=batch)
