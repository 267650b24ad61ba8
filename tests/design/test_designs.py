"""Conformance: what every design answers and keeps, whatever its rule."""

from __future__ import annotations

import random
from math import comb

import numpy as np
import pandas as pd
import pytest

from interim.design import (
    Blrm,
    Boin,
    Crm,
    Elimination,
    History,
    I3Plus3,
    Keyboard,
    Mtpi,
    Mtpi2,
    Record,
    Stop,
    TableDesign,
    ThreePlusThree,
    TitratedThreePlusThree,
    compile_design,
    dose_paths,
    operating_characteristics,
)
from interim.design.characteristics import scenario
from interim.design.interval import boundaries
from interim.design.paths import extend, path_frame, rule_table
from interim.design.simulate import simulate
from interim.errors import DesignError

LEVELS = (1.5, 3.0, 5.0, 7.0)
P = np.array([0.05, 0.10, 0.20, 0.35])
BOIN = Boin(LEVELS, 0.25, n_max=12)

DESIGNS = {
    "titration and 3+3": TitratedThreePlusThree(LEVELS),
    "3+3": ThreePlusThree(LEVELS),
    "BOIN": BOIN,
    "mTPI": Mtpi(LEVELS, 0.25, n_max=12),
    "mTPI-2": Mtpi2(LEVELS, 0.25, n_max=12),
    "Keyboard": Keyboard(LEVELS, 0.25, n_max=12),
    "i3+3": I3Plus3(LEVELS, 0.25, n_max=12),
    "table": TableDesign.from_frame(BOIN.decision_table(), levels=LEVELS, target=0.25),
    "CRM": Crm((0.05, 0.12, 0.25, 0.40), 0.25, doses=LEVELS, n_max=12),
    "BLRM": Blrm(LEVELS, 5.0, n_max=12),
}
every_design = pytest.mark.parametrize("design", DESIGNS.values(), ids=list(DESIGNS))


@pytest.mark.rule("DOSE-15")
@every_design
def test_runs_keep_to_the_ladder(design):
    draw = random.Random(1)
    for _ in range(25):
        history = History(4)
        while (decision := design.decide(history)).action == "ENROL":
            highest = max((s.level for s in history.subjects), default=0)
            assert decision.level <= highest + 1
            assert decision.excluded_from is None or decision.level < decision.excluded_from
            assert decision.n_to_enrol >= 1
            assert decision.reason
            letters = "".join(
                "T" if draw.random() < P[decision.level - 1] * 1.5 else "N"
                for _ in range(decision.n_to_enrol)
            )
            history = extend(history, level=decision.level, letters=letters)
        assert decision.action == "STOP"
        assert (decision.mtd is None) == (decision.mtd_status in ("below_lowest", "not_established_cap"))
        assert len(history.subjects) <= 18


@pytest.mark.rule("DOSE-15")
@every_design
def test_open_outcomes_are_waited_for_or_the_cohort_completed(design):
    first = design.decide(History(4))
    letters = "P" * first.n_to_enrol
    decision = design.decide(History.parse(f"1{letters}", levels=4))
    assert decision.action == "WAIT"
    assert len(decision.pending) == first.n_to_enrol


@pytest.mark.rule("DOSE-15")
@every_design
def test_a_recorded_stop_ends_every_design(design):
    stop = Stop("2025-06-01", "sponsor", "A. B.", 1, "activity", "T 14.5.1", "rp2d")
    history = History.parse("1NNN", levels=4)
    decision = design.decide(History(4, history.subjects, Record(stop=stop)))
    assert (decision.action, decision.mtd_status) == ("STOP", "not_established_stop")


@pytest.mark.rule("DOSE-15")
@every_design
def test_the_tree_of_decisions_gives_the_exact_characteristics(design):
    """Every path of decide() with its probability adds up to what the compiled states say."""
    q = np.array([0.05, 0.05, 0.1, 0.1])
    short = design
    depth = 20
    if not isinstance(design, TitratedThreePlusThree):
        paths = dose_paths(short, depth, truth=scenario(P, levels=4))
        exact = compile_design(short).evaluate(P)
    else:
        paths = dose_paths(short, depth, truth=scenario(P, q, levels=4))
        exact = compile_design(short).evaluate(P, q)
    sel = np.zeros(5)
    for path in paths:
        if path.decision.action == "STOP":
            sel[path.decision.mtd or 0] += path.probability
    assert np.allclose(sel, exact.sel, atol=1e-12)


