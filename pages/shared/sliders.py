"""The layer board: one row a channel group or layer, whose sorted scores are the slider. What is left of the cut goes.

Streamlit's slider lies over the bars: its track is invisible, its thumb is the line that cuts. It tells the page on
release only, so the bars change colour then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

import streamlit as st

from pages.shared import charts, cuts, errors, state

if TYPE_CHECKING:
    from pages.shared.cuts import Target
    from pages.shared.preview import Arithmetic
    from pruning.catalog.models import OpenModel
    from pruning.plots import Palette

WIDTHS = [1.75, 3.5, 0.95, 0.8]
"""Of the columns: name, bars, kept, MACs."""
MASTER = "cut_all"
_TOUCHED = "cut_touched"
"""Keys of the sliders that changed since the page last looked, in the order in which Streamlit told."""


def board(
    opened: OpenModel, rows: Sequence[Target], known: Arithmetic, scores: Mapping[str, tuple[float, ...]]
) -> None:
    """Draw all rows; moving a slider changes the page's cut, clicking a name opens it in the inspector."""
    from pruning.plots import palette

    colours = palette(charts.dark())
    values = cuts.percents(opened)
    weights = state.get(cuts.GRANULARITY) == "weight"
    most = max([*known.dense_macs.values(), 1])
    chosen = chosen_target(rows)
    with st.container(key="board", gap=None):
        st.html(f"<style>{_style(colours)}</style>")
        head = "sorted magnitudes: drag the cut" if weights else "sorted scores of units: drag the cut"
        st.html(
            f'<div class="px-head"><span>{"layer" if weights else "group of channels"}</span><span>{head}</span>'
            f'<span class="px-kept"><span>kept</span><span>MACs</span></span></div>'
        )
        for number, target in enumerate(rows):
            with st.container(key=f"row_{'chosen' if target is chosen else 'plain'}_{number}", gap=None):
                name, bars, kept = st.columns(
                    [WIDTHS[0], WIDTHS[1], WIDTHS[2] + WIDTHS[3]], vertical_alignment="center", gap="small"
                )
                if target.locked:
                    name.markdown(f":small[{errors.plain(target.label)} :gray[:material/lock:]]")
                    bars.html(f'<div class="px-why">locked: {escape(target.locked)}</div>')
                    kept.html(f'<div class="px-kept"><span>{target.total:,}</span></div>')
                    continue
                _name(name, target)
                left = _kept(known, target)
                with bars.container(key=f"bars_{number}", gap=None):
                    st.html(bars_html(scores[target.tensor], 1 - left / target.total, colours, 34))
                    _slider(target, values[target.name])
                kept.html(_counts(target, left, known, most))


def controls(opened: OpenModel) -> None:
    """What goes, by which criterion, and one slider for all rows."""
    from pruning.criteria import CRITERIA

    what, by, reset, everything = st.columns([1.55, 1.5, 0.85, 2.1], vertical_alignment="center", gap="small")
    what.segmented_control(
        "Remove",
        ["channel", "weight"],
        format_func={"weight": "weights", "channel": "channels"}.__getitem__,
        required=True,
        label_visibility="collapsed",
        help="Channels: whole filters go with all that belongs to them, and the network becomes smaller. "
        "Weights: single numbers become zero, and the network keeps its shape.",
        **state.bound(cuts.GRANULARITY),
    )
    by.selectbox(
        "by",
        list(CRITERIA),
        format_func=lambda name: f"by {CRITERIA[name].title}" + (" (control)" if CRITERIA[name].control else ""),
        label_visibility="collapsed",
        **state.bound(cuts.CRITERION),
    )
    reset.button("Reset", key="reset", on_click=cuts.set_all, args=(opened, 0), width="stretch")
    same = cuts.common(cuts.percents(opened))
    _put(MASTER, same if same is not None else st.session_state.get(MASTER, 0))
    with everything.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False, key="master"):
        st.markdown("All" if same is not None else ":gray[All]", width="content")
        st.slider(
            "per cent removed in all rows",
            0,
            cuts.MOST,
            format="%d %%",
            key=MASTER,
            label_visibility="collapsed",
            on_change=_touch,
            args=(MASTER,),
        )


