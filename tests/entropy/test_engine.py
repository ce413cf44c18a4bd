"""The register form of the engine against the specification's 9-bit form."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.entropy import engine as ac
from nnr_conformance.entropy.tables import tables

from .reference_encoder import TABLES, BinEncoder, Context


class NineBitEngine:
    """Range and 9-bit offset, one bit at a time."""

    def __init__(self, payload: bytes) -> None:
        self.stream = "".join(f"{byte:08b}" for byte in payload)
        self.bits = 0
        self.interval, self.offset = 510, self._read(9)

    def context_bin(self, context: Context) -> int:
        lps, bin_value = context.lps(self.interval), context.mps()
        self.interval -= lps
        if self.offset >= self.interval:
            bin_value = 1 - bin_value
            self.offset -= self.interval
            self.interval = lps
        while self.interval < 256:
            self.interval *= 2
            self.offset = 2 * self.offset + self._read(1)
        context.update(bin_value)
        return bin_value

    def bypass(self, count: int) -> int:
        number = 0
        for _ in range(count):
            self.offset = 2 * self.offset + self._read(1)
            bin_value = int(self.offset >= self.interval)
            self.offset -= self.interval * bin_value
            number = 2 * number + bin_value
        return number

    def _read(self, count: int) -> int:
        taken = self.stream[self.bits : self.bits + count].ljust(count, "0")
        self.bits += count
        return int(taken, 2)


payloads = st.binary(min_size=2, max_size=40).filter(lambda data: data[0] != 0xFF)
# Steps: a context (0 to 8, one of each initialization id), or 9 + a number of bypass bins.
steps = st.lists(st.integers(0, 40), min_size=1, max_size=300)


@given(payloads, steps, st.sampled_from([ac.decode_bin, ac.decode_bin_branchless]))
def test_both_forms_of_decode_bin_equal_the_nine_bit_engine(data: bytes, choices: list[int], decode: object) -> None:
    reference, contexts = NineBitEngine(data), [Context(init_id) for init_id in range(9)]
    payload, engine = data + bytes(ac.PADDING), ac.start(data)
    counters0, counters1 = list(tables().initial_counter0), list(tables().initial_counter1)
    for choice in choices:
        if choice < 9:
            registers = engine[ac.RANGE : ac.POSITION + 1]
            found, *engine[ac.RANGE : ac.POSITION + 1] = decode(payload, counters0, counters1, choice, *registers)
            assert found == reference.context_bin(contexts[choice])
        else:
            assert ac.read_bits(payload, engine, choice - 9) == reference.bypass(choice - 9)
        assert engine[ac.RANGE] == reference.interval
        assert ac.offset(engine) == reference.offset
        assert ac.bits_read(engine) == reference.bits


def read_back(bins: list[tuple[int, int]]) -> list[int]:
    """Bins (context, value) through the reference encoder and this engine, to the end of the payload."""
    encoder, contexts = BinEncoder(), [Context(init_id) for init_id in range(9)]
    for context, bin_value in bins:
        encoder.context_bin(contexts[context], bin_value)
    data = encoder.finish()
    payload, engine = data + bytes(ac.PADDING), ac.start(data)
    counters = list(tables().initial_counter0), list(tables().initial_counter1)
    found = []
    for context, _ in bins:
        registers = engine[ac.RANGE : ac.POSITION + 1]
        bin_value, *engine[ac.RANGE : ac.POSITION + 1] = ac.decode_bin(payload, *counters, context, *registers)
        found.append(bin_value)
    assert ac.read_terminate(engine) == 1
    assert -(-ac.bits_read(engine) // 8) == len(data)
    return found


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 1)), max_size=200))
def test_bins_written_by_the_reference_encoder_are_read_back(bins: list[tuple[int, int]]) -> None:
    assert read_back(bins) == [value for _, value in bins]


runs = st.tuples(st.integers(0, 8), st.integers(0, 1), st.integers(1, 400))


@given(st.lists(runs, max_size=12))
def test_a_surprise_after_a_long_run_is_read_back(lengths: list[tuple[int, int, int]]) -> None:
    # Only a saturated context shifts by the full seven bits at once.
    bins = [(context, value) for context, run, length in lengths for value in [run] * length + [1 - run]]
    assert read_back(bins) == [value for _, value in bins]


@given(st.integers(1, 13), st.data())
def test_signed_bits_are_two_s_complement(count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(-(1 << (count - 1)), (1 << (count - 1)) - 1))
    encoder = BinEncoder()
    encoder.bypass(number & ((1 << count) - 1), count)
    payload = encoder.finish()
    assert ac.read_signed_bits(payload + bytes(ac.PADDING), ac.start(payload), count) == number


def test_every_reachable_counter_follows_the_transition_table_and_saturates() -> None:
    for init_id in range(9):
        for part, (bias, shift, bits) in enumerate(((128, 3, 9), (2048, 7, 13))):
            following = (tables().next_counter0, tables().next_counter1)[part]
            row = TABLES["init_sets"][init_id]
            rate, start = (row["a0"], row["s0"]) if part == 0 else (row["a1"], row["s1"])
            seen, todo = set(), [start]
            while todo:
                value = todo.pop()
                if value in seen:
                    continue
                seen.add(value)
                for bin_value, sign in ((0, -1), (1, 1)):
                    expected = value + sign * (TABLES["transition"][16 + ((sign * value) >> shift)] >> rate)
                    biased = (rate - 4 << bits) + value + bias
                    assert following[2 * biased + bin_value] == (rate - 4 << bits) + expected + bias
                    todo.append(expected)
            assert max(map(abs, seen)) <= (123 if part == 0 else 1923)


def test_the_range_table_folds_the_magnitude_of_the_column_in() -> None:
    for column, row in product(range(-31, 32), range(8)):
        assert tables().range_lps[8 * (column + 32) + row] == TABLES["range_lps"][row][abs(column)]
