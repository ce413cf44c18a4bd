"""Write the report pages of encoders, from runs of the battery at their working points.

    python docs/implementations/write_encoder_pages.py [--check] [NAME...]

Run from the root of the repository, with examples/nncodec in PYTHONPATH. `--check` runs, writes nothing, and ends with
exit code 1 when anything would change. Either takes one to three minutes, with a
smaller large input than a certificate.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from encoder_explained import Body, Said, all_said, encoder_causes, explained_sayings
from explained import divergences
from page_files import chosen_names, page_options, section, settle

from nnr_conformance.diagnostics import catalogue
from nnr_conformance.suite.certify.certificate import body_of
from nnr_conformance.suite.certify.examination import FAILED
from nnr_conformance.suite.certify.going_through import Plan, examinations
from nnr_conformance.suite.certify.working_points import read_working_points
from nnr_conformance.suite.results.markdown import table, text
from nnr_conformance.suite.runner.declaration import from_adapter

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parent.parent / "examples"
WEIGHTS = 5_000
"""Of the large input; by them there are 500 tensors in place of 10 000 in the one of many."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class EncoderPage:
    """A page, and how its encoder is reached. `leaves_out`: what of the encoder no working point shows, and why."""

    name: str
    title: str
    adapter: str
    points: Path
    release: str
    how: str
    leaves_out: Sequence[str] = ()


PAGES = (
    EncoderPage(
        "nncodec-2.1.3-encoder",
        "NNCodec",
        "nncodec_adapter:NNCodec",
        EXAMPLES / "nncodec" / "working-points.yaml",
        "2.1.3",
        "NNCodec 2.1.3 from PyPI, by `nncodec.nnc.compress` as its users call it; updates are the differences to what "
        "NNCodec itself decodes from the streams before. The calls are in `examples/nncodec`: integers and floats are "
        "converted to the two types that it takes where these hold them, as its front end for single tensors does. "
        "Nothing in NNCodec is changed.",
        (
            "*edition 1*: the public functions write edition 2 alone (D-64).",
            "*raw float*: compress has no option for it, though the header syntax can write it; the working point of "
            "that name calls the stages of compress without the one that quantizes, and these fail with a key error "
            "(D-37).",
            "*decomposition*: compress takes factors in place of a weight only with a description of the layers that "
            "the battery does not have.",
            "*bias*, *batch norm*: folding replaces the given tensors by others on purpose, and needs a description of "
            "the layers.",
            "*local scaling* needs training; at the working point of that name the adapter divides out the largest "
            "magnitude of each row, so that the block is shown. Updates of blocks leave out their dimensions (D-33), "
            "and are not asked for.",
            "Time: all tensors are copied once for each, so that what it takes grows with the square of their number. "
            "With 500 tensors as here nobody minds; the 10 000 of the full battery are not done within 60 s, which is "
            "one problem more (`timeout`).",
        ),
    ),
)


def body_for(page: EncoderPage) -> dict[str, Any]:
    """Run the battery at all working points."""
    implementation = replace(from_adapter(page.adapter), name=page.title)
    if implementation.version != page.release:
        raise SystemExit(f"{page.name} is about {page.title} {page.release}; installed is {implementation.version}")
    plan = Plan(implementation, read_working_points(page.points), WEIGHTS)
    return body_of(plan, examinations(plan, int(os.environ.get("NNR_JOBS", os.cpu_count() or 1))))


def page_lines(page: EncoderPage, body: Body) -> Iterator[str]:
    """The page: what the suite found by itself, and only then what is known to be behind it."""
    totals, suite = body["totals"], body["suite"]
    yield f"# The encoder of {page.title} {page.release} through the battery"
    yield ""
    yield f"Written by `python docs/implementations/write_encoder_pages.py {page.name}`."
    yield ""
    yield page.how
    yield ""
    yield f"Battery {suite['battery']} ({suite['battery_digest'][:12]}), {suite['inputs']} inputs, the large one with"
    yield f"{suite['weights']} weights here, and {len(body['working_points'])} working points: {totals['examinations']}"
    yield f"examinations. {totals['encoded']} were encoded without a problem, {totals['refused']} refused where any"
    yield f"encoder may, {totals['not_claimed']} not claimed, {totals['failed']} failed. {totals['streams']} streams,"
    yield f"{totals['bytes']} bytes. With problems there is no certificate, and this is the report."
    yield from section("Working points", _points(page, body))
    yield from section("What the suite found", _found(body))
    yield from section("What is behind it", _causes(body))
    yield from section("Readings that it follows", _readings(body))
    yield from section("Not exercised", _left_out(page, body))


def _points(page: EncoderPage, body: Body) -> Iterator[str]:
    yield f"Options and claims are those of `{page.points.relative_to(EXAMPLES.parent)}`. The largest error is that of"
    yield "examinations without a problem, in steps, or relative to the norm of the tensor where it comes in parts or"
    yield "from a codebook."
    yield ""
    rows = []
    for point in body["working_points"]:
        results = [row for row in body["results"] if row["point"] == point["name"]]
        good = [row for row in results if "streams" in row and row["outcome"] != FAILED]
        size = sum(stream["bytes"] for row in good for stream in row["streams"])
        before = sum(row["bytes_before"] for row in good)
        rows.append(
            (
                point["name"],
                f"`{json.dumps(point['options'])}`",
                str(sum(row["outcome"] == "encoded" for row in results)),
                str(sum(row["outcome"] == FAILED for row in results)),
                f"{100 * size / before:.1f} %" if before else "",
                _error(good),
                ", ".join(sorted({tool for row in results for tool in row.get("tools", ())} - {"edition 2"})),
            )
        )
    yield from table(("working point", "options", "encoded", "failed", "size", "largest error", "tools"), rows)


