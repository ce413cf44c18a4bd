"""Where the normative data (`spec/`) and the streams (`bitstreams/`) are: beside the package, or inside the wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = Path(__file__).resolve().parent


def data_path(relative: str) -> Path:
    """Path of a shipped data file or folder, such as ``spec/readings.yaml``.

    Raises FileNotFoundError when neither the wheel's nor the checkout's copy exists.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root / relative
        if path.exists():
            return path
    raise FileNotFoundError(f"{relative} is not part of this installation of nnr-conformance")


@cache
def load_yaml(relative: str) -> Any:
    """The parsed content of a shipped YAML file; callers do not change it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(data_path(relative).read_text(encoding="utf-8"), Loader=loader)


def corpus_version() -> str | None:
    """Version of the streams in `bitstreams/`, None where they are not installed."""
    try:
        return data_path("bitstreams/VERSION").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
