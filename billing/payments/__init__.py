"""Payments behind one interface: `base.py` says what a processor does, `processors.py` which there are."""
