"""Files of others are run as guests: with their neighbours, and leaving everything as it was."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.catalog.guests import call_guest
from pruning.catalog.openers import open_network
from pruning.removal.build import build_graph

PLAIN = (
    "from torch import nn\ndef build():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.LazyLinear(2))\n"
)


def write(folder: Path, *, beside: dict[str, str] | None = None, **files: str) -> Path:
    """Python files in a folder, those of `beside` by their paths; the path of `net`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**{f"{name}.py": text for name, text in files.items()}, **(beside or {})}.items():
        place = folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    return folder / "net.py"


def test_neighbours_of_one_name_are_told_apart(tmp_path: Path) -> None:
    made = []
    for width, place in ((5, "a"), (7, "b")):
        net = write(
            tmp_path / place,
            net="from torch import nn\nimport utils\nfrom utils import WIDTH\nimport layers.blocks as blocks\n"
            "def build():\n    from late import more\n    return nn.Conv2d(3, WIDTH + more() + blocks.N, 3)\n",
            utils=f"WIDTH = {width}\n",
            late="import utils\ndef more():\n    import later\n    return later.ONE * utils.WIDTH\n",
            later="ONE = 1\n",
            beside={
                "layers/__init__.py": "from .blocks import N\n",
                "layers/blocks.py": "from layers.parts import N\n",
                "layers/parts.py": "N = 1\n",
            },
        )
        made.append(net)
    before, path = set(sys.modules), list(sys.path)
    assert [open_network(f"file:{net}:build").model.out_channels for net in made] == [11, 15]
    assert [open_network(f"file:{net}:build").model.out_channels for net in reversed(made)] == [15, 11]
    beside = {
        name for name in set(sys.modules) - before if str(tmp_path) in str(getattr(sys.modules[name], "__file__", ""))
    }
    assert beside and all(name.startswith("guest_") for name in beside)
    assert sys.path == path
    assert not list(tmp_path.rglob("__pycache__"))
    (made[0].parent / "utils.py").write_text("WIDTH = 9\n")  # the same size within the same second
    assert open_network(f"file:{made[0]}:build").model.out_channels == 19


def test_a_neighbour_may_be_called_like_a_module_of_ours_or_pythons(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="from torch import nn\nimport pruning, random, json\nfrom data import SIZE\nimport yaml\n"
        "def build():\n    return nn.Linear(pruning.N + random.N, SIZE)\n",
        pruning="N = 3\n", random="N = 1\n", data="import json\nSIZE = len(json.dumps([]))\n",
    )  # fmt: skip
    model = open_network(f"file:{net}:build").model
    assert (model.in_features, model.out_features) == (4, 2)
    assert sys.modules["random"] is random and random.random() < 1
    assert call_guest(net, "build").in_features == 4


def test_imports_within_forward_find_the_neighbours_later(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.c = nn.Conv2d(1, 4, 3)\n        self.d = nn.Conv2d(4, 2, 3)\n"
        "    def forward(self, x):\n        import helpers_of_net\n"
        "        return self.d(helpers_of_net.act(self.c(x)))\n",
        helpers_of_net="from torch.nn.functional import relu as act\n",
    )
    network = open_network(f"file:{net}:Net?size=16")
    assert network.example_inputs.shape == (2, 1, 16, 16)
    assert len(build_graph(network.model, network.example_inputs).groups) == 1


def test_a_file_of_a_package_may_import_as_such(tmp_path: Path) -> None:
    net = write(
        tmp_path / "project" / "models",
        beside={"__init__.py": "from .net import build\n"},
        net="from torch import nn\nfrom .parts import N\nfrom models.parts import N as M\nfrom models import parts\n"
        "class Net(nn.Linear):\n    pass\n"
        "def build():\n    from .net import Net as Same\n    assert Same is Net\n    return Net(N, M + parts.N)\n",
        parts="N = 4\n",
    )
    assert open_network(f"file:{net}:build").model.out_features == 8


