"""Random models under random settings: no findings, the foreseen bits, and the foreseen bits after an update."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import nnr_conformance
from nnr_conformance.encoder.model_encoder import encode_model, encode_update
from nnr_conformance.encoder.settings import EncoderSettings

KINDS = st.sampled_from([np.float32, np.float32, np.float16, np.float64, np.int8, np.uint8, np.int64, np.bool_])
SHAPES = arrays.array_shapes(min_dims=0, max_dims=5, max_side=13).filter(lambda shape: np.prod(shape) <= 600)


REMARKS = {"decompressed_data_format_extension", "factors_outside_block"}


@st.composite
def tensors(draw: st.DrawFn) -> np.ndarray:
    kind, shape = np.dtype(draw(KINDS)), draw(SHAPES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    if kind.kind != "f":
        return np.asarray(rng.integers(0, 2 if kind.kind == "b" else 120, shape)).astype(kind)
    spread = draw(st.sampled_from([0.0, 1e-6, 0.01, 0.3, 20.0, 6e4]))
    values = np.asarray(rng.normal(0, spread, shape)) * (rng.random(shape) < draw(st.sampled_from([0.02, 0.5, 1])))
    return np.clip(values, -65504, 65504).astype(kind)


@st.composite
def choices(draw: st.DrawFn) -> EncoderSettings:
    profile = draw(st.integers(0, 1))
    dq = draw(st.booleans())
    density = draw(st.integers(0, 7))
    qp = draw(st.integers(-14, 2)) << density
    return EncoderSettings(
        qp=qp,
        qp_density=density,
        vector_qp=draw(st.sampled_from([None, qp - 3])),
        dq=dq,
        price=draw(st.sampled_from([None, 0.0, 0.3])),
        codebook=0 if dq else draw(st.sampled_from([0, 0, 1, 2, 30])),
        scan_order=draw(st.integers(0, 4)),
        unary_length=draw(st.sampled_from([1, 2, 10, 11])),
        init_ids=draw(st.booleans()),
        row_skip=profile == 1 and draw(st.booleans()),
        rank=draw(st.sampled_from([0, 0, 1, 9])),
        blocked_factors=draw(st.booleans()),
        profile=profile,
        part_bytes=draw(st.sampled_from([0, 0, 64])),
        aggregate=draw(st.booleans()),
        node_ids=draw(st.booleans()),
        keep_formats=draw(st.booleans()),
    )


def differing(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> list[str]:
    return [
        name
        for name, values in expected.items()
        if found[name].dtype != values.dtype or found[name].tobytes() != values.tobytes()
    ]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(tensors(), min_size=1, max_size=4), choices(), choices())
def test_a_random_model_and_its_update_decode_to_what_the_encoder_foresaw(
    listed: list[np.ndarray], chosen: EncoderSettings, second: EncoderSettings
) -> None:
    model = {f"tensor {number}": tensor for number, tensor in enumerate(listed)}
    encoded = encode_model(model, chosen)
    report = nnr_conformance.check(encoded.data)
    assert {found.code for found in report.diagnostics} <= REMARKS
    assert differing(nnr_conformance.decode(encoded.data).tensors, encoded.tensors) == []
    if second.profile == 0 or second.rank:
        return
    moved = {
        name: np.asarray(tensor * tensor.dtype.type(0.9)) if tensor.dtype.kind == "f" else tensor
        for name, tensor in model.items()
    }
    update = encode_update(moved, encoded.state, second)
    streams = [encoded.data, update.data]
    assert {found.code for found in nnr_conformance.check(streams).diagnostics} <= REMARKS
    decoded = nnr_conformance.decode(streams).tensors
    narrowed = {name: values.astype(update.state.values[name].dtype) for name, values in decoded.items()}
    assert differing(narrowed, dict(update.state.values)) == []
