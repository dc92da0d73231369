"""Is every removal right? Half of all channels out of each network, judged by an oracle that is not the engine's.

    python -m benchmarks.removal [--quick] [--only NAME...] [--no-peer] [--jobs N] [--json]

Claims: none of our removals is wrong or crashes; of torchvision's classifiers at most two are refused as a whole, of
the 50 networks of timm at least 40 are exact and at most five cannot be compared; and wherever Torch-Pruning is exact,
at least as many multiply-accumulates go with ours. Both get the same networks, sparsity and oracle, on one thread,
each network in a process of its own. Torch-Pruning's results are kept in results/removal-peer.json for its version
and the libraries' and not run again. The table is Markdown; `--json` prints the figures instead.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import multiprocessing
import os
import resource
import signal
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from multiprocessing.connection import Connection
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.common import RESULTS, report, say
from benchmarks.networks import MORE_TIMM, QUICK, Network, all_networks, build
from benchmarks.oracle import (
    NotComparableError,
    Verdict,
    brief,
    copied,
    judge,
    kept_by_value,
    plain_attention,
    runs_in_training,
)
from pruning.base.errors import PruningError
from pruning.removal.remove import remove
from pruning.spec import PruneSpec

SPARSITY = 0.5
CAPS = {"ours": 120.0, "peer": 30.0}
"""Processor seconds for a removal: ours with its check, the peer's without (it has none)."""
BUILD_CAP, JUDGE_CAP = 300.0, 900.0
PATIENCE = 30
"""A busy machine may take so many times longer; what takes longer still is stuck."""
LEAST = 0.99
"""Least MACs removed of ours over the peer's; of n channels, n odd, we keep one more than half, the peer one less."""
PEER_FILE = RESULTS / "removal-peer.json"
OUTCOMES = ("exact", "not_comparable", "refused", "untouched", "wrong", "crash", "failed", "timeout")
"""refused: it said why; untouched: nothing removed; failed: an error of another kind; timeout: over its cap."""

Record = dict[str, Any]


