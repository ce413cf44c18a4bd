"""Parents of updates: finding the node, its levels for temporal contexts, history, and remembering nodes (clause 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.decoder.composition import Member
from nnr_conformance.decoder.how import UnitDecoder
from nnr_conformance.decoder.mapping import apply_dimension_shift
from nnr_conformance.decoder.payloads import PayloadBytes
from nnr_conformance.decoder.tensors import CodedTensor
from nnr_conformance.decoder.unit_header import HeldTensor, UnitHeader
from nnr_conformance.decoder.update_tree import Node, NodeIds, UpdateTree, compact
from nnr_conformance.diagnostics import Findings, stop
from nnr_conformance.entropy import TensorResult
from nnr_conformance.machines import Judge
from nnr_conformance.syntax.enumerations import ICNN_NDU_ID, ICNN_NDU_PL_SHA256, ICNN_NDU_PL_SHA512

_DIGESTS = {
    ICNN_NDU_PL_SHA256: ("parent_node_payload_sha256", 32),
    ICNN_NDU_PL_SHA512: ("parent_node_payload_sha512", 64),
}
"""By parent_node_id_type the element that has the digest, and its bytes."""


def find_parent(header: UnitHeader, tree: UpdateTree, judge: Judge, how: UnitDecoder) -> Node | None:
    """The node that the unit is an update of, None when it has none or it is unknown (R-ED2-05 to R-ED2-12).

    The judge hears of missing_parent, unless the caller has the parent's values, and why there is none.
    """
    if not header.get("parent_node_id_present_flag"):
        return None
    header.tools.add("update")
    own = {name.removesuffix("_G").removesuffix("_H") for name in header.names}
    given = not how.given_parents.isdisjoint(own)
    if header.get("parent_node_id_type") == ICNN_NDU_ID:
        node = _lookup_ids(header, tree, judge, given)
    else:
        node = _lookup_digest(header, tree, judge)
    if node is not None:
        judge.met("missing_parent")
        _compare_ids(header, node, judge)
    elif not given:
        message = f"the parent of {header.names[0]!r} is not among the streams before"
        _broken(judge, "missing_parent", message, header, "parent_node_id_present_flag")
    return node


def _lookup_digest(header: UnitHeader, tree: UpdateTree, judge: Judge) -> Node | None:
    """The parent by the digest of its payload (R-ED2-11)."""
    if header.get("parent_node_id_type") not in _DIGESTS:
        return None
    element, size = _DIGESTS[header.get("parent_node_id_type")]
    node = tree.by_digest(int(header.get(element)).to_bytes(size, "big"), header.names)
    if node is not None:
        judge.met("parent_digest_unknown")
    elif tree.by_name(header.names[0]) is not None:
        message = f"{header.names[0]!r} came before, but no payload has this digest"
        _broken(judge, "parent_digest_unknown", message, header, element)
    return node


def _lookup_ids(header: UnitHeader, tree: UpdateTree, judge: Judge, given: bool) -> Node | None:
    """The parent by device, parameter and depth, or by its name if it has no ids (R-ED2-08 to R-ED2-10).

    `given`: the caller has a parent's values, so that the first update of a parameter needs no node before it.
    """
    device, parameter, depth = (header.get(name) for name in ("parent_device_id", "parameter_id", "put_node_depth"))
    if depth < 1:
        return None
    node = tree.by_ids(device, parameter, depth - 1)
    if node is not None:
        for code in ("parent_parameter_unknown", "parent_device_unknown", "depth_mismatch"):
            judge.met(code)
        return node
    namesake = tree.by_name(header.names[0])
    if namesake is not None and namesake.ids is None:
        # A parent of an edition 1 stream has no node ids; its name is all there is.
        return namesake
    if not tree.nodes or (given and (device, parameter) not in tree.depths):
        return None
    if parameter not in tree.parameters:
        message = f"no node before has parameter_id {parameter}"
        _broken(judge, "parent_parameter_unknown", message, header, "parameter_id")
    elif (device, parameter) not in tree.depths:
        message = f"no node before of parameter {parameter} is of device {device}"
        _broken(judge, "parent_device_unknown", message, header, "parent_device_id")
    else:
        message = f"depth {depth}, but the last node of this parameter has depth {tree.depths[device, parameter]}"
        _broken(judge, "depth_mismatch", message, header, "put_node_depth")
    return None


def _compare_ids(header: UnitHeader, parent: Node, judge: Judge) -> None:
    """R-ED2-30: an update has the element ids or the parameter id of its parent."""
    same_parameter = parent.ids is not None and parent.ids.parameter_id == header.get("parameter_id")
    if same_parameter or not set(header.names).isdisjoint(parent.names):
        judge.met("update_ids_differ")
    else:
        message = f"{header.names[0]!r} is an update of {parent.names[0]!r}"
        _broken(judge, "update_ids_differ", message, header, "parent_node_id_present_flag")


def _broken(judge: Judge, code: str, message: str, header: UnitHeader, element: str) -> None:
    judge.broken(code, message, bits=header.place(element), path=header.path(element))


def base_levels(
    header: UnitHeader, tensor: HeldTensor, parent: Node | None, how: UnitDecoder
) -> NDArray[np.int32] | None:
    """The parent's levels for temporal contexts (R-ED2-16, R-ED2-17)."""
    if not header.get("temporal_context_modeling_flag"):
        return None
    header.tools.add("temporal contexts")
    levels = None if parent is None else parent.levels.get(tensor.name)
    if levels is None:
        element = "temporal_context_modeling_flag"
        message = f"the levels of the parent of {tensor.name!r} are not known"
        stop("parent_missing", message, bits=header.place(element), path=header.path(element))
    return _in_coded_order(header, tensor, levels, how).astype(np.int32)