def follow(opened: OpenModel) -> None:
    """Take over what sliders say that were moved. Call it before the cut is read.

    Each message from the browser holds all sliders. When "All" moves on before the browser has heard that the rows
    followed it, they come with their old values and count as changed: so where "All" moved, it alone is heard.
    """
    touched = [key for key in st.session_state.pop(_TOUCHED, []) if key in st.session_state]
    if MASTER in touched:
        cuts.set_all(opened, int(st.session_state[MASTER]))
        return
    values = cuts.percents(opened)
    for name in values:
        if slider_key(name) in touched:
            values[name] = int(st.session_state[slider_key(name)])
            _choose(name)


def _touch(key: str) -> None:
    st.session_state.setdefault(_TOUCHED, []).append(key)


def _put(key: str, value: int) -> None:
    """Move a slider. One that stands there already is left alone: to be told so would stop the hand that moves it."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def chosen_target(rows: Sequence[Target]) -> Target | None:
    """The target in the inspector: the one last touched, else the first; None where all are locked."""
    free = [target for target in rows if target.locked is None]
    return next((target for target in free if target.name == state.get(cuts.CHOSEN)), free[0] if free else None)


def coupled(target: Target) -> str:
    """Which layers lose the same channels, in a sentence or two."""
    first, *others = target.layers
    own = f"The channels of {first} that no earlier layer shares. " if target.is_part else ""
    if not others:
        return f"{own}Only {first} loses {'them' if own else 'these'}; what reads them shrinks with it."
    return f"{own}{len(target.layers)} layers lose the same channels: {', '.join(target.layers)}."


def bars_html(scores: Sequence[float], removed: float, colours: Palette, height: int) -> str:
    """Sorted scores as bars over the whole width; the first share `removed` of them has the colour of what goes."""
    top = max([*scores, 1e-12])
    width = 100 / len(scores)
    cut = removed * len(scores) + 1e-6
    parts = []
    for place, score in enumerate(scores):
        tall = 2 + (height - 3) * max(0.0, score) / top
        colour, opacity = (colours.removed, 0.6) if place + 1 <= cut + 0.5 and removed > 0 else (colours.kept, 0.9)
        parts.append(
            f'<rect x="{place * width:.2f}" y="{height - tall:.1f}" width="{width * 0.84:.2f}" height="{tall:.1f}" '
            f'fill="{colour}" opacity="{opacity}"/>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {height}" preserveAspectRatio="none">'
        f"{''.join(parts)}</svg>"
    )
    # As an image: st.html takes SVG elements out, pictures stay.
    return f'<img class="px-bars" alt="" style="height:{height}px" src="data:image/svg+xml,{quote(svg)}">'


def _name(place: st.delta_generator.DeltaGenerator, target: Target) -> None:
    link = f" :gray[:material/link: {len(target.layers)}]" if len(target.layers) > 1 else ""
    place.button(
        f"{errors.plain(target.label)}{link}",
        type="tertiary",
        key=f"choose_{target.name}",
        help=errors.plain(coupled(target)) if state.get(cuts.GRANULARITY) == "channel" else None,
        on_click=_choose,
        args=(target.name,),
    )


def _slider(target: Target, value: int) -> None:
    key = slider_key(target.name)
    _put(key, value)
    st.slider(
        f"per cent of {target.name} removed",
        0,
        cuts.MOST,
        format="%d %%",
        key=key,
        label_visibility="collapsed",
        on_change=_touch,
        args=(key,),
    )


def slider_key(name: str) -> str:
    """Key of a target's slider, in the session state and in the page's CSS classes."""
    return f"cut_{state.get(cuts.GRANULARITY)}_{name}"


def _choose(name: str) -> None:
    state.put(cuts.CHOSEN, name)


def _kept(known: Arithmetic, target: Target) -> int:
    plan = known.plan
    if plan.granularity == "channel":
        return len(plan.kept[target.tensor])
    return int(plan.masks[target.tensor].sum())


def _counts(target: Target, left: int, known: Arithmetic, most: int) -> str:
    """'16 → 12', and a bar: MACs that stay, MACs saved, relative to the largest row."""
    dense, now = known.dense_macs[target.tensor], known.macs[target.tensor]
    stay, saved = 100 * now / most, 100 * (dense - now) / most
    say = f"{now:,} of {dense:,} MACs stay in {', '.join(target.layers)} and what reads them"
    wide = ' class="px-wide"' if target.total > 9999 else ""
    return (
        f'<div class="px-kept"><span{wide}><s>{target.total:,} →</s> <b>{left:,}</b></span>'
        f'<span class="px-meter" title="{escape(say)}"><i style="width:{stay:.1f}%"></i>'
        f'<u style="width:{saved:.1f}%"></u></span></div>'
    )


def _style(colours: Palette) -> str:
    return f"""
