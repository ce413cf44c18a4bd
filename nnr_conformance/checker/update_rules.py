"""Rules on updates: nodes of the parameter update tree and their parents (clauses 6 and 7, R-ED2, R-MPS-19)."""

from __future__ import annotations

from collections.abc import Iterator

from nnr_conformance.checker.rules import ModelSoFar, Outcome, RuleSet, SeenUnit, outcome
from nnr_conformance.machines import Event, Machine, broken, met, to
from nnr_conformance.syntax.enumerations import ICNN_NDU_ID, MPS, NDU

RULES = RuleSet()
RULES.told("parent_parameter_unknown", "R-ED2-08: a node before has the parameter_id of the update.")
RULES.told("parent_device_unknown", "R-ED2-10: a node before, of the same parameter, is of parent_device_id.")
RULES.told("depth_mismatch", "R-ED2-09: the parent's depth is one less than that of its update.")
RULES.told("parent_digest_unknown", "R-ED2-11: the digest is that of a payload before.")
RULES.told("missing_parent", "R-ED2-12: the decoder has the parent.")
RULES.told("update_ids_differ", "R-ED2-30: an update has the element ids or the parameter id of its parent.")

NODE = Machine(
    "R-ED2-04: device_id, parameter_id and put_node_depth together occur once, one instance for each such node.",
    start="new",
    table={
        ("new", "node"): to("known", met("node_repeated")),
        ("known", "node"): to("known", broken("node_repeated", "{origin} has the same node ids")),
    },
)


@RULES.machine(NODE, NDU)
def node_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Whole units that name their node."""
    if not seen.unit.broken and not seen.unit.is_part and seen.get("node_id_present_flag"):
        ids = seen.get("device_id"), seen.get("parameter_id"), seen.get("put_node_depth")
        yield Event("node", seen.unit.label, element="parameter_id", key=ids)


UPDATE = Machine(
    """R-MPS-19, R-ED2-03, R-ED2-05: roots and updates.

    A base network, without parent signalling, has roots only; in an update a root has no parent, and a node below has.
    """,
    start="no parameter set",
    table={
        ("no parameter set", "base"): to("base"),
        ("no parameter set", "update"): to("update"),
        ("base", "root"): to("base", met("update_in_base_network")),
        ("base", "node without parent"): to(
            "base", broken("update_in_base_network", "depth {found}, but {origin} is of a base network")
        ),
        ("update", "root"): to("update", met("root_with_parent")),
        ("update", "root with parent"): to("update", broken("root_with_parent", "a root has no parent")),
        ("update", "node"): to("update", met("update_without_parent"), met("root_with_parent")),
        ("update", "node without parent"): to(
            "update", broken("update_without_parent", "depth {found}, but there is no parent")
        ),
    },
)


@RULES.machine(UPDATE, MPS, NDU)
def update_events(seen: SeenUnit, model: ModelSoFar) -> Iterator[Event]:
    """Whether the model parameter set enables parents; units that name their node or their parent."""
    if seen.unit.broken:
        return
    if seen.unit.unit_type == MPS:
        enabled = seen.get("mps_parent_signalling_enabled_flag")
        yield Event("update" if enabled else "base", seen.unit.label)
    elif seen.get("node_id_present_flag") or seen.get("parent_node_id_present_flag"):
        depth = seen.get("put_node_depth")
        name = "root" if depth == 0 else "node"
        if bool(seen.get("parent_node_id_present_flag")) != (name == "node"):
            name += " without parent" if name == "node" else " with parent"
        yield Event(name, seen.unit.label, str(depth), "put_node_depth")


@RULES.unit("temporal_contexts_across_devices", NDU)
def temporal_contexts_stay_on_a_device(seen: SeenUnit, model: ModelSoFar) -> Iterator[Outcome]:
    """R-ED2-18: NNCodec uses temporal contexts only where parent and update are of one device."""
    with_ids = seen.get("node_id_present_flag") and seen.get("parent_node_id_type") == ICNN_NDU_ID
    if seen.get("temporal_context_modeling_flag") and with_ids:
        own, other = seen.get("device_id"), seen.get("parent_device_id")
        message = f"device {own}, but the parent is of device {other}"
        yield outcome(own == other, message, "temporal_context_modeling_flag")
