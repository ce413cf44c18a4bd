"""Pages of the specification from the declarations, the registry and the streams: a Sphinx extension.

The modules that import no Sphinx say what the pages show (`stored_streams`, `covered`, `syntax_rows`, ...); the others
are the domain ``nnr`` and its directives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the domain and what goes with it."""
    # Tests of what the pages show import this package where there is no Sphinx.
    from nnr_sphinx.domain import NnrDomain  # noqa: PLC0415
    from nnr_sphinx.mentions import link_mentions  # noqa: PLC0415
    from nnr_sphinx.site_files import complete_source, copy_streams, name_functions  # noqa: PLC0415

    app.add_domain(NnrDomain)
    app.add_config_value("nnr_functions", (), "env", types=(tuple,))
    app.connect("config-inited", name_functions)
    app.connect("doctree-read", link_mentions)
    app.connect("source-read", complete_source)
    app.connect("build-finished", copy_streams)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