@pytest.mark.rule("DOSE-16")
@every_design
def test_simulation_agrees_with_the_exact_numbers(design):
    exact = compile_design(design).evaluate(P)
    found = simulate(design, P, n=4000, seed=11)
    for name in ("sel", "EN", "EY"):
        error = np.maximum(found.mcse[name], 1e-3)
        assert np.all(np.abs(np.array(getattr(found, name)) - getattr(exact, name)) < 4.5 * error), name
    assert found.method == "simulated"


@pytest.mark.rule("DOSE-15")
@every_design
def test_a_history_with_another_ladder_is_refused(design):
    with pytest.raises(DesignError, match="4 levels, the history 3"):
        design.decide(History(3))


@pytest.mark.rule("DOSE-15")
@every_design
def test_the_present_state_is_a_start(design):
    """From the empty history and from the first branch of the tree the numbers are consistent."""
    whole = compile_design(design).evaluate(P)
    first = design.decide(History(4))
    total = np.zeros(5)
    for path in dose_paths(design, 1, truth=scenario(P, levels=4)):
        if path.depth == 1 and path.probability > 0:
            start = History.parse(path.outcomes, levels=4)
            total += path.probability * np.array(compile_design(design, start=start).evaluate(P).sel)
    assert first.level == 1
    assert np.allclose(total, whole.sel, atol=1e-10)


@pytest.mark.rule("DOSE-17", source="BOIN 2.7.2 get.boundary")
def test_boin_boundaries(numbers):
    for name, table in numbers("boin_boundaries.json")["tables"].items():
        if name == "extrasafe":
            safety = Elimination()
            for n, stop in zip(table["n"], table["stop_ge"], strict=True):
                toxic = safety.toxic(
                    np.full(n + 1, n), np.arange(n + 1), target=table["target"], offset=table["offset"]
                )
                assert (int(toxic.argmax()) if toxic.any() else None) == stop
            continue
        design = Boin((1,), table["target"])
        assert design.lambda_e == pytest.approx(table["lambda_e"], abs=1e-12)
        assert design.lambda_d == pytest.approx(table["lambda_d"], abs=1e-12)
        found = boundaries(design, range(1, len(table["n"]) + 1))
        assert found == {key: table[key] for key in found}


@pytest.mark.rule("DOSE-17", source="BOIN 2.7.2 select.mtd")
def test_boin_selection(numbers):
    for item in numbers("boin_select_mtd.json")["data"]:
        design = Boin(range(1, len(item["n"]) + 1), item["target"], bound_mtd=item["boundMTD"])
        chosen = int(design.choose(np.array([item["n"]]), np.array([item["y"]]))[0])
        assert chosen == (0 if item["mtd"] == 99 else item["mtd"])


@pytest.mark.rule("DOSE-17")
def test_an_untested_lower_level_shifts_nothing():
    design = Boin((1, 2, 3, 4), 0.3)
    n, y = np.array([[0, 6, 3, 0]]), np.array([[0, 2, 2, 0]])
    assert design.choose(n, y).tolist() == [2]
    fit = design.estimates(n, y)[0]
    assert np.isnan(fit[[0, 3]]).all()
    assert fit[1] == pytest.approx(2.05 / 6.1)


@pytest.mark.rule("DOSE-17", source="exact recursion; BOIN 2.7.2 get.oc within 4 standard errors")
@pytest.mark.parametrize("number", [1, 2, 3])
def test_boin_characteristics(numbers, number):
    file = numbers(f"boin_oc_scenario{number}.json")
    found = compile_design(Boin(range(1, 6), file["target"])).evaluate(file["p.true"])
    for name in ("sel", "EN", "EY"):
        assert np.allclose(getattr(found, name), file["exact"][name], rtol=0, atol=1e-10)
    peer = np.array([file["percentstop"], *file["selpercent"]]) / 100
    error = np.sqrt(np.maximum(peer * (1 - peer), 1e-4) / file["ntrial"])
    assert np.all(np.abs(peer - found.sel) < 4 * error)


@pytest.mark.rule("DOSE-17", source="exact rational arithmetic; Keyboard 0.1.3, escalation 0.2.3")
def test_interval_tables(numbers):
    kinds = {"mtpi2": Mtpi2, "keyboard": Keyboard, "mtpi": Mtpi, "i3plus3": I3Plus3}
    for name, tables in numbers("interval_decision_tables.json")["tables"].items():
        target = float(name.split("_")[0].removeprefix("pT"))
        for kind, rows in tables.items():
            found = kinds[kind]((1,), target, margin=(0.05, 0.05)).table(18)
            assert {str(n): list(row) for n, row in enumerate(found, 1)} == rows, (name, kind)


