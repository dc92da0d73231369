"""The explorer: page config and navigation; nothing else. Pages import torch only after their first picture."""

import streamlit as st

st.set_page_config(page_title="Pruning Explorer", page_icon=":material/content_cut:", layout="wide")

st.navigation(
    [
        st.Page("pages/start.py", title="Start", url_path="", default=True),
        st.Page("pages/explore.py", title="Explore", url_path="explore"),
        st.Page("pages/prune.py", title="Prune", url_path="prune"),
        st.Page("pages/tradeoff.py", title="Trade-off", url_path="tradeoff"),
    ],
    position="top",
).run()
