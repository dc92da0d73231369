"""Training and fine-tuning: SGD or AdamW, warm-up and cosine decay, in a number of steps fixed beforehand."""

from __future__ import annotations

import copy
import dataclasses
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError
from pruning.catalog.first_layer import first_output
from pruning.data.augment import augment
from pruning.data.augmentations import AS_KNOWN, CUTMIX, SHARE_OF_CUTMIX, changes_of, check_augment
from pruning.data.info import DataInfo
from pruning.data.protocol import Data
from pruning.tasks.table import task_of
from pruning.training.evaluate import evaluate
from pruning.training.state import TrainState

Precision = Literal["fp32", "bf16"]
Optimiser = Literal["sgd", "adamw"]
BatchNorm = Literal["learnt", "fixed"]
OPTIMISERS: tuple[Optimiser, ...] = get_args(Optimiser)

OWN: dict[str, Any] = {"batch_size": 32, "batch_norm": "fixed", "optimiser": "adamw", "lr": 1e-4, "weight_decay": 0.01}
"""Defaults for fine-tuning on images of one's own."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train. Everything is in steps, so that a replay does not depend on the clock."""

    steps: int
    """Optimiser steps in all; an epoch is `DataInfo.steps_per_epoch` of them."""
    batch_size: int = 128
    lr: float = 0.02
    """Highest learning rate, reached after the warm-up."""
    batch_norm: BatchNorm = "learnt"
    """learnt: by each batch, as in training from scratch; fixed: statistics stay as they are, as is best where images
    are few or other ones than the network learnt from."""
    optimiser: Optimiser = "sgd"
    """sgd: with Nesterov momentum; adamw: Loshchilov 2017, arXiv 1711.05101."""
    momentum: float = 0.9
    """Of sgd."""
    weight_decay: float = 5e-4
    """Applied to weights of two or more dimensions, not to biases and BN."""
    warmup: float = 0.1
    """Fraction of the steps in which the learning rate rises linearly."""
    augment: str = AS_KNOWN
    """How training images are changed at random: names of `pruning.data.augmentations`, or 'known': as is known to be
    fair for the data set."""
    shift: int = 0
    """Where that is 'known': they are moved by up to so many pixels, and mirrored where that is fair."""
    cutmix: float = 0.0
    """Share of the batches in which a box of every image comes from another one, the labels mixed by area
    (CutMix, Yun 2019, arXiv 1905.04899)."""
    precision: Precision = "fp32"
    """bf16: the forward pass in bf16 autocast, weights and optimiser in fp32."""
    distillation: float = 0.5
    """Share of the loss that is the distance to a teacher's answers, where there is a teacher; 1: nothing else."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise InputError(f"Training takes 0 or more steps, not {self.steps}.")
        if self.batch_size < 2:
            raise InputError(f"A batch needs at least 2 images, not {self.batch_size}.")
        if not 0 < self.lr <= 10:
            raise InputError(f"The learning rate must lie between 0 and 10, not {self.lr}.")
        if not 0 <= self.cutmix <= 1:
            raise InputError(f"cutmix is a share between 0 and 1, not {self.cutmix}.")
        if not 0 <= self.distillation <= 1:
            raise InputError(f"distillation is a share of the loss between 0 and 1, not {self.distillation}.")
        if self.optimiser not in OPTIMISERS:
            raise InputError(f"The optimiser is one of {', '.join(OPTIMISERS)}, not '{self.optimiser}'.")
        check_augment(self.augment)


@dataclass(frozen=True, kw_only=True)
class TrainEvent:
    """Where training stands after a step."""

    step: int
    steps: int
    loss: float
    lr: float
    seconds: float
    value: float | None = None
    """The task's metric on select images, with its 95 % interval, where it was just measured."""
    interval: tuple[float, float] | None = None


def choose_precision(model: nn.Module) -> Precision:
    """bf16 where the CPU has it in hardware and the network has convolutions with BN behind them, else fp32."""
    native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    normalised = any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    return "bf16" if native and normalised else "fp32"