@pytest.mark.rule("DOSE-17", source="Keyboard 0.1.3 get.boundary.kb")
def test_keyboard_boundaries(numbers):
    for table in numbers("keyboard_boundaries_peer.json")["tables"].values():
        width = table["margin"]
        design = Keyboard((1,), table["target"], margin=(width, width), safety=Elimination(min_n=1))
        found = boundaries(design, range(1, len(table["n"]) + 1))
        assert found == {key: table[key] for key in found}


@pytest.mark.rule("DOSE-17")
def test_moves_on_a_history():
    assert BOIN.decide(History.parse("1NNN", levels=4)).rule_id == "E"
    assert [BOIN.move(3, y) for y in range(4)] == ["E", "D", "D", "D"]
    assert (BOIN.decide(History.parse("1NNT", levels=4)).brief, BOIN.move(6, 1)) == ("ENROL 3 at 1", "E")
    down = BOIN.decide(History.parse("1NNN 2TTT", levels=4))
    assert (down.level, down.rule_id, down.excluded_from) == (1, "DU", 2)
    assert BOIN.decide(History.parse("1TTT", levels=4)).brief == "STOP, no MTD, below_lowest"
    half = BOIN.decide(History.parse("1NN", levels=4))
    assert (half.n_to_enrol, half.rule_id) == (1, "F")
    assert BOIN.decide(History.parse("1NNN 2TTTPPP", levels=4)).action == "WAIT"
    assert "S02" in BOIN.decide(History.parse("1NP", levels=4)).warnings[0]


@pytest.mark.rule("DOSE-17")
def test_an_early_stop_at_enough_participants():
    design = Boin(LEVELS, 0.25, n_max=30, stop_at=6)
    decision = design.decide(History.parse("1NNN 2NNNNNT 3NTT", levels=4))
    assert decision.action == "ENROL"
    stopped = design.decide(History.parse("3NTT 2NNNNTT", levels=4, recorded=True))
    assert stopped.rule_id in ("R", "D")
    exact = compile_design(design).evaluate(P)
    assert exact.total_n < compile_design(Boin(LEVELS, 0.25, n_max=30)).evaluate(P).total_n


@pytest.mark.rule("DOSE-17")
def test_the_lowest_level_stops_earlier_with_extra_safety():
    safe = Boin(LEVELS, 0.25, n_max=30, safety=Elimination(lowest_offset=0.05))
    plain = Boin(LEVELS, 0.25, n_max=30)
    toxic = [0.4, 0.5, 0.6, 0.7]
    assert compile_design(safe).evaluate(toxic).sel[0] > compile_design(plain).evaluate(toxic).sel[0]


@pytest.mark.rule("DOSE-18")
def test_a_table_comes_back_as_it_was_given():
    frame = BOIN.decision_table()
    design = TableDesign.from_frame(frame.sample(frac=1, random_state=3), levels=LEVELS, target=0.25)
    pd.testing.assert_frame_equal(design.decision_table(), frame)
    assert compile_design(design).evaluate(P).sel == compile_design(BOIN).evaluate(P).sel


@pytest.mark.rule("DOSE-18")
@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda f: f.drop(index=2), r"n 2: no decision for y \[0\]"),
        (lambda f: f[f["n"] != 5], r"n 5: no decision for y \[0, 1, 2, 3, 4, 5\]"),
        (
            lambda f: f.assign(decision=f["decision"].mask((f["n"] == 3) & (f["y"] == 3), "E")),
            "n 3: E at y 3 above",
        ),
        (lambda f: f.assign(decision=f["decision"].mask(f["n"] == 1, "Q")), "unknown"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "twice"),
        (lambda f: f.iloc[:0], "no rows"),
    ],
)
def test_a_table_with_faults_is_refused(edit, words):
    with pytest.raises(DesignError, match=words):
        TableDesign.from_frame(edit(BOIN.decision_table()), levels=LEVELS, target=0.25)


@pytest.mark.rule("DOSE-18")
def test_a_table_too_short():
    with pytest.raises(DesignError, match="ends at n = 12"):
        TableDesign.from_frame(BOIN.decision_table(), levels=LEVELS, target=0.25, n_max=15)
    with pytest.raises(DesignError, match="asked for n = 13"):
        DESIGNS["table"].table(13)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Boin((2, 1), 0.3), "increasing"),
        (lambda: Boin(LEVELS, 1.3), "target"),
        (lambda: Boin(LEVELS, 0.3, start_level=9), "start_level"),
        (lambda: Boin(LEVELS, 0.3, cohort_size=40), "cohort_size"),
    ],
)
def test_designs_that_cannot_be_run(build, words):
    with pytest.raises(DesignError, match=words):
        build()


