"""Sphinx's configuration. Notebooks are never executed, and nothing on a page comes from another host."""

from importlib.metadata import version as _version
from importlib.resources import files as _files

from facesr_tools.launch import REPOSITORY

_HERE = _files("facesr_tools.site")  # this file is copied to the pages that Sphinx reads

project = "facesr"
author = "The facesr authors"
version = release = _version("facesr")
language = "en"

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "facesr_tools.site.api",
    "facesr_tools.site.mathml",
]
exclude_patterns = ["extra"]

nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # outputs are still when they come here
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4  # as GitHub's, to which the documents' links lead
myst_update_mathjax = False
html_math_renderer = "mathml"

bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "plain"
bibtex_reference_style = "author_year"

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}  # else spelt out over four lines
add_module_names = False
default_role = "literal"  # docstrings write `x` for code

html_theme = "sphinx_book_theme"
html_title = "facesr"
html_theme_options = {
    "repository_url": REPOSITORY,
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
    "show_toc_level": 2,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
html_context = {"default_mode": "auto"}
templates_path = [str(_HERE / "templates")]
html_static_path = [str(_HERE / "static")]
html_css_files = ["site.css"]
html_extra_path = ["extra"]
html_use_index = html_domain_indices = False  # the API pages are the index; search finds the rest
html_copy_source = False
html_show_sphinx = False
html_show_search_summary = False  # it fetches pages, which a page on the disk may not
