"""A decoded payload written once more by the builder's encoder, which names every context and bin on the way.

The encoder is in the form of the specification and independent of the decoder, so what is counted are the states of
clause 10 and not those of an implementation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from nnr_conformance.encoder.arithmetic import RESTARTED, ArithmeticEncoder, Context
from nnr_conformance.encoder.tensor_data import ContextName, TensorData, TensorEncoder
from nnr_conformance.entropy.parameters import PayloadRules, TensorCoding, TensorResult
from nnr_conformance.entropy.scan import segments
from nnr_conformance.entropy.tables import tables

Event = tuple[str, str]
"""Group and name of an item of entropy decoding."""

LARGEST_REPLAY = 20_000
"""Weights up to which a tensor is replayed; the encoder's time grows with the square of the payload."""


@dataclass(slots=True)
class ObservedEncoder(ArithmeticEncoder):
    """An encoder that notes what each bin does to the engine."""

    events: dict[Event, int] = field(default_factory=dict)

    def note(self, group: str, name: str) -> None:
        """Count an event."""
        self.events[group, name] = self.events.get((group, name), 0) + 1

    def context_bin(self, context: Context, bin_value: int) -> None:
        """Code a bin and count it by context, and by what it does to the interval."""
        group, number = context.name
        self.note("contexts", f"{group} {number}: bin {bin_value}")
        row, probability = (self.interval >> 5) & 7, 16 * context.counters[0] + context.counters[1]
        self.note("engine", f"range row {row}")
        self.note("engine", f"probability column {abs(probability >> 7)}")
        less = bin_value != context.probable()
        before = self.bits
        ArithmeticEncoder.context_bin(self, context, bin_value)
        which = "less" if less else "more"
        self.note("engine", f"{which} probable bin, {self.bits - before} doublings")

    def bypass(self, number: int, count: int) -> None:
        """Code bypass bins and count their length."""
        if count:
            self.note("engine", f"{count} bypass bins")
        ArithmeticEncoder.bypass(self, number, count)

    def restart(self) -> None:
        """Restart the interval."""
        self.note("engine", "restart" if self.interval != RESTARTED else "restart at 256")
        ArithmeticEncoder.restart(self)


def replay(codings: Sequence[TensorCoding], results: Sequence[TensorResult], rules: PayloadRules) -> dict[Event, int]:
    """What decoding a payload met, event by event; nothing for payloads that are too large."""
    if sum(coding.elements for coding in codings) > LARGEST_REPLAY:
        return {}
    encoder = ObservedEncoder()
    for coding, result in zip(codings, results, strict=True):
        for name, init_id in init_ids_of(coding, result).items():
            encoder.note("initialization ids", f"{name[0]}: {init_id}")
        TensorEncoder(encoder, tensor_data(coding, result, rules)).write()
    return encoder.events


def tensor_data(coding: TensorCoding, result: TensorResult, rules: PayloadRules) -> TensorData:
    """A decoded tensor as the builder's encoder takes it."""
    history = None
    if result.history_flag:
        history = [0] * coding.elements if coding.history is None else [int(bool(x)) for x in coding.history.flat]
    return TensorData(
        levels=levels_of(coding, result, rules),
        height=coding.height,
        width=coding.width,
        edition=coding.edition,
        unary_length=coding.unary_length,
        dq=coding.dq,
        scan_order=coding.scan_order,
        qp_value=result.qp_coded,
        qp_bits=coding.qp_bits,
        parent_present=coding.parent_present,
        codebook_size=coding.codebook_size,
        codebook_zero=coding.codebook_zero,
        row_skip=None if result.row_skip is None else [int(flag) for flag in result.row_skip],
        history=history,
        base=[int(x) for x in coding.base.flat] if coding.temporal and coding.base is not None else None,
        init_ids=init_ids_of(coding, result),
        state_per_segment=rules.skip_advances_row_width,
        skip_resets_neighbour=rules.skip_resets_neighbour,
        restart_single_block_row=rules.restart_single_block_row,
        prefix_ids=rules.prefix_ids,
    )


def levels_of(coding: TensorCoding, result: TensorResult, rules: PayloadRules) -> list[int]:
    """The levels behind quantized parameters: dependent quantization is undone along the scan."""
    parameters = [int(parameter) for parameter in result.quantized.flat]
    if not coding.dq:
        return parameters
    levels, state = [0] * len(parameters), 0
    following = tables().next_state
    for first, length in segments(coding.height, coding.width, coding.scan_order):
        skipped = result.row_skip is not None and bool(result.row_skip[first // coding.width])
        steps = coding.width if skipped and rules.skip_advances_row_width else length
        for at in range(first, first + steps):
            parameter = 0 if skipped else parameters[at]
            magnitude = (abs(parameter) + (state & 1)) >> 1
            level = -magnitude if parameter < 0 else magnitude
            if not skipped:
                levels[at] = level
            state = following[2 * state + (level & 1)]
    return levels


def init_ids_of(coding: TensorCoding, result: TensorResult) -> dict[ContextName, int]:
    """The initialization ids of a tensor by the builder's name of the context."""
    flags = 2 * coding.unary_length
    starts = (
        ("sig", 0),
        ("sig base", 24),
        ("sig history", 40),
        ("sign", 48),
        ("sign base", 51),
        ("greater", 53),
        ("greater base", 53 + flags),
        ("prefix", 53 + 2 * flags),
    )
    names = {}
    for context, init_id in result.init_ids:
        name, first = max((start for start in starts if start[1] <= context), key=lambda start: start[1])
        names[name, context - first] = init_id
    return names
