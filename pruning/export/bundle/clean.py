"""What a clean process runs: open one form of a bundle where nothing of the explorer is, and answer some inputs.

Called as a script of its own, copied to another folder: `python clean.py QUESTION.json`. It imports nothing of the
explorer, and makes sure that nobody else can.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

REFUSED = ("socket.connect", "socket.getaddrinfo")
"""What no form may do while it is opened: fetch something."""


def main(place: str) -> None:
    """Answer the question in a file, and write the answer beside it."""
    question = json.loads(Path(place).read_text(encoding="utf-8"))
    _close_off(question["hidden"], [os.path.realpath(folder) for folder in question["unreachable"]])
    began = time.monotonic()
    try:
        said = _answered(question)
    except BaseException as error:
        said = {"error": f"{type(error).__name__}: {error}", "line": _line(error, question["folder"])}
    said["seconds"] = round(time.monotonic() - began, 2)
    said["peak_bytes"] = _peak_bytes()
    said["python"] = sys.version.split()[0]
    said["modules"] = {
        name: getattr(sys.modules[name], "__version__", "")
        for name in ("torch", "torchvision", "timm", "onnxruntime", "numpy")
        if name in sys.modules
    }
    Path(question["answer"]).write_text(json.dumps(said), encoding="utf-8")


def _close_off(hidden: Sequence[str], unreachable: Sequence[str]) -> None:
    """Let no module of these names be imported, no file of these places be opened, and nothing be fetched."""

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> None:
            if name.partition(".")[0] in hidden:
                raise ImportError(f"{name} is not to be reached from here")

    sys.meta_path.insert(0, Finder)

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event in REFUSED:
            raise OSError("nothing is to be fetched")
        if event == "open" and unreachable and isinstance(args[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(args[0]))
            if any(path == place or path.startswith(place + os.sep) for place in unreachable):
                raise FileNotFoundError(f"{path} is not to be reached from here")

    sys.addaudithook(refuse)


def _peak_bytes() -> int:
    """Most memory that this process has held; 0 where the system does not say. What `getrusage` gives holds that of
    whoever started it, too."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


def _answered(question: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(question["folder"])
    apart = Path(question["apart"]) if question["apart"] else None
    scope: dict[str, Any] = {"folder": folder, "apart": apart, "file": folder / question["file"]}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    scope["call"] = lambda model, arrays: _called(config, model, arrays)
    exec(compile(question["opening"], "opening", "exec"), scope)
    for case in question["cases"]:
        with np.load(case["inputs"]) as stored:
            arrays = [stored[str(place)] for place in range(len(stored))]
        given = scope["answer"](arrays)
        np.savez(case["outputs"], **{str(place): array for place, array in enumerate(given)})
    if not question["trains"]:
        return {}
    with np.load(question["cases"][-1]["inputs"]) as stored:
        arrays = [stored[str(place)] for place in range(len(stored))]
    return {"training": _trained(config, scope["model"], arrays)}


def _called(config: Mapping[str, Any], model: Any, arrays: Sequence[Any]) -> list[Any]:
    """What a module of torch gives for arrays, as arrays."""
    import torch

    args, kwargs = _arguments(config, arrays)
    with torch.no_grad():
        return [_array(tensor) for tensor in _tensors(model(*args, **kwargs))]


def _arguments(config: Mapping[str, Any], arrays: Sequence[Any]) -> tuple[list[Any], dict[str, Any]]:
    import torch

    tensors = [
        torch.from_numpy(array).to(getattr(torch, given["dtype"]))
        for array, given in zip(arrays, config["inputs"], strict=True)
    ]

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(item) for item in value]
        if not isinstance(value, dict):
            return value
        ((kind, inner),) = value.items()
        if kind == "tensor":
            return tensors[int(inner)]
        if kind == "dict":
            return {key: filled(item) for key, item in inner.items()}
        if kind == "tuple":
            return tuple(filled(item) for item in inner)
        makers: dict[str, Any] = {"float": float, "size": torch.Size, "dtype": lambda name: getattr(torch, name)}
        return makers[kind](inner)

    call = filled(config["call"])
    return call["args"], call["kwargs"]


def _array(tensor: Any) -> Any:
    import torch

    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def _tensors(value: Any) -> Iterator[Any]:
    """All tensors of an answer, in order."""
    if hasattr(value, "detach"):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _tensors(part)
    elif value is not None and hasattr(value, "__dict__"):
        for part in vars(value).values():
            yield from _tensors(part)


def _trained(config: Mapping[str, Any], model: Any, arrays: Sequence[Any]) -> dict[str, Any]:
    """A step of training: whether gradients came, what is shared stayed shared, and what is frozen stayed as it was."""
    import torch

    torch.manual_seed(0)
    frozen = {name: p.detach().clone() for name, p in model.named_parameters() if not p.requires_grad}
    free = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not free:
        return {"skipped": "all of its parameters are frozen"}
    before = [parameter.detach().clone() for parameter in free]
    model.train()
    args, kwargs = _arguments(config, arrays)
    loss = sum(
        tensor.float().square().mean() for tensor in _tensors(model(*args, **kwargs)) if tensor.is_floating_point()
    )
    loss.backward()
    torch.optim.SGD(free, lr=1e-3).step()
    model.eval()
    named = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    difference = config["difference"]
    apart = [name for first, *names in difference["tied"] for name in names if named[first] is not named[name]]
    apart += [
        name
        for first, name, _ in difference["same_memory"]
        if named[first].untyped_storage().data_ptr() != named[name].untyped_storage().data_ptr()
    ]
    return {
        "loss": float(loss.detach()),
        "with_gradients": sum(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in free),
        "parameters": len(free),
        "moved": sum(not torch.equal(old, new) for old, new in zip(before, free, strict=True)),
        "no_longer_shared": apart,
        "shared": sum(len(group) - 1 for group in difference["tied"]) + len(difference["same_memory"]),
        "frozen_but_moved": [name for name, old in frozen.items() if not torch.equal(old, named[name])],
    }


def _line(error: BaseException, folder: str) -> str:
    """'net.py:12' of the innermost line in the bundle; '' where there is none."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(folder)]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


if __name__ == "__main__":
    main(sys.argv[1])
