"""The dashboard: `streamlit run streamlit_app.py`."""

from workbench.dashboard import main

main()
