"""Designs over scenarios: bands by hand, the designs of a study, lines and figure, the explore studio."""

from __future__ import annotations

from itertools import pairwise

import pytest

from interim import cli, open_designs
from interim.analysis.design_comparison import (
    comparison,
    comparison_lines,
    parse_scenarios,
    simulated_lines,
    study_designs,
)
from interim.design import compile_design
from interim.design.calendar import Calendar
from interim.errors import DesignError, InterimError, ReportError
from interim.parallel import workers
from interim.study import read_study
from tests.analysis.answers import value
from tests.analysis.dose_finding.conftest import ROOT

EXAMPLE = str(ROOT / "params" / "example.toml")
GRADUAL = "gradual: 0.05 0.10 0.20 0.35 / 0.10 0.20 0.35 0.55"


@pytest.fixture(scope="module")
def study():
    return read_study(EXAMPLE)


@pytest.fixture(scope="module")
def found(study):
    return comparison(study, scenarios=GRADUAL)


@pytest.mark.rule("DOSE-32", source="published check values of gradual4 under cap 18: literal and all levels")
def test_the_rule_of_the_study_under_a_known_scenario(found):
    """P(none) of the specification: 0.0142 + 0.0149 (literal), 0.0134 + 0.0495 (all levels); P(cap) 0.0894 and 0.0914."""
    for design, none, cap in (("AMB-1 B", 0.0142 + 0.0149, 0.0894), ("AMB-1 A", 0.0134 + 0.0495, 0.0914)):
        at = {"group": "gradual", "variable": design}
        assert value(found, design, "none", group="gradual") == pytest.approx(none, abs=1e-4)
        assert value(found, design, "cap", group=at["group"]) == pytest.approx(cap, abs=5e-5)


@pytest.mark.rule("DOSE-32")
def test_bands_are_the_levels_by_their_true_rate(found, study):
    """True rates .05 .10 .20 .35, band .16 to .33: levels 1 and 2 below, 3 in, 4 above."""
    for design in study_designs(study):
        get = lambda stat, at=design: value(found, at, stat, group="gradual")  # noqa: E731
        assert get("under") == pytest.approx(get("mtd1") + get("mtd2"), abs=1e-12)
        assert (get("target"), get("over")) == (pytest.approx(get("mtd3")), pytest.approx(get("mtd4")))
        assert sum(get(band) for band in ("none", "under", "target", "over")) == pytest.approx(1, abs=1e-12)
        assert 0 < get("dlt") < get("n") < 18 + 1e-9


@pytest.mark.rule("DOSE-32")
def test_the_designs_share_the_ladder_and_the_cap(study):
    designs = study_designs(study)
    assert {
        "AMB-1 A",
        "AMB-1 B",
        "3+3 esc_only",
        "BOIN",
        "mTPI",
        "mTPI-2",
        "Keyboard",
        "i3+3",
        "CRM",
        "BLRM",
    } <= set(designs)
    for name, design in designs.items():
        assert max(compile_design(design).outcomes.n.sum(axis=1)) <= 18, name


@pytest.mark.rule("DOSE-32")
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.1 0.2 0.3 0.4", "'name: rates'"),
        ("a: 0.1 0.2", "4 values"),
        ("a: 0.1 0.2 0.3 x", "rates are numbers"),
        ("a: 0.1 0.2 0.3 0.4; a: 0.1 0.2 0.3 0.4", "'name: rates'"),
        ("a: 0.1 0.2 0.3 0.4 / 0.1 0.1 0.3 0.4", "levels \\[2\\]"),
        ("a: 0.1 0.2 0.3 1.4", "levels \\[4\\]"),
    ],
)
def test_scenarios_that_cannot_be_read(text, words):
    with pytest.raises(DesignError, match=words):
        parse_scenarios(text, levels=4)
    with pytest.raises(DesignError, match="no planning scenario is shipped for 9 levels"):
        parse_scenarios("", levels=9)


