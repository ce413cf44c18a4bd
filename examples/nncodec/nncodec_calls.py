"""NNCodec as its users call it: `decompress` and `compress`, for chains with the state that these take and give.

Needs NNCodec and numpy alone. `nncodec.nnc` imports packages for PyTorch and TensorFlow models, which do not matter to
streams; where PyTorch is not installed they are left out, and nothing else is changed.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import inspect
import io
import sys
import types
from typing import Any

import numpy as np
from nncodec_options import OWN, accepted_kinds, with_scalings

try:
    import torch  # noqa: F401
except ImportError:
    frameworks: Any = types.ModuleType("nncodec.framework")
    frameworks.tensorflow_model = frameworks.pytorch_model = frameworks.use_case_init = None
    sys.modules["nncodec.framework"] = frameworks

from nncodec import nnc_core
from nncodec.nnc import compression
from nncodec.nnc_core.hdsp.hdsp_tool import HdspTool

VERSION = importlib.metadata.version("nncodec")
REJECTIONS = (AssertionError, RuntimeError, SystemExit)
"""How NNCodec says no on purpose: assertions about the stream, errors that its entropy decoder throws."""

Arrays = dict[str, Any]


class NotImplementedHere(Exception):
    """NNCodec says that it does not do this."""


class Chain:
    """A model and its updates, stream by stream; `tensors` is the model so far."""

    def __init__(self, base: Arrays) -> None:
        self.tensors: Arrays = dict(base)
        self.levels: Arrays = {}
        self.dequantized: Arrays = {}
        self._begin()

    def _begin(self) -> None:
        self._state = {"parameters": {}, "put_node_depth": {}, "device_id": 0, "parameter_id": {}}
        self._history = HdspTool(True)

    def decode(self, stream: bytes) -> None:
        """Decode a stream. The tensors of an update are differences, all of them: nothing says it of one alone."""
        update = bool(self.tensors) and is_update(stream)
        if not update:
            self._begin()
        before = copy.deepcopy((self._state, self._history))
        with quiet(), saying_what_is_missing():
            found = _decompressed(stream, self._state if update else None, self._history if update else None)
            self.levels, self.dequantized = _stages(stream, *(before if update else (None, None)))
        if update:
            found = {name: self._added(name, array) for name, array in found.items()}
        self.tensors |= {name: _single(array) for name, array in found.items()}

    def _added(self, name: str, difference: Any) -> Any:
        before = self.tensors.get(name)
        return difference if before is None or before.shape != difference.shape else before + difference

    def encode(self, tensors: Arrays, options: dict[str, Any], *, update: bool) -> bytes:
        """A stream of a model, or of its differences to the model of the streams decoded so far."""
        tensors = accepted_kinds(tensors)
        given = {name: value for name, value in options.items() if name not in OWN}
        if options.get("raw"):
            if update:
                raise NotImplementedHere("raw floats in an update")
            with quiet(), saying_what_is_missing():
                return _unquantized(tensors)
        if options.get("local_scaling"):
            if update:
                raise NotImplementedHere("blocks of updates have no dimensions, which nothing else carries")
            tensors, given["block_id_and_param_type"] = with_scalings(tensors)
        if update:
            tensors = self._differences(tensors)
            given |= {"compress_differences": True, "update_base_param": True, "approx_param_base": self._state}
            given |= {"hdsp_tool": self._history} if options.get("history") else {}
            given = _known(compression.compress, given)
        with quiet(), saying_what_is_missing():
            return bytes(compression.compress(tensors, bitstream_path=None, return_bitstream=True, **given))

    def _differences(self, tensors: Arrays) -> Arrays:
        for name, array in tensors.items():
            if name not in self.tensors or self.tensors[name].shape != array.shape:
                raise NotImplementedHere(f"an update is of differences alone, and nothing is like {name!r}")
        return {name: array - self.tensors[name] for name, array in tensors.items()}


def chain_of(streams: list[bytes], base: Arrays) -> Chain:
    """Decode streams: a model, unless there is one already, and updates."""
    chain = Chain(base)
    for stream in streams:
        chain.decode(stream)
    return chain


def _unquantized(tensors: Arrays) -> bytes:
    """Floats as they are: the stages of `compress`, which has no option for that, without the one that quantizes.

    NNCodec's header syntax writes a tensor that was given no method of quantization as raw floats.
    """
    model = nnc_core.nnr_model.NNRModel(tensors)
    data = nnc_core.approximator.init_approx_data(tensors, model.model_info, qp_density=2, scan_order=0)
    integers = {"to_approximate": nnc_core.nnr_model.W_TYPES + nnc_core.nnr_model.O_TYPES}
    data = nnc_core.approximator.integer.skip_approx(integers, model.model_info, data)
    header = {
        "cabac_unary_length_minus1": 10,
        "param_opt_flag": True,
        "partial_data_counter": 0,
        "general_profile_idc": 1,
        "node_id_present_flag": 1,
        "device_id": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "parent_node_id_present_flag": 0,
    }
    stream, _ = nnc_core.coder.encode(enc_info=header, model_info=model.model_info, approx_data=data)
    return bytes(stream)


def is_update(stream: bytes) -> bool:
    """Whether the first tensor of a stream has a parent; True for streams that do not come so far."""
    try:
        header = nnc_core.coder.decode_ndu_unit_header(bytearray(stream), None)
        return bool(header.get("parent_node_id_present_flag", 0))
    except Exception:  # decoding it will say what is wrong
        return True


def _decompressed(stream: bytes, state: Any, history: Any) -> Arrays:
    given = {"approx_param_base": state, "update_base_param": state is not None}
    if history is not None:
        given |= {"hdsp_tool": history, "return_hls": True}
    given = _known(compression.decompress, given)
    found = compression.decompress(bytearray(stream), reconstruct_lsa=True, **given)
    return found[0] if isinstance(found, tuple) else found


def _stages(stream: bytes, state: Any, history: Any) -> tuple[Arrays, Arrays]:
    """What `decompress` has on its way: levels, and tensors before they are composed."""
    info: dict[str, Any] = {
        **{name: {} for name in ("parameter_type", "parameter_dimensions", "parameter_index", "block_identifier")},
        "topology_storage_format": None,
        "topology_compression_format": None,
        "performance_maps": {"mps": {}, "lps": {}},
        "performance_map_flags": {
            f"{unit}_{tool}_flag": {}
            for unit in ("mps", "lps")
            for tool in ("sparsification", "pruning", "unification", "decomposition_performance_map")
        },
    }
    given = {"approx_param_base": state, "update_base_param": state is not None, "tool_if": history}
    data = nnc_core.coder.decode(bytearray(stream), info, hls_stats={}, oob_dict={}, **given)
    # Raw tensors have no levels.
    levels = {
        name: np.array(array) for name, array in data["parameters"].items() if np.asarray(array).dtype.kind == "i"
    }
    nnc_core.approximator.rec(data)
    return levels, {name: _single(array) for name, array in data["parameters"].items()}


def _single(array: Any) -> Any:
    """Codebook tensors come in binary64."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _known(function: Any, options: dict[str, Any]) -> dict[str, Any]:
    """The options that this release has."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in names}


@contextlib.contextmanager
def saying_what_is_missing() -> Any:
    """Turns what says that something is not implemented into one exception."""
    try:
        yield
    except NotImplementedError as error:
        raise NotImplementedHere(str(error)) from error
    except AssertionError as error:
        if "not yet implemented" in str(error) or "not implemented" in str(error).lower():
            raise NotImplementedHere(str(error)) from error
        raise


def quiet() -> Any:
    """NNCodec reports on the standard output."""
    return contextlib.redirect_stdout(io.StringIO())
