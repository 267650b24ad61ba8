from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim.cli import main
from interim.errors import ReportError
from interim.report import validate as v
from interim.report.packs.base import Case, Pack, leaves, plain

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
KEYS = {"file", "area", "cases", "compared", "agree", "worst_rel_error", "tolerance", "disagreements"}


def copy_changed(folder: Path, change) -> Path:
    """Copy the binomial reference below ``folder``, changed."""
    document = json.loads((REFERENCE / "stats" / "binomial_ci.json").read_text(encoding="utf-8"))
    document["cases"] = document["cases"][:3]
    change(document)
    (folder / "stats").mkdir(parents=True)
    (folder / "stats" / "binomial_ci.json").write_text(json.dumps(document))
    return folder


@pytest.fixture(scope="module")
def report():
    """All packs of the project, run once."""
    return v.validate(REFERENCE)


@pytest.mark.rule("VAL-01", source="R 4.2.2: binom, exactci, survival, bpcp")
def test_the_packs_of_the_project_agree(report):
    assert report.ok, list(report.lines())
    areas = {file.area for file in report.files}
    assert {"stats", "clinical"} <= areas
    for file in report.files:
        assert file.cases > 0, file.file
        assert file.compared == file.agree > 0


@pytest.mark.rule("VAL-01")
def test_one_area_and_a_folder_of_areas_give_the_same(report):
    whole = {f.file: f for f in report.files if f.area == "clinical"}
    part = {f"clinical/{f.file}": f for f in v.validate(REFERENCE / "clinical").files}
    assert {name: f.compared for name, f in whole.items()} == {name: f.compared for name, f in part.items()}


@pytest.mark.rule("VAL-02")
def test_a_changed_number_is_one_disagreement(tmp_path):
    def change(document):
        document["cases"][0]["wilson"][0] += 1e-6

    report = v.validate(copy_changed(tmp_path, change))
    (wrong,) = report.files[0].disagreements
    assert wrong["field"] == "wilson.0"
    assert wrong["expected"] != wrong["found"]
    assert report.files[0].agree == report.files[0].compared - 1
    assert not report.ok


@pytest.mark.rule("VAL-02")
def test_an_unknown_field_is_a_disagreement_never_a_pass(tmp_path):
    report = v.validate(copy_changed(tmp_path, lambda d: d["cases"][0].update(new_method=[0.1, 0.2])))
    assert [d["found"] for d in report.files[0].disagreements] == ["(absent)", "(absent)"]


@pytest.mark.rule("VAL-02")
def test_a_case_that_cannot_run_is_a_disagreement(tmp_path):
    report = v.validate(copy_changed(tmp_path, lambda d: d["cases"][0].update(x=99)))
    assert report.files[0].disagreements[0]["field"] == "(run)"
    assert len(report.files[0].disagreements) == 1 + len(list(leaves(expected_of_first())))


def expected_of_first():
    first = json.loads((REFERENCE / "stats" / "binomial_ci.json").read_text(encoding="utf-8"))["cases"][0]
    return {key: value for key, value in first.items() if key not in ("x", "n")}


@pytest.mark.rule("VAL-01")
def test_the_runner_never_sees_what_is_expected(tmp_path):
    """Equal inputs give equal answers, whatever the file expects."""

    def other(document):
        for case in document["cases"]:
            for key in set(case) - {"x", "n"}:
                case[key] = [0.0, 0.0] if isinstance(case[key], list) else 0.0

    honest = json.loads((REFERENCE / "stats" / "binomial_ci.json").read_text(encoding="utf-8"))["cases"][:3]
    report = v.validate(copy_changed(tmp_path, other))
    found = {(d["case"], d["field"]): d["found"] for d in report.files[0].disagreements}
    assert found
    for case in honest:
        for name, value in leaves({k: x for k, x in case.items() if k not in ("x", "n")}):
            answer = found.get((f"{case['x']}/{case['n']}", name), 0.0)
            assert answer == pytest.approx(value, abs=1e-4)


