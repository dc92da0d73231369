"""What each activity does, as a few lines of Python to take away: with torch and `pruning`, filled with its settings.

    code_of("savings", {"network": "sample:mini_resnet", "data": "mnist5k", "percent": 50, "batch": 32})

A setting may come from a link, so texts go into the code as literals.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pruning.lessons.challenge import BATCH, GRANULARITY, RATE
from pruning.lessons.sketch import sketched_shares

Settings = Mapping[str, Any]
"""Setting → where it stands; for the challenge also `layers`, per cent by layer."""
IMAGES = 1000
"""On which the pages measure."""


def code_of(activity: str, settings: Settings) -> str:
    """The code that does what an activity does with its settings as they stand."""
    return SNIPPETS[activity](settings).strip() + "\n"


def _savings(s: Settings) -> str:
    return f"""
{_open(s)}
cut = network.cut({_share(s["percent"])})  # in every layer the channels of the smallest L2 norm
print(cut)  # parameters and multiplications, counted
print(cut.latency(batch={s["batch"]}).verdict)  # on the clock of this machine
model = cut.model()  # an nn.Module, smaller and proven equal to the masked one
print(sum(parameter.numel() for parameter in model.parameters()))
"""


def _anatomy(s: Settings) -> str:
    layer = "network.layers().index[0]" if s["layer"] is None else _text(s["layer"])
    return f"""
{_open(s)}
weight = network.weight({layer})  # a tensor, outputs first
edge = {_share(s["near"])} * weight.abs().max()
print(f"smaller: {{(weight.abs() < edge).float().mean():.1%}}, exactly zero: {{int((weight == 0).sum())}}")
norms = weight.flatten(1).norm(p={s["norm"][1]}, dim=1)  # one a filter or neuron
print(norms.sort().values)
"""


def _matrix(s: Settings) -> str:
    share = _share(s["percent"])
    if s["way"] == "entries":
        goes = f"""zeroed = weight.clone()
zeroed.view(-1)[weight.abs().flatten().argsort()[: int({share} * weight.numel())]] = 0
print(zeroed.shape, int((zeroed == 0).sum()))  # as large as before"""
    else:
        goes = f"""strongest = weight.norm(dim=0).argsort()[int({share} * weight.shape[1]) :].sort().values
print(weight[:, strongest].shape)  # smaller"""
    return f"""
{_open(s)}
weight = network.weight({_text(s["layer"])})
{goes}
cut = network.cut({share}, granularity={_text({"entries": "weight", "columns": "channel"}[s["way"]])})  # in every layer
print(cut, cut.accuracy(recalibrated=True))
print(cut.latency(batch={s["batch"]}).verdict)
"""


def _ranking(s: Settings) -> str:
    measured = "cut.repair().accuracy" if s["figure"] == "repaired" else "cut.accuracy"
    how = "" if s["figure"] == "repaired" else "recalibrated=True, "
    return f"""
{_open(s)}
for criterion in {_list(s["criteria"])}:
    for draw in range({s["lots"]} if criterion == "random" else 1):
        cut = network.cut({_share(s["percent"])}, criterion=criterion, seed=draw)
        print(criterion, draw, {measured}({how}images={IMAGES}))
"""


def _won_back(s: Settings) -> str:
    return f"""
{_open(s)}
for share in {_list([cut / 100 for cut in s["cuts"]])}:
    cut = network.cut(share)
    print(cut.accuracy(images={IMAGES}))
    print(cut.accuracy(images={IMAGES}, recalibrated=True))
    print(cut.repair().accuracy(images={IMAGES}))  # layers refitted, without labels
"""


def _recover(s: Settings) -> str:
    return f"""
{_open(s, _TRAINING)}
cut = network.cut({_share(s["percent"])})
print(cut.accuracy(), cut.accuracy(recalibrated=True), cut.repair().accuracy(), sep="\\n")
{_train(s["epochs"])}
"""


