"""Topology element ids (clause 6): the list of a reference list, of a block, of concatenated elements."""

from __future__ import annotations

from construct import this

from nnr_conformance.descriptors import ByteAlignment, st, ue
from nnr_conformance.syntax.declaration import Bound, For, If, Let, Structure
from nnr_conformance.syntax.notes import Counted

topology_elements_ids_list = Structure(
    "topology_elements_ids_list",
    "count_topology_elements_minus2" / ue(7, note=Counted("{} ids", plus=2)),
    Let("count_topology_elements", this.count_topology_elements_minus2 + 2),
    Bound("count_topology_elements", "topology_elements", "limit_topology_elements"),
    If(
        this.topologyIndexedFlag == 0,
        ByteAlignment(),
        For("j", this.count_topology_elements, "topology_elem_id_list" / st()),
        otherwise=(
            For("j", this.count_topology_elements, "topology_elem_id_index_list" / ue(7)),
            ByteAlignment(),
        ),
    ),
    parameters=("topologyIndexedFlag",),
)
