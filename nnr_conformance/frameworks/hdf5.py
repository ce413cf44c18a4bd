"""Annex D: TensorFlow and Keras, whose models are HDF5 files, alone or in a ``.keras`` archive; needs h5py.

Identifiers are paths of variables in the file; the topology describes them, and has the attributes and the other files
of the archive, where Keras has its configuration. No TensorFlow is needed, and nothing is executed.
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks.description import (
    DTYPES,
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
from nnr_conformance.syntax.enumerations import TPL_TEF

_WEIGHTS = ".weights.h5"
_LARGEST_RATIO = 1032  # DEFLATE cannot expand any further
_LARGEST_MEMBER = 1 << 34
_FIRST_TIME = (1980, 1, 1, 0, 0, 0)


def split(data: bytes) -> FrameworkModel:
    """An HDF5 file, or a ``.keras`` archive with one, as tensors and topology.

    Tensors and what stays in the topology are as in a PyTorch file. Raises UsageError for what is neither, and for
    variables that are in other files, are links to others, or of no plain number format.
    """
    extra: dict[str, Any] = {}
    weights = data
    if zipfile.is_zipfile(io.BytesIO(data)):
        files = _members(data)
        inner = [name for name in files if name.endswith(_WEIGHTS)]
        if len(inner) != 1:
            raise UsageError(f"the archive has {len(inner)} files that end in {_WEIGHTS}")
        weights = files[inner[0]]
        extra["archive"] = [
            {"name": name, "weights": True} if name == inner[0] else {"name": name, **_content(content)}
            for name, content in files.items()
        ]
    tensors: dict[str, NDArray[Any]] = {}
    arrays: list[Described] = []
    attributes: dict[str, dict[str, Any]] = {}
    h5py = _h5py()
    try:
        with h5py.File(io.BytesIO(weights), "r") as file:
            _note(attributes, "", file)

            def visit(path: str, item: Any) -> None:
                _note(attributes, path, item)
                if isinstance(item, h5py.Dataset):
                    array = _array(path, item, len(weights))
                    arrays.append(described(path, array))
                    if is_weight(path, array):
                        tensors[path] = array

            file.visititems(visit)
    except UsageError:
        raise
    except Exception as error:
        # h5py raises many types on damaged files.
        raise UsageError(f"h5py does not read it: {error}") from error
    extra["attributes"] = attributes
    return FrameworkModel(tensors, TPL_TEF, as_json(KINDS[TPL_TEF], Description(tuple(arrays), extra)))


def merge(topology: bytes, tensors: Tensors, *, archive: bool) -> bytes:
    """The file again, an archive or not as it was. Raises UsageError for a tensor that is missing or not for it."""
    description = from_json(KINDS[TPL_TEF], topology)
    arrays = restored(description, tensors)
    try:
        weights = _file(arrays, description.extra["attributes"])
        if archive != ("archive" in description.extra):
            raise UsageError("the model was a .keras file" if archive is False else "the model was no .keras file")
        return _packed(description.extra["archive"], weights) if archive else weights
    except UsageError:
        raise
    except Exception as error:
        # What the description holds beside arrays can be of any form, and h5py raises many types.
        raise UsageError(f"the topology makes no HDF5 file: {error!r}") from error


def _file(arrays: Mapping[str, NDArray[Any]], attributes: Mapping[str, Mapping[str, Any]]) -> bytes:
    out = io.BytesIO()
    with _h5py().File(out, "w") as file:
        for path, rows in attributes.items():
            item = file if not path else _item(file, path, arrays)
            for name, row in rows.items():
                item.attrs[name] = _attribute(row)
    return out.getvalue()


def _item(file: Any, path: str, arrays: Mapping[str, NDArray[Any]]) -> Any:
    return file.create_dataset(path, data=arrays[path]) if path in arrays else file.require_group(path)


def _array(path: str, dataset: Any, file_bytes: int) -> NDArray[Any]:
    if dataset.external or dataset.is_virtual:
        raise UsageError(f"the variable {path!r} is in other files")
    if dataset.dtype.newbyteorder("=") not in DTYPES.values():
        raise UsageError(f"the variable {path!r} is of {dataset.dtype}, which no stream carries")
    if dataset.nbytes > _LARGEST_RATIO * file_bytes:
        raise UsageError(f"the variable {path!r} has {dataset.nbytes} bytes, more than the file can hold")
    array: NDArray[Any] = np.asarray(dataset[()])
    return array.astype(array.dtype.newbyteorder("="))


def _note(attributes: dict[str, dict[str, Any]], path: str, item: Any) -> None:
    """Keep the attributes of a group or a dataset; one without any is noted too, so that it comes back."""
    attributes[path] = {name: _row(path, name, item.attrs[name]) for name in item.attrs}


def _row(path: str, name: str, value: Any) -> dict[str, Any]:
    """An attribute as JSON: a text, or an array of texts, byte strings or numbers."""
    if isinstance(value, str):
        return {"text": value}
    array = np.asarray(value)
    if array.dtype.kind == "O" and all(isinstance(one, str) for one in array.flat):
        return {"texts": list(array.flat), "shape": list(array.shape)}
    if array.dtype.kind == "S" or array.dtype.newbyteorder("=") in DTYPES.values():
        little = array.astype(array.dtype.newbyteorder("<"))
        data = base64.b64encode(little.tobytes()).decode("ascii")
        return {"dtype": little.dtype.str, "shape": list(array.shape), "data": data}
    raise UsageError(f"the attribute {name!r} of {path!r} is of {array.dtype}, which is not understood")


def _attribute(row: Mapping[str, Any]) -> Any:
    if "text" in row:
        return row["text"]
    if "texts" in row:
        return np.array(row["texts"], dtype=_h5py().string_dtype()).reshape(row["shape"])
    dtype = np.dtype(str(row["dtype"]))
    if dtype.kind not in "Sfiubc":
        raise UsageError(f"an attribute of the topology is of {dtype}")
    return np.frombuffer(base64.b64decode(row["data"]), dtype).reshape(row["shape"])[()]


def _members(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = {}
            for member in archive.infolist():
                if member.file_size > min(_LARGEST_MEMBER, _LARGEST_RATIO * max(1, member.compress_size)):
                    raise UsageError(f"the member {member.filename!r} of the archive is too large")
                found[member.filename] = archive.read(member)
            return found
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        raise error if isinstance(error, UsageError) else UsageError(f"it is no archive: {error}") from error


def _content(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"data": base64.b64encode(content).decode("ascii")}


def _packed(members: Any, weights: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for row in members:
            content = weights if row.get("weights") else None
            if content is None:
                content = row["text"].encode("utf-8") if "text" in row else base64.b64decode(row["data"])
            archive.writestr(zipfile.ZipInfo(row["name"], _FIRST_TIME), content)
    return out.getvalue()


def _h5py() -> Any:
    try:
        import h5py  # noqa: PLC0415 - it is optional
    except ImportError as error:
        raise UsageError("HDF5 files need h5py: pip install nnr-conformance[hdf5]") from error
    return h5py
