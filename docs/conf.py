"""The site: ``python -m sphinx -W -b html docs build/docs``. Nothing is fetched: all that is shown is stored here."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from nnr_conformance.version import VERSION  # noqa: E402 - found by the path above

project = "nnr-conformance"
author = "the contributors of nnr-conformance"
version = release = VERSION
extensions = ["myst_parser", "nnr_sphinx"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "explorer/*.md"]
root_doc = "index"

html_theme = "furo"
html_title = "NNR / NNC specification and conformance"
html_static_path = ["_static"]
html_css_files = ["nnr.css"]
html_copy_source = False
html_show_sourcelink = False
html_domain_indices = True
html_use_index = True
templates_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
nitpicky = True
smartquotes = False
pygments_style = "friendly"
pygments_dark_style = "monokai"
