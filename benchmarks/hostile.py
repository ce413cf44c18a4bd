"""Damage every shipped stream in many places and print what checking it costs: ``python -m benchmarks.hostile``.

Each stream of `bitstreams/` is truncated at `--places` places and has as many single bits flipped. Every case must end
in a verdict; another exception ends the run with a traceback.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import nnr_conformance
from nnr_conformance.data import data_path


def streams() -> Iterator[tuple[Path, list[bytes]]]:
    """Each shipped stream, and the streams that it depends on."""
    examples = data_path("bitstreams/examples")
    for path in sorted(examples.glob("*.nnr")):
        before = [examples / "ex4a_ed2_update1.nnr"] if path.stem.startswith("ex4b") else []
        yield path, [one.read_bytes() for one in before]
    folder = data_path("bitstreams/interop/nncodec")
    rows = {row["stream"]: row for row in json.loads((folder / "index.json").read_text())["streams"]}
    for name in sorted(rows):
        before = list(rows[name]["depends_on"])
        while before and rows[before[0]]["depends_on"]:
            before = [*rows[before[0]]["depends_on"], *before]
        yield folder / name, [(folder / one).read_bytes() for one in dict.fromkeys(before)]


def damaged(data: bytes, places: int, seed: str) -> Iterator[tuple[str, bytes]]:
    """Truncations at evenly spaced places, then single bit flips at random ones."""
    for number in range(places):
        yield "truncated", data[: len(data) * number // places]
    chosen = random.Random(seed)
    for _ in range(places):
        changed = bytearray(data)
        bit = chosen.randrange(8 * len(data))
        changed[bit >> 3] ^= 0x80 >> (bit & 7)
        yield "flipped", bytes(changed)


def main(argv: Sequence[str] | None = None) -> int:
    """Run and print one line for each stream, then the totals."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    options.add_argument("--places", type=int, default=50, help="truncations and bit flips of each stream")
    options.add_argument("--seed", default="0", help="seed of the bit flips")
    arguments = options.parse_args(argv)
    verdicts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    for path, before in streams():
        worst = 0.0
        for kind, data in damaged(path.read_bytes(), arguments.places, arguments.seed + path.stem):
            started = time.perf_counter()
            report = nnr_conformance.check([*before, data])
            nnr_conformance.decode([*before, data])
            worst = max(worst, time.perf_counter() - started)
            verdicts[kind, report.streams[-1].verdict.value] += 1
        slowest = max(slowest, worst)
        print(f"{path.name:<48} slowest case {worst:6.3f} s", flush=True)
    for (kind, verdict), count in sorted(verdicts.items()):
        print(f"{kind:<10} {verdict:<14} {count}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"cases {verdicts.total()}, slowest {slowest:.2f} s (check and decode), peak memory {peak} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
