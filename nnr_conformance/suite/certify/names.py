"""Inputs of the battery that provoke by the names of their tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.certify.inputs import BatteryInput, single
from nnr_conformance.suite.certify.noise import bell

_ROWS: Sequence[tuple[str, tuple[str, ...], str, str, bool]] = (
    (
        "letters",
        ("слой.вес", "層・重み", "größe", "𝛼/🙂", "שכבה"),
        "Letters of several scripts and beyond 16 bits.",
        "Counts characters for bytes; writes another encoding than UTF-8.",
        False,
    ),
    (
        "composed",
        ("caf\u00e9", "cafe\u0301"),
        "Two names that look the same, composed and decomposed.",
        "Normalizes names, so that two become one.",
        False,
    ),
    ("case", ("Layer.W", "layer.w"), "Names that differ in case only.", "Folds case.", False),
    (
        "prefixes",
        ("w", "w.w", "w.w.w", "w1", "w10"),
        "Names that begin like others.",
        "Finds tensors by the beginning of their name.",
        False,
    ),
    (
        "paths",
        ("/", "..", "../w", "a/b", "a\\b", "./c", "~"),
        "Names that are paths.",
        "Writes files by these names.",
        False,
    ),
    (
        "odd",
        (" ", "a b", "'", '"', "{}", "%s", "a\tb", "a\nb", "-o"),
        "Blanks, quotes, braces, tabs and line ends.",
        "Puts names into command lines, formats or tables as they are.",
        False,
    ),
    ("long", ("n" * 1000, "n" * 1001), "Names of a thousand letters.", "Cuts names to a buffer.", False),
    ("longest", ("n" * 60_000,), "A name of 60 000 letters.", "Counts its bytes in too few bits.", True),
    ("empty", ("", "w"), "An empty name.", "Takes the tensor for one without name and leaves it out.", True),
    ("nul", ("a\0b", "a"), "A NUL in a name, where text in streams ends.", "Cuts the name there.", True),
    (
        "parts",
        ("w", "w_scaling", "v_G", "v_H"),
        "Tensors of a model that are called as parts of other tensors are in a stream.",
        "Writes them in a way in which decoders multiply them into others.",
        True,
    ),
)


def name_inputs() -> Iterator[BatteryInput]:
    """Scripts, look-alikes, prefixes, paths, blanks, lengths, and names that mean something."""
    for number, (name, names, purpose, bug, refusable) in enumerate(_ROWS):
        yield BatteryInput(f"names/{name}", purpose, bug, single(_named(300 + 20 * number, names)), refusable)


def _named(seed: int, names: Sequence[str]) -> Callable[[], Arrays]:
    def make() -> Arrays:
        # Each with values of its own, so that tensors that change places are noticed.
        return {name: bell(seed + number, (5, 5)) for number, name in enumerate(names)}

    return make
