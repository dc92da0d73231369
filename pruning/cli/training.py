"""Options that say how a network is fine-tuned: the same for every command that trains one."""

from __future__ import annotations

import argparse
from typing import Any

from pruning.cli.arguments import number, whole
from pruning.data.augmentations import AS_KNOWN, AUGMENTATIONS, NONE

TRAINING = ("lr", "optimiser", "augment", "distillation", "batch_size", "weight_decay", "batch_norm")
"""Fields of a recipe that options of the same name set."""


def add_training_options(
    sub: argparse.ArgumentParser, *, lr: str = "the data set's default", batch_size: str = "the data set's default"
) -> None:
    """Add all of them; what is not given is None in the arguments.

    `lr`, `batch_size`: what the command takes for published images where nobody says, in words.
    """
    changes = "; ".join(f"{row.name}: {row.explanation}" for row in AUGMENTATIONS.values())
    sub.add_argument("--lr", type=number, help=f"highest learning rate ({lr}; own images: 1e-4)")
    sub.add_argument("--optimiser", choices=("sgd", "adamw"), help="what trains (own images: adamw; else sgd)")
    sub.add_argument("--batch-size", type=whole, metavar="N", help=f"images of a step ({batch_size}; own images: 32)")
    sub.add_argument("--weight-decay", type=number, metavar="D", help="of weights (sgd 5e-4, adamw 0.01)")
    sub.add_argument(
        "--batch-norm", choices=("learnt", "fixed"),
        help="whether its statistics are learnt from each batch or stay (own images: fixed; else learnt)",
    )  # fmt: skip
    sub.add_argument(
        "--augment", metavar="NAMES",
        help=f"how train images are changed, with commas: {changes}. Or {NONE}, or {AS_KNOWN}, as is fair for the data "
        "set (own images: flip)",
    )  # fmt: skip
    sub.add_argument(
        "--distillation", type=number, metavar="SHARE",
        help="share of the loss that is the distance to the unpruned network's answers (0; 1 without labels)",
    )  # fmt: skip


def chosen_training(args: argparse.Namespace) -> dict[str, Any]:
    """What the options say, by the names of a recipe's fields; what is not given is left out."""
    return {name: getattr(args, name) for name in TRAINING if getattr(args, name) is not None}
