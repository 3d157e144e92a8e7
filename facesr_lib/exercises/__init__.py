"""Checks of the notebooks' exercises, one module per notebook: a reader's answer against the library."""
