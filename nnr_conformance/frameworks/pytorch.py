"""Annex C: PyTorch; identifiers are keys of the state dictionary, the topology describes its entries.

Files are read by `torch.load(..., weights_only=True)`, which executes nothing; what it refuses is refused. Needs torch.
"""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.conversion import BFLOAT16
from nnr_conformance.frameworks.description import (
    Described,
    Description,
    as_json,
    described,
    from_json,
    is_weight,
    restored,
)
from nnr_conformance.frameworks.kinds import KINDS
from nnr_conformance.frameworks.model import FrameworkModel, Tensors
from nnr_conformance.syntax.enumerations import TPL_PYT

KIND = KINDS[TPL_PYT]
_METADATA = "metadata"


def split(data: bytes) -> FrameworkModel:
    """A file with a state dictionary as tensors and topology.

    Tensors: floats (bfloat16 as float32), integers and booleans that 32 bits hold, of at least one dimension and more
    than one element; all others are in the topology, exactly. Tensors that are one tensor under several keys travel
    once. Raises UsageError for a file that torch does not read without executing it, and for anything but tensors.
    """
    torch = _torch()
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises many types on damaged files, and documents few of them.
        raise UsageError(f"torch does not read it with weights_only=True: {_first_line(error)}") from error
    if not isinstance(state, Mapping):
        raise UsageError(f"it holds a {type(state).__name__}, not a state dictionary; save model.state_dict()")
    tensors: dict[str, NDArray[Any]] = {}
    arrays: list[Described] = []
    known: dict[Any, str] = {}
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise UsageError(f"it holds {key!r}, a {type(value).__name__}, not a tensor; save model.state_dict()")
        array, dtype = _array(torch, key, value)
        place = (value.untyped_storage().data_ptr(), value.storage_offset(), value.shape, value.stride(), value.dtype)
        first = known.setdefault(place, key) if value.numel() else key
        if first != key:
            arrays.append(Described(key, dtype, array.shape, same_as=first))
            continue
        arrays.append(described(key, array, dtype))
        if is_weight(key, array):
            tensors[key] = array
    metadata = getattr(state, "_metadata", None)
    extra = {_METADATA: metadata} if _is_plain(metadata) else {}
    shared = {one.name: one.same_as for one in arrays if one.same_as is not None}
    return FrameworkModel(tensors, TPL_PYT, as_json(KIND, Description(tuple(arrays), extra)), shared=shared)


def merge(topology: bytes, tensors: Tensors) -> bytes:
    """A file with the state dictionary; without topology data it is of the tensors as they are.

    Raises UsageError for a tensor that is missing or of another shape.
    """
    torch = _torch()
    if not topology:
        return _saved(torch, OrderedDict((name, torch.from_numpy(array.copy())) for name, array in tensors.items()))
    description = from_json(KIND, topology)
    arrays = restored(description, tensors)
    state: OrderedDict[str, Any] = OrderedDict()
    for one in description.arrays:
        if one.same_as is not None:
            state[one.name] = state[one.same_as]
            continue
        value = torch.from_numpy(arrays[one.name].copy())
        state[one.name] = value.to(torch.bfloat16) if one.dtype == BFLOAT16 else value
    metadata = description.extra.get(_METADATA, {})
    if metadata and _is_plain(metadata):
        state._metadata = OrderedDict(metadata)  # type: ignore[attr-defined] # where torch keeps versions of modules
    return _saved(torch, state)


def _array(torch: Any, key: str, value: Any) -> tuple[NDArray[Any], str]:
    """The numbers of a tensor, and the name of their format."""
    if value.layout != torch.strided or value.is_quantized:
        raise UsageError(f"tensor {key!r} is sparse or quantized, which no stream carries")
    whole = value.detach().resolve_conj().resolve_neg().contiguous()
    if value.dtype == torch.bfloat16:
        return whole.float().numpy(), BFLOAT16
    try:
        array: NDArray[Any] = whole.numpy()
    except (TypeError, RuntimeError) as error:
        raise UsageError(f"tensor {key!r} is of {value.dtype}, which no stream carries") from error
    return array, array.dtype.name


def _is_plain(metadata: Any) -> bool:
    """True for the versions of modules, as `state_dict()` notes them."""
    return isinstance(metadata, Mapping) and all(
        isinstance(name, str)
        and isinstance(row, Mapping)
        and all(isinstance(key, str) and isinstance(value, int | str | bool) for key, value in row.items())
        for name, row in metadata.items()
    )


def _saved(torch: Any, state: Mapping[str, Any]) -> bytes:
    file = io.BytesIO()
    torch.save(state, file)
    return file.getvalue()


def _torch() -> Any:
    try:
        import torch  # noqa: PLC0415 - it is optional, and takes long
    except ImportError as error:
        raise UsageError("PyTorch files need torch: pip install nnr-conformance[torch]") from error
    return torch


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
