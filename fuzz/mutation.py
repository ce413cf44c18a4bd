"""A mutated stream by its number: the same seed, number and streams always give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from fuzz.byte_edits import BYTE_EDITS
from fuzz.element_edits import ELEMENT_EDITS
from fuzz.streams import Corpus, Subject
from fuzz.unit_edits import UNIT_EDITS

_EDITS_IN_A_ROW = (1, 1, 1, 1, 2, 2, 3, 4)


def most_bytes(data: bytes) -> int:
    """Size beyond which a mutant of a stream is cut off."""
    return 2 * len(data) + 1024


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutated stream: its run number, the stream it comes from, the names of the edits in order, and its bytes.

    `choice` are 32 random bits of the run for whoever examines it, such as whether to decode.
    """

    number: int
    origin: str
    edits: tuple[str, ...]
    data: bytes
    choice: int

    def __str__(self) -> str:
        return f"run {self.number}, {self.origin}, {', '.join(self.edits)}, {len(self.data)} bytes"


class Mutator:
    """Makes mutants of some streams with one seed."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self._corpus = corpus
        self._seed = seed

    def mutant(self, number: int) -> Mutant:
        """The mutant of a run."""
        random = Random(f"{self._seed}:{number}")
        choice = random.getrandbits(32)
        subject = self._corpus.any(random)
        origin, most = subject.name, most_bytes(subject.data)
        edits = []
        for _ in range(random.choice(_EDITS_IN_A_ROW)):
            name, data = self._edited(random, subject)
            edits.append(name)
            subject = Subject(origin, data[:most])
            if not data:
                break
        return Mutant(number, origin, tuple(edits), subject.data, choice)

    def _edited(self, random: Random, subject: Subject) -> tuple[str, bytes]:
        """One edit: by its kind first, so that each kind has its share however many edits it has."""
        kind = random.randrange(10)
        if kind >= 3:
            edit = random.choice(UNIT_EDITS if kind < 7 else ELEMENT_EDITS)
            data = edit(random, subject, self._corpus)
            if data is not None:
                return edit.__name__, data
        byte_edit = random.choice(BYTE_EDITS)
        return byte_edit.__name__, byte_edit(random, subject.data)
