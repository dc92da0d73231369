"""Sensitivity in a notebook: a scan of a network, and the limits with which all of it together loses little enough."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from pruning.notebook.cut import Cut
from pruning.notebook.opened import Opened
from pruning.planning.plan import Plan, make_plan
from pruning.planning.rows import free_rows
from pruning.sensitivity import FigureName, Limits, Sensitivity, limits_plan, outline, tighten
from pruning.sensitivity import Tightened as Search
from pruning.sensitivity.cache import measure
from pruning.sensitivity.together import meter_of
from pruning.sensitivity.words import tightened_words
from pruning.spec import PruneSpec
from pruning.statistics.cache import statistics_for


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tightened:
    """What a search for limits came to, with which all groups or tensors together lose little enough."""

    scan: Sensitivity
    search: Search
    cut: Cut | None
    """All of them cut as far as that lets them; None where even the least that can go loses more."""

    @property
    def limit(self) -> float | None:
        """What of the metric each may lose by itself, as it is shown: points of accuracy."""
        return None if self.search.found is None else self.scan.metric.scale * self.search.found.limits.lose

    @property
    def share(self) -> float | None:
        """How much is taken of what that limit lets go: 1 for all of it."""
        return None if self.search.found is None else self.search.found.limits.share

    def __repr__(self) -> str:
        return tightened_words(self.scan, self.search)

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def scanned(network: Opened, spec: PruneSpec, images: int, *, repaired: bool, lose: float | None = None) -> Sensitivity:
    """A scan, measured as far as it is not on disk; with repaired figures, and with all joint cuts of the search for
    the limits with which all together lose at most `lose`, where that is asked for.

    Raises:
        InputError: the network comes without images, or cannot be repaired.
    """
    subject, data = network.subject, network.images
    wanted = outline(subject.digest, subject.graph, data, spec, images=images)

    def together(found: Sensitivity) -> Plan | None:
        assert lose is not None, "a search is asked for"
        limits = tighten(found, shown(found, repaired), lose).next
        return None if limits is None else _plan(network, found, limits)

    return measure(
        subject,
        wanted,
        lambda: meter_of(subject, wanted),
        repaired=repaired,
        together=None if lose is None else together,
    )


def tightened(network: Opened, spec: PruneSpec, images: int, *, repaired: bool, lose: float) -> Tightened:
    """Search for the limits with which all together lose at most `lose`. Errors as of `scanned`."""
    found = scanned(network, spec, images, repaired=repaired, lose=lose)
    search = tighten(found, shown(found, repaired), lose)
    if search.found is None:
        return Tightened(scan=found, search=search, cut=None)
    subject, shares = network.subject, _plan(network, found, search.found.limits).shares
    rows = free_rows(subject.graph, spec.granularity)
    asked = spec.replace(sparsity=0.0, layers=tuple((row.name, shares[row.target.key]) for row in rows))
    statistics = statistics_for(subject.model, subject.graph, network.images, asked)
    plan = make_plan(subject.model, subject.graph, asked, statistics)
    return Tightened(scan=found, search=search, cut=Cut(network=network, plan=plan, spec=asked))


def shown(found: Sensitivity, repaired: bool) -> FigureName:
    """The figure that is looked at: recalibrated where there is something to recalibrate, repaired where that was asked
    for."""
    return found.furthest("repaired" if repaired else "recalibrated")


def _plan(network: Opened, found: Sensitivity, limits: Limits) -> Plan:
    subject = network.subject
    statistics = statistics_for(subject.model, subject.graph, network.images, found.spec)
    return limits_plan(subject.model, subject.graph, found, limits, statistics)
