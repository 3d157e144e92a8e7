"""Checks of the notebooks' exercises: a reader's answer against the library."""