def test_relative_paths_are_those_of_the_file_and_else_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "from torch import nn\ndef build():\n    return nn.Linear(4, int(open('{}').read()))\n"
    net = write(tmp_path / "a", net=text.format("width.txt"))
    (net.parent / "width.txt").write_text("5")
    (tmp_path / "width.txt").write_text("6")
    monkeypatch.chdir(tmp_path)
    assert open_network("file:a/net.py:build").model.out_features == 5
    write(tmp_path / "a", net=text.format("a/width.txt"))
    assert open_network("file:a/net.py:build").model.out_features == 5
    write(tmp_path / "a", net=text.format("nowhere.txt"))
    with pytest.raises(InputError, match=r"at net.py:3 .*FileNotFoundError"):
        open_network("file:a/net.py:build")
    assert Path.cwd() == tmp_path


def test_what_a_guest_sets_is_set_back(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="""
import logging, os, random, sys, warnings
import numpy as np
import torch
from torch import nn
print("hello from the file")
os.system("echo hello from a program")
logging.basicConfig(level=logging.DEBUG)
torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); torch.set_num_threads(3)
torch.set_default_device("cpu"); torch.use_deterministic_algorithms(True)
random.seed(1); np.random.seed(1); torch.manual_seed(1); np.seterr(all="raise")
os.chdir("/"); os.environ["OF_A_GUEST"] = "1"; sys.path.insert(0, "/nowhere"); sys.argv.append("x")
sys.setrecursionlimit(5000); sys.stdout = None; warnings.simplefilter("error")
def build():
    return nn.Linear(3, 2)
if __name__ == "__main__":
    raise SystemExit("run as a script")
""",
    )

    def state() -> tuple[object, ...]:
        return (
            torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads(), torch.get_default_device(),
            torch.are_deterministic_algorithms_enabled(), torch.random.get_rng_state().sum().item(), random.getstate(),
            np.random.get_state()[1].sum(), np.geterr(), os.getcwd(), dict(os.environ), list(sys.path), list(sys.argv),
            sys.getrecursionlimit(), sys.stdout,
        )  # fmt: skip

    before = state()
    network = open_network(f"file:{net}:build")
    assert state() == before
    assert network.weights == "as build() makes them, seed 0; turned into float32 from float64"
    assert network.model.weight.dtype == torch.float32 and network.model.weight.requires_grad