@pytest.mark.rule("DOSEQ-15")
def test_lines_carry_an_error_below_every_number(study):
    scenarios = parse_scenarios(GRADUAL, levels=4)
    lines = list(simulated_lines(study, scenarios, n=400, seed=3, p_lost=0.1))
    again = list(simulated_lines(study, scenarios, n=400, seed=3, p_lost=0.1))
    assert lines == again and "n = 400 trials" in lines[-1] and "nan" not in "".join(lines)
    pairs = [(a, b) for a, b in pairwise(lines) if "+- mcse" in b]
    assert len(pairs) == 2 and all(len(a.split()) - 2 == len(b.split()) - 2 for a, b in pairs)
    timed = list(simulated_lines(study, scenarios, n=20, seed=3, calendar=Calendar(20, 15)))
    assert timed[0].split()[-2:] == ["days", "away"] and "accrual_days=20" in timed[-1]
    with pytest.raises(DesignError, match="seed"):
        list(simulated_lines(study, scenarios, n=400, seed=None))


@pytest.mark.rule("DOSEQ-15")
def test_one_and_two_processes_print_the_same_bytes(capsys):
    printed = []
    for count in ("1", "2"):
        options = ["--p", "0.05,0.1,0.2,0.35", "--n", "2100", "--seed", "7", "--workers", count]
        assert cli.main(["simulate", EXAMPLE, *options]) == 0
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and printed[0].count("+- mcse") == 2


@pytest.mark.rule("DOSEQ-15")
def test_a_dask_cluster_prints_the_same_bytes(capsys):
    distributed = pytest.importorskip("distributed", reason="Dask is not installed; it is no part of interim")
    options = ["simulate", EXAMPLE, "--p", "0.05,0.1,0.2,0.35", "--n", "2100", "--seed", "7"]
    assert cli.main(options) == 0
    serial = capsys.readouterr().out
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        assert cli.main([*options, "--scheduler", cluster.scheduler_address]) == 0
    assert capsys.readouterr().out == serial


@pytest.mark.rule("DOSEQ-15")
def test_workers_that_cannot_be_opened():
    with pytest.raises(InterimError, match="1 or more, found 0"), workers(0):
        pass
    with workers(1) as one:
        assert one == "serial"


@pytest.mark.rule("DOSE-32")
def test_the_compared_lines_are_exact(study, capsys):
    lines = list(comparison_lines(study, parse_scenarios(GRADUAL, levels=4)))
    assert len(lines) == 2 + len(study_designs(study)) and "exact, all paths" in lines[-1]
    row = next(line for line in lines if "AMB-1 B" in line).split()
    assert float(row[3]) == pytest.approx(0.0291, abs=1e-4)


@pytest.mark.rule("DOSE-32")
def test_the_studio_of_the_explore_notebook():
    studio = open_designs(study=EXAMPLE, scenarios=GRADUAL)
    table, figure = studio.table(), studio.figure()
    assert len(table.rows) == 1 + len(studio.designs) and "EXPLORATORY" in table.labels[0]
    assert figure.png.startswith(b"\x89PNG") and "gradual, BOIN:" in figure.alt
    assert studio.decide("AMB-1 A", "1N 2G 2NN 3NNT").brief == "ENROL 3 at 3"
    assert {"n", "y", "decision"} <= set(studio.decision_table("BOIN")) & set(
        studio.decision_table("AMB-1 B")
    )
    assert studio.paths("BOIN", depth=1)["depth"].max() == 1
    with pytest.raises(ReportError, match="no table of one level"):
        studio.decision_table("BLRM")
    with pytest.raises(ReportError, match="'TITE' is no design; known: AMB-1 A"):
        studio.decide("TITE", "")
    with pytest.raises(DesignError, match="a level is skipped"):
        studio.decide("BOIN", "1NNN 3NNN")
