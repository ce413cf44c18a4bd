"""Size and accuracy of the 2019 pipelines as they are stored with the streams, for the plot of the page.

`nnr-suite cfp2019 --check` measures them anew and compares.
"""

from __future__ import annotations

import json
from typing import Any

from nnr_conformance.data import data_path
from nnr_conformance.suite.cfp2019.evaluation import Evaluation


def stored_evaluations() -> list[Evaluation]:
    """A row for each stream of the index, with what the plot looks at."""
    rows = json.loads(data_path("bitstreams/cfp2019/index.json").read_text(encoding="utf-8"))["streams"]
    sizes = {row["stream"]: row["bytes"] for row in rows}
    return [_evaluation(row, row["bytes"] + sum(sizes[name] for name in row["depends_on"])) for row in rows]


def _evaluation(row: dict[str, Any], size: int) -> Evaluation:
    return Evaluation(
        name=row["stream"].removesuffix(".nnr"),
        proposal=row["proposal"],
        network=row["network"],
        size=size,
        before=row["before"],
        after=row["after"],
        right=0 if row["measure"] == "right answers" else None,
        parameters_before=row["parameters_before"],
        parameters=row["parameters"],
        partial=row["partial"],
        verdict=row["verdict"],
        diagnostics=0,
        shown=tuple(row["tools"]),
        witnesses=tuple(row["witness"]),
    )
