"""The pages. Streamlit runs each as a file, on its own."""
