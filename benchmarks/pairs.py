"""When two payloads are decoded faster in one loop than one after the other: ``python -m benchmarks.pairs``.

Made are pairs of tensors of several kinds and sizes, encoded by this package. Each pair is decoded in turn in both
ways, in one thread on one core; the ratio of each repetition is taken before the median. Counted is time of the
processor.
The bounds in `nnr_conformance.entropy.pairs` were read off these tables.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.decode import SEED, UNARY_LENGTH
from benchmarks.encode import LAMBDA
from benchmarks.machine import environment, pin
from nnr_conformance.encoder.dependent import dependent_levels
from nnr_conformance.encoder.payload_writer import TensorPlan, write_payload
from nnr_conformance.entropy import PayloadResult, TensorCoding, compiled_available
from nnr_conformance.entropy.binarization import count_bins
from nnr_conformance.entropy.binding import bound_compiled
from nnr_conformance.entropy.pairs import decode_payloads
from nnr_conformance.entropy.together import PayloadJob

WEIGHTS = 1_000_000
SPREADS = (0.3, 0.5, 1, 2, 3, 4, 6, 8)
DQ_SPREADS = (0.5, 1, 2, 4, 8, 12)
ZEROS = (0.8, 0.9, 0.95, 0.99)
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 1_000_000)
EQUAL_WORK = 2_000_000
"""Weights that a repetition decodes at least, so that small tensors are decoded often."""


def kinds(weights: int) -> Iterator[tuple[str, list[PayloadJob], int]]:
    """Two tensors of each kind with their bins."""
    rng = np.random.default_rng(SEED)
    for spread in SPREADS:
        yield f"spread {spread:g}", *_pair([np.round(rng.laplace(0, spread, (1, weights))) for _ in range(2)])
    for spread in DQ_SPREADS:
        yield f"DQ, spread {spread:g}", *_pair([rng.laplace(0, spread, (1, weights)) for _ in range(2)], dq=True)
    for zeros in ZEROS:
        both = [np.round(rng.laplace(0, 3, (1, weights))) * (rng.random((1, weights)) >= zeros) for _ in range(2)]
        yield f"{zeros:.0%} zeros, spread 3", *_pair(both)


def sizes(largest: int) -> Iterator[tuple[str, list[PayloadJob], int]]:
    """Two tensors of each size up to the largest."""
    rng = np.random.default_rng(SEED)
    for weights in SIZES:
        if weights <= largest:
            yield f"{weights} weights", *_pair([np.round(rng.laplace(0, 1, (1, weights))) for _ in range(2)])


def faster(jobs: Sequence[PayloadJob], repetitions: int) -> list[float]:
    """How many times faster the pair is in one loop than one after the other, of each repetition."""
    rounds = max(1, EQUAL_WORK // sum(job.codings[0].elements for job in jobs))

    def seconds(paired: bool) -> tuple[float, tuple[Any, ...]]:
        started = time.process_time()
        for _ in range(rounds):
            outcomes = decode_payloads(jobs, paired=paired)
        return time.process_time() - started, outcomes

    ratios = []
    for _ in range(repetitions):
        (apart, plain), (together, paired) = seconds(False), seconds(True)
        for one, other in zip(plain, paired, strict=True):
            if not isinstance(one, PayloadResult) or not _equal(one, other):
                raise SystemExit("the results differ")
        ratios.append(apart / together)
    return ratios


def main(arguments: list[str] | None = None) -> int:
    """Print both tables; returns the exit code: 0, or 2 when numba is missing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--weights", type=int, default=WEIGHTS, help="weights of each tensor (default 1 million)")
    parser.add_argument("--repetitions", type=int, default=9, help="times that each pair is decoded (default 9)")
    parser.add_argument("--core", type=int, help="core to run on (default: the last one that is allowed)")
    options = parser.parse_args(arguments)
    if options.weights < 1 or options.repetitions < 1:
        parser.error("at least 1 weight and 1 repetition")
    if not compiled_available():
        print("this benchmark needs numba: pip install nnr-conformance[fast], and no NNR_PURE=1", file=sys.stderr)
        return 2
    about = environment() | {"core": pin(options.core)}
    bound_compiled("decode_pair")
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    tables: tuple[Callable[[int], Iterator[tuple[str, list[PayloadJob], int]]], ...] = (kinds, sizes)
    for table in tables:
        print(f"\n{'':24}{'bits/weight':>12}{'bins/weight':>12}{'faster in one loop':>20}  (range)")
        for name, jobs, bins in table(options.weights):
            ratios = faster(jobs, options.repetitions)
            weights = sum(job.codings[0].elements for job in jobs)
            bits = 8 * sum(len(job.payload) for job in jobs) / weights
            median = statistics.median(ratios)
            print(f"{name:24}{bits:12.2f}{bins / weights:12.2f}{median:20.2f}  ({min(ratios):.2f}-{max(ratios):.2f})")
    return 0


def _pair(values: list[NDArray[np.float64]], *, dq: bool = False) -> tuple[list[PayloadJob], int]:
    jobs, bins = [], 0
    for one in values:
        levels = dependent_levels(one, 0, LAMBDA).levels if dq else one.astype(np.int32)
        bins += count_bins(levels, UNARY_LENGTH)
        data = write_payload([TensorPlan(levels, unary_length=UNARY_LENGTH, dq=dq)]).data
        jobs.append(PayloadJob(data, [TensorCoding(levels.shape, UNARY_LENGTH, dq, 0, 2, 0)]))
    return jobs, bins


def _equal(one: PayloadResult, other: Any) -> bool:
    same = isinstance(other, PayloadResult) and one.end == other.end
    pairs = zip(one.tensors, other.tensors, strict=True) if same else ()
    return same and all(np.array_equal(left.quantized, right.quantized) for left, right in pairs)


if __name__ == "__main__":
    sys.exit(main())
