"""Model files of frameworks for the commands: read by suffix, written from streams.

Frameworks are imported where there is a file of theirs, so that commands on other files start sooner.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from nnr_conformance.errors import UsageError
from nnr_conformance.syntax.enumerations import TPL_NNEF, TPL_ONNX, TPL_PYT, TPL_TEF
from nnr_conformance.tensor_files import read_tensors

if TYPE_CHECKING:
    from nnr_conformance.frameworks.carriage import CarriedModel
    from nnr_conformance.frameworks.model import FrameworkModel, ReadExternal

MODEL_FORMATS: Mapping[str, int] = {
    ".onnx": TPL_ONNX,
    ".pt": TPL_PYT,
    ".pth": TPL_PYT,
    ".nnef": TPL_NNEF,
    ".tgz": TPL_NNEF,
    ".h5": TPL_TEF,
    ".hdf5": TPL_TEF,
    ".keras": TPL_TEF,
}
"""topology_storage_format of model files, by suffix."""

SUFFIXES = ", ".join([".npz", ".safetensors", *MODEL_FORMATS])


def is_model_file(path: str) -> bool:
    """True for a file whose suffix is that of a framework's models."""
    return Path(path).suffix.lower() in MODEL_FORMATS


def read_model(path: str) -> FrameworkModel:
    """A model file of a framework. Raises UsageError for a file that cannot be read or is not what its suffix says."""
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {path}: {_reason(error)}") from error
    try:
        return _split(Path(path), data)
    except UsageError as error:
        raise UsageError(f"cannot read {path}: {error}") from error


def model_bytes(carried: CarriedModel | None, suffix: str, tensors: Mapping[str, NDArray[Any]]) -> bytes:
    """A model file of this suffix. Raises UsageError when the streams carry no topology for it, or lack tensors."""
    from nnr_conformance.frameworks import hdf5, nnef_files, onnx, pytorch  # noqa: PLC0415 - see above

    wanted = MODEL_FORMATS[suffix]
    if wanted == TPL_PYT:
        return pytorch.merge(b"" if carried is None else carried.topology, tensors)
    if carried is None:
        raise UsageError(f"the streams carry no topology for a {suffix} file; .npz and .safetensors need none")
    if suffix == ".nnef":
        raise UsageError("a model of NNEF is several files: name an archive to write, .tgz")
    if wanted == TPL_NNEF:
        return nnef_files.merge(carried.topology, carried.quantization, tensors)
    if wanted == TPL_TEF:
        return hdf5.merge(carried.topology, tensors, archive=suffix == ".keras")
    return onnx.merge(carried.topology, tensors, carried.pruned)


def tensors_in(path: str) -> Mapping[str, NDArray[Any]]:
    """The tensors of a file of any kind that is read. Raises UsageError."""
    return read_model(path).tensors if is_model_file(path) else read_tensors(path)


def holds_tensors(path: str) -> bool:
    """True for a file of tensors, by its suffix; other files are streams."""
    return is_model_file(path) or path.endswith((".npz", ".safetensors"))


def _split(path: Path, data: bytes) -> FrameworkModel:
    from nnr_conformance.frameworks import hdf5, nnef_files, onnx, pytorch  # noqa: PLC0415 - see above

    suffix = path.suffix.lower()
    wanted = MODEL_FORMATS[suffix]
    beside = _files_beside(path)
    if wanted == TPL_PYT:
        return pytorch.split(data)
    if wanted == TPL_TEF:
        return hdf5.split(data)
    if wanted == TPL_ONNX:
        return onnx.split(data, beside)
    if suffix == ".tgz":
        return nnef_files.split(nnef_files.files_of_archive(data).get)

    def read(name: str) -> bytes | None:
        if name == nnef_files.GRAPH:
            return data
        return beside(name, 0, None) if (path.parent / name).exists() else None

    return nnef_files.split(read)


def _files_beside(model: Path) -> ReadExternal:
    """Reads files in the folder of a model and below it, nothing else: their names come from the model."""

    def read(name: str, offset: int, size: int | None) -> bytes:
        folder = model.resolve().parent
        try:
            path = (folder / name).resolve()
            if not path.is_relative_to(folder) or not path.is_file():
                raise UsageError(f"the model names the file {name!r}, which is not in its folder")
            with path.open("rb") as file:
                left = max(0, os.fstat(file.fileno()).st_size - offset)
                if size is not None and size > left:
                    raise UsageError(f"the file {name!r} ends before {offset + size} bytes")
                file.seek(offset)
                return file.read(left if size is None else size)
        except (OSError, ValueError) as error:
            raise error if isinstance(error, UsageError) else UsageError(f"{name}: {_reason(error)}") from error

    return read


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