.st-key-board [class*=st-key-row_]{{border-top:1px solid {colours.line};padding:0 6px;min-height:42px;
 justify-content:center}}
.st-key-board [class*=st-key-row_chosen]{{background:{colours.panel};border-radius:6px}}
.st-key-board [data-testid=stHorizontalBlock]{{flex-wrap:nowrap}}
.st-key-board [data-testid=stColumn]{{min-width:0}}
.st-key-board button[kind=tertiary]{{min-height:0;min-width:0;padding:4px 0;max-width:100%;justify-content:flex-start;
 text-align:left}}
.st-key-board button p{{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}}
.px-head{{display:grid;grid-template-columns:{WIDTHS[0]}fr {WIDTHS[1]}fr {WIDTHS[2] + WIDTHS[3]}fr;gap:1rem;
 padding:0 6px;line-height:26px;font-size:.87rem;color:{colours.soft}}}
.px-why{{font-size:.87rem;line-height:1.35;padding:4px 6px;color:{colours.soft};overflow-wrap:anywhere}}
.px-kept{{display:grid;grid-template-columns:{WIDTHS[2]}fr {WIDTHS[3]}fr;gap:.6rem;align-items:center;
 font-variant-numeric:tabular-nums;white-space:nowrap}}
.px-kept s{{color:{colours.soft};text-decoration:none}}
.px-kept .px-wide{{font-size:.8rem;line-height:1.15;white-space:normal}}
.px-meter{{display:flex;height:8px;border-radius:4px;overflow:hidden;background:{colours.line}}}
.px-meter i{{background:{colours.kept}}}.px-meter u{{background:{colours.removed};opacity:.6}}
.px-bars{{display:block;width:calc(100% - 12px);margin:0 6px}}
[class*=st-key-bars_]{{height:34px;position:relative}}
[class*=st-key-bars_] [class*=st-key-cut_]{{position:absolute;inset:0}}
[class*=st-key-bars_] [data-testid=stSlider] [role=group]{{height:34px;padding-top:0;padding-bottom:0}}
[class*=st-key-bars_] [data-testid=stSlider] [role=group]>div{{height:34px!important;cursor:ew-resize}}
[class*=st-key-bars_] [data-testid=stSlider] [role=group]>div>div:first-child{{background:none!important}}
[class*=st-key-bars_] [data-testid=stSlider] [role=group]>div>[data-rac]{{width:18px;height:38px;border-radius:4px;
 top:50%!important;border:0;background:linear-gradient({colours.ink},{colours.ink}) center/2px 100% no-repeat}}
.st-key-master [data-testid=stSliderTickBar],
[class*=st-key-bars_] [data-testid=stSliderTickBar]{{display:none}}
[class*=st-key-bars_] [data-testid=stSliderThumbValue]{{opacity:0;top:auto;bottom:100%;z-index:20;pointer-events:none;
 background:{colours.panel};border:1px solid {colours.line};border-radius:5px;padding:0 5px;color:{colours.ink}}}
[class*=st-key-bars_]:hover [data-testid=stSliderThumbValue],
[class*=st-key-bars_]:focus-within [data-testid=stSliderThumbValue]{{opacity:1}}
"""
