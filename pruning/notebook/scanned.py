"""Sensitivity in a notebook: a scan of a network, and the limit at which all of it together loses little enough."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from pruning.notebook.cut import Cut
from pruning.notebook.opened import Opened
from pruning.planning.plan import Plan, make_plan
from pruning.sensitivity import FigureName, Sensitivity, limits_plan, outline, tighten
from pruning.sensitivity import Tightened as Search
from pruning.sensitivity.cache import measure
from pruning.sensitivity.together import meter_of
from pruning.sensitivity.words import tightened_words
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tightened:
    """What a search for a limit came to, at which all groups or tensors together lose little enough."""

    scan: Sensitivity
    search: Search
    cut: Cut | None
    """All of them cut to the limit that was found; None where even the tightest loses more."""

    @property
    def limit(self) -> float | None:
        """What of the metric each may lose by itself, as it is shown: points of accuracy."""
        return None if self.search.found is None else self.scan.metric.scale * self.search.found.limit

    def __repr__(self) -> str:
        return tightened_words(self.scan, self.search)

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def scanned(network: Opened, spec: PruneSpec, images: int, *, repaired: bool, lose: float | None = None) -> Sensitivity:
    """A scan, measured as far as it is not on disk; with repaired figures, and with all joint cuts of the search for
    the limit at which all together lose at most `lose`, where that is asked for.

    Raises:
        InputError: the network comes without images, or cannot be repaired.
    """
    subject, data = network.subject, network.images
    wanted = outline(subject.digest, subject.graph, data, spec, images=images)

    def together(found: Sensitivity) -> Plan | None:
        assert lose is not None, "a search is asked for"
        limit = tighten(found, shown(found, repaired), lose).next
        return None if limit is None else _plan(network, found, shown(found, repaired), limit)

    return measure(
        subject,
        wanted,
        lambda: meter_of(subject, wanted),
        repaired=repaired,
        together=None if lose is None else together,
    )


def tightened(network: Opened, spec: PruneSpec, images: int, *, repaired: bool, lose: float) -> Tightened:
    """Search for the limit at which all together lose at most `lose`. Errors as of `scanned`."""
    found = scanned(network, spec, images, repaired=repaired, lose=lose)
    name = shown(found, repaired)
    search = tighten(found, name, lose)
    if search.found is None:
        return Tightened(scan=found, search=search, cut=None)
    shares = _plan(network, found, name, search.found.limit).shares
    asked = spec.replace(sparsity=0.0, layers=tuple(shares.items()))
    subject = network.subject
    statistics = statistics_for(subject.model, subject.graph, network.images, asked)
    plan = make_plan(subject.model, subject.graph, asked, statistics)
    return Tightened(scan=found, search=search, cut=Cut(network=network, plan=plan, spec=asked))


def shown(found: Sensitivity, repaired: bool) -> FigureName:
    """The figure that is looked at: recalibrated where there is something to recalibrate, repaired where that was asked
    for."""
    return found.furthest("repaired" if repaired else "recalibrated")


def _plan(network: Opened, found: Sensitivity, name: FigureName, limit: float) -> Plan:
    subject = network.subject
    statistics = statistics_for(subject.model, subject.graph, network.images, found.spec)
    return limits_plan(subject.model, subject.graph, found, name, limit, statistics)