def default_hyperparameters(data: DataInfo) -> dict[str, Any]:
    """Batch size, learning rate and the like for fine-tuning on a data set, by their names in `TrainConfig`: for a
    published one mild where it is small, as in training from scratch where it is large; for one's own images so mild
    that a network that lost nothing loses nothing."""
    if data.preprocess is not None:
        return {**OWN, "augment": "flip" if data.flips else "none"}
    if data.sizes["train"] < 10_000:
        return {"batch_size": 32, "lr": 0.02, "shift": data.shift}
    return {"batch_size": 128, "lr": 0.03, "shift": data.shift}


def seconds_per_step(
    model: nn.Module, data: Data, config: TrainConfig, steps: int = 4, *, teacher: nn.Module | None = None
) -> float:
    """Time of one training step on this machine now: a few steps on a copy, the first not counted. `teacher`: as
    `train` takes it."""
    stamps: list[float] = []
    trial = dataclasses.replace(config, steps=steps + 1)
    train(copy.deepcopy(model), data, trial, teacher=teacher, progress=lambda event: stamps.append(event.seconds))
    return (stamps[-1] - stamps[0]) / steps


def train(
    model: nn.Module,
    data: Data,
    config: TrainConfig,
    *,
    masks: Mapping[str, Tensor] | None = None,
    teacher: nn.Module | None = None,
    evaluations: int = 0,
    progress: Callable[[TrainEvent], None] | None = None,
    cancel: Cancel | None = None,
    resume: TrainState | None = None,
    keep: Callable[[Callable[[], TrainState], bool], None] | None = None,
) -> None:
    """Train `model` in place on `train` images; it ends in eval mode, also when it is stopped.

    `masks` maps parameter names to bool tensors of the same shape: where False the weight is set to zero and stays
    zero. With a `teacher` (a network in eval mode for the same images) a part of the loss is the distance to its
    answers (distillation); where it is all of it, nobody need know what is right. `evaluations` times,
    evenly spread, the metric on select images is measured and reported.
    The same seed, machine and thread count give the same weights, also where it was interrupted: `keep` is called after
    each step, once before the first and, with True, where training is cancelled, with what gives the state to `resume`
    from, for a network that has the values it has then.

    Raises:
        Cancelled: `cancel()` was true; the model then stands at the last finished step.
        InputError: the loss became NaN or infinite, the data set does not say what is right, or has one image only.
    """
    if config.steps and data.length("train") < 2:
        raise InputError(f"Fine-tuning needs at least 2 train images: {data.info.title} has {data.length('train')}.")
    parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    optimiser = _optimiser(config, list(parameters.values()))
    everything = dict(model.named_parameters())
    held = [(everything[name], mask) for name, mask in (masks or {}).items()]
    _hold(held)
    generator = torch.Generator().manual_seed(config.seed)
    cutmix = max(config.cutmix, SHARE_OF_CUTMIX if CUTMIX in config.augment.split(",") else 0.0)
    imitated = 0.0 if teacher is None else config.distillation
    task = task_of(data.info)
    per_epoch = data.info.steps_per_epoch(config.batch_size)
    measure_at = {round(config.steps * (i + 1) / evaluations) for i in range(evaluations)}
    order = torch.empty(0, dtype=torch.long)
    first, trained = 0, list(parameters.values())
    started = time.monotonic()
    if resume is not None:
        first, order, started = resume.step, resume.order, started - resume.seconds
        generator.set_state(resume.generator)
        resume.restore_optimiser(optimiser, trained)
    with (
        _training_mode(model, config.batch_norm == "fixed"),
        torch.random.fork_rng(devices=[]),
    ):  # random numbers: dropout and the like
        torch.manual_seed(config.seed)
        if resume is not None:
            torch.set_rng_state(resume.random)

        def state(step: int) -> Callable[[], TrainState]:
            return lambda: TrainState.of(step, time.monotonic() - started, order, generator, optimiser, trained)

        if keep is not None:
            keep(state(first), False)
        for step in range(first, config.steps):
            if cancel is not None and cancel():
                if keep is not None:
                    keep(state(step), True)
                raise Cancelled("Cancelled while training.")
            if step % per_epoch == 0:
                order = torch.randperm(data.length("train"), generator=generator)
            start = step % per_epoch * config.batch_size
            index = order[start : start + config.batch_size]
            batch = _changed(data, data.images("train", index), config, generator)
            others, area = index, 0.0
            if cutmix and float(torch.rand((), generator=generator)) < cutmix:
                swap = torch.randperm(len(index), generator=generator)
                others = index[swap]
                batch, area = paste_box(batch, batch[swap], generator)
            lr = config.lr * schedule_factor(step, config.steps, config.warmup)
            for group in optimiser.param_groups:
                group["lr"] = lr
            batch = data.normalise(batch).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
                logits = first_output(model(batch)).float()  # some networks give more while they are trained
            loss = torch.zeros(())
            if imitated < 1:
                loss = task.loss(logits, task.targets(data, "train", index), reduction="mean")
                if area:
                    mixed_in = task.loss(logits, task.targets(data, "train", others), reduction="mean")
                    loss = (1 - area) * loss + area * mixed_in
            if teacher is not None and imitated:
                with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16"):
                    answers = teacher(batch).float()
                loss = (1 - imitated) * loss + imitated * task.distance(logits, answers)
            value = loss.item()
            if not math.isfinite(value):
                raise InputError(
                    f"Training diverged at step {step + 1} of {config.steps} (the loss is {value}): "
                    f"use a lower learning rate than {config.lr}."
                )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            _hold(held)
            if progress is not None:
                looks = step + 1 in measure_at
                measured = evaluate(model, data, "select", cancel=cancel) if looks else None
                if looks:
                    _set_training(model, config.batch_norm == "fixed")
                progress(
                    TrainEvent(
                        step=step + 1,
                        steps=config.steps,
                        loss=value,
                        lr=lr,
                        seconds=time.monotonic() - started,
                        value=None if measured is None else measured.value,
                        interval=None if measured is None else measured.interval,
                    )
                )
            if keep is not None:
                keep(state(step + 1), False)


