"""The explorer: page config, look, navigation; nothing else. Pages import torch only after their first picture."""

import streamlit as st

from ui.kit import errors, look, owner, server
from ui.session import who

# Two bars go, two stay. Drawn here: Streamlit would fetch an icon of its own from the internet.
ICON = (
    '<svg viewBox="0 0 16 16"><path fill="#d55e00" d="M1 10h3v5H1zM5 8h3v7H5z"/>'
    '<path fill="#0072b2" d="M9 5h3v10H9zM13 1h3v14h-3z"/></svg>'
)

if __name__ != "__main__":  # once, by the server, which finds `app` here; below, each time that a page is drawn
    app = st.App(__file__, middleware=server.middleware(), lifespan=server.lifespan, on_script_error=errors.unexpected)
else:
    st.set_page_config(page_title="Pruning Explorer", page_icon=ICON, layout="wide")
    look.apply()
    owner.check()
    who.show()
    st.navigation(
        [
            st.Page("pages/start.py", title="Start", url_path="", default=True),
            st.Page("pages/explore.py", title="Explore", url_path="explore"),
            st.Page("pages/sensitivity.py", title="Sensitivity", url_path="sensitivity"),
            st.Page("pages/prune.py", title="Prune", url_path="prune"),
            st.Page("pages/tradeoff.py", title="Trade-off", url_path="tradeoff"),
            st.Page("pages/compare.py", title="Compare", url_path="compare"),
            st.Page("pages/learn.py", title="Learn", url_path="learn"),
        ],
        position="top",
    ).run()
