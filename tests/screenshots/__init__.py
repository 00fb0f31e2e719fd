"""The pictures of the user guides, taken from a running Gatehouse: `python -m tests.screenshots`."""