class _Macs(TorchDispatchMode):
    """Counts multiply-accumulates as the calls are made."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func._overloadpacket.__name__
        if name == "convolution":
            x, weight = args[:2]
            self.count += (x if args[6] else out).numel() * math.prod(weight.shape[1:])
        elif name in ("mm", "bmm"):
            self.count += out.numel() * args[0].shape[-1]
        elif name in ("addmm", "baddbmm"):
            self.count += out.numel() * args[1].shape[-1]
        elif name.startswith("_scaled_dot_product"):
            query, key, value = args[:3]
            scores = math.prod(query.shape[:-1]) * key.shape[-2]
            self.count += scores * (query.shape[-1] + value.shape[-1])
        return out


@torch.no_grad()
def count_macs(model: nn.Module, images: Tensor) -> int:
    """Multiply-accumulates of one sample, counted while the model runs."""
    with plain_attention(), _Macs() as counter:
        copied(model).eval()(images)
    return counter.count // len(images)


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


# ---- the two tools: each takes a model, returns the smaller one and notes


def ours(model: nn.Module, images: Tensor) -> tuple[nn.Module, Record]:
    seconds: dict[str, float] = {}
    done = remove(model, images, PruneSpec(sparsity=SPARSITY), clock=seconds)
    return done.model, {
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "check": done.check and done.check.status,
        "groups": len(done.graph.groups),
        "locked": sorted({str(group.locked) for group in done.graph.locked}),
        "kept": done.what.kept,
    }


def peer(model: nn.Module, images: Tensor) -> tuple[nn.Module, Record]:
    """Torch-Pruning with L2 magnitudes, its own settings for attention, and the output layers left alone."""
    import torch_pruning

    small = copied(model)
    with torch.no_grad():
        outputs = [leaf for leaf in pytree.tree_leaves(small(images)) if isinstance(leaf, Tensor)]
    classes = {output.shape[1] for output in outputs if output.dim() > 1}
    last = [m for m in small.modules() if getattr(m, "out_features", getattr(m, "out_channels", None)) in classes]
    heads: dict[nn.Module, int] = {}
    attention = []
    for module in small.modules():
        if isinstance(module, nn.MultiheadAttention):
            heads[module] = module.num_heads
        elif _is_timm_attention(module):
            heads[module.qkv] = module.num_heads  # type: ignore[assignment, index]
            module.forward = _attention_of_any_width.__get__(module)  # type: ignore[method-assign, assignment]
            attention.append(module)
    started = time.perf_counter()
    pruner = torch_pruning.pruner.BasePruner(
        small,
        images[:1],
        importance=torch_pruning.importance.MagnitudeImportance(p=2),
        pruning_ratio=SPARSITY,
        ignored_layers=last,
        num_heads=heads,
        output_transform=lambda out: sum(leaf.sum() for leaf in pytree.tree_leaves(out) if isinstance(leaf, Tensor)),
    )
    pruner.step()
    seconds = time.perf_counter() - started
    for module in attention:
        module.num_heads = pruner.num_heads[module.qkv]
        module.head_dim = module.qkv.out_features // (3 * module.num_heads)
    if hasattr(small, "hidden_dim") and hasattr(small, "conv_proj"):
        small.hidden_dim = small.conv_proj.out_channels  # type: ignore[union-attr, assignment]
    return small, {"seconds": {"total": round(seconds, 3)}}


def _is_timm_attention(module: nn.Module) -> bool:
    kind = type(module)
    return kind.__module__ == "timm.layers.attention" and kind.__name__ == "Attention" and hasattr(module, "qkv")


def _attention_of_any_width(self: Any, x: Tensor, attn_mask: Tensor | None = None, **_: Any) -> Tensor:
    """timm's attention as Torch-Pruning's ViT example rewrites it: widths from the tensors."""
    rows, tokens = x.shape[:2]
    q, k, v = self.qkv(x).reshape(rows, tokens, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    q, k = self.q_norm(q), self.k_norm(k)
    x = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask)
    return self.proj_drop(self.proj(x.transpose(1, 2).reshape(rows, tokens, -1)))  # type: ignore[no-any-return]


TOOLS: dict[str, Callable[[nn.Module, Tensor], tuple[nn.Module, Record]]] = {"ours": ours, "peer": peer}


# ---- one network, in a process of its own


def measure(tool: str, network: Network) -> Record:
    """The result of a tool on a network; what takes longer than its cap is ended."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(tool, network, there), daemon=True)
    process.start()
    there.close()
    record: Record = {}
    try:
        for stage, cap in (("building", BUILD_CAP), ("removing", CAPS[tool]), ("judging", JUDGE_CAP)):
            if not here.poll(PATIENCE * cap):
                record |= {"outcome": "timeout", "reason": f"stuck while {stage}"}
                process.kill()
                break
            record |= here.recv()
            if "outcome" in record:
                break
    except EOFError:
        process.join()
        late = process.exitcode == -signal.SIGXCPU
        reason = f"{stage} took over {cap:g} s" if late else f"the process ended with {process.exitcode} while {stage}"
        record |= {"outcome": "timeout" if late else "failed", "reason": reason}
    process.join()
    return record


def timed(network: Network) -> tuple[Record, float]:
    """Our result, and the seconds that it took with building and judging."""
    started = time.perf_counter()
    return measure("ours", network), time.perf_counter() - started


