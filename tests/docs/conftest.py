"""The modules of the site's extension are found beside the pages; those that tests use here need no Sphinx."""

from __future__ import annotations

import sys
from pathlib import Path

EXTENSIONS = str(Path(__file__).resolve().parents[2] / "docs" / "_ext")
if EXTENSIONS not in sys.path:
    sys.path.insert(0, EXTENSIONS)
