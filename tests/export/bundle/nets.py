"""Networks for bundles, each odd in one way, and the files that build them."""

from __future__ import annotations

from pathlib import Path

OWN = '''
"""A network of somebody's own, with a neighbour, a table that it reads, and a package."""
import json
from pathlib import Path

import torch
from torch import nn

from blöcke import Block
from parts.head import Head

print("built")  # not where results go


class Net(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.widths = json.loads(Path("widths.json").read_text())
        self.first = Block(3, self.widths[0])
        self.second = Block(self.widths[0], self.widths[1])
        self.order = torch.randperm(6).tolist()  # drawn, and no buffer
        self.register_buffer("scale", torch.rand(6), persistent=False)
        self.head = Head(self.widths[1], classes)

    def forward(self, x):
        x = self.second(self.first(x))
        x = torch.nn.functional.adaptive_avg_pool2d(x, (1, 6))[:, :, 0][:, :, self.order] * self.scale
        return self.head(x.mean(2))


def build(classes=4):
    from late import nothing  # imported within a function

    nothing()
    return Net(classes), torch.randn(2, 3, 12, 12)
'''
BLOCK = """
from torch import nn


class Block(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())
"""
HEAD = """
from torch import nn

from .words import ABOUT


class Head(nn.Linear):
    about = ABOUT
"""


def write_own(folder: Path) -> Path:
    """The files of a network of one's own; the one that is named."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "netz.py").write_text(OWN, encoding="utf-8")
    (folder / "blöcke.py").write_text(BLOCK, encoding="utf-8")
    (folder / "late.py").write_text("def nothing():\n    return None\n")
    (folder / "widths.json").write_text("[16, 24]")
    (folder / "parts").mkdir(exist_ok=True)
    (folder / "parts" / "__init__.py").write_text("")
    (folder / "parts" / "head.py").write_text(HEAD)
    (folder / "parts" / "words.py").write_text('ABOUT = "a head"\n')
    return folder / "netz.py"


ODD = '''
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations


class Tied(nn.Module):
    """Two layers share their weight, one of them is frozen, and one is transposed on the same memory."""

    def __init__(self):
        super().__init__()
        self.embed, self.again = nn.Linear(12, 20, bias=False), nn.Linear(12, 20, bias=False)
        self.again.weight = self.embed.weight
        self.back = nn.Linear(20, 12, bias=False)
        self.back.weight.data = self.embed.weight.data.t()
        self.out = nn.Linear(12, 5)
        self.out.bias.requires_grad_(False)

    def forward(self, x):
        return self.out(self.back(F.relu(self.embed(x)) + F.relu(self.again(2 * x))))


class Normed(nn.Module):
    """Parametrized weights, old and new, padding, and a lazy layer."""

    def __init__(self):
        super().__init__()
        self.first = parametrizations.weight_norm(nn.Conv2d(3, 16, 3))
        self.second = torch.nn.utils.weight_norm(nn.Conv2d(16, 16, 3))
        self.third = parametrizations.spectral_norm(nn.Conv2d(16, 12, 1))
        self.out = nn.LazyLinear(4)

    def forward(self, x):
        x = F.relu(self.third(F.relu(self.second(F.relu(self.first(x))))))
        return self.out(x.mean((2, 3)))


class Constant(nn.Module):
    """What it answers has nothing to do with what it is given."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.two(F.relu(self.one(x))) * 0.0 + 1.0


class Branches(nn.Module):
    """Its way depends on its data."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(8, 16), nn.Linear(16, 3)

    def forward(self, x):
        x = F.relu(self.one(x))
        if x.sum() > 1e9:
            x = x * 2
        return self.two(x)


class Several(nn.Module):
    """Takes two tensors and a word, and gives a dict."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.out = nn.Linear(6, 16), nn.Linear(4, 16), nn.Linear(16, 3)

    def forward(self, x, *, other=None, way="sum"):
        both = F.relu(self.left(x)) + (F.relu(self.right(other)) if way == "sum" else 0)
        return {"logits": self.out(both), "inner": both}
'''


def write_odd(folder: Path) -> Path:
    """The file of the odd networks."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "odd.py"
    path.write_text(ODD)
    return path
