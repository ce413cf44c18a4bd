"""What descriptions of arrays call themselves, by topology_storage_format."""

from __future__ import annotations

from collections.abc import Mapping

from nnr_conformance.syntax.enumerations import TPL_PYT, TPL_TEF

KINDS: Mapping[int, str] = {TPL_PYT: "state_dict", TPL_TEF: "hdf5"}