def check_history(
    header: UnitHeader, tensor: HeldTensor, result: TensorResult, tree: UpdateTree, findings: Findings
) -> None:
    """Report history_missing when contexts depend on a history of which nothing is known (R-ED2-20)."""
    depth = header.get("put_node_depth")
    if result.history_flag and depth is not None and depth > 1 and tensor.name not in tree.history:
        message = f"the updates of {tensor.name!r} before depth {depth} are not known"
        findings.report("history_missing", message, path=header.path())


def history_marks(
    header: UnitHeader, tensor: HeldTensor, tree: UpdateTree, how: UnitDecoder
) -> NDArray[np.bool_] | None:
    """Where earlier updates of the parameter were not zero (R-ED2-20)."""
    if not header.get("parent_node_id_present_flag"):
        return None
    history = tree.history.get(tensor.name)
    return None if history is None else _in_coded_order(header, tensor, history, how)


def _in_coded_order(header: UnitHeader, tensor: HeldTensor, array: NDArray[Any], how: UnitDecoder) -> NDArray[Any]:
    """Levels or marks as `coded_shape` says; those of other dimensions stay as they are, to be refused by them."""
    if array.shape == tensor.shape:
        array = array.reshape(tensor.shape or (1,))
        if tensor.member is Member.WEIGHT:
            array = apply_dimension_shift(array, header.get("first_tensor_dimension_shift"), readings=how.readings)
    return np.ascontiguousarray(array)


def _ids(header: UnitHeader) -> NodeIds | None:
    """The ids of the node that a unit is, None for a unit without them; an update that leaves out its device_id has
    that of its parent."""
    device = header.get("device_id", header.get("parent_device_id"))
    return None if device is None else NodeIds(device, header.get("parameter_id"), header.get("put_node_depth"))


def remember(
    header: UnitHeader, tensors: Sequence[CodedTensor], payload: PayloadBytes, tree: UpdateTree, how: UnitDecoder
) -> Node:
    """Keep a decoded unit as a node, with the levels that its tensors have, and mark its history (reading history)."""
    node = Node(
        ids=_ids(header),
        names=tuple(dict.fromkeys((*header.names, *(tensor.name for tensor in tensors)))),
        levels={tensor.name: compact(tensor.quantized) for tensor in tensors if tensor.quantized is not None},
    )
    if len(payload.starts) > 1:
        how.readings.mark("parent-hash")
    hashed = payload.data[payload.starts[-1] :] if how.readings["parent-hash"] == "last-part" else payload.data
    tree.add(node, hashed)
    if header.get("parent_node_id_present_flag") or how.readings["history"] == "all":
        tree.remember_history(node)
    else:
        tree.forget_history(node)
    return node
