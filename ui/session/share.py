"""Share: the state of a page as a link, kept in the address, offered in the header, and taken up where one is opened.

The address follows every change (`?r=`), so F5, a bookmark and a copied address all lead to what is on screen. It is
read once, at the first page that a session opens; from then on the session knows better. The browser's script writes
it, in place of the entry before: Streamlit's own way would add a step to the browser's Back for every change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.kit import downloads, errors, loaders, state
from ui.kit.view import View, changed, check, put

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.runs.links import Link
    from pruning.runs.recipe import Recipe
    from pruning.subject import Subject

_TAKEN = "share_taken"
"""That this session has looked at the address."""
KEPT = ("run", "a", "b")
"""Parameters that a link keeps beside its own: names of runs, which mean something on this server only."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the header offers."""

    words: str
    """What the link contains, in Markdown."""
    address: str
    """'' where no link can lead there."""
    refused: str = ""
    """Why not."""
    recipe: Recipe | None = None
    """To be sent as a file."""
    code: str = ""
    """What the address holds; '' where all is as at first."""


def take_up(view: View) -> None:
    """At the first page of a session, set everything to the link in the address; a bad link changes nothing."""
    code = st.query_params.get("r")
    try:
        if code and not st.session_state.get(_TAKEN):
            _open(code, view)
    except Exception:  # not tried again at each rerun; what Streamlit raises to start one is no Exception
        st.session_state[_TAKEN] = True
        raise
    st.session_state[_TAKEN] = True


def _open(code: str, view: View) -> None:
    try:
        with st.spinner("Opening the link"):
            from pruning.runs import links

            link = links.decode(code)
            _adopt(link, view)
    except errors.PruningError as error:
        st.toast(f"**Nothing was opened.** {errors.plain(str(error))}", icon=":material/link_off:", duration="infinite")
    else:
        what = "what the link shows"
        if link.recipe:
            from pruning.runs.recipe_words import plan_words

            words = plan_words(link.recipe, loaders.open_subject(link.recipe.model).graph)
            what = f"the plan in the link: {errors.plain(words)}"
        st.toast(f"Opened {what}.", icon=":material/link:", duration="long")


def show(place: DeltaGenerator, chosen: Subject, view: View) -> None:
    """The button with everything that it offers, for the network and the plan of this session."""
    _draw(place, _shared(chosen, view))


def show_view(place: DeltaGenerator, view: View, words: str) -> None:
    """The button on a page that works on a network of its own: the link holds the page's settings alone."""
    from pruning.runs import links

    now = changed(view)
    link = links.Link(view=now)
    _draw(place, Shared(words=words, address=_address(link if now else None), code=links.encode(link) if now else ""))


def _adopt(link: Link, view: View) -> None:
    """Raises InputError, before anything is changed, where the link asks for what is not allowed."""
    from ui.session import cuts, shown_run

    check(view, link.view)
    if link.recipe is not None and link.has_images:
        shown_run.adopt_from_visitor(link.recipe)
    elif link.recipe is not None:
        cuts.adopt_rows(loaders.open_subject(link.recipe.model), link.recipe)
        state.put(state.MODEL, link.recipe.model)
    put(view, link.view)


def _shared(chosen: Subject, view: View) -> Shared:
    from pruning.data import readers
    from pruning.runs import links
    from pruning.runs.recipe import Recipe
    from pruning.runs.recipe_words import what_goes
    from pruning.spec import PruneSpec
    from ui.session import cuts
    from ui.session import recipe as edited

    subject, cut = chosen, cuts.current(chosen)
    now = {name: value for name, value in changed(view).items() if view[name].says(subject, value)}
    if chosen.data_name:
        recipe, plain = edited.recipe(chosen, cut), edited.untouched(chosen)
    else:  # nothing can be trained: the plan alone
        plain = Recipe(model=subject.ref, data="mnist5k", prune=PruneSpec())
        recipe = plain.replace(prune=cut)
    words = f"**{errors.plain(subject.title)}**, {errors.plain(what_goes(recipe.prune, subject.graph))}"
    if recipe == plain and not now and chosen.data_name in ("", *subject.network.data[:1]):
        return Shared(words=words, address=_address(None))
    link = links.Link(recipe=recipe, has_images=bool(chosen.data_name), view=now)
    try:
        return Shared(words=words, address=_address(link), code=links.encode(link), recipe=recipe)
    except errors.PruningError as error:
        bound = recipe.model not in loaders.model_refs() or readers.is_on_this_machine_alone(recipe.data)
        return Shared(words=words, address="", refused=str(error), recipe=None if bound else recipe)


def _address(link: Link | None) -> str:
    from pruning.runs import links

    kept = KEPT if link is not None else (*KEPT, "model")
    keep = {name: st.query_params[name] for name in kept if name in st.query_params}
    return links.address(st.context.url or "http://localhost", link, keep)


def _draw(place: DeltaGenerator, shared: Shared) -> None:
    from pruning.runs.links import is_local

    with place, st.container(key="share", gap=None):
        with st.popover("Share", icon=":material/share:", width="stretch"):
            st.markdown(shared.words)
            if shared.refused:
                st.markdown(errors.plain(shared.refused))
            elif not is_local(shared.address):
                _offer_link(shared.address, "Whoever opens this link finds this page as it stands now.")
            else:
                how = (
                    "In another explorer, *Prune → Open a recipe* reads the recipe file."
                    if shared.recipe
                    else ("For others, start it where they can reach it.")
                )
                st.markdown(f"**This link works only on this computer:** the explorer runs on your own machine. {how}")
            if shared.recipe is not None:
                _offer_file(shared.recipe)
            if shared.address and is_local(shared.address):
                _offer_link(shared.address, "For this machine, or as a bookmark:")
            st.caption("The results of a run do not travel in a link: its report does, from the run's own panel.")
        _write(shared.code)


def _offer_link(address: str, words: str) -> None:
    with st.container(key="share_link", gap=None):
        st.caption(words)
        st.code(address, language=None, wrap_lines=True)


def _offer_file(recipe: Recipe) -> None:
    from pruning.export.record import Source

    downloads.offer(Source(recipe=recipe), key="share_")


def _write(code: str) -> None:
    """Let the browser put the code into the address, or take an old one away."""
    known = json.dumps(sorted(st.query_params.to_dict().items()))  # whenever Streamlit rewrites the address, so do we
    with st.container(key="share_address"):
        st.html(_SCRIPT % (json.dumps(code), hash(known)), unsafe_allow_javascript=True)


# A moment later, so that a hand that drags a slider does not write at every step; on another page by then: not at all.
_SCRIPT = """<style>.st-key-share_address{display:none}</style><script>
(() => {
  const code = %s, page = location.pathname;
  clearTimeout(window.pruningAddress);
  window.pruningAddress = setTimeout(() => {
    const to = new URL(location.href);
    if (to.pathname !== page) return;
    if (code) to.searchParams.set("r", code); else to.searchParams.delete("r");
    if (to.href !== location.href) history.replaceState(history.state, "", to);
  }, 300);
})() // %d
</script>"""
