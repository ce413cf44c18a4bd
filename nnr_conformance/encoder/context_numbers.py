"""Clause 10: the contexts of a tensor by number, and which of them have an initialization id in the payload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.level_writer import GREATER, PREFIX_MOST, SIG, SIG_BASE, SIG_HISTORY, SIGN, SIGN_BASE
from nnr_conformance.encoder.tensor_data import ContextName
from nnr_conformance.errors import BuildError

SINGLE_CONTEXTS = 2
"""Behind the prefix contexts: that of the presence of an id, and that of skipped rows."""


def context_count(unary_length: int) -> int:
    """How many contexts a tensor has, the single ones included."""
    return id_present(unary_length) + SINGLE_CONTEXTS


def id_present(unary_length: int) -> int:
    """The context of the bins that say whether an initialization id is not 0."""
    return GREATER + 4 * unary_length + PREFIX_MOST + 1


def row_skipped(unary_length: int) -> int:
    """The context of the row-skip flags."""
    return id_present(unary_length) + 1


def coded_contexts(
    unary_length: int,
    *,
    dq: bool,
    temporal: bool,
    history: bool,
    most: tuple[int, int] | None,
    prefix_ids: int = PREFIX_MOST,
) -> list[int]:
    """The contexts whose initialization ids are in the payload, in their order (entropy-coding facts clause 6.2).

    `most`: the largest magnitude of a positive and of a negative level, None without a codebook.
    """
    return list(_listed(unary_length, 8 if dq else 1, temporal, history, most, prefix_ids))


@lru_cache(maxsize=64)
def _listed(*parameters: Any) -> tuple[int, ...]:
    return tuple(_coded(*parameters))


def _coded(
    unary: int, states: int, temporal: bool, history: bool, most: tuple[int, int] | None, prefix_ids: int
) -> Iterator[int]:
    larger = 1 << 40 if most is None else max(most)
    if larger:
        yield from range(SIG, SIG + 3 * states)
        yield from range(SIG_BASE, SIG_BASE + 2 * states * temporal)
        yield from range(SIG_HISTORY, SIG_HISTORY + states * history)
    if most is None or min(most):
        yield from range(SIGN, SIGN + 3)
        yield from range(SIGN_BASE, SIGN_BASE + 2 * temporal)
    second, prefix = GREATER + 2 * unary, GREATER + 4 * unary
    yield from range(GREATER, GREATER + 2 * min(unary, larger))
    if temporal:
        yield from range(second, second + 2 * max(0, min(unary, larger - 1)))
    yield from (prefix + ones for ones in range(prefix_ids) if unary - 2 + (2 << ones) < larger)


def ids_by_number(names: Mapping[ContextName, int], unary_length: int) -> NDArray[np.uint8]:
    """Initialization ids for each context from ids by name. Raises BuildError for a name or id that does not exist."""
    second, prefix = GREATER + 2 * unary_length, GREATER + 4 * unary_length
    groups = {
        "sig": range(SIG, SIG_BASE),
        "sig base": range(SIG_BASE, SIG_HISTORY),
        "sig history": range(SIG_HISTORY, SIGN),
        "sign": range(SIGN, SIGN_BASE),
        "sign base": range(SIGN_BASE, GREATER),
        "greater": range(GREATER, second),
        "greater base": range(second, prefix),
        "prefix": range(prefix, prefix + PREFIX_MOST + 1),
    }
    ids = np.zeros(context_count(unary_length), np.uint8)
    for (name, number), init_id in names.items():
        if name not in groups or not 0 <= init_id <= 8:
            raise BuildError(f"there is no context {name}, or no initialization id {init_id}")
        # Contexts that a shorter unary part leaves out have no id.
        if number < len(groups[name]):
            ids[groups[name][number]] = init_id
    return ids