def _error(rows: Sequence[Body]) -> str:
    steps = max((row["largest_error_steps"] for row in rows), default=0.0)
    relative = max((row["largest_relative_error"] for row in rows), default=0.0)
    return ", ".join([*([f"{steps:.3g}"] if steps else []), *([f"{relative:.3g} relative"] if relative else [])])


def _found(body: Body) -> Iterator[str]:
    yield "Found with no knowledge of the encoder, by what it was given, what is claimed, and the rules for streams. An"
    yield "examination may have several problems."
    yield ""
    yield from table(("kind", "problems", "examinations", "inputs", "first"), _kinds(all_said(body, "problems")))
    yield ""
    yield "Worth knowing, and no problem: an update may leave out tensors, which then do not change."
    yield ""
    yield from table(("kind", "seen", "examinations", "inputs", "first"), _kinds(all_said(body, "observations")))
    yield ""
    yield "What the checker has to say of the streams, by code:"
    yield ""
    yield from table(("code", "requirement", "times", "about", "first"), _codes(body))


def _kinds(said: Iterator[Said]) -> Iterator[tuple[str, ...]]:
    kinds: dict[str, list[Said]] = {}
    for one in said:
        kinds.setdefault(one.kind, []).append(one)
    for kind, ones in sorted(kinds.items(), key=lambda row: (-len(row[1]), row[0])):
        yield kind, str(len(ones)), str(_examinations(ones)), _inputs(ones), _first(ones)


def _codes(body: Body) -> Iterator[tuple[str, ...]]:
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for row in body["results"]:
        for code, count in row.get("findings", {}).items():
            counts[code] += count
            first.setdefault(code, f"{row['input']} at {row['point']}")
    known = {code: row["id"] for row in divergences().values() for code in row["codes"]}
    for code, count in sorted(counts.items(), key=lambda row: (-row[1], row[0])):
        yield code, catalogue()[code].requirement, str(count), known.get(code, ""), first[code]


def _causes(body: Body) -> Iterator[str]:
    yield "By `encoder_causes.yaml`; the ids are those of `spec/divergences.yaml`. Where there is none, the registry"
    yield "does not have it yet, or it is no matter of streams."
    yield ""
    said = [*all_said(body, "problems"), *all_said(body, "observations")]
    groups: dict[tuple[str, str], list[Said]] = {}
    for cause, ones in explained_sayings(said, encoder_causes()):
        key = ("", "not explained") if cause is None else (cause.divergence, cause.text)
        groups.setdefault(key, []).extend(ones)
    rows = []
    for (divergence, why), ones in sorted(groups.items(), key=lambda row: (-_examinations(row[1]), row[0])):
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(one.kind for one in ones).items()))
        rows.append((divergence, text(why), str(_examinations(ones)), kinds, _first(ones)))
    yield from table(("", "what", "examinations", "as", "first"), rows)


def _examinations(ones: Sequence[Said]) -> int:
    return len({(one.input, one.point) for one in ones})


def _inputs(ones: Sequence[Said]) -> str:
    inputs = list(dict.fromkeys(one.input for one in ones))
    more = f" and {len(inputs) - 4} others" if len(inputs) > 4 else ""
    return f"{', '.join(inputs[:4])}{more}"


def _first(ones: Sequence[Said]) -> str:
    one = ones[0]
    said = one.text if len(one.text) <= _LONGEST else f"{one.text[: _LONGEST - 3]}..."
    return f"{one.input} at {one.point}: {text(said)}"


def _readings(body: Body) -> Iterator[str]:
    yield "The choices under which all inputs arrive whose streams depend on the reading."
    yield ""
    rows = [
        (name, text(" or ".join(row["follows"]) or "none alone"), str(row["inputs"]))
        for name, row in body["readings"].items()
    ]
    yield from table(("reading", "choice", "inputs"), rows)


def _left_out(page: EncoderPage, body: Body) -> Iterator[str]:
    left = body["not_exercised"]
    yield f"Requirements that the checker has rules for and no stream met: {len(left['requirements'])}."
    yield ""
    yield f"Tools that no stream shows: {', '.join(left['tools'])}."
    yield ""
    yield from (f"* {line}" for line in page.leaves_out)
    yield ""
    yield "Inputs that any encoder may refuse, or one that does not claim updates at the working point:"
    yield ""
    said: dict[tuple[str, str], list[str]] = {}
    for row in left["inputs"]:
        words = row["said"] if len(row["said"]) <= 80 else f"{row['said'][:77]}..."
        said.setdefault((row["input"], words), []).append(row["point"])
    rows = [(name, text(words), str(len(points))) for (name, words), points in said.items()]
    yield from table(("input", "said", "working points"), rows)


def main() -> int:
    """The exit code."""
    names = [page.name for page in PAGES]
    options = page_options(names)
    arguments = options.parse_args()
    wanted = chosen_names(options, names, arguments.names)
    changed = False
    for page in PAGES:
        if page.name in wanted:
            written = "".join(f"{line}\n" for line in page_lines(page, body_for(page)))
            changed |= settle(FOLDER / f"{page.name}.md", written, check=arguments.check)
    return int(arguments.check and changed)


if __name__ == "__main__":
    sys.exit(main())
