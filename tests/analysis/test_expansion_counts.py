"""Phase IB from a table of counts: the published vemurafenib baskets against the reference pack, bad tables, the notebook."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import interim
from interim import display
from interim.analysis import expansion_counts as counts
from interim.errors import DataError
from interim.report.notebook import adhoc_notebooks
from tests.analysis.answers import row, status, value
from tests.analysis.test_expansion import TYPES, study_with

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "notebooks" / "adhoc" / "vemurafenib_counts.csv"
PACK = ROOT / "tests" / "reference" / "basket" / "bhm_exnex.json"
NAMES = ("nsclc", "crc_v", "crc_vc", "bile", "ecd_lch", "atc")


@pytest.fixture(scope="module")
def vemurafenib():
    return interim.phase_ib(FILE)


@pytest.fixture(scope="module")
def found(vemurafenib):
    return vemurafenib.candidates


def reference(name):
    return next(case for case in json.loads(PACK.read_text()) if case["id"] == name)


@pytest.mark.rule("IB-34", source="reference/basket: two quadratures and JAGS")
@pytest.mark.parametrize(
    ("model", "case"), [("hierarchical", "vemu6.bhm.hn1"), ("exnex", "vemu6.exnex.w0.5")]
)
def test_the_chapter_of_the_published_counts_holds_the_reference_numbers(found, model, case):
    known = reference(case)
    for k, name in enumerate(NAMES):
        assert row(found, "orr", "rate", group=name)["n"] == known["r"][k]
        assert row(found, "orr", "rate", group=name)["N"] == known["n"][k]
        assert value(found, model, "mean", group=name) == pytest.approx(known["quad"]["mean"][k], abs=1e-6)
        above = known["quad"]["prob_gt_p0"][k]
        assert value(found, model, "prob_above", group=name) == pytest.approx(above, abs=1e-6)
        assert value(found, model, "lower", group=name) == pytest.approx(known["quad"]["q025"][k], abs=5e-5)
        assert value(found, model, "upper", group=name) == pytest.approx(known["quad"]["q975"][k], abs=5e-5)


@pytest.mark.rule("IB-34", source="reference/basket: null rate of vemu6")
def test_the_example_names_where_its_rates_come_from(vemurafenib):
    known = reference("vemu6.bhm.hn1")
    for entry, null in zip(vemurafenib.study.expansion.type, known["p0"], strict=True):
        assert entry.p0 == null and "vemu6" in entry.p0_source and "Hyman et al. 2015" in entry.p0_source
        assert entry.p1_source == "planning value of this example, not published"


@pytest.mark.rule("IB-34")
def test_the_classes_of_the_published_counts(found):
    kinds = [row(found, "decision", "class", group=name)["text"] for name in NAMES]
    assert kinds == ["GO", "NO-GO", "NO-GO", "CONSIDER", "GO", "CONSIDER"]
    assert row(found, "decision", "differs", group="atc")["text"] == "partition"


@pytest.mark.rule("IB-34")
def test_what_counts_cannot_tell_is_not_available(found, vemurafenib):
    assert status(found, "dcr", "rate", group="nsclc") == (
        "NA",
        "not available: no disease control in the data",
    )
    assert status(found, "kinetics", "median", group="nsclc")[0] == "NA"
    assert row(found, "safety", "n")["text"] == "no recommended dose"
    table = display.table_candidates(found, vemurafenib.study)
    assert any(
        "Disease control rate" in line.cells[0].text and line.cells[1].text == "NA" for line in table.rows
    )


@pytest.mark.rule("IB-16")
def test_six_unequal_types_have_too_many_outcomes_and_say_so(vemurafenib):
    table = display.table_rule_of_choice(vemurafenib.rule_of_choice, vemurafenib.study)
    (line,) = table.rows
    assert line.cells[0].text == "Own data only: not computed: 6415200 outcomes, more than 2000000"
    together = vemurafenib.together
    assert status(together, "look by exnex", "any_false")[1].startswith("not computed: 47045881 outcomes")
    assert 0.9 < value(together, "simon_9_17", "any_false", group="none active") < 1


def one(**changes):
    base = {
        "TYPE": "crc",
        "LABEL": "Colorectal",
        "R": 1,
        "N": 6,
        "P0": 0.05,
        "P1": 0.25,
        "P0SRC": "A",
        "P1SRC": "B",
    }
    return base | changes


@pytest.mark.rule("IB-34")
@pytest.mark.parametrize(
    ("change", "variable", "words"),
    [
        ({"R": 7}, "R", "whole number from 0 to N = 6"),
        ({"R": -1}, "R", "whole number from 0 to N = 6"),
        ({"R": 0.5}, "R", "whole number from 0 to N = 6"),
        ({"R": "one"}, "R", "whole number from 0 to N = 6"),
        ({"N": -2, "R": 0}, "N", "whole number of participants"),
        ({"N": None}, "N", "whole number of participants"),
        ({"P0": 0.25}, "P0", "between 0 and P1 = 0.25"),
        ({"P0": 0.0}, "P0", "between 0 and P1"),
        ({"P1": 1.0}, "P0", "which lies below 1"),
        ({"P0": None}, "P0", "between 0 and P1"),
        ({"P0SRC": ""}, "P0SRC", "rates are cited, never guessed"),
        ({"P1SRC": None}, "P1SRC", "rates are cited, never guessed"),
        ({"LABEL": " "}, "LABEL", "must not be empty"),
    ],
)
def test_an_impossible_row_is_named(change, variable, words):
    with pytest.raises(DataError) as caught:
        interim.phase_ib(pd.DataFrame([one(), one(TYPE="gastric", **change)]))
    hits = [finding for finding in caught.value.findings if finding.variable == variable]
    assert hits and hits[0].row == 2 and words in hits[0].message


@pytest.mark.rule("IB-34")
def test_all_problems_of_a_table_are_listed_at_once():
    table = pd.DataFrame([one(R=9), one(P0=0.9, P0SRC="")])
    with pytest.raises(DataError) as caught:
        interim.phase_ib(table)
    named = sorted((finding.row, finding.variable) for finding in caught.value.findings)
    assert named == [(1, "R"), (1, "TYPE"), (2, "P0"), (2, "P0SRC"), (2, "TYPE")]


@pytest.mark.rule("IB-34")
@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame([one()]).drop(columns=["P1", "P1SRC"]), "no such column"),
        (pd.DataFrame(columns=list(counts.COLUMNS)), "the table has no row"),
    ],
)
def test_a_table_without_columns_or_rows_is_refused(table, words):
    with pytest.raises(DataError, match=words):
        interim.phase_ib(table)


@pytest.mark.rule("IB-34")
@pytest.mark.parametrize(("r", "n"), [((0, 0), (6, 3)), ((6, 3), (6, 3)), ((0, 0), (0, 0)), ((1, 0), (6, 0))])
def test_no_responder_only_responders_and_empty_types_are_answered(r, n):
    rows = [one(R=r[0], N=n[0]), one(TYPE="gastric", LABEL="Gastric", R=r[1], N=n[1])]
    made = interim.phase_ib(pd.DataFrame(rows))
    for name, x, size in zip(("crc", "gastric"), r, n, strict=True):
        shown = row(made.candidates, "orr", "rate", group=name)
        assert (shown["n"], shown["N"]) == (x, size)
    kinds = {row(made.candidates, "decision", "class", group=name)["text"] for name in ("crc", "gastric")}
    assert kinds <= {"GO", "CONSIDER", "NO-GO"} and (sum(r) or "GO" not in kinds)


@pytest.mark.rule("IB-34")
def test_the_settings_of_a_study_hold_and_its_types_are_replaced(tmp_path):
    study = study_with(tmp_path, '[expansion]\ngo_prob = 0.7\ndesign = "fixed_9"\n' + TYPES)
    made = interim.phase_ib(pd.DataFrame([one()]), study=study)
    assert [entry.id for entry in made.study.expansion.type] == ["crc"]
    assert value(made.candidates, "margin", "margin", level="go_prob", group="crc") == pytest.approx(
        0.757543 - 0.7, abs=1e-6
    )
    assert "1 tumour types: Colorectal" in made._repr_html_()
    assert row(made.designs, "design", "rule", group="fixed_9")["text"] == "go at >= 2 of 9"
    assert value(made.boundaries, "boundary", "tox", level="18") == 8


@pytest.mark.rule("IB-34")
def test_the_notebook_for_designing_phase_ib_runs(monkeypatch, tmp_path):
    (path,) = (p for p in adhoc_notebooks(ROOT / "notebooks") if p.name == "02_design_phase_ib.ipynb")
    small = tmp_path / "two.csv"
    pd.DataFrame([one(), one(TYPE="gastric", LABEL="Gastric", R=0, N=2)]).to_csv(small, index=False)
    monkeypatch.chdir(ROOT)
    room: dict[str, object] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), room)
            if cell["id"] == "parameters":
                assert Path(str(room["file"])).exists()
                room["file"] = str(small)
    assert row(room["found"], "decision", "class", group="gastric")["text"] == "CONSIDER"
