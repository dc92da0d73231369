"""Networks that somebody brings, for benchmarks: a small vision transformer, and a residual network with gates.

    python -m benchmarks.brought train vit|gated --out FILE.pt [--data-dir DIR] [--epochs N]

Trains one on CIFAR-10 (45,000 images) and keeps its weights, the last finished epoch at any time; started again it goes
on. Then it is a network of one's own: `file:benchmarks/brought.py:vit?weights=FILE.pt`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH, DEPTH, HEADS, PATCH = 128, 4, 4, 8


class Block(nn.Module):
    """Attention and an MLP, each behind a layer norm, each added to what came in."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.wide, self.back = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        q, k, v = (one(y).unflatten(2, (self.heads, -1)).transpose(1, 2) for one in (self.q, self.k, self.v))
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return x + self.back(F.gelu(self.wide(self.between(x))))


class SmallViT(nn.Module):
    """A vision transformer for 32 × 32 pixels whose answer rests on the mean of its tokens."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.place = nn.Parameter(0.02 * torch.randn(1, (32 // PATCH) ** 2, WIDTH))
        self.blocks = nn.Sequential(*(Block(WIDTH, HEADS) for _ in range(DEPTH)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.place
        return self.head(self.norm(self.blocks(x)).mean(1))


class Gated(nn.Module):
    """A residual block whose channels are weighed by what the whole map shows (squeeze and excite)."""

    def __init__(self, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.conv2, self.bn2 = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.squeeze, self.excite = nn.Linear(out, out // 4), nn.Linear(out // 4, out)
        self.skip: nn.Module = nn.Identity()
        if stride != 1 or width != out:
            self.skip = nn.Sequential(nn.Conv2d(width, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))
        return F.relu(y * gate[:, :, None, None] + self.skip(x))


class GatedResNet(nn.Module):
    """Six gated blocks for 32 × 32 pixels."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem, self.bn = nn.Conv2d(3, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24)
        sizes = ((24, 24, 1), (24, 24, 1), (24, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1))
        self.blocks = nn.Sequential(*(Gated(*size) for size in sizes))
        self.fc = nn.Linear(96, classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.blocks(F.relu(self.bn(self.stem(x)))).mean((2, 3)))


def vit() -> nn.Module:
    """For `file:benchmarks/brought.py:vit`."""
    return SmallViT()


def gated() -> nn.Module:
    """For `file:benchmarks/brought.py:gated`."""
    return GatedResNet()


NETWORKS = {"vit": vit, "gated": gated}


def train(name: str, out: Path, data_dir: str | None, epochs: int) -> int:
    """Plain training with AdamW, a cosine schedule, moved and mirrored images."""
    from pruning.data.augment import augment
    from pruning.data.readers import open_data
    from pruning.tasks.classification import labels_at
    from pruning.training.evaluate import evaluate
    from pruning.training.finetune import choose_precision

    data = open_data("cifar10", data_dir)
    torch.manual_seed(0)
    model = NETWORKS[name]()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    state, begun = out.with_suffix(".state"), 0
    if state.exists():
        kept = torch.load(state, weights_only=True)
        model.load_state_dict(kept["model"])
        optimiser.load_state_dict(kept["optimiser"])
        begun = kept["epoch"]
    steps = data.length("train") // 128
    draw = torch.Generator()
    for epoch in range(begun, epochs):
        draw.manual_seed(epoch)
        model.train()
        order = torch.randperm(data.length("train"), generator=draw)
        for step, index in enumerate(order[: steps * 128].split(128)):
            done = (epoch * steps + step) / (epochs * steps)
            rate = 1e-3 * min(1.0, 20 * done) * 0.5 * (1 + torch.cos(torch.tensor(done * torch.pi)).item())
            for group in optimiser.param_groups:
                group["lr"] = rate
            images = data.normalise(augment(data.images("train", index), 4, True, draw))
            labels = labels_at(data, "train", index)
            with torch.autocast("cpu", torch.bfloat16, enabled=choose_precision(model) == "bf16"):
                loss = F.cross_entropy(model(images).float(), labels, label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        torch.save(model.state_dict(), out)
        torch.save({"model": model.state_dict(), "optimiser": optimiser.state_dict(), "epoch": epoch + 1}, state)
        print(f"epoch {epoch + 1}: {evaluate(model, data, 'select', limit=2000).value:.3f}", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train",))
    parser.add_argument("name", choices=tuple(NETWORKS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--epochs", type=int, default=20)
    args = parser.parse_args()
    return train(args.name, args.out, args.data_dir, args.epochs)


if __name__ == "__main__":
    sys.exit(main())
