"""The report as one HTML file that fetches nothing: style, script, figures and plotly.js are inside."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from pruning.compare.repaired import was_repaired
from pruning.export.report import answers, engines, first, plots, repaired, sections, slider
from pruning.export.report.contents import Contents
from pruning.render.tokens import reader_tokens

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
"""What a browser may load for this file: nothing from anywhere."""
HERE = Path(__file__).parent
PARTS = (
    ("ledger", "Savings"),
    ("engines", "Engines"),
    ("tradeoff", "{metric} against cost"),
    ("networks", "The network"),
    ("answers", "Answers"),
    ("repair", "Repair"),
    ("slider", "What if"),
    ("settings", "Settings"),
    ("words", "Words"),
)


def html_page(contents: Contents) -> str:
    """The whole file. Everything but the slider and the figures that answer to the mouse is there without a script."""
    from plotly.offline import get_plotlyjs

    metric = contents.metric.title.capitalize()
    links = "".join(f'<a href="#{name}">{escape(title.format(metric=metric))}</a>' for name, title in _parts(contents))
    body = (
        f'<main>{first.first(contents)}<nav aria-label="Parts of this report">{links}</nav>'
        f"{sections.ledger(contents)}{engines.engines(contents)}{sections.tradeoff(contents)}{sections.networks(contents)}"
        f"{answers.answers(contents)}{repaired.repaired(contents)}{slider.slider(contents)}{sections.settings(contents)}{sections.words()}</main>"
        f"<footer>Made with Pruning Explorer. This file fetches nothing and sends nothing.</footer>"
    )
    data = {"figures": plots.figures(contents), "plans": slider.slider_entries(contents)}
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(contents.title)}</title><style>{style()}</style></head><body>{body}"
        f'<script type="application/json" id="report-data">{as_json(data)}</script>'
        f"<script>{_script(get_plotlyjs())}</script><script>{_script(_read('report.js'))}</script></body></html>\n"
    )


def _parts(contents: Contents) -> list[tuple[str, str]]:
    """Those that the report has."""
    absent = {
        name for name, there in (("repair", was_repaired(contents.result)), ("engines", contents.engines)) if not there
    }
    return [(name, title) for name, title in PARTS if name not in absent]


def as_json(data: Any) -> str:
    """JSON that can stand inside a script element: no character in it can end that element or open a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def style() -> str:
    """The style sheet with the colours of both themes."""
    return f"{reader_tokens()}{_read('report.css')}"


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _script(code: str) -> str:
    """Code as it is; it must not hold what would end its element."""
    assert "</script" not in code.lower(), "this script would end its own element"
    return code