def _allow(seconds: float) -> None:
    """End this process once it has used so many more seconds of a processor."""
    limit = math.ceil(time.process_time() + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _work(tool: str, network: Network, out: Connection) -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        _steps(tool, network, out)


def _steps(tool: str, network: Network, out: Connection) -> None:
    _allow(BUILD_CAP)
    model, images = build(network)
    record: Record = {"macs": [count_macs(model, images), None], "params": [parameters(model), None]}
    out.send(record)
    _allow(CAPS[tool])
    started = time.process_time()
    try:
        small, notes = TOOLS[tool](model, images)
    except PruningError as error:
        out.send({**record, "outcome": "refused", "reason": str(error)})
        return
    except Exception as error:
        out.send({**record, "outcome": "failed", "reason": brief(error)})
        return
    kept = notes.pop("kept", None)
    record |= {**notes, "cpu_seconds": round(time.process_time() - started, 3)}
    record["params"][1] = parameters(small)
    out.send(record)
    _allow(JUDGE_CAP)
    try:
        kept = kept_by_value(model, small) if kept is None else kept
        verdict = judge(model, small, images, kept)
    except NotComparableError as error:
        verdict = Verdict(outcome="not_comparable", reason=str(error))
    record |= {"outcome": verdict.outcome, "reason": verdict.reason, "max_error": verdict.max_error}
    record |= {"places": verdict.places, "control": verdict.control}
    if kept is not None and not kept:
        record["outcome"] = "untouched"
    complaint = runs_in_training(model, small, images) if verdict.outcome == "exact" else ""
    if complaint:
        record |= {"outcome": "crash", "reason": complaint}
    if record["outcome"] != "crash":
        with contextlib.suppress(Exception):
            record["macs"][1] = count_macs(small, images)
    out.send(record)


# ---- all of them


def peer_versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in ("torch-pruning", "torch", "torchvision", "timm")}


def cached_peer(network: Network) -> Record:
    """Torch-Pruning's result, from the file where these versions have one."""
    known = json.loads(PEER_FILE.read_text()) if PEER_FILE.exists() else {}
    if known.get("versions") != peer_versions():
        known = {"versions": peer_versions(), "cap_seconds": CAPS["peer"], "results": {}}
    if network.key not in known["results"]:
        known["results"][network.key] = measure("peer", network)
        PEER_FILE.parent.mkdir(exist_ok=True)
        PEER_FILE.write_text(json.dumps(known, indent=1) + "\n")
    return known["results"][network.key]  # type: ignore[no-any-return]


def removed_share(record: Record | None) -> float:
    """Share of the MACs that went."""
    before, after = (record or {}).get("macs") or (None, None)
    return 1 - after / before if before and after is not None else 0.0


def family(network: str) -> str:
    kind, _, name = network.partition(":")
    return "timm, more attention" if kind == "timm" and name in MORE_TIMM else kind


def summarise(records: dict[str, dict[str, Record]]) -> list[Record]:
    """Counts by outcome and medians, a row for each family and tool."""
    rows = []
    for kind in dict.fromkeys(family(name) for name in records):
        for tool in TOOLS:
            group = [r[tool] for name, r in records.items() if family(name) == kind and tool in r]
            if not group:
                continue
            counts = Counter(record["outcome"] for record in group)
            exact = [record for record in group if record["outcome"] == "exact"]
            seconds = [sum(value for part, value in record["seconds"].items() if part != "check") for record in exact]
            rows.append(
                {
                    "family": kind,
                    "tool": tool,
                    "networks": len(group),
                    **{outcome: counts[outcome] for outcome in OUTCOMES},
                    "median_seconds": round(statistics.median(seconds), 2) if seconds else None,
                    "slowest_seconds": round(max(seconds), 2) if seconds else None,
                    "median_macs_removed": round(statistics.median(map(removed_share, exact)), 3) if exact else None,
                }
            )
    return rows


