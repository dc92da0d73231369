"""CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images"): the row of a data set."""

from __future__ import annotations

from pruning.data.info import DataInfo
from pruning.data.published import published

CIFAR10 = published(
    DataInfo(
        name="cifar10",
        title="CIFAR-10, 60,000 photos",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        shape=(3, 32, 32),
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2470, 0.2435, 0.2616),
        sizes={"train": 45000, "select": 5000, "test": 10000},
        shift=4,
        flips=True,
        embedded=False,
        things="photos",
    ),
    builder="CIFAR10",
    folder="cifar-10-batches-py",
)
