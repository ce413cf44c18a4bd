"""What the words of the document mean, in words: descriptors, operators, parts (clause 6 notation).

docs/export.md says the same; the tests compare both.
"""

from __future__ import annotations

from collections.abc import Mapping

DESCRIPTORS: Mapping[str, str] = {
    "u": "`width` bits, most significant first",
    "i": "`width` bits, two's complement",
    "ue": "Exp-Golomb of `order` k: z zeros, a one, k + z bits x; the value is (2^z - 1) 2^k + x",
    "ie": "as `ue`, the code c: (c + 1) / 2 for odd c, -c / 2 for even c",
    "flt": "binary32, least significant byte first, at any bit",
    "st": "UTF-8 up to a zero byte, from the start of a byte on",
    "mask": "`count` bits, kept as bytes, with zero bits behind the last one",
    "bytes": "all whole bytes up to the end of the unit",
}
"""How bits become a value, by the kind of a descriptor."""

OPERATORS: Mapping[str, str] = {
    "+": "sum of integers, which may be of any size, as in all that follows",
    "-": "difference",
    "*": "product",
    "/": "quotient, rounded down",
    "%": "what the quotient leaves, with the sign of the divisor",
    "<<": "shift to the left",
    ">>": "shift to the right",
    "&": "bits that both have",
    "|": "bits that one has",
    "==": "whether two values, integers or texts, are equal",
    "!=": "whether they are not",
    "<": "whether the first is less",
    "<=": "whether it is not more",
    ">": "whether the first is more",
    ">=": "whether it is not less",
    "&&": "whether all conditions hold; none behind one that does not is looked at",
    "||": "whether one of the conditions holds; none behind it is looked at",
    "!": "whether a condition does not hold",
    "?:": "condition, then, otherwise; the one that is not asked for is not looked at",
    "max": "the larger of two integers",
    "length": "number of entries of a list",
    "at": "list, index: the entry, counted from 0",
    "product": "product of all entries of a list, 1 of none",
    "ends with": "text, end: whether the text ends so",
}
"""What an operator makes of its operands."""

PARTS: Mapping[str, str] = {
    "element": "Read `descriptor` at the cursor. The value is stored under `name`; then `must.condition` has to hold, "
    "otherwise that is a finding with `must.code`, and reading goes on.",
    "alignment": "`byte_alignment()`: a bit 1, then bits 0 up to the next byte; a whole byte at the start of one.",
    "structure": "The parts of a structure, with a tree of its own under `name`. Its parameters are the values of "
    "`arguments`. Behind it all names that it defined are visible.",
    "if": "`then` or `else`. Of the branch that is not taken, each element with `infer` gets that value, unless its "
    "name already has one in this tree, which counts outside of loops only; elements in conditions inside that branch "
    "too (both of their branches), but none in loops and structures.",
    "for": "`parts`, `count` times. Elements inside join lists under their name, lists of lists in loops inside loops, "
    "also where the loop inside runs no time. Names have the last value inside the loop, and behind the outermost one "
    "the list. In a path an element has the value of `index` behind its name, such as `shift_index[0][2]`.",
    "let": "A variable without bits. When `must` does not hold, the unit cannot be read any further.",
    "limit": "A value that goes beyond a limit of `limits` stops the reading of the unit.",
    "outside": "Values that the stream leaves to the application, for the element `element_name` or for all; else "
    "`default`. Without either, the unit cannot be read any further: `code`, or that of `otherwise` when its condition "
    "holds.",
}
"""How each part of a structure is read."""