def _half(s: Settings) -> str:
    return f"""
{_open(s, "import torch")}
cut = network.cut({_share(s["percent"])})
print(f"{{cut.macs / network.macs:.0%}} of the multiplications are left")
for name, module in cut.model().named_modules():
    if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
        print(name, "makes", module.weight.shape[0], "and reads", module.weight.shape[1])
"""


def _race(s: Settings) -> str:
    return f"""
from pruning.contest import Terms, judge, race
from pruning.spec import PruneSpec
from pruning.subject import open_subject

prune = PruneSpec(granularity={_text(s["granularity"])}, sparsity={_share(s["percent"])})
terms = Terms(model={_text(s["network"])}, data={_text(s["data"])}, prune=prune,
              rounds={s["rounds"]}, steps={s["steps"]}, seeds=(0, 1, 2))
*_, finish = race(terms, open_subject(terms.model, terms.data))
print(judge([finish]))  # iterative minus one-shot
"""


def _sketch(s: Settings) -> str:
    return f"""
{_open(s)}
for group in {_list(s["groups"])}:
    for share in {_list(sketched_shares())}:
        cut = network.cut(0.0, layers={{group: share}})  # this group alone
        print(group, share, cut.accuracy(recalibrated=True, images={s["images"]}))
"""


def _stopping(s: Settings) -> str:
    return f"""
{_open(s, _TRAINING)}
dense = evaluate(network.subject.model, network.images, "select", limit={IMAGES})
for share in (0.1, 0.2, 0.3, 0.4, 0.5):
    change = network.cut(share).accuracy(recalibrated=True, images={IMAGES}).minus(dense)
    print(share, change.value, change.interval, change.interval[0] >= {-s["accept"] / 100:g})
cut = network.cut({_share(s["stop"])})
{_train(s["epochs"])}
"""


def _challenge(s: Settings) -> str:
    granularity, layers = GRANULARITY[s["task"]], s.get("layers", {})
    shares = ", ".join(f"{_text(name)}: {_share(percent)}" for name, percent in layers.items())
    left = "cut.savings.nonzero / network.params" if s["task"] == "weights" else "cut.macs / network.macs"
    return f"""
{_open(s, _TRAINING)}
shares = {{{shares}}}
cut = network.cut(0.0, granularity={_text(granularity)}, criterion={_text(s["criterion"])}, layers=shares)
print(f"{{{left}:.1%}} left")
{_train(s["epochs"], masks=granularity == "weight")}
"""


def _open(s: Settings, imports: str = "") -> str:
    """The first lines: what is imported, and the network with its images."""
    lines = "\n".join(sorted(["import pruning", *imports.splitlines()], key=lambda line: line.startswith("from")))
    return f"""{lines}

network = pruning.open({_text(s["network"])}, data={_text(s["data"])})"""


_TRAINING = """from pruning.training.evaluate import evaluate
from pruning.training.finetune import TrainConfig, train"""


def _train(epochs: int, *, masks: bool = False) -> str:
    """Lines that fine-tune what `cut` leaves. `masks`: zeros stay zero."""
    held = ", masks=cut.plan.masks" if masks else ""
    return f"""model = cut.model()
steps = network.images.info.steps_of({epochs}, {BATCH})
train(model, network.images, TrainConfig(steps=steps, batch_size={BATCH}, lr={RATE}){held})
after = evaluate(model, network.images, "select")
print(after.value, after.interval)"""


def _text(value: object) -> str:
    return json.dumps(str(value))


def _list(values: Any) -> str:
    """A tuple as a literal."""
    parts = [_text(value) if isinstance(value, str) else f"{value:g}" for value in values]
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


def _share(percent: float) -> str:
    return f"{percent / 100:g}"


SNIPPETS: dict[str, Callable[[Settings], str]] = {
    "savings": _savings,
    "anatomy": _anatomy,
    "matrix": _matrix,
    "ranking": _ranking,
    "won_back": _won_back,
    "recover": _recover,
    "half": _half,
    "race": _race,
    "sketch": _sketch,
    "stopping": _stopping,
    "challenge": _challenge,
}
"""By activity."""
