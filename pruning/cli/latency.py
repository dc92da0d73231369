"""`latency`: time a network's layers against their widths on this machine, and keep the times."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pruning.runs  # noqa: F401 - adds run: to what open_network opens
from pruning.base.errors import InputError
from pruning.base.words import threads
from pruning.catalog.openers import open_network
from pruning.cli.gate import say_changes
from pruning.cli.output import field, only_ours, say
from pruning.jobs.store import LocalStore
from pruning.jobs.work import Work
from pruning.latency.cache import job_of, publish_steps, steps_key
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.layers import Elsewhere
from pruning.latency.engines.table import engine_key, find_engine
from pruning.latency.profile import profile
from pruning.latency.quietly import PATIENT, PROMPT_SECONDS, quietly
from pruning.latency.steps import Steps, curve, drops
from pruning.latency.threads import timing_threads
from pruning.removal.build import build_graph


def latency(
    ref: str, *, batch: int, engine: str = EAGER.name, cancel: Callable[[], bool], work: Work | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Measure, write the times into the cache, and give them as JSON and as lines. `work`: of the attempt that this
    process was started for.

    Raises:
        PruningError: no such model, it cannot be traced or has no layer to time, the machine was too noisy, or
            cancelled.
    """
    if batch < 1:
        raise InputError(f"--batch is {batch}: a batch has at least one sample.")
    patience = PROMPT_SECONDS if work is None else PATIENT
    key = engine_key(engine)
    with only_ours(), tempfile.TemporaryDirectory(prefix="pruning-widths-", ignore_cleanup_errors=True) as place:
        elsewhere = Elsewhere(find_engine(engine), Path(place), timing_threads()) if key else None
        network = open_network(ref)
        say_changes(network)
        graph = build_graph(network.model, network.example_inputs)
        job = job_of(steps_key(graph, batch, key))
        with job.working(work) as work:
            stop = work.cancel_or(cancel)

            def tell(share: float, text: str) -> None:
                work.say(text, share)
                say(f"{share:4.0%} {text}")

            asked = quietly("widths", patience=patience, cancel=stop, waiting=lambda text: tell(0.0, text))
            with asked as quiet:
                started = time.monotonic()
                steps = profile(
                    network.model, graph, batch, progress=tell, cancel=stop, rest=quiet.rest, elsewhere=elsewhere
                )
                seconds = time.monotonic() - started
            name = publish_steps(work, steps)
    assert isinstance(job.store, LocalStore)
    layers = list(dict.fromkeys(call.layer for call in steps.calls))
    result = {
        "schema_version": 1,
        "model": ref,
        "engine": steps.engine,
        "steps": steps.to_json(),
        "drops": {layer: drops(steps, layer) for layer in layers},
        "file": str(job.store.path(name)),
        "seconds": round(seconds, 2),
    }
    return result, _lines(network.title, steps, layers, seconds)


def _lines(title: str, steps: Steps, layers: list[str], seconds: float) -> list[str]:
    samples = "1 sample" if steps.batch == 1 else f"{steps.batch} samples"
    setting = f"{steps.engine}, {threads(steps.threads)}, {steps.cpu}"
    lines = [
        f"{title}: {steps.dense:.2f} ms for {samples}, measured ({setting})",
        *field("predictions", f"within {steps.error:.0%} for {len(steps.checks)} smaller networks timed along"),
    ]
    width = max(map(len, layers)) + 2
    for layer in layers:
        widths, times, _ = curve(steps, layer)
        found = drops(steps, layer)
        text = f"{times[-1]:.3f} ms at {widths[-1]}; {times[0]:.3f} ms at {widths[0]}; drops at " + ", ".join(
            map(str, found)
        )
        lines += field(layer, text if len(widths) > 1 else f"{times[-1]:.3f} ms", width)
    return [*lines, *field("seconds", f"{seconds:.1f}")]
