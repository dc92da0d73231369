"""What one batch of images shows of a network: gradients of its loss, and what its layers put out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruning.base.clone import clone
from pruning.criteria import Need
from pruning.graph.model_graph import ModelGraph
from pruning.tasks.task import Task


@dataclass(frozen=True, kw_only=True, eq=False)
class Sight:
    """What was seen with one batch; empty where it was not asked for."""

    gradients: Mapping[str, Tensor]
    """Parameter → derivative of the loss by it; zeros for one that the network does not use."""
    outputs: Mapping[str, Tensor]
    """Layer → what it puts out, before anything that follows it; all its calls one after another along the batch."""


class Probe:
    """A copy of a network, in eval mode, that is shown one batch after another; the network itself is not changed."""

    def __init__(
        self, model: nn.Module, graph: ModelGraph, needs: Collection[Need], task: Task, dense: nn.Module | None = None
    ) -> None:
        """`dense`: whose answers stand in for what is right, by default the model's own."""
        self._task = task
        self._copy = clone(model).eval()
        self._teacher = None if dense is None else clone(dense).eval()
        self._with_gradients = "gradients" in needs
        self._seen: dict[str, list[Tensor]] = {}
        self.tensors = dict(self._copy.named_parameters())
        for tensor in self.tensors.values():
            tensor.requires_grad_(self._with_gradients and tensor.is_floating_point())
        modules = dict(self._copy.named_modules())
        for layer in {site.layer for site in graph.contractions} if "activations" in needs else ():
            if layer in modules:
                modules[layer].register_forward_hook(self._note(layer))

    def look(self, images: Tensor, targets: Tensor | None) -> Sight:
        """Show it one batch: normalised images, and what is right, where that is known.

        The loss is the task's, for classification the cross-entropy; where it is not known what is right, against
        answers, the classes of highest score: a divergence from one's own outputs would have no gradient.
        """
        self._seen.clear()
        with torch.set_grad_enabled(self._with_gradients):
            outputs = self._copy(images)
        gradients = self._gradients(outputs, images, targets) if self._with_gradients else {}
        return Sight(gradients=gradients, outputs={layer: torch.cat(parts) for layer, parts in self._seen.items()})

    def _gradients(self, outputs: Tensor, images: Tensor, targets: Tensor | None) -> dict[str, Tensor]:
        if targets is None:
            with torch.no_grad():
                targets = self._task.as_targets(outputs if self._teacher is None else self._teacher(images))
        leaves = {name: tensor for name, tensor in self.tensors.items() if tensor.requires_grad}
        loss = self._task.loss(outputs.float(), targets, reduction="mean")
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        known = {name: gradient for name, gradient in zip(leaves, found, strict=True) if gradient is not None}
        return {name: known[name] if name in known else torch.zeros_like(t) for name, t in self.tensors.items()}

    def _note(self, layer: str) -> Callable[[nn.Module, object, object], None]:
        def note(module: nn.Module, given: object, out: object) -> None:
            if isinstance(out, Tensor):
                self._seen.setdefault(layer, []).append(out.detach())

        return note
