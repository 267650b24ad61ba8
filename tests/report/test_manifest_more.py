"""What the manifest says of findings, environment and outputs; what a chapter says when a question fails."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from interim.errors import ReportError
from interim.report import chapter as c
from interim.report import hashes
from interim.report.freshness import report_key
from interim.report.manifest import environment, finding_counts, write_manifest
from interim.report.registry import registry
from interim.result import ResultStore
from tests.report import handmade


def with_findings(inputs, *severities):
    one = handmade.hand().FINDINGS[0]
    findings = tuple(replace(one, severity=severity) for severity in severities)
    return replace(inputs, adam=replace(inputs.adam, findings=findings))


def written(folder, inputs) -> dict:
    folder.mkdir(exist_ok=True)
    key = report_key(inputs.study, folder, {"language": "en"})
    return json.loads(write_manifest(folder, inputs, key=key, languages=["en"]).read_text(encoding="utf-8"))


@pytest.mark.rule("MAN-01")
@pytest.mark.parametrize(
    ("severities", "counts", "draft"),
    [
        ((), {"stop": 0, "warn": 0, "info": 0}, False),
        (("warn", "info", "warn"), {"stop": 0, "warn": 2, "info": 1}, False),
        (("stop",), {"stop": 1, "warn": 0, "info": 0}, True),
    ],
)
def test_findings_and_draft(hand_inputs, tmp_path, severities, counts, draft):
    inputs = with_findings(hand_inputs, *severities)
    assert finding_counts(inputs) == counts
    manifest = written(tmp_path / "r", inputs)
    assert (manifest["findings"], manifest["study"]["draft"]) == (counts, draft)
    assert any("DRAFT" in label for label in c.labels_of(inputs)) == draft


@pytest.mark.rule("MAN-01")
def test_the_manifest_does_not_hash_itself_and_repeats_to_the_byte(hand_inputs, tmp_path):
    (tmp_path / "r" / "deep").mkdir(parents=True)
    (tmp_path / "r" / "deep" / "é.txt").write_text("x")
    first = written(tmp_path / "r", hand_inputs)
    before = (tmp_path / "r" / "manifest.json").read_bytes()
    assert written(tmp_path / "r", hand_inputs) == first
    assert (tmp_path / "r" / "manifest.json").read_bytes() == before
    assert first["outputs"] == {"deep/é.txt": hashes.sha256(tmp_path / "r" / "deep" / "é.txt")}
    assert "é".encode() in before and list(first) == sorted(first)


@pytest.mark.rule("MAN-01")
def test_the_environment_names_interpreter_and_packages():
    facts = environment("lock hash")
    assert facts["lock"] == "lock hash" and facts["python"].count(".") == 2
    assert list(facts["packages"]) == sorted(facts["packages"])
    assert all(name == name.lower() for name in facts["packages"])


@pytest.mark.rule("TLF-01")
def test_a_question_that_has_no_answer_is_named_with_its_neighbours(hand_inputs):
    tlf = next(tlf for tlf in registry() if tlf.kind == "table")
    store = ResultStore({f"{tlf.analysis}x": None})
    with pytest.raises(KeyError, match=rf"no analysis '{tlf.analysis}'; nearest: {tlf.analysis}x"):
        c.Chapter(replace(hand_inputs, store=store)).table(tlf.id)


@pytest.mark.parametrize("given", ["", "t 14.1.1.1", "T14.1.1.1", " T 14.1.1.1", None, 14])
def test_an_id_is_exact(hand_inputs, given):
    with pytest.raises(ReportError, match="is no table of the registry; known: "):
        c.Chapter(hand_inputs).table(given)


def test_options_and_titles_of_the_registry_reach_the_display(hand_inputs):
    pairs = [tlf for tlf in registry() if tlf.options.get("endpoint") and tlf.kind == "table"][:2]
    shown = [c.Chapter(hand_inputs).table(tlf.id) for tlf in pairs]
    assert [table.title for table in shown] == [tlf.title for tlf in pairs]
    ends = [{key.split("/")[2] for key in table.keys} & {"pfs", "os"} for table in shown]
    assert ends == [{tlf.options["endpoint"].lower()} for tlf in pairs] and len(pairs) == 2


@pytest.mark.parametrize("label", ["", "SYNTHETIC"])
def test_labels_of_a_study(hand_inputs, label):
    study = hand_inputs.study.model_copy(
        update={"study": hand_inputs.study.study.model_copy(update={"label": label})}
    )
    clean = with_findings(replace(hand_inputs, study=study), "warn")
    assert c.labels_of(clean) == ((label,) if label else ())
    draft = with_findings(replace(hand_inputs, study=study), "stop", "stop")
    assert c.labels_of(draft)[-1] == "DRAFT - 2 finding(s) would stop a final report"