@pytest.mark.rule("DOSE-19")
def test_paths_have_probabilities_and_rows():
    tree = dose_paths(ThreePlusThree(LEVELS), 2, truth=scenario(P, levels=4))
    leaves = [p for p in tree if p.depth == 2 or (p.depth == 1 and p.decision.action == "STOP")]
    assert sum(path.probability for path in leaves) == pytest.approx(1)
    rows = path_frame(tree)
    assert rows["outcomes"].iloc[0] == ""
    assert {"1NNN", "1NNT", "1NNN 2NTT"} <= set(rows["outcomes"])
    assert np.isnan(dose_paths(ThreePlusThree(LEVELS), 0)[0].probability)
    with pytest.raises(DesignError, match="open outcomes"):
        dose_paths(ThreePlusThree(LEVELS), 1, start=History.parse("1P", levels=4))


@pytest.mark.rule("DOSE-15")
def test_large_ladders_keep_their_states_apart():
    """A key of many columns does not fit one integer; the numbers are the same as with fewer levels that are reached."""
    wide = Boin(tuple(range(1, 13)), 0.25, n_max=15)
    narrow = Boin(tuple(range(1, 7)), 0.25, n_max=15)
    p = np.linspace(0.05, 0.6, 12)
    a, b = compile_design(wide).evaluate(p), compile_design(narrow).evaluate(p[:6])
    assert np.allclose(a.sel[:6], b.sel[:6], atol=1e-12)


@pytest.mark.rule("DOSE-19")
def test_the_decision_table_of_the_rule():
    table = rule_table(ThreePlusThree(LEVELS), level=2).set_index(["n", "y"])
    assert len(table) == 27
    wanted = {
        (3, 0): "ENROL 3 at 3",
        (3, 1): "ENROL 3 at 2",
        (3, 2): "ENROL 3 at 1",
        (6, 1): "ENROL 3 at 3",
        (6, 2): "ENROL 3 at 1",
    }
    for cell, said in wanted.items():
        assert table.loc[cell, "decision"] == said
    assert table.loc[(3, 1), "rule"] == "C2b"


@pytest.mark.rule("DOSE-13")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (name, text)
        for name in ("BOIN", "CRM")
        for text in ("1NNN 2NNP", "1NNN 2NN", "1NNN 2NP", "1NNN 2NNT", "1NNN 2T", "1NNP")
    ]
    + [("BLRM", text) for text in ("1NNN 2NNP", "1NNN 2NN", "1NNP")],
)
def test_from_open_cohorts(name, text):
    """The open part is completed: the numbers are the mixture over its outcomes."""
    design = DESIGNS[name]
    found = compile_design(design, start=History.parse(text, levels=4)).evaluate(P)
    level = int(text.split()[-1][0])
    closed, p = text.replace("P", ""), P[level - 1]
    slots = -len(closed.split()[-1][1:]) % 3
    total = np.zeros(5)
    for q in range(slots + 1):
        chance = comb(slots, q) * p**q * (1 - p) ** (slots - q)
        start = History.parse(closed + "T" * q + "N" * (slots - q), levels=4)
        total += chance * np.array(compile_design(design, start=start).evaluate(P).sel)
    assert np.allclose(found.sel, total, atol=1e-10)


@pytest.mark.rule("DOSE-20")
def test_a_toxic_last_cohort_counts_at_the_start():
    """The method remembers that the last cohort reached the target, also when it starts from a history."""
    design = Crm((0.01, 0.02, 0.03, 0.2), 0.25, n_max=9)
    start = History.parse("1NNN 2NNT", levels=4)
    assert design.decide(start).level == 2
    found = compile_design(design, start=start).evaluate(P)
    assert found.EN[2] == 0


@pytest.mark.rule("DOSE-13")
def test_an_eliminated_open_cohort_is_not_completed():
    start = History.parse("1NNN 2TTT 2T", levels=4)
    assert BOIN.decide(start).level == 1
    assert compile_design(BOIN, start=start).evaluate(P).EN[1] == pytest.approx(4, abs=1e-12)
    overdose = History.parse("1NNN 2T", levels=4)
    assert DESIGNS["BLRM"].decide(overdose).level == 1
    assert compile_design(DESIGNS["BLRM"], start=overdose).evaluate(P).EN[1] == pytest.approx(1)


def test_simulated_characteristics_of_several_scenarios():
    found = operating_characteristics(
        BOIN, {"a": {"p_dlt": P}, "b": {"p_dlt": P / 2}}, method="simulated", n=500, seed=1
    )
    alone = operating_characteristics(BOIN, {"b": {"p_dlt": P / 2}}, method="simulated", n=500, seed=1)
    assert found["b"] == alone["b"]
    assert found["a"].trials == 500
