"""Where training stands between two steps, so that another process goes on as if nothing had happened."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.errors import StorageError


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainState:
    """All that training has beside the network: with it, the same images and as many threads, the next steps give the
    same weights, bit for bit."""

    step: int
    """Steps that are done."""
    seconds: float
    """That they took."""
    order: Tensor
    """int64: indices of the train images in the order of this pass."""
    generator: Tensor
    """uint8: state of what draws order and changes of images."""
    random: Tensor
    """uint8: state of what dropout and the like draw from."""
    optimiser: dict[tuple[int, str], Tensor]
    """(number of the parameter, name) → what the optimiser remembers of it, of the parameter's shape or a number."""

    def check_is_of(self, parameters: list[nn.Parameter]) -> None:
        """Raises StorageError where it is the state of a training of other parameters."""
        for (number, _), value in self.optimiser.items():
            if number >= len(parameters) or (value.dim() and value.shape != parameters[number].shape):
                raise StorageError("The checkpoint is of another network.")

    def restore_optimiser(self, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
        """Let an optimiser of these parameters remember what this one did.

        Raises:
            StorageError: it is of other parameters.
        """
        self.check_is_of(parameters)
        for (number, name), value in self.optimiser.items():
            # Of the parameter's own memory layout: another one may round otherwise.
            kept = torch.empty_like(parameters[number], dtype=value.dtype) if value.dim() else torch.empty_like(value)
            optimiser.state[parameters[number]][name] = kept.detach().copy_(value)

    def to_tensors(self) -> dict[str, Tensor]:
        """By name, for a file."""
        return {
            "order": self.order,
            "generator": self.generator,
            "random": self.random,
            **{f"optimiser.{number}.{name}": value.contiguous() for (number, name), value in self.optimiser.items()},
        }

    @staticmethod
    def of(
        step: int,
        seconds: float,
        order: Tensor,
        generator: torch.Generator,
        optimiser: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
    ) -> TrainState:
        """As it is now; its tensors are those that training goes on with, so it is written before the next step."""
        remembered = {
            (number, name): value.detach()
            for number, parameter in enumerate(parameters)
            for name, value in optimiser.state.get(parameter, {}).items()
            if isinstance(value, Tensor)
        }
        return TrainState(
            step=step,
            seconds=seconds,
            order=order,
            generator=generator.get_state(),
            random=torch.get_rng_state(),
            optimiser=remembered,
        )

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor], step: int, seconds: float) -> TrainState:
        """The inverse of `to_tensors`. Raises StorageError where something is missing or of another kind."""
        try:
            return TrainState(
                step=step,
                seconds=seconds,
                order=_typed(tensors["order"], torch.int64),
                generator=_typed(tensors["generator"], torch.uint8),
                random=_typed(tensors["random"], torch.uint8),
                optimiser={_place(name): value for name, value in tensors.items() if name.startswith("optimiser.")},
            )
        except (KeyError, ValueError) as error:
            raise StorageError("The checkpoint is damaged.") from error


def _typed(value: Tensor, kind: torch.dtype) -> Tensor:
    if value.dtype != kind:
        raise ValueError
    return value


def _place(name: str) -> tuple[int, str]:
    _, number, what = name.split(".", 2)
    return int(number), what