def table(rows: Sequence[Record]) -> str:
    """Rows of figures as Markdown."""
    names = {"ours": "Pruning Explorer", "peer": f"Torch-Pruning {metadata.version('torch-pruning')}"}
    columns = list(rows[0])
    lines = ["| " + " | ".join(name.replace("_", " ") for name in columns) + " |", "| --- " * len(columns) + "|"]
    for row in rows:
        cells = [names.get(str(row[name]), "–" if row[name] is None else str(row[name])) for name in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def against_peer(records: dict[str, dict[str, Record]]) -> dict[str, float]:
    """MACs removed by us over those removed by Torch-Pruning, on each network that it prunes exactly."""
    exact = {name: r for name, r in records.items() if r.get("peer", {}).get("outcome") == "exact"}
    return {
        name: round(removed_share(r["ours"]) / removed_share(r["peer"]), 4)
        for name, r in exact.items()
        if removed_share(r["peer"]) > 0
    }


def claims(records: dict[str, dict[str, Record]], ratios: dict[str, float], complete: bool) -> dict[str, bool]:
    """Which claims hold; the counts only where all networks were run."""
    counts: Counter[tuple[str, str]] = Counter((family(name), r["ours"]["outcome"]) for name, r in records.items())
    bad = sum(counts[kind, outcome] for kind, outcome in counts if outcome in ("wrong", "crash", "failed", "timeout"))
    held = {"none wrong, crashing or failing": bad == 0, "MACs as the peer": all(r >= LEAST for r in ratios.values())}
    if complete:
        left = counts["torchvision", "refused"] + counts["torchvision", "untouched"]
        held["torchvision: at most two refused"] = left <= 2
        held["timm: at least 40 of 50 exact"] = counts["timm", "exact"] >= 40
        held["timm: at most 5 not comparable"] = counts["timm", "not_comparable"] <= 5
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a dozen networks")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="networks with these names, or parts of names")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    parser.add_argument("--jobs", type=int, default=1, help="networks at a time; times then mean less")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON, the table on stderr")
    args = parser.parse_args()
    chosen = all_networks()
    if args.quick:
        chosen = [network for network in chosen if network.name in QUICK]
    if args.only:
        exact = {network.name for network in chosen} & set(args.only)
        wanted = exact or args.only
        chosen = [n for n in chosen if (n.name in exact if exact else any(part in n.name for part in wanted))]
    if not chosen:
        parser.error("no network has such a name")
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    if any(network.family == "timm" for network in chosen):
        import timm  # noqa: F401  once here, not in each process
    records: dict[str, dict[str, Record]] = {}
    minutes = 0.0
    with ThreadPoolExecutor(args.jobs) as pool:
        ahead = {network.name: pool.submit(timed, network) for network in chosen}
        for network in chosen:
            found, took = ahead[network.name].result()
            records[network.name] = {"ours": found}
            minutes += took / 60
            if not args.no_peer:
                records[network.name]["peer"] = cached_peer(network)
            say(f"{network.name}: " + "; ".join(f"{t} {_line(r)}" for t, r in records[network.name].items()))
    ratios = against_peer(records)
    held = claims(records, ratios, complete=not (args.quick or args.only))
    rows = summarise(records)
    figures = {
        "sparsity": SPARSITY,
        "jobs": args.jobs,
        "minutes_of_ours": round(minutes, 1),
        "claims": held,
        "summary": rows,
        "macs_against_peer": {"worst": sorted(ratios.items(), key=lambda item: item[1])[:10], "all": ratios},
        "networks": records,
    }
    name = "removal-only" if args.only else "removal-quick" if args.quick else "removal"
    claim = "no removal is wrong or crashes, and at least as many MACs go as with a peer where that is exact"
    with contextlib.nullcontext() if args.json else contextlib.redirect_stdout(io.StringIO()):
        status = report(name, claim, all(held.values()), figures)
    print(table(rows), file=sys.stderr if args.json else sys.stdout)
    return status


def _line(record: Record) -> str:
    reason = f" ({record['reason']})" if record.get("reason") else ""
    return f"{record['outcome']}{reason}, {removed_share(record):.0%} of MACs, {record.get('seconds')}"


if __name__ == "__main__":
    sys.exit(main())
