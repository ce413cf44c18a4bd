"""An encoder through the battery: who gets a certificate, who does not and why, and whether it can be tampered with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml

from nnr_conformance.cli.suite import main
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.certify.badge import badge_json, badge_svg
from nnr_conformance.suite.certify.battery import battery
from nnr_conformance.suite.certify.certificate import CERTIFIED, body_of
from nnr_conformance.suite.certify.comparison import compare
from nnr_conformance.suite.certify.examination import Examination
from nnr_conformance.suite.certify.going_through import Plan, examinations
from nnr_conformance.suite.certify.inputs import digest_of
from nnr_conformance.suite.certify.report import report_lines
from nnr_conformance.suite.certify.signing import sign
from nnr_conformance.suite.certify.transmitted import Received, Sent
from nnr_conformance.suite.certify.working_points import (
    Claims,
    WorkingPoint,
    plain,
    read_working_points,
    working_points_of,
)
from nnr_conformance.suite.registry_schemas import schema
from nnr_conformance.suite.runner.declaration import from_adapter, from_content
from nnr_conformance.suite.runner.implementation import Bounds

HERE = Path(__file__).parent
EXAMPLE = Path(__file__).parents[3] / "examples/nnr-encode"
POINT = WorkingPoint("plain", claims=Claims(qp=-38, vector_qp=-75, qp_density=2))


@pytest.fixture(autouse=True)
def _faulty_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))


def body(
    encoder: str, *only: str, seconds: float = 60.0, point: WorkingPoint = POINT, **changes: Any
) -> dict[str, Any]:
    implementation = replace(from_adapter(f"faulty:{encoder}"), bounds=Bounds(seconds), **changes)
    plan = Plan(implementation, (point,), weights=900, only=only)
    return body_of(plan, examinations(plan))


def kinds(found: dict[str, Any]) -> set[str]:
    return {problem["kind"] for row in found["results"] for problem in row["problems"]}


@pytest.mark.parametrize(
    ("encoder", "provoking", "kind"),
    [
        ("RoundsDown", "shapes/2d", "error"),
        ("Drops", "shapes/mixed", "missing"),
        ("Renames", "names/case", "missing"),
        ("Coarser", "shapes/2d", "step"),
        ("Changing", "shapes/4d", "nondeterministic"),
        ("Dies", "shapes/0d", "crash"),
        ("HidesNaN", "values/nan", "not-finite"),
        ("Flattens", "shapes/3d", "shape"),
        ("QuantizesIntegers", "kinds/int16", "kind"),
        ("Breaks", "shapes/1d", "rules"),
        ("ForgetsUpdates", "chains/small", "error"),
        ("Lazy", "shapes/2d", "refused"),
    ],
)
def test_a_seeded_fault_is_found_and_named(encoder: str, provoking: str, kind: str) -> None:
    found = body(encoder, provoking)
    assert kind in kinds(found)
    assert found["verdict"] == "refused"
    assert any(f"{provoking} at plain: {kind}: " in reason for reason in found["reasons"])


@pytest.mark.parametrize(
    "provoking",
    ["shapes/", "names/case", "values/nan", "kinds/", "chains/"],
)
def test_without_a_fault_nothing_is_found_there(provoking: str) -> None:
    assert kinds(body("Sound", provoking)) == set()


def test_an_encoder_that_hangs_is_ended_and_refused() -> None:
    found = body("Hangs", "values/zeros", seconds=1.0)
    assert kinds(found) == {"timeout"}


def test_a_fault_does_not_take_the_inputs_behind_it_with_it() -> None:
    outcomes = {row["input"]: row["outcome"] for row in body("Dies", "shapes/")["results"]}
    assert outcomes.pop("shapes/0d") == "failed"
    assert outcomes.pop("shapes/empty") == "refused"
    assert set(outcomes.values()) == {"encoded"}


def test_a_part_of_the_battery_gives_no_certificate() -> None:
    found = body("Sound", "shapes/1d")
    assert found["reasons"] == ["only a part of the battery was used: shapes/1d"]


def test_a_working_point_that_claims_nothing_gives_no_certificate() -> None:
    found = body("Sound", "shapes/1d", point=WorkingPoint("free"))
    assert any("claims no step size" in reason for reason in found["reasons"])


def test_a_tool_that_is_claimed_for_a_working_point_and_not_shown_is_a_reason() -> None:
    claims = replace(POINT.claims, tools=frozenset({"codebook"}))
    found = body("Sound", "shapes/2d", point=replace(POINT, claims=claims))
    assert "working point plain claims codebook, which none of its streams shows" in found["reasons"]


def test_a_tool_that_is_shown_and_not_claimed_is_a_problem() -> None:
    assert "tools" in kinds(body("Sound", "shapes/2d", tools=frozenset({"integer"})))


def test_a_tool_that_is_claimed_and_never_shown_is_listed_as_not_exercised() -> None:
    found = body("Sound", "shapes/2d", tools=frozenset({"uniform", "initialization ids", "codebook"}))
    assert found["not_exercised"]["tools"] == ["codebook"]


def test_updates_may_be_refused_only_by_who_does_not_claim_them() -> None:
    point = WorkingPoint("first", {"profile": 0}, claims=POINT.claims)
    assert "refused" in kinds(body("Sound", "chains/small", point=point))
    without = replace(point, claims=replace(point.claims, without=frozenset({"update"})))
    found = body("Sound", "chains/small", point=without)
    assert kinds(found) == set()
    assert found["results"][0]["outcome"] == "not claimed"


def test_an_encoder_that_claims_to_be_lossless_is_held_to_every_bit() -> None:
    point = WorkingPoint("raw", {"raw": ["w", "b"], "node_ids": False}, claims=Claims(lossless=True))
    assert kinds(body("Sound", "values/minus-zero", "values/nan", "values/subnormal", point=point)) == set()
    assert kinds(body("Sound", "values/ramp", point=WorkingPoint("lossy", claims=Claims(lossless=True)))) == {
        "exactness"
    }


def test_changing_bytes_are_no_fault_where_they_are_declared() -> None:
    # It rounds up or down by chance, so that a value is up to a whole step away.
    point = replace(POINT, claims=replace(POINT.claims, deterministic=False, max_error_steps=1.0))
    found = body("Changing", "shapes/4d", point=point)
    assert kinds(found) == set()
    assert found["results"][0]["repeated"] is False


def test_the_battery_is_the_same_in_every_process() -> None:
    code = (
        "from nnr_conformance.suite.certify.battery import battery;"
        "from nnr_conformance.suite.certify.inputs import digest_of; print(digest_of(battery(900)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == digest_of(battery(900))


def test_every_input_of_the_battery_says_what_it_is_for() -> None:
    inputs = battery(900)
    assert len({one.id for one in inputs}) == len(inputs)
    assert all(one.purpose.endswith(".") and one.bug.endswith(".") for one in inputs)


def test_no_two_inputs_of_the_battery_are_the_same() -> None:
    digests = [digest_of([replace(one, id="")]) for one in battery(900)]
    assert len(set(digests)) == len(digests)


def test_working_points_are_read_again_as_they_were_written() -> None:
    rows = [{"name": "a", "words": ["-x"], "options": {"qp": 3}, "claims": {"qp": 3, "tools": ["codebook"]}}]
    points = working_points_of(rows, "here")
    assert working_points_of([plain(point) for point in points], "here") == points


@pytest.mark.parametrize(
    "rows",
    [
        None,
        [],
        [{}],
        [{"name": "../x"}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a", "claims": {"qp": True}}],
        [{"name": "a", "claims": {"qps": 1}}],
        [{"name": "a", "claims": {"tools": ["magic"]}}],
        [{"name": "a", "claims": {"max_error_steps": float("nan")}}],
        [{"name": "a", "claims": {"qp_density": 9}}],
        [{"name": "a", "other": 1}],
    ],
)
def test_working_points_that_make_no_sense_are_refused(rows: Any) -> None:
    with pytest.raises(UsageError):
        working_points_of(rows, "here")


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate of the package's own encoder."""
    top = tmp_path_factory.mktemp("certificate")
    points = top / "points.yaml"
    points.write_text("- {name: plain, claims: {qp: -38, vector_qp: -75, qp_density: 2}}\n", encoding="utf-8")
    words = ["certify", "--adapter", "nnr-encode", "--working-points", str(points), "--weights", "2500"]
    assert main([*words, "--jobs", "2", "-o", str(top / "out")]) == 0
    return top / "out"