@pytest.mark.rule("VAL-02")
def test_files_and_parts_without_a_runner_are_listed(tmp_path):
    folder = copy_changed(tmp_path, lambda d: None)
    (folder / "stats" / "new.json").write_text("{}")
    (folder / "other").mkdir()
    (folder / "other" / "km.json").write_text("{}")
    (folder / "clinical").mkdir()
    (folder / "clinical" / "reference_numbers.json").write_text('{"surprise": {}}')
    report = v.validate(folder)
    assert report.not_covered == (
        "clinical/reference_numbers.json: surprise",
        "other/km.json",
        "stats/new.json",
    )
    assert "not covered: other/km.json" in list(report.lines())


@pytest.mark.rule("VAL-03")
def test_the_command_prints_lines_or_json_and_ends_with_the_verdict(tmp_path, capsys):
    good = copy_changed(tmp_path / "good", lambda d: None)
    assert main(["validate", str(good)]) == 0
    printed = capsys.readouterr().out
    assert "stats/binomial_ci.json" in printed
    assert "0 disagree" in printed
    bad = copy_changed(tmp_path / "bad", lambda d: d["cases"][1].update(cp90=[0, 0]))
    assert main(["validate", str(bad), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"files", "not_covered"}
    assert set(answer["files"][0]) >= KEYS
    assert answer["files"][0]["area"] == "stats"
    assert main(["validate", str(bad)]) == 1
    assert "DISAGREE stats/binomial_ci.json case" in capsys.readouterr().out


@pytest.mark.parametrize("executor", ["serial", "processes"])
def test_processes_give_the_same_report(executor, tmp_path):
    report = v.validate(copy_changed(tmp_path, lambda d: None), executor=executor)
    assert report.as_json() == v.validate(tmp_path).as_json()


@pytest.mark.parametrize("prepare", ["absent", "empty", "broken"])
def test_what_cannot_be_validated(tmp_path, prepare, capsys):
    folder = tmp_path / "stats"
    if prepare != "absent":
        folder.mkdir()
    if prepare == "broken":
        (folder / "km.json").write_text("{")
    with pytest.raises(ReportError, match=r"directory|no JSON|cannot be read"):
        v.validate(folder)
    assert main(["validate", str(folder)]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.rule("VAL-02")
@pytest.mark.parametrize(
    ("expected", "found", "tolerance", "absolute", "agrees"),
    [
        (1.0, 1.0 + 5e-10, 1e-9, False, True),
        (1.0, 1.0 + 5e-9, 1e-9, False, False),
        (1e6, 1e6 + 1e-4, 1e-9, False, True),
        (1e6, 1e6 + 1e-4, 1e-9, True, False),
        (1e-12, 2e-12, 1e-9, False, True),
        (3, 3.0, 0.0, False, True),
        (True, 1, 0.0, False, False),
        (None, None, 0.0, False, True),
        (None, 0.0, 1e-9, False, False),
        (0.0, None, 1e-9, False, False),
        (0.0, float("nan"), 1e-9, False, False),
        ("Inf", "Inf", 0.0, False, True),
        ("CR", "PR", 0.0, False, False),
    ],
)
def test_agreement(expected, found, tolerance, absolute, agrees):
    pack = Pack(
        "a", "f", tolerance, lambda d: [], lambda g: {"v": found}, absolute=absolute, tolerances={"w": 1.0}
    )
    report = v.FileReport("f", "a", tolerance)
    v._compare(report, pack, Case("1", {}, {"v": expected}))
    assert (report.agree, report.compared) == (int(agrees), 1)
    assert pack.tolerance_of("w.0") == 1.0


def test_plain_values():
    import numpy as np

    given = {"a": np.array([1.0, np.nan, np.inf, -np.inf]), "b": (np.int64(3), True, None, "x")}
    assert plain(given) == {"a": [1.0, None, "Inf", "-Inf"], "b": [3, True, None, "x"]}
    assert dict(leaves({"a": {"b": [1, {"c": 2}]}, "d": None})) == {"a.b.0": 1, "a.b.1.c": 2, "d": None}
