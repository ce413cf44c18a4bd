"""The outcome of a case, in this process: what must be the same for a mutant to survive.

The decoder is imported inside the functions, because a mutant's is another one than that of the process before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from nnr_conformance.suite.mutation.cases import Case

Outcome = dict[str, Any]
"""Digests of the stages by name and of the data that topology and quantization units carry, and diagnostics as sorted
lists of code and bits, for each stream of the chain."""


def outcome(case: Case) -> Outcome:
    """Decode a case with the decoder that is imported now."""
    api = import_module("nnr_conformance.api")
    limits = import_module("nnr_conformance.limits").DEFAULT_LIMITS
    options = dict(case.options)
    edition = options.pop("edition", None)
    base = {name: np.asarray(values, np.float32) for name, values in options.pop("base", {}).items()}
    chain = api.chain_decoder(
        list(case.streams),
        transmitted=case.way == "transmitted",
        compiled=False,
        limits=replace(limits, **options.pop("limits", {})),
        readings=options.pop("readings", {}),
        base=base,
        **options,
    )
    found: Outcome = {}
    if case.way == "check":
        check_chain = import_module("nnr_conformance.checker.check").check_chain
        found["verdict"] = check_chain(chain, edition=edition, dependence=False).verdict.value
        digests = [one.hexdigests() for one in chain.digests]
    else:
        tensors = {tensor.name: tensor.values for tensor, _ in chain.tensors_with_units()}
        digests = [one.hexdigests() for one in chain.digests]
        digests[-1] = chain.digests[-1].hexdigests(tensors)
    for number, stages in enumerate(digests):
        found |= {f"{stage} of stream {number}" if number else stage: digest for stage, digest in stages.items()}
    found["carried"] = [_carried(decoder.carried) for decoder in chain.decoders]
    found["diagnostics"] = [sorted(map(list, set(_places(findings)))) for findings in chain.findings]
    return found


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """The first stage at which two outcomes of one case differ, or an empty string."""
    return next((stage for stage in before if before[stage] != after.get(stage)), "")


def _carried(carried: Any) -> str:
    digest = hashlib.sha256()
    for one in carried:
        digest.update(f"{one.label} {one.unit_type} {one.storage_format} {len(one.data)} ".encode() + one.data)
    return digest.hexdigest()


def _places(findings: Any) -> Iterator[tuple[str, str]]:
    for one in findings:
        yield one.code, "" if one.bits is None else f"{int(one.bits[0])}..{int(one.bits[1])}"
