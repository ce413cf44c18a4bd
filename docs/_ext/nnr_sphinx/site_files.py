"""What goes into the site beside pages: the streams; and links of pages that lead out of `docs`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from nnr_conformance.data import data_path
from nnr_conformance.report.html_explorer import streams_page
from nnr_conformance.suite.export.golden_streams import golden_streams
from nnr_sphinx.page_text import used, with_rest
from nnr_sphinx.stored_streams import stored_streams
from nnr_sphinx.stream_directive import EXPLORER, FILES

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_OUTSIDE = re.compile(r"\[([^\]]*)\]\((?:\.\./)+([^)#]+)\)")
"""A Markdown link to a file above `docs`, as readers of the repository follow it."""


def complete_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Links of pages to files of the repository, which are not in the site, become the path of the file.

    The first page gets what its table of contents leaves to be listed.
    """
    folder = Path(app.srcdir, docname).parent
    if docname == app.config.root_doc:
        source[0] = with_rest(source[0], Path(app.srcdir))

    def shown(match: re.Match[str]) -> str:
        steps = match[0].count("../")
        target = folder.joinpath(*[".."] * steps, match[2]).resolve()
        if target.is_relative_to(Path(app.srcdir).resolve()):
            return match[0]
        words = match[1].strip("`")
        return f"`{match[2]}`" if words in match[2] else f"{match[1]} (`{match[2]}` in the repository)"

    source[0] = _OUTSIDE.sub(shown, source[0])


def name_functions(app: Sphinx, config: Config) -> None:
    """The functions that pages show, which are traced together."""
    config.nnr_functions = functions_shown(Path(app.srcdir))


def functions_shown(folder: Path) -> tuple[str, ...]:
    """The paths of all functions that the pages show."""
    return tuple(one.argument for one in used("nnr:function", folder))


def copy_streams(app: Sphinx, exception: Exception | None) -> None:
    """Put the streams, and the explorer that has them, into the site, where the pages that list them link to."""
    if exception is not None or app.builder.format != "html":
        return
    lines = streams_page("Golden streams", golden_streams())
    Path(app.outdir, EXPLORER).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for stream in stored_streams().values():
        target = Path(app.outdir, FILES, stream.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_path(f"bitstreams/{stream.path}"), target)
