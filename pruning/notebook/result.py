"""A finished run in a notebook: verdict, ledger, report, and the network it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from torch import nn

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.compare.verdict import facts_of_result, verdict
from pruning.export.record import Source
from pruning.export.report import Options, write_report
from pruning.export.table import find_export
from pruning.render.markup.result import footnote, ledger_html
from pruning.render.tokens import SIZES
from pruning.runs import Run
from pruning.runs.held import changed
from pruning.runs.result import Result as Figures
from pruning.subject import open_subject


@dataclass(frozen=True)
class Html:
    """HTML that a notebook shows."""

    text: str

    def _repr_html_(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result:
    """A finished run."""

    run: Run

    def __post_init__(self) -> None:
        if self.run.result is None:
            raise InputError(f"{self.run.name} is not finished ({self.run.state}).")

    @property
    def figures(self) -> Figures:
        """Everything that was measured: `figures.pruned.test.value`, `figures.pruned.params`, and so on."""
        assert self.run.result is not None, "checked when built"
        return self.run.result

    @property
    def verdict(self) -> str:
        """What came of it in two sentences, claiming no more than the intervals show."""
        return verdict(facts_of_result(self.figures, self.run.answers())).text

    def ledger(self) -> Html:
        """Dense and pruned side by side, with a badge on every number."""
        note = f"<p><small>{escape(footnote(self.figures))}</small></p>"
        return Html(f"<style>{SIZES}</style>{ledger_html(self.figures)}{note}")

    def model(self) -> nn.Module:
        """The pruned and fine-tuned network, in eval mode; yours to change."""
        return clone(open_subject(self.run.ref).model)

    def report(self, out: str | Path, *, recommendation: str = "", photos: bool = False, title: str = "") -> Path:
        """Write the report: one HTML file that needs no network.

        Raises:
            PruningError: the images are absent, or the file cannot be written.
        """
        return write_report(
            self.run.path, Path(out), Options(title=title, recommendation=recommendation, photos=photos)
        )  # fmt: skip

    def export(self, name: str, out: str | Path | None = None) -> Path:
        """Write a file in one of the formats of `pruning.export.table`, such as 'recipe', 'weights' or 'layers'.

        `out`: by default a file named after the run, in the current folder.

        Raises:
            PruningError: there is no such format, what it needs is absent, or the file cannot be written.
        """
        export, source = find_export(name), Source.around(self.run)
        return export.write(source, Path(out or export.file_for(source)))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What of the files of its network and images has changed since the run was made: each a whole sentence."""
        return changed(self.run.path)

    def __repr__(self) -> str:
        return "\n".join((self.verdict, *(f"Note: {remark}" for remark in self.remarks)))

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(remark)}</p>" for remark in self.remarks)
        return f"<p><b>{escape(self.verdict)}</b></p>{notes}{self.ledger().text}"
