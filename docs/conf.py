"""Settings of the documentation site: ``python -m sphinx docs docs/_build``."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "rlsmove"
author = "The rlsmove developers"
release = installed_version("rlsmove")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}

myst_heading_anchors = 3
napoleon_google_docstring = False
napoleon_use_ivar = True
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "none"

# Everything the pages need lies in the site itself: they can be read from a disk.
html_theme = "furo"
html_title = f"rlsmove {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"footer_icons": [], "top_of_page_buttons": []}
