"""Inputs of the battery with updates: a model, and what it becomes step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from nnr_conformance.adapters import Arrays
from nnr_conformance.suite.certify.inputs import BatteryInput, Models
from nnr_conformance.suite.certify.noise import bell, integers
from nnr_conformance.suite.cfp2019.networks import trained

_UPDATE = frozenset({"update"})
Change = Callable[[Arrays, int], Arrays]


def chain_inputs() -> Iterator[BatteryInput]:
    """Updates that are small, zero, partial, sparse, long in number; of one number, of integers; new tensors."""
    rows: tuple[tuple[str, str, str, Change, int], ...] = (
        (
            "small",
            "All weights change a little.",
            "Sends the model instead of the difference, or adds twice.",
            _moved,
            1,
        ),
        ("zero", "Nothing changes.", "Sends no unit at all, or drops what is zero from the model.", _same, 1),
        ("partial", "One tensor of three changes.", "Resets the others.", _one_moved, 1),
        ("sparse", "One weight changes.", "Loses an update that is nearly all zero.", _one_weight, 1),
        ("large", "All weights change sign and size.", "Clips differences to the model's range.", _turned, 1),
        ("equal", "All weights grow by the same number.", "Takes what is the same everywhere for nothing.", _raised, 1),
        ("three", "Three updates after another.", "Updates the first model instead of the last one.", _moved, 3),
        ("zero-between", "An update of nothing between two others.", "Counts depth by streams.", _every_other, 3),
        ("new-tensor", "The update brings a tensor.", "Takes it for an update of something.", _grown, 1),
        ("reshaped", "A tensor has another shape.", "Adds what does not fit.", _reshaped, 1),
    )
    for number, (name, purpose, bug, change, length) in enumerate(rows):
        yield _chain(name, purpose, bug, _base(500 + 10 * number), change, length, refusable=name == "reshaped")
    yield _chain(
        "one-element",
        "A model of single numbers changes twice.",
        "Signals contexts for which a single weight has no neighbours.",
        lambda: {"a": np.array([0.5], np.float32), "b": np.array([[0.25]], np.float32)},
        _shifted,
        2,
    )
    yield _chain(
        "integers",
        "Integers beside floats change.",
        "Quantizes differences of integers.",
        lambda: {"n": integers(600, (4, 5), -90, 90).astype(np.int32), "w": bell(601, (6, 7))},
        _shifted,
        2,
        needs=_UPDATE | {"integer"},
    )
    yield _chain(
        "network",
        "A trained network, and the same with all weights moved a little.",
        "Loses a bias or a batch norm on the way.",
        lambda: trained("cnn"),
        _moved,
        1,
    )


def _chain(
    name: str,
    purpose: str,
    bug: str,
    base: Callable[[], Arrays],
    change: Change,
    length: int,
    *,
    refusable: bool = False,
    needs: frozenset[str] = _UPDATE,
) -> BatteryInput:
    def make() -> Models:
        models = [base()]
        for step in range(1, length + 1):
            models.append(change(models[-1], step))
        return tuple(models)

    return BatteryInput(f"chains/{name}", purpose, bug, make, refusable, needs)


def _base(seed: int) -> Callable[[], Arrays]:
    return lambda: {"conv": bell(seed, (6, 4, 3, 3)), "dense": bell(seed + 1, (10, 24)), "bias": bell(seed + 2, (10,))}


def _moved(model: Arrays, step: int) -> Arrays:
    return {
        name: values + bell(700 + 50 * step + number, values.shape, 0.0078125)
        for number, (name, values) in enumerate(model.items())
    }


def _same(model: Arrays, step: int) -> Arrays:
    return dict(model)


def _one_moved(model: Arrays, step: int) -> Arrays:
    return {**model, "dense": model["dense"] + bell(800 + step, model["dense"].shape, 0.03125)}


def _one_weight(model: Arrays, step: int) -> Arrays:
    dense = model["dense"].copy()
    dense[4, 11] += np.float32(0.25)
    return {**model, "dense": dense}


def _turned(model: Arrays, step: int) -> Arrays:
    return {name: values * np.float32(-3) for name, values in model.items()}


def _raised(model: Arrays, step: int) -> Arrays:
    return {name: values + np.float32(0.25) for name, values in model.items()}


def _every_other(model: Arrays, step: int) -> Arrays:
    return _same(model, step) if step == 2 else _moved(model, step)


def _grown(model: Arrays, step: int) -> Arrays:
    return {**_moved(model, step), "head": bell(810 + step, (7, 5))}


def _reshaped(model: Arrays, step: int) -> Arrays:
    return {**model, "dense": bell(820 + step, (12, 24))}


def _shifted(model: Arrays, step: int) -> Arrays:
    return {
        name: values + values.dtype.type(step if values.dtype.kind == "i" else 0.125) for name, values in model.items()
    }
