"""An encoder through the battery, in several processes when there are that many cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from nnr_conformance.suite.certify.battery import battery
from nnr_conformance.suite.certify.examination import Examination, examined, made_of
from nnr_conformance.suite.certify.inputs import BatteryInput
from nnr_conformance.suite.certify.scale import WEIGHTS
from nnr_conformance.suite.certify.working_points import WorkingPoint
from nnr_conformance.suite.runner.implementation import Implementation

Place = tuple[int, int]
"""Numbers of a working point and of an input."""
OnProgress = Callable[[int, int], None]
"""Called with how many examinations are done, of how many."""
_PIECE = 10
REPEATED = frozenset({"shapes", "networks"})
"""Families whose inputs are encoded twice; each further process costs as much as one more input."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done. `weights`: of the large input. `only`: beginnings of ids of inputs, all when empty: a part of the
    battery is for looking, there is no certificate of it. `strict`: requirements of medium confidence count."""

    implementation: Implementation
    points: tuple[WorkingPoint, ...]
    weights: int = WEIGHTS
    only: tuple[str, ...] = ()
    strict: bool = False

    def inputs(self) -> tuple[BatteryInput, ...]:
        """The whole battery."""
        return battery(self.weights)

    def places(self) -> list[Place]:
        """What is examined, in order."""
        return [
            (point, number)
            for point in range(len(self.points))
            for number, one in enumerate(self.inputs())
            if (point == 0 or not one.once) and (not self.only or one.id.startswith(self.only))
        ]


def examinations(plan: Plan, jobs: int = 1, on_progress: OnProgress | None = None) -> list[Examination]:
    """The examinations of a plan in its order. Raises UsageError when the encoder cannot be run at all."""
    places = plan.places()
    found: dict[Place, Examination] = {}
    for done in _done(plan, _pieces(plan, places), jobs):
        found.update(done)
        if on_progress is not None:
            on_progress(len(found), len(places))
    return [found[place] for place in places]


def _done(plan: Plan, pieces: Sequence[Sequence[Place]], jobs: int) -> Iterator[dict[Place, Examination]]:
    if jobs <= 1 or len(pieces) == 1:
        for piece in pieces:
            yield _examined(plan, piece)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_examined, plan, piece) for piece in pieces]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _pieces(plan: Plan, places: Sequence[Place]) -> list[list[Place]]:
    """Large inputs first and alone, since everybody else would wait for them at the end."""
    inputs = plan.inputs()
    large = [[place] for place in places if inputs[place[1]].once]
    small = [place for place in places if not inputs[place[1]].once]
    return large + [small[first : first + _PIECE] for first in range(0, len(small), _PIECE)]


def _examined(plan: Plan, places: Sequence[Place]) -> dict[Place, Examination]:
    inputs = plan.inputs()
    found = {}
    for place in places:
        point, one = plan.points[place[0]], inputs[place[1]]
        models = one.make()
        made = made_of(plan.implementation, point, models, repeat=one.family in REPEATED)
        found[place] = examined(plan.implementation, point, one, models, made, strict=plan.strict)
    return found
