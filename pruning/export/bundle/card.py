"""README.md of a bundle: a model card with what it is, how it is loaded, what it costs, and how that was proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pruning.export.bundle.forms.record import Form
from pruning.export.bundle.material import Material
from pruning.export.bundle.proof import Proof
from pruning.export.bundle.written import LeftOut
from pruning.render.markdown import bullets
from pruning.render.markdown import in_a_file as plain

FILES = {
    "load.py": "`load()` gives the module of PyTorch, ready for `train()`; run by itself it says what it loaded",
    "model.onnx": "the pruned network for ONNX Runtime and other engines",
    "dense.onnx": "the unpruned one, to compare with",
    "model.pt2": "the pruned network as a program of torch.export, for running only",
    "config.json": "what the network takes and gives, its classes, and how it is built",
    "preprocess.py": "how an image becomes what the network sees, for files, Pillow and NumPy",
    "labels.txt": "names of the classes, one a line, in the order of the outputs",
    "samples.npz": "samples and what the network answers: `inputs`, `outputs`, and where known `pixels`, `labels`",
    "bench.py": "how fast it is on your machine, against the unpruned one (with `noise.py`, `bench.json`)",
    "run.json": "what Pruning Explorer opens the network again with, as a run",
    "proof.json": "what a clean process found when it loaded each form",
    "provenance.json": "digests of all files, versions, data and roles, licence",
}
"""What people open first, in words."""


def readme(
    material: Material,
    config: Mapping[str, Any],
    forms: Sequence[Form],
    proofs: Sequence[Proof],
    left_out: Sequence[LeftOut],
    remarks: Sequence[str],
    names: Sequence[str],
) -> str:
    """The model card, in Markdown. `names`: of all files but this one and the last."""
    parts = [
        _front(material),
        f"# {plain(material.title)}, pruned",
        _about(material),
        "## Load it",
        *(_usage(form, config) for form in forms if form.usage(dict(config))),
        *_images(material, config),
        *(_training(config) if any(form.trains for form in forms) else []),
        "## What it costs, and what it lost",
        material.ledger,
        *([_zeros(material)] if material.held_zero else []),
        "## How it was proven",
        _proven(proofs),
        *(
            ["## What is not here", bullets([f"**{each.form}**: {plain(each.reason)}" for each in left_out])]
            if left_out
            else []
        ),
        *(["## Noticed", bullets([plain(remark) for remark in remarks])] if remarks else []),
        "## Files",
        bullets([f"`{name}`: {FILES[name]}" for name in (*names, "provenance.json") if name in FILES]),
        "## Where it comes from",
        _origin(material),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front(material: Material) -> str:
    """What a model hub reads."""
    short = material.licence.partition(",")[0].strip().lower()
    named = f"license: {short}\n" if short and " " not in short else ""
    return f"---\nlibrary_name: pytorch\n{named}tags:\n- pruning\n- pytorch\n---"


def _about(material: Material) -> str:
    said = f"{plain(material.verdict)}\n\n" if material.verdict else ""
    return (
        f"{said}A pruned network from Pruning Explorer, with {material.parameters:,} parameters. Everything that it "
        "needs is in this folder, together with the packages named below; keep its files together. Nothing here was "
        "pickled, and weights are never read from anything but safetensors."
    )


def _usage(form: Form, config: Mapping[str, Any]) -> str:
    return f"### {form.title}\n\n{_needs(form, config)}\n\n```python\n{form.usage(dict(config))}\n```"


def _needs(form: Form, config: Mapping[str, Any]) -> str:
    versions = dict(config["made_with"])
    if form.trains:
        versions |= config["architecture"].get("needs", {})
        return f"Needs {_listed(versions)}; run it in this folder, or put the folder on the import path."
    if form.extra is None:
        others = {name: versions.get(name, "") for name in ("torch", *config["program"]["imports"])}
        return f"Needs {_listed(others)}. Any number of samples; not for training."
    return f"Needs onnxruntime and numpy. Any number of samples; opset {config[form.name]['opset']}."


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} ({version} here)" if version else name for name, version in versions.items())


def _images(material: Material, config: Mapping[str, Any]) -> list[str]:
    if material.preprocess is None:
        return ["Nobody says how images are to be prepared for this network, so there is no `preprocess.py`."]
    names = " `labels.txt` names the outputs." if material.classes else " Nobody names its outputs."
    return [
        f"### Images\n\nPrepared like this: {plain(material.preprocess.words)}. `preprocess.py` does it, from files, "
        f"Pillow or NumPy.{names}\n\n```python\nfrom preprocess import from_file\n\n"
        'inputs = from_file("picture.jpg")[None]  # NumPy, float32; torch.from_numpy(inputs) for PyTorch\n```'
    ]


def _training(config: Mapping[str, Any]) -> list[str]:
    holds = bool(config["held_zero"])
    lines = (
        "from load import load\nfrom safetensors.torch import save_model\n\n"
        f"model = load({'masks=True' if holds else ''}).train()\n"
        "...  # your own loop; shared and frozen parameters are as they were\n"
        'save_model(model.eval(), "weights.safetensors")'
    )
    zeros = " The masks are those of torch.nn.utils.prune: zeros that were pruned stay zero." if holds else ""
    return [
        f"## Go on training, and bring the weights back\n\n```python\n{lines}\n```\n\n"
        "Then, where Pruning Explorer is: `python -m pruning import DIR weights.safetensors`, DIR being this folder. "
        f"It checks the structure, measures the accuracy anew, and gives a run.{zeros}"
    ]


def _zeros(material: Material) -> str:
    return (
        f"Single weights of {len(material.held_zero):,} tensors were set to zero: the files hold the zeros, tensors "
        "keep their shapes, and dense kernels multiply a zero like any other number, so nothing gets faster by them."
    )


def _proven(proofs: Sequence[Proof]) -> str:
    rows = [
        "| file | result | batches | largest difference | same first class | seconds |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for proof in proofs:
        tops = f"{proof.tops:,} of {proof.tops:,}" if proof.tops else "–"
        batches = ", ".join(map(str, proof.batches))
        words = {"agrees": "agrees", "vacuous": "agrees, which proves nothing"}[proof.status]
        rows.append(
            f"| `{proof.file}` | {words} | {batches} | {proof.largest:.2g} ● | {tops} ● | {proof.seconds:.1f} ● |"
        )
    said = [f"`{proof.file}` proves nothing: {plain(proof.reason)}." for proof in proofs if proof.status == "vacuous"]
    trained = next((proof for proof in proofs if proof.training.get("parameters")), None)
    if trained is not None:
        how = trained.training
        shared = f", and the {how['shared']} shared parameters stayed shared" if how["shared"] else ""
        said.append(
            f"A step of training what `load()` gives changed {how['moved']} of {how['parameters']} parameters{shared}."
        )
    return (
        "Before it was handed out, a process without Pruning Explorer loaded each form from files that had been moved, "
        "and answered the same inputs in batches of several sizes. An answer y may differ by 1e-4 + 1e-4·|y|, and the "
        "first class must be the same wherever its lead is more than that.\n\n" + "\n".join(rows)
        + ("\n\n" + bullets(said) if said else "")
    )  # fmt: skip


def _origin(material: Material) -> str:
    found = []
    network = material.origin.get("network", {})
    data = material.origin.get("data")
    if network:
        found.append(f"Network: {plain(network.get('reference', '') or 'modules of a process')}.")
    if network.get("untrained"):
        found.append("Its weights were drawn at random: what it answers means nothing.")
    if data:
        roles = ", ".join(f"{count:,} {role}" for role, count in data["roles"].items())
        named = plain(data["title"] or data["name"])
        found.append(f"Images of the run: {named}{f' ({roles})' if roles else ''}; SHA-256 {data['sha256'][:16]}….")
    found.append(
        f"Licence of the weights that it began with: {plain(material.licence) if material.licence else 'not known'}."
    )
    if material.recipe is not None:
        found.append("The recipe beside this file does it again.")
    samples = material.samples
    if samples is not None:
        found.append(f"Contains {len(samples.inputs):,} of your images: {plain(samples.source)}.")
    else:
        found.append("It contains none of your images: the proof used random inputs.")
    return bullets(found)
