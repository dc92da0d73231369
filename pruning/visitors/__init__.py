"""People on one server: who they are (`identity`), what they resume with (`nicknames`), and what every answer of the
server is guarded by (`web`, `hosts`, `bodies`). Knows nothing of Streamlit."""
