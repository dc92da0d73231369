"""Numbers, badges and ledgers as text and HTML, the same on a page and in a report. Nothing here knows Streamlit."""
