"""The report of a run: one HTML file for a reader who knows no pruning and has no network."""

from pruning.export.report.contents import Contents, Options, gather
from pruning.export.report.write import make_report, read_finished, write_report

__all__ = ["Contents", "Options", "gather", "make_report", "read_finished", "write_report"]