def _optimiser(config: TrainConfig, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """What the settings say; weight decay is applied to weights, not to biases and normalisations."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},
    ]
    if config.optimiser == "adamw":
        return torch.optim.AdamW(groups, lr=config.lr)
    return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, nesterov=config.momentum > 0)


def _changed(data: Data, images: Tensor, config: TrainConfig, generator: torch.Generator) -> Tensor:
    """Training images (uint8, N × C × H × W) changed at random as the settings say."""
    if config.augment == AS_KNOWN:
        return augment(images, config.shift, data.info.flips, generator) if config.shift else images
    for change in changes_of(config.augment):
        images = change(images, generator)
    return images


@contextmanager
def _training_mode(model: nn.Module, fixed: bool = False) -> Iterator[None]:
    """Training mode inside, eval mode afterwards, however it ends. `fixed`: but for batch normalisations."""
    _set_training(model, fixed)
    try:
        yield
    finally:
        model.eval()


def _set_training(model: nn.Module, fixed: bool) -> None:
    """Training mode; batch normalisations stay in eval mode where they are `fixed`."""
    model.train()
    for module in model.modules() if fixed else ():
        if isinstance(module, _BatchNorm) and module.track_running_stats:
            module.eval()


@torch.no_grad()
def _hold(held: list[tuple[nn.Parameter, Tensor]]) -> None:
    """Put masked weights back to zero."""
    for parameter, mask in held:
        parameter.mul_(mask)


def schedule_factor(step: int, steps: int, warmup: float) -> float:
    """Share of the highest learning rate at a step: a linear rise, then half a cosine down to 0."""
    rising = warmup * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1.0, steps - rising)))


def paste_box(images: Tensor, others: Tensor, generator: torch.Generator) -> tuple[Tensor, float]:
    """`images` (N × C × H × W) with one box, of any place and size, from `others`; and its share of the area."""
    height, width = images.shape[2:]
    side = float(torch.rand((), generator=generator)) ** 0.5
    middle_y, middle_x = (int(torch.randint(0, size, (), generator=generator)) for size in (height, width))
    top, bottom = (min(max(round(middle_y + half * side * height), 0), height) for half in (-0.5, 0.5))
    left, right = (min(max(round(middle_x + half * side * width), 0), width) for half in (-0.5, 0.5))
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return mixed, (bottom - top) * (right - left) / (height * width)
