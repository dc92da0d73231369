"""Placeholder until the Trade-off page is written."""

import streamlit as st

from pages.shared import header

header.show("Trade-off")
st.write("This page is being written.")
