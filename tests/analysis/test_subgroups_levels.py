"""Endpoints within levels: sets, intervals, differences, what missing values could hide, guards, later factors."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from interim.analysis import subgroups
from interim.analysis.subgroups.contrast import add_differences, add_gap, compositions, gap_range
from interim.analysis.subgroups.model import Factor, level_counts
from interim.analysis.subgroups.outcomes import ENDPOINTS, outcomes
from interim.analysis.subgroups.panel import open_panel
from interim.analysis.subgroups.within import _from_day, add_levels, flags_of
from tests.analysis.panels import (
    binary,
    cell,
    factor,
    number,
    panel,
    reason,
    rows,
    settings,
    times,
    worked,
)


@pytest.fixture(scope="module")
def table(adam, study):
    return subgroups.levels(adam, study).frame


@pytest.mark.rule("SUBQ-06")
def test_all_endpoints_within_a_level(table):
    # Gastric: 11 PR unconfirmed (SD confirmed), 12 SD, 13 not evaluable; days 100, 100, 1 all censored.
    assert (cell(table, "tumour_type", "orr", "rate", "GASTRIC")["n"]) == 0
    assert number(table, "tumour_type", "dcr", "rate", "GASTRIC") == pytest.approx(2 / 3)
    assert number(table, "tumour_type", "bor SD", "n", "GASTRIC") == 2
    assert number(table, "tumour_type", "bor NE", "n", "GASTRIC") == 1
    assert number(table, "tumour_type", "depth", "min", "GASTRIC") == -33
    assert cell(table, "tumour_type", "depth", "median", "GASTRIC")["n"] == 2
    # CRC: 7 has the dose-limiting toxicity; CRS of grade 2 or higher 2 and 7; related grade 3: 5 and 7.
    assert cell(table, "tumour_type", "dlt", "rate", "CRC")["n"] == 1
    assert cell(table, "tumour_type", "crs2", "rate", "CRC")["n"] == 2
    assert cell(table, "tumour_type", "g3rel", "rate", "CRC")["n"] == 2
    assert reason(table, "Total", "cmax", "median")[0] == "NA"


@pytest.mark.rule("SUBQ-06")
def test_landmark_and_median_of_everybody(table):
    # Survivors at 91.3 days: 1, 2, 5, 6, 8, 9, 11, 12 are at risk.
    assert number(table, "Total", "pfs", "n_risk") == 8
    assert 0 < number(table, "Total", "pfs", "lower") < number(table, "Total", "pfs", "landmark") < 1
    assert number(table, "Total", "pfs median", "median") > 0


@pytest.mark.rule("SUBQ-09")
def test_guards_of_small_levels(table):
    assert reason(table, "tumour_type", "orr", "lower", "Missing") == ("NE", "LEVEL_N_LT_3")
    assert reason(table, "tumour_type", "pfs", "landmark", "Missing") == ("NE", "LEVEL_N_LT_3")
    assert reason(table, "tumour_type", "pfs", "landmark", "OESOPHAGEAL") == ("NE", "NO_DATA")
    assert number(table, "tumour_type", "pfs", "n_risk", "OESOPHAGEAL") == 0
    assert reason(table, "tumour_type", "pfs", "landmark", "GASTRIC") == ("NE", "AT_RISK_LT_3")
    assert reason(table, "tumour_type", "depth", "median", "OESOPHAGEAL") == ("NE", "NO_DATA")


@pytest.mark.rule("SUBQ-09")
def test_guards_of_times():
    f = factor("f", ["a"] * 3 + ["b"] * 4 + ["c"] * 4)
    days = [10, 20, 30, 200, 210, 220, 230, 200, 200, 200, 200]
    made = panel([f], [times(days, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1])])
    into = rows()
    add_levels(into, made, settings(), dimension=None, endpoints=["pfs"])
    frame = into.build().frame
    assert reason(frame, "f", "pfs", "landmark", "a") == ("NE", "BEYOND_FOLLOWUP")
    assert number(frame, "f", "pfs", "landmark", "b") == 1
    assert reason(frame, "f", "pfs", "lower", "b") == ("NE", "CI_AT_ONE")
    assert reason(frame, "f", "pfs median", "median", "a") == ("NR", "MEDIAN_NOT_REACHED")
    assert number(frame, "f", "pfs median", "median", "c") == pytest.approx(200 / 30.4375)


@pytest.mark.rule("SUBQ-06")
def test_only_one_dimension_and_some_endpoints(adam, study):
    frame = subgroups.levels(adam, study, dimension="ratio", endpoints=["dlt"]).frame
    assert set(frame["group"]) - {"Total"} == {"nlr5", "nlr3", "glr5", "glr3", "plr"} | set() | {
        g for g in frame["group"] if g in {"DL1", "DL2", "DL3", "DL4", "NK only"}
    }
    assert {"orr"} & set(frame["variable"]) == set()
    with pytest.raises(KeyError, match="nonsense"):
        subgroups.levels(adam, study, endpoints=["nonsense"])


@pytest.mark.rule("SUBQ-06")
def test_dose_is_tabulated_without_contrast(table):
    assert cell(table, "dose_level", "orr", "rate", "DL3")["N"] == 6
    dose = table[table["group"] == "dose_level"]
    assert not dose["variable"].str.contains("difference").any()


@pytest.mark.rule("SUBQ-06")
@pytest.mark.parametrize(
    ("gone", "endpoint", "stat"),
    [
        ("ADRS", "orr", "rate"),
        ("ADTTE", "pfs", "landmark"),
        ("ADAE", "crs2", "rate"),
        ("ADTR", "depth", "median"),
    ],
)
def test_an_endpoint_without_data_says_why(study, make_adam, gone, endpoint, stat):
    frame = subgroups.levels(make_adam(**{gone: None}), study).frame
    status, why = reason(frame, "Total", endpoint, stat)
    assert status == "NA" and gone in why


@pytest.mark.rule("SUBQ-06")
def test_endpoints_that_cannot_be_read(adam, study, arms, make_adam):
    subjects = tuple(sorted(adam["ADSL"].loc[adam["ADSL"]["FASFL"] == "Y", "USUBJID"]))
    found = outcomes(adam, arms, subjects, endpoints=["dlt", "crs2", "cmax"])
    assert {o.reason for o in found.values()} == {"not applicable: the study has no such product"}
    no_grades = adam["ADAE"].assign(AETOXGRN=np.nan)
    assert (
        "no toxicity grades"
        in outcomes(make_adam(ADAE=no_grades), study, subjects, endpoints=["g3rel"])["g3rel"].reason
    )
    other = study.model_copy(
        update={"titration_trigger": study.titration_trigger.model_copy(update={"crs_scale": "astct2019"})}
    )
    assert outcomes(adam, other, subjects, endpoints=["crs2"])["crs2"].reason == "not collected: ASTCTGRN"
    both = adam["ADAE"].assign(ASTCTGRN=adam["ADAE"]["CRSGR"], CRSFL="Y")
    assert np.nansum(outcomes(make_adam(ADAE=both), other, subjects, endpoints=["crs2"])["crs2"].values) == 2
    empty = adam["ADTTE"][adam["ADTTE"]["PARAMCD"] != "OS"]
    assert outcomes(make_adam(ADTTE=empty), study, subjects, endpoints=["os"])["os"].reason.endswith("no OS")


@pytest.mark.rule("SUBQ-06")
def test_the_peak_is_read_where_it_exists(adam, study, make_adam):
    # One assay of copies for two participants; the cells of three have another unit and must not be mixed in.
    lines = [
        ("SYN-01", "CMAX", "CART", "GENE", "CYCLE", 1, 100.0, "copies/ug"),
        ("SYN-01", "CMAX", "CART", "GENE", "CYCLE", 2, 900.0, "copies/ug"),
        ("SYN-01", "CMAX", "CART", "GENE", "PRODUCT", np.nan, 900.0, "copies/ug"),
        ("SYN-02", "CMAX", "CARNK", "NKGENE", "CYCLE", 1, 50.0, "copies/ug"),
        ("SYN-03", "TMAX", "CART", "GENE", "CYCLE", 1, 7.0, "day"),
        ("SYN-04", "CMAX", "CART", "GENE", "CYCLE", 1, 0.0, "copies/ug"),
        *(
            (who, "CMAX", "CART", "CELLS", "CYCLE", 1, 5e6, "cells/uL")
            for who in ("SYN-01", "SYN-03", "SYN-04")
        ),
    ]
    names = ["USUBJID", "PARAMCD", "PRODUCT", "ASSAY", "CLOCK", "ACYCLE", "AVAL", "AVALU"]
    peaks = pd.DataFrame(lines, columns=names)
    samples = pd.DataFrame({"USUBJID": ["SYN-04"], "PARAMCD": ["GENE"], "ALLOQ": [50.0]})
    subjects = tuple(sorted(adam["ADSL"].loc[adam["ADSL"]["FASFL"] == "Y", "USUBJID"]))
    found = outcomes(make_adam(ADPP=peaks, ADPC=samples), study, subjects, endpoints=["cmax"])["cmax"]
    shown = dict(zip(np.array(subjects)[found.known], found.values[found.known], strict=True))
    assert shown == {"SYN-01": 100.0, "SYN-04": 25.0}  # without a sample above the limit: half of it
    assert found.unit == "copies/ug"
    cells = outcomes(
        make_adam(ADPP=peaks[peaks["AVALU"] != "copies/ug"]), study, subjects, endpoints=["cmax"]
    )["cmax"]
    assert (int(cells.known.sum()), cells.unit) == (3, "cells/uL")
    lacks = outcomes(make_adam(ADPP=peaks.drop(columns="ACYCLE")), study, subjects, endpoints=["cmax"])
    assert lacks["cmax"].reason == "not available: ADPP lacks ACYCLE"
    none = outcomes(make_adam(ADPP=peaks.head(0)), study, subjects, endpoints=["cmax"])["cmax"]
    assert none.reason == "not available: no peak of the first cycle"
    assert set(ENDPOINTS) == {"orr", "dcr", "bor", "pfs", "os", "depth", "dlt", "crs2", "g3rel", "cmax"}


@pytest.mark.rule("SUBQ-07")
def test_difference_of_two_levels(table):
    # NLR below 5: 11, above: 4 participants; the responder (5) is below.
    found = cell(table, "nlr5", "orr difference", "diff", "<5 minus >=5")
    assert found["value"] == pytest.approx(1 / 11)
    assert number(table, "nlr5", "orr difference", "diff_lower", "<5 minus >=5") < 0


@pytest.mark.rule("SUBQ-07")
@pytest.mark.parametrize(
    ("labels", "level", "expected"),
    [
        ("aaaabbb", "a minus b", "CONTRAST_N_LT_4"),
        ("aaaaaaa", "all levels", "ONE_LEVEL"),
        ("aaaabbbbccc", "c minus all others", "CONTRAST_N_LT_4"),
    ],
)
def test_no_difference_below_the_limit(labels, level, expected):
    into = rows()
    f = factor("f", list(labels))
    add_differences(into, f, outcome=binary((1,), len(labels)), study=settings())
    assert reason(into.build().frame, "f", "orr difference", "diff", level) == ("NE", expected)


@pytest.mark.rule("SUBQ-07")
def test_more_than_two_levels_against_all_others():
    into = rows()
    add_differences(into, factor("f", list("aaaabbbbcccc")), outcome=binary((1, 2, 5), 12), study=settings())
    frame = into.build().frame
    assert number(frame, "f", "orr difference", "diff", "a minus all others") == pytest.approx(2 / 4 - 1 / 8)
    assert len(frame) == 9


@pytest.mark.rule("SUBQ-08")
def test_missing_participants_are_assigned_in_every_way():
    labels = ["a"] * 4 + ["b"] * 4 + [None] * 3
    f = factor("f", labels)
    hits = (1, 5, 9)
    into = rows()
    add_gap(into, f, outcome=binary(hits, 11), study=settings(), bounds=True)
    frame = into.build().frame
    seen = []
    for choice in product("ab", repeat=3):
        filled = factor("f", [*labels[:8], *choice])
        x, n = level_counts(filled, binary(hits, 11))
        rates = x / n
        seen.append(float(rates.max() - rates.min()))
    assert number(frame, "f", "orr gap", "gap") == 0
    assert number(frame, "f", "orr gap", "gap_lower") == pytest.approx(min(seen))
    assert number(frame, "f", "orr gap", "gap_upper") == pytest.approx(max(seen))
    assert number(frame, "f", "orr bounds", "lower", "a") == pytest.approx(1 / 6)
    assert number(frame, "f", "orr bounds", "upper", "a") == pytest.approx(2 / 5)


@pytest.mark.rule("SUBQ-08")
@examples(max_examples=30, deadline=None)
@given(
    st.lists(st.sampled_from("abc"), min_size=3, max_size=6), st.integers(0, 2), st.integers(0, 3), st.data()
)
def test_the_range_is_that_of_all_assignments(labels, events, rest, data):
    n = len(labels)
    hits = data.draw(st.sets(st.integers(1, n), max_size=n))
    f = factor("f", labels, levels="abc")
    x, size = level_counts(f, binary(hits, n))
    low, high = gap_range((x, size), (events, rest), least=2)
    seen = []
    for choice in product(range(3), repeat=events + rest):
        xs, ns = x.copy(), size.copy()
        for place, level in enumerate(choice):
            ns[level] += 1
            xs[level] += place < events
        use = ns >= 2
        rates = xs[use] / ns[use]
        seen.append(float(rates.max() - rates.min()) if use.sum() > 1 else 0.0)
    assert low == pytest.approx(min(seen)) and high == pytest.approx(max(seen))


@pytest.mark.rule("SUBQ-08")
def test_too_many_assignments_are_not_searched():
    low, high = gap_range((np.array([1] * 5), np.array([5] * 5)), (30, 60), least=3)
    assert np.isnan(low) and np.isnan(high)
    into = rows()
    f = factor("f", [*"aabbccddee", *[None] * 90])
    add_gap(into, f, outcome=binary(range(40, 70), 100), study=settings(), bounds=True)
    assert reason(into.build().frame, "f", "orr gap", "gap_lower") == ("NE", "TOO_MANY_ASSIGNMENTS")
    assert len(compositions(5, 3)) == 21


@pytest.mark.rule("SUBQ-08")
def test_no_gap_without_two_large_levels():
    into = rows()
    add_gap(into, factor("f", list("aaabb")), outcome=binary((1,), 5), study=settings(), bounds=False)
    add_gap(into, factor("g", list("aaaaa")), outcome=binary((1,), 5), study=settings(), bounds=False)
    frame = into.build().frame
    assert reason(frame, "f", "orr gap", "gap") == ("NE", "LEVEL_N_LT_3")
    assert reason(frame, "g", "orr gap", "gap") == ("NE", "ONE_LEVEL")


@pytest.mark.rule("SUBQ-04")
@pytest.mark.rule("SUBQ-14")
def test_every_flag_of_a_factor_is_reached():
    labels = [*"aaabbb", None, None, None, None]
    plain = factor("plain", labels)
    marked = Factor(
        plain.entry, plain.levels, plain.codes, plain.values, (), frozenset({"LIGAND_PARTIAL", "CUT_AT_LLOQ"})
    )
    made = panel([marked], [binary((1, 2), 10)], dose=["x"] * 3 + ["y"] * 7)
    assert set(flags_of(marked, made, settings()).split("; ")) == {
        "MISSING_GT_20",
        "CONFOUNDED",
        "FRAGILE",
        "LIGAND_PARTIAL",
        "CUT_AT_LLOQ",
    }
    late = factor("late", ["a"] * 10, timing="post_baseline")
    late_made = panel([late], [binary((1,), 10)])
    assert flags_of(late, late_made, settings()) == "ONE_LEVEL; POST_BASELINE"
    cut = factor("cut", list("aaaaabbbbb"), origin="data_driven")
    assert "DATA_DRIVEN_CUT" in flags_of(cut, panel([cut], [binary((1, 6), 10)]), settings())
    assert flags_of(factor("f", list("ab") * 5), panel([plain], [binary((), 10)]), settings()) == ""


@pytest.mark.rule("SUBQ-10")
def test_later_factors_count_from_the_landmark_day():
    outcome = _from_day(times([20, 28, 40, 100], [1, 0, 1, 0]), 28.0)
    assert outcome.values[outcome.known].tolist() == [12, 72]
    assert outcome.events.tolist() == [False, False, True, False]


@pytest.mark.rule("SUBQ-10")
def test_later_factors_have_a_question_of_their_own(adam, study, make_adam):
    fell = pd.DataFrame(
        {
            "USUBJID": [f"SYN-{n:02d}" for n in range(1, 15)],
            "ENTRY": "cea_fall",
            "AVALC": ["Y", "N"] * 7,
            "AVALN": [1.0, 2.0] * 7,
            "CUT": np.nan,
        }
    )
    extended = make_adam(ADSUB=pd.concat([adam["ADSUB"], fell], ignore_index=True))
    assert "cea_fall" not in set(subgroups.levels(extended, study).frame["group"])
    frame = subgroups.post_baseline(extended, study).frame
    # Participant 13 (day 1) is left out of progression-free survival; 15 has no level.
    assert cell(frame, "cea_fall", "pfs left_out", "n")["n"] == 1
    sizes = frame.query("variable == 'pfs' and stat == 'n_risk' and group == 'cea_fall'")["N"].sum()
    assert sizes == 14
    bare = subgroups.post_baseline(make_adam(ADTTE=None), study).frame
    assert reason(bare, "Total", "pfs", "landmark")[0] == "NA"


@pytest.mark.rule("SUBQ-06")
@pytest.mark.parametrize("name", ["tumour_type", "nlr5", "liver_only", "dose_level"])
def test_sizes_add_up(table, name):
    sizes = table[(table["group"] == name) & (table["variable"] == "size")]
    assert sizes["n"].sum() == 15


def test_adding_an_entry_changes_no_other_row(adam, study):
    fewer = study.model_copy(update={"subgroups": tuple(e for e in study.subgroups if e.id != "nlr3")})
    before = subgroups.levels(adam, fewer).frame.set_index("result_id")["value"]
    after = subgroups.levels(adam, study).frame.set_index("result_id")["value"]
    shared = after.reindex(before.index)
    pd.testing.assert_series_equal(before, shared)


def test_order_of_the_records_changes_nothing(adam, study, make_adam):
    shuffled = make_adam(ADSUB=adam["ADSUB"].sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(
        subgroups.levels(adam, study).frame, subgroups.levels(shuffled, study).frame
    )


def test_panel_states_levels_that_only_the_data_have(adam, study, make_adam):
    adsub = adam["ADSUB"].copy()
    adsub.loc[(adsub["ENTRY"] == "liver_only") & (adsub["USUBJID"] == "SYN-01"), ["AVALC", "AVALN"]] = [
        "ELSE",
        9.0,
    ]
    found, _ = open_panel(
        make_adam(ADSUB=adsub.assign(AVAL=1.0, FLAGS="LLOQ; LIGAND_PARTIAL (2 of 4)")), study
    )
    site = next(f for f in found.factors if f.id == "liver_only")
    assert site.levels == ("LIVER ONLY", "LIVER + EXTRAHEPATIC", "ELSE")
    assert site.marks == {"LLOQ", "LIGAND_PARTIAL"} and site.values.tolist() == [1.0] * 15
    assert worked().names(worked().primary[0].known)[0] == "P01"
