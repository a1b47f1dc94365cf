"""The sections of pages: each asks one query and draws what comes back."""
