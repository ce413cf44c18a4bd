"""How `model_encoder` encodes a model: quantization, coding tools, carriage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.encoder.step_size import step_size
from nnr_conformance.errors import BuildError

DEFAULT_PRICE = 0.2
"""Of a bit in squared steps, for dependent quantization when nothing else is said."""
LARGEST_PROFILE, LARGEST_SCAN_ORDER, LARGEST_UNARY = 1, 4, 256
DEFAULT_UNARY = 10


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A layer whose tensors travel in one NNR_PT_BLOCK, by their names in the model.

    `weight`: of two or more dimensions. `bias`: empty without one. `batch_norm`: beta, gamma, mean and variance, or
    nothing. `fold`: fold the batch norm into a scaling and the bias instead of sending it; the bias is then sent under
    `bias`, which must not be empty. `local_scaling`: send a scaling of the rows. `rank`: of the decomposition of the
    weight, 0 for none.
    """

    weight: str
    bias: str = ""
    batch_norm: tuple[str, ...] = ()
    fold: bool = False
    epsilon: float = 1e-5
    local_scaling: bool = False
    rank: int = 0

    def names(self) -> tuple[str, ...]:
        """Names of the model's tensors that the block takes; a bias that only folding makes is among them."""
        return tuple(name for name in (self.weight, self.bias, *self.batch_norm) if name)


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Everything that can be chosen; the defaults are those of a plain stream of edition 2.

    Quantization: `qp`, `qp_density`: step size of tensors of two or more dimensions; `vector_qp`: of the others, None
    for the same; `qps`: by tensor name. `dq`: dependent quantization. `price`: of a bit in squared steps, None for
    nearest levels and DEFAULT_PRICE with `dq`. `deadzone`: see `uniform.nearest_levels`. `codebook`: entries of a
    codebook for tensors of two or more dimensions, 0 for none. `raw`: names of tensors sent as binary32 numbers.

    Coding: `scan_order` 0 to 4, `unary_length` 1 to 256, `init_ids`, `row_skip`. `rank`: decomposition of all tensors
    that it makes smaller, 0 for none; in a block of their own or, not `blocked_factors`, in two units. `blocks`: layers
    whose tensors travel together.

    Carriage: `profile` 0 or 1. `part_bytes`: largest part of a payload, 0 for whole payloads. `aggregate`: all tensors
    in one NNR_AGG. `node_ids`: in edition 2, number the tensors that are in units of their own, so updates can name
    them. `keep_formats`: say in the stream that a tensor was of another format than 32 bits.
    `indexed`: list the identifiers once, and let units have their numbers in the list.
    `parameter_set`: further elements of the NNR_MPS, such as performance maps. `topology`: units behind it. Updates:
    `temporal_contexts` and `history`: use what earlier streams of the chain have.
    """

    qp: int = -38
    qp_density: int = 2
    vector_qp: int | None = -75
    qps: Mapping[str, int] = field(default_factory=dict)
    dq: bool = False
    price: float | None = None
    deadzone: float = 0.0
    codebook: int = 0
    raw: frozenset[str] = frozenset()
    scan_order: int = 0
    unary_length: int = DEFAULT_UNARY
    init_ids: bool = True
    row_skip: bool = False
    rank: int = 0
    blocked_factors: bool = True
    blocks: tuple[BlockPlan, ...] = ()
    profile: int = 1
    part_bytes: int = 0
    aggregate: bool = False
    node_ids: bool = True
    keep_formats: bool = False
    indexed: bool = False
    parameter_set: Mapping[str, Any] = field(default_factory=dict)
    topology: tuple[Mapping[str, Any], ...] = ()
    temporal_contexts: bool = True
    history: bool = True
    compiled: bool | None = None

    def checked(self) -> EncoderSettings:
        """The same settings. Raises BuildError for numbers out of range and tools that exclude each other."""
        ranges = (
            ("profile", self.profile, 0, LARGEST_PROFILE),
            ("qp_density", self.qp_density, 0, 7),
            ("qp", self.qp, -(1 << 12), (1 << 12) - 1),
            ("scan_order", self.scan_order, 0, LARGEST_SCAN_ORDER),
            ("unary_length", self.unary_length, 1, LARGEST_UNARY),
            ("codebook", self.codebook, 0, 1 << 20),
            ("rank", self.rank, 0, 1 << 31),
            ("part_bytes", self.part_bytes, 0, 1 << 31),
        )
        for name, value, least, most in ranges:
            if not least <= value <= most:
                raise BuildError(f"{name} is {least} to {most}, not {value}")
        if self.price is not None and not 0 <= self.price < float("inf"):
            raise BuildError(f"the price of a bit is not negative and finite, not {self.price}")
        if self.codebook and self.dq:
            raise BuildError("a codebook and dependent quantization exclude each other")
        if self.row_skip and not self.profile:
            raise BuildError("rows are skipped in edition 2 only: profile 1")
        for qp in (self.qp, *self.qps.values(), *([] if self.vector_qp is None else [self.vector_qp])):
            step_size(qp, self.qp_density)
        return self

    def qp_of(self, name: str, dimensions: int) -> int:
        """The quantization parameter of a tensor."""
        if name in self.qps:
            return self.qps[name]
        return self.qp if dimensions > 1 or self.vector_qp is None else self.vector_qp
