"""What the pickle in a file of torch.save names, read without running anything of it."""

from __future__ import annotations

import _compat_pickle
import io
import pickletools
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pruning.base.errors import InputError, excerpt
from pruning.catalog.weights.kinds import Kind

MOST_PICKLE = 64 * 2**20
"""Bytes that names, shapes and settings may take; the numbers themselves lie outside the pickle."""
LEGACY_PICKLES = 5
"""In the first format: a magic number, a version, the machine, the objects, and where the numbers lie."""
_RUNS_CODE = frozenset(
    {"os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "runpy", "importlib", "imp", "pty", "ctypes", "code",
     "codeop", "webbrowser", "commands", "timeit", "pickle", "_pickle", "marshal", "asyncio", "multiprocessing", "pdb",
     "bdb", "cProfile", "profile", "pip", "urllib", "http", "requests", "ftplib", "telnetlib", "tempfile", "pathlib2",
     "io", "_io", "zipimport", "threading", "signal", "platform", "nturl2path", "inspect", "pydoc"}
)  # fmt: skip
_HARMLESS = frozenset(
    {"set", "frozenset", "bytearray", "bytes", "complex", "list", "dict", "tuple", "int", "float", "bool", "str",
     "object", "slice", "range", "type", "long", "unicode", "print", "getattr"}
)  # fmt: skip
MODULES = ("torch.nn.modules.", "torch.nn.parallel.", "torchvision.models.", "timm.models.", "torch.fx.")
"""Where classes of networks and layers are: a pickle that names one holds a network itself, not its state dict."""


@dataclass(frozen=True, kw_only=True)
class Pickled:
    """What a pickle names."""

    names: frozenset[str]
    """Classes and functions, as 'module.name'."""
    largest: int
    """Most numbers that one storage declares to have."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Classes of layers and networks, which are there where a whole network was saved; losses are none."""
        return tuple(sorted(name for name in self.names if name.startswith(MODULES) and ".modules.loss." not in name))


def read_pickled(path: Path, kind: Kind) -> Pickled:
    """Names in the pickle of a file.

    Raises:
        InputError: it is damaged, too large, declares more numbers than the file holds, or names what runs code.
    """
    said = excerpt(str(path), 160)
    names: set[str] = set()
    largest = 0
    try:
        for content in _pickles(path, kind):
            found, most = _scan(content)
            names |= found
            largest = max(largest, most)
    except InputError:
        raise
    except Exception as error:  # a damaged pickle raises nearly anything
        raise InputError(f"{said} is damaged or cut short: fetch or copy it again.") from error
    for name in sorted(names):
        module, _, last = name.rpartition(".")
        if module.partition(".")[0] in _RUNS_CODE or (module in ("builtins", "__builtin__") and last not in _HARMLESS):
            raise InputError(
                f"{said} asks for {excerpt(name, 60)} to be run when it is opened, so it is not opened, and nothing of "
                "it was run: take weights from somewhere else, best as safetensors."
            )
    if largest > path.stat().st_size:
        raise InputError(f"{said} is damaged or cut short: it declares more numbers than it holds.")
    return Pickled(names=frozenset(names), largest=largest)


def _pickles(path: Path, kind: Kind) -> list[io.BytesIO]:
    """Streams that stand at a pickle each."""
    if kind is Kind.LEGACY:
        with path.open("rb") as file:
            stream = io.BytesIO(file.read(MOST_PICKLE))
        return [stream] * LEGACY_PICKLES  # one after the other
    with zipfile.ZipFile(path) as archive:
        (member,) = (one for one in archive.infolist() if one.filename.rpartition("/")[2] == "data.pkl")
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > MOST_PICKLE:
            raise InputError(
                f"{excerpt(str(path), 160)} is no archive as torch.save writes it (its list of weights is compressed "
                "or too large): save it again with torch.save."
            )
        return [io.BytesIO(archive.read(member))]


def _scan(stream: io.BytesIO) -> tuple[set[str], int]:
    names: set[str] = set()
    texts: list[str] = []
    number, largest = 0, 0
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name in ("GLOBAL", "INST"):
            names.add(_today(*str(argument).split(" ", 1)))
        elif opcode.name == "STACK_GLOBAL":
            names.add(".".join(texts))
        elif opcode.name == "BINPERSID":
            largest = max(largest, number)
        elif isinstance(argument, str):
            texts = [*texts[-1:], argument]
        elif isinstance(argument, int) and "PUT" not in opcode.name and "GET" not in opcode.name:
            number = argument
    return names, largest


def _today(module: str, name: str = "") -> str:
    """The full name of what Python 2 called otherwise, as the unpickler has it."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        module, name = _compat_pickle.NAME_MAPPING[(module, name)]
    return f"{_compat_pickle.IMPORT_MAPPING.get(module, module)}.{name}"