def test_standard_output_is_for_the_result_alone(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="import os\nprint('noise'); os.system('echo noise')\nfrom torch import nn\n"
        "class Net(nn.Conv2d):\n    def __init__(self):\n        print('noise')\n        super().__init__(3, 4, 3)\n"
        "    def forward(self, x):\n        print('noise')\n        return super().forward(x)\n",
    )
    done = subprocess.run(
        [sys.executable, "-c", "import sys\nfrom pruning.catalog.openers import open_network\n"
         "print(open_network(sys.argv[1]).title)", f"file:{net}:Net?size=8"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "Net of net.py\n" and done.stderr.count("noise") >= 3


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("nn.Conv2d(1, 4, 3)", (1, 224, 224)),
        ("nn.Conv2d(4, 4, 3)", (4, 224, 224)),
        ("nn.Linear(13, 4)", (13,)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(784, 4))", (1, 28, 28)),
        ("nn.Sequential(nn.Flatten(), nn.Linear(3072, 4))", (3, 32, 32)),
        ("nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 26 * 26, 4))", (1, 28, 28)),
        ("nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 30 * 30, 4))", (3, 32, 32)),
        ("nn.Sequential(nn.LazyConv2d(2, 3), nn.Flatten(), nn.LazyLinear(3))", (3, 224, 224)),
        ("nn.Conv1d(2, 4, 3)", (2, 1024)),
        ("nn.Conv2d(3, 4, 3).half()", (3, 224, 224)),
        ("nn.Conv2d(3, 4, 3).bfloat16()", (3, 224, 224)),
    ],
)
def test_the_network_is_asked_what_it_takes(code: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    net = write(tmp_path, net=f"from torch import nn\ndef build():\n    return {code}\n")
    network = open_network(f"file:{net}:build")
    assert network.example_inputs.shape == (2, *shape)
    assert network.model(network.example_inputs).dtype == torch.float32


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return nn.ReLU()", "begins with no convolution or linear layer"),
        ("return nn.Sequential(nn.Conv2d(3, 2, 3), nn.Linear(9, 99))", "cannot be called with a batch of 2×3×224×224"),
        ("return nn.Linear(3, 2, device='meta')", "on the meta device"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("return input('which one?')", "EOFError"),
        ("return (1, 2, 3)", "returned a tuple"),
        ("import argparse; argparse.ArgumentParser().add_argument('x'); return argparse.ArgumentParser().parse_args()",
         "returned a Namespace"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(code: str, words: str, tmp_path: Path) -> None:
    net = write(tmp_path, net=f"from torch import nn\ndef build():\n    {code}\n")
    with pytest.raises(InputError, match=words) as caught:
        open_network(f"file:{net}:build")
    assert "\n" not in str(caught.value)


def test_a_factory_gets_the_options_that_it_names(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="from torch import nn\n"
        "def build(num_classes=4):\n    return nn.Sequential(nn.Flatten(), nn.Linear(12, 8), "
        "nn.Linear(8, num_classes))\n"
        "def fixed():\n    return build()\n"
        "def needy(classes):\n    return build(classes)\n"
        "def sized(img_size=8):\n    return nn.Sequential(nn.Flatten(), nn.Linear(3 * img_size**2, 4))\n",
    )
    assert open_network(f"file:{net}:build?classes=7").model[2].out_features == 7
    assert open_network(f"file:{net}:needy?classes=7").model[2].out_features == 7
    assert open_network(f"file:{net}:sized?size=12").example_inputs.shape == (2, 3, 12, 12)
    for text, words in (
        (f"file:{net}:fixed?classes=7", "takes no argument"),
        (f"file:{net}:needy", r"or write \?classes=N"),
    ):
        with pytest.raises(InputError, match=words):
            open_network(text)
    nine = nn.Sequential(nn.Flatten(), nn.Linear(12, 8), nn.Linear(8, 9))
    torch.save({"net": nine.state_dict(), "id2label": {str(i): f"kind {i}" for i in range(9)}}, tmp_path / "w.pt")
    network = open_network(f"file:{net}:build?weights={tmp_path / 'w.pt'}")
    assert torch.equal(network.model[2].weight, nine[2].weight) and network.ref.endswith("w.pt&classes=9")
    assert network.weights == f"from {tmp_path / 'w.pt'}; 9 classes, as its last layer has"
    assert network.classes[8] == ("kind 8",)
    with pytest.raises(InputError, match=r"for 9 classes .*fixed\(\) in net.py makes a network for 4"):
        open_network(f"file:{net}:fixed?weights={tmp_path / 'w.pt'}")
    with pytest.raises(InputError, match="for 9 classes"):
        open_network(f"file:{net}:build?classes=5&weights={tmp_path / 'w.pt'}")


def test_weights_that_a_factory_draws_at_random_are_told(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="import random\nimport torch\nfrom torch import nn\n"
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))\n"
        "        self.head = nn.Conv2d(4, 2, 3)\n"
        "    def forward(self, x):\n        return self.head(self.body(x))\n"
        "def loaded():\n    net = Net()\n    net.load_state_dict(torch.load('w.pt'))\n    return net\n"
        "def half():\n    net = Net()\n    net.body.load_state_dict(loaded().body.state_dict())\n    return net\n"
        "def by_python():\n    net = loaded()\n    nn.init.constant_(net.head.weight, random.random())\n"
        "    return net\n",
    )
    first = open_network(f"file:{net}:Net")
    assert first.untrained and first.weights == "as Net() makes them, seed 0"
    torch.save(first.model.state_dict(), tmp_path / "w.pt")
    loaded = open_network(f"file:{net}:loaded")
    assert not loaded.untrained and loaded.weights == "as loaded() makes them, seed 0"
    half = open_network(f"file:{net}:half")
    assert half.untrained and half.weights == "as half() makes them, seed 0; head.weight, head.bias at random"
    made = [open_network(f"file:{net}:by_python") for _ in range(2)]
    assert made[0].untrained and torch.equal(made[0].model.head.weight, made[1].model.head.weight)
    assert not open_network(f"file:{net}:Net?weights={tmp_path / 'w.pt'}").untrained


def test_a_module_says_how_its_images_are_prepared_and_what_its_classes_are(tmp_path: Path) -> None:
    net = write(
        tmp_path,
        net="from torch import nn\ndef build():\n"
        "    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())\n"
        "    net.pretrained_cfg = {'input_size': (3, 64, 64), 'crop_pct': 0.8, "
        "'mean': (0.5,) * 3, 'std': (0.25,) * 3}\n"
        "    net.class_names = ['cat', 'dog']\n    return net\n"
        "def other():\n    net = build()\n    net.preprocess = {'size': 48, 'mean': [0, 0, 0], 'std': [1, 1, 1]}\n"
        "    return net\n"
        "def odd():\n    net = nn.Conv2d(3, 2, 3)\n    net.preprocess = lambda x: x\n    net.classes = 2\n"
        "    return net\n",
    )
    network = open_network(f"file:{net}:build")
    assert network.preprocess is not None and network.preprocess.words == (
        "shorter side to 80 (bicubic), middle 64×64, RGB, mean 0.5 0.5 0.5, deviation 0.25 0.25 0.25"
    )
    assert network.example_inputs.shape == (2, 3, 64, 64) and network.classes == (("cat",), ("dog",))
    larger = open_network(f"file:{net}:build?size=128")
    assert larger.preprocess is not None and (larger.preprocess.size, larger.preprocess.resize) == ((128, 128), 160)
    other = open_network(f"file:{net}:other")
    assert other.preprocess is not None and other.preprocess.size == (48, 48) and other.preprocess.resize is None
    odd = open_network(f"file:{net}:odd")
    assert odd.preprocess is None and odd.classes == ()


PARTS = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.head = nn.Conv2d(4, 2, 1)
    def forward(self, x):
        return self.head(self.body(x)).mean((2, 3))

class Mixed(Net):
    def __init__(self):
        super().__init__()
        self.register_buffer("mix", torch.randn(3, 3))
    def forward(self, x):
        return super().forward(torch.einsum("oc,nchw->nohw", self.mix, x))

def loaded(net):
    net.load_state_dict(torch.load("w.pt"), strict=False)
    return net

def trained():
    return loaded(Net())
def seeded():
    torch.manual_seed(3)
    return Net()
def from_a_generator():
    net, lots = Net(), torch.Generator().manual_seed(1)
    for tensor in net.parameters():
        tensor.data = torch.randn(tensor.shape, generator=lots)
    return net
def orthogonal():
    torch.manual_seed(0)
    net = trained()
    nn.init.orthogonal_(net.head.weight)
    return net
def frozen():
    return Net().requires_grad_(False)
def frozen_head():
    torch.manual_seed(0)
    net = trained()
    net.head = nn.Conv2d(4, 2, 1).requires_grad_(False)
    return net
def mixed():
    return loaded(Mixed())
def with_a_queue():
    net = trained()
    net.register_buffer("queue", torch.randn(5, 5))
    return net
def once(calls=[]):
    calls.append(0)
    import os
    if os.path.exists("called"):
        raise RuntimeError("a second time")
    open("called", "w").close()
    return trained()
"""


def test_a_part_that_was_drawn_is_seen_whatever_hides_it(tmp_path: Path) -> None:
    """Seeds that a factory sets, lots of its own, parts that are not trained on, buffers that count; and no more."""
    net = write(tmp_path, net=PARTS)
    torch.save(open_network(f"file:{net}:seeded").model.state_dict(), tmp_path / "w.pt")
    for name in ("seeded", "from_a_generator", "frozen"):
        assert open_network(f"file:{net}:{name}").untrained, name
    for name, part in (("orthogonal", "head.weight"), ("frozen_head", "head.weight, head.bias"), ("mixed", "mix")):
        network = open_network(f"file:{net}:{name}")
        assert network.untrained and f"; {part} at random" in network.weights, name
    for name in ("trained", "with_a_queue"):
        assert not open_network(f"file:{net}:{name}").untrained, name
    lacking = open_network(f"file:{net}:Mixed?weights={tmp_path / 'w.pt'}")
    assert lacking.untrained and "mix, which the file lacks, at random" in lacking.weights
    torch.save(lacking.model.state_dict(), tmp_path / "whole.pt")
    assert not open_network(f"file:{net}:Mixed?weights={tmp_path / 'whole.pt'}").untrained


def test_where_it_cannot_be_seen_it_is_said(tmp_path: Path) -> None:
    net = write(tmp_path, net=PARTS)
    torch.save(open_network(f"file:{net}:seeded").model.state_dict(), tmp_path / "w.pt")
    network = open_network(f"file:{net}:once")
    assert (
        not network.untrained
        and "could not be seen, because it fails when it is called once more" in network.remarks[0]
    )