@pytest.fixture
def copy(certified: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with."""
    for path in certified.rglob("*"):
        target = tmp_path / "cert" / path.relative_to(certified)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return tmp_path / "cert"


def manifest_again(folder: Path) -> None:
    """What somebody does who tampers and knows of the manifest."""
    names = [line.partition("  ")[2] for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()]
    done = subprocess.run(["sha256sum", *names], cwd=folder, capture_output=True, check=True)
    (folder / "SHA256SUMS").write_bytes(done.stdout)


def edited(folder: Path, change: Any) -> None:
    path = folder / "certificate.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    manifest_again(folder)


def test_the_certificate_of_the_own_encoder_holds(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(copy)]) == 0
    assert "holds" in capsys.readouterr().out
    content = json.loads((copy / "certificate.json").read_text(encoding="utf-8"))
    assert content["verdict"] == CERTIFIED
    assert content["totals"]["failed"] == 0


def test_its_manifest_is_one_for_sha256sum(certified: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=certified, check=True)


def test_it_is_valid_by_its_schema(certified: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema("certificate"))
    content = json.loads((certified / "certificate.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, schema("certificate"))


def test_a_stream_with_a_flipped_bit_is_noticed(copy: Path) -> None:
    path = copy / "streams/plain/shapes-2d-00.nnr"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert main(["verify", str(copy)]) == 1


def test_a_stream_of_another_input_is_noticed_though_the_manifest_was_made_again(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = copy / "streams/plain"
    (streams / "values-ramp-00.nnr").write_bytes((streams / "values-ties-00.nnr").read_bytes())
    manifest_again(copy)
    assert main(["verify", str(copy)]) == 1
    assert "values/ramp" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content["totals"].update(bytes=1),
        lambda content: content["requirements"].popitem(),
        lambda content: content["results"].pop(3),
        lambda content: content["not_exercised"]["tools"].append("codebook"),
        lambda content: content["results"][1].update(outcome="refused", streams=[]),
        lambda content: content["working_points"][0]["claims"].update(qp=-42),
        lambda content: content["suite"].update(battery_digest="0" * 64),
        lambda content: content.update(verdict="refused"),
        lambda content: content["implementation"].update(tools=["codebook"]),
        lambda content: content["results"][1]["streams"][0].update(path="../../etc/passwd"),
    ],
)
def test_a_certificate_that_says_something_else_than_its_streams_is_noticed(copy: Path, change: Any) -> None:
    edited(copy, change)
    assert main(["verify", str(copy)]) == 1


def test_a_manifest_without_a_stream_is_noticed(copy: Path) -> None:
    lines = (copy / "SHA256SUMS").read_text(encoding="utf-8").splitlines(keepends=True)
    (copy / "SHA256SUMS").write_text("".join(line for line in lines if "shapes-2d" not in line), encoding="utf-8")
    assert main(["verify", str(copy)]) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "nnr-certificate/1"}', "nonsense"])
def test_what_is_no_certificate_is_wrong_use(tmp_path: Path, text: str) -> None:
    (tmp_path / "certificate.json").write_text(text, encoding="utf-8")
    assert main(["verify", str(tmp_path)]) == 2


def test_who_gets_no_certificate_gets_no_file_of_that_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["certify", "--adapter", "faulty:Drops", "--only", "names", "-o", str(tmp_path / "out")]
    assert main(words) == 1
    assert "did not arrive" in capsys.readouterr().out
    assert not (tmp_path / "out/certificate.json").exists()
    assert (tmp_path / "out/report.json").exists()
    assert main([*words[:-1], str(tmp_path / "other"), "--report-only"]) == 0


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("", encoding="utf-8")
    assert main(["certify", "--adapter", "faulty:Sound", "--only", "shapes/1d", "-o", str(tmp_path)]) == 2


def test_a_command_is_reached_by_its_template() -> None:
    template = f"{sys.executable} -m nnr_conformance.cli.encode {{tensors}} -o {{stream}} -q [--base {{before}}]"
    declared = {"name": "nnr-encode", "version": "1", "encoder": template, "rejection_codes": [2]}
    only = ("shapes/2d", "values/minus-inf", "chains/one-element", "names/nul")
    plan = Plan(from_content(declared), (POINT,), 900, only)
    found = body_of(plan, examinations(plan))
    outcomes = {row["input"]: row["outcome"] for row in found["results"]}
    assert outcomes == {
        "shapes/2d": "encoded",
        "values/minus-infinity": "refused",
        "names/nul": "refused",
        "chains/one-element": "encoded",
    }
    assert kinds(found) == set()


def test_encoding_again_gives_the_same_certificate(certified: Path) -> None:
    assert main(["verify", str(certified), "--rerun", "--adapter", "nnr-encode"]) == 0


def test_encoding_again_with_another_encoder_does_not(certified: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(certified), "--rerun", "--adapter", "faulty:Coarser"]) == 1
    assert "encoded again" in capsys.readouterr().out


def test_badges_say_the_same_to_eyes_readers_and_services(certified: Path) -> None:
    content = json.loads((certified / "certificate.json").read_text(encoding="utf-8"))
    row = json.loads(badge_json(content))
    assert row.keys() == {"schemaVersion", "label", "message", "color"}
    assert row["schemaVersion"] == 1
    hostile = {**content, "implementation": {**content["implementation"], "name": '<&">'}}
    image = ElementTree.fromstring(badge_svg(hostile))
    title = image.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text is not None
    assert title.text.endswith(row["message"])
    assert title.text.startswith('NNR encoder: <&">')


SIGSTORE = """#!{python}
import pathlib, sys, hashlib
words = sys.argv[1:]
bundle = pathlib.Path(words[words.index("--bundle") + 1])
digest = hashlib.sha256(pathlib.Path(words[-1]).read_bytes()).hexdigest()
if words[0] == "sign":
    bundle.write_text("me " + digest)
elif bundle.read_text() != words[words.index("--cert-identity") + 1] + " " + digest:
    sys.exit("no match")
"""


@pytest.mark.skipif(os.name == "nt", reason="the substitute is a script with an interpreter line")
def test_a_signature_is_made_and_checked_by_sigstore(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "bin/sigstore"
    program.parent.mkdir()
    program.write_text(SIGSTORE.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    assert main(["verify", str(copy), "--identity", "me", "--issuer", "x"]) == 1
    sign(copy)
    assert main(["verify", str(copy), "--identity", "me", "--issuer", "x"]) == 0
    assert main(["verify", str(copy), "--identity", "you", "--issuer", "x"]) == 1
    assert main(["verify", str(copy), "--identity", "me"]) == 2
    assert "no match" in capsys.readouterr().out


def test_without_sigstore_signing_is_wrong_use(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="sigstore"):
        sign(copy)


def test_infinities_behind_a_finite_value_are_too_far() -> None:
    sent = Sent(0.5, raw=False, entries=None, composed=False, update=False)
    for strange in (np.inf, -np.inf, np.nan):
        found = Received({"w": np.array([strange, 1], np.float32)}, {"w": sent})
        assert compare({"w": np.ones(2, np.float32)}, found, Claims(step_size=0.5)).problems


def test_tensors_that_an_update_leaves_out_and_that_stay_are_told_and_are_no_problem() -> None:
    for name in ("zero", "partial"):
        found = body("Sound", f"chains/{name}")
        assert kinds(found) == set()
        (one,) = found["results"][0]["observations"]
        assert one == {"kind": "not-sent", "text": "behind stream 2: 2 of 3 tensors were not sent: 'conv', 'bias'"}
        assert any(f"chains/{name} at plain" in line for line in report_lines(found))
    assert "observations" not in body("Sound", "chains/small")["results"][0]


def test_the_report_counts_problems_by_kind_and_shows_the_first() -> None:
    found = body("Coarser", "shapes/2d", "shapes/3d")
    lines = list(report_lines(found))
    assert "| step | 2 | 2 | 2 | shapes/2d at plain: 'w': the step is 0.00585938, claimed is 0.00146484 |" in lines
    assert "## Problems" not in list(report_lines(body("Sound", "shapes/2d")))


def test_parts_of_composed_tensors_stand_for_them() -> None:
    arrays = {name: np.ones(1, np.float32) for name in ("w", "dense", "dense_1", "b")}
    lately = frozenset({"w_G", "w_H", "dense_1"})
    assert Received(arrays, {}, lately).unsent() == ["dense", "b"]


@pytest.mark.parametrize("provoking", ["values/small", "values/zeros", "shapes/2d"])
def test_a_parameter_beyond_its_field_is_found_by_the_step(provoking: str) -> None:
    options = {"qp": -129, "vector_qp": -129}
    claims = Claims(qp=-129, vector_qp=-129)
    found = body("Wraps", provoking, point=WorkingPoint("finest", options, claims=claims))
    assert "step" in kinds(found)
    assert any("the step is 3.7581e+09, claimed is 2.03727e-10" in reason for reason in found["reasons"])


def test_a_step_made_coarser_to_keep_levels_in_range_is_no_other_step() -> None:
    given = {"w": np.array([0.25, -0.125], np.float32)}
    claims = Claims(step_size=2.0**-40)

    def found(step: float) -> set[str]:
        sent = Sent(step, raw=False, entries=None, composed=False, update=False)
        return {one.kind for one in compare(given, Received(given, {"w": sent}), claims).problems}

    assert found(2.0**-20) == set()
    assert found(0.5) == {"step"}


def test_inputs_that_arrive_under_no_choice_say_nothing_of_what_is_followed() -> None:
    plan = Plan(from_adapter("faulty:Sound"), (POINT,), 900, ("shapes/1d",))
    rows = [
        Examination("shapes/1d", "plain", "encoded", follows={"history": choices})
        for choices in ({"all", "updates"}, set(), {"all"})
    ]
    assert body_of(plan, rows)["readings"] == {"history": {"inputs": 3, "follows": ["all"]}}
    assert body_of(plan, rows[1:2])["readings"] == {"history": {"inputs": 1, "follows": []}}


def test_who_claims_all_tools_is_told_of_those_that_no_stream_shows() -> None:
    unseen = body("Sound", "shapes/2d")["not_exercised"]["tools"]
    assert {"raw float", "codebook", "edition 1"} <= set(unseen)
    assert "uniform" not in unseen


def test_the_example_says_what_the_encoder_is_and_what_it_claims() -> None:
    points = read_working_points(EXAMPLE / "working-points.yaml")
    plan = Plan(from_adapter("nnr-encode"), points, 900, ("networks/cnn", "chains/one-element", "values/nan"))
    found = body_of(plan, examinations(plan))
    assert kinds(found) == set()
    rows = yaml.safe_load((EXAMPLE / "implementation.yaml").read_text(encoding="utf-8"))
    seen = {tool for tool in found["tools"] if not tool.startswith("edition ")}
    assert seen <= set(rows["tools"])
