"""Placeholder until the Prune page is written."""

import streamlit as st

from pages.shared import header

header.show("Prune")
st.write("This page is being written.")
