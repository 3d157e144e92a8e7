"""From executed notebooks to HTML that needs no network: a whole site (`build`), or one page each (`export`).

Nothing is imported here, since Sphinx imports two small modules of this package and no more.
"""
