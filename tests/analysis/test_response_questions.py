"""Criteria, concordance, depth, regions and listings of four participants that can be counted by eye."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.model import Adam
from interim.analysis import (
    concordance,
    context,
    depth,
    estimands,
    regional,
    response_criteria,
    response_listing,
)
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.tumour_study import build, make_study


@pytest.fixture(scope="module")
def data():
    return build()


@pytest.fixture(scope="module")
def read():
    return build(reader=True)


def ask(question, data):
    return question(data.adam, data.study)


@pytest.mark.rule("RECIST-20")
def test_unconfirmed_recist_and_irecist_side_by_side(data):
    found = ask(response_criteria.irecist, data)
    assert {k: value(found, "bor_unconfirmed", level=k) for k in ("PR", "SD", "PD", "NE")} == {
        "PR": 1,
        "SD": 1,
        "PD": 1,
        "NE": 1,
    }
    assert {k: value(found, "ibor", level=k) for k in ("iPR", "iSD", "iUPD", "NE")} == {
        "iPR": 1,
        "iSD": 1,
        "iUPD": 1,
        "NE": 1,
    }
    shift = found.frame[(found.frame["variable"] == "shift") & (found.frame["group"] == "Total")]
    assert dict(zip(shift["level"], shift["n"], strict=True)) == {
        "PR > iPR": 1,
        "SD > iSD": 1,
        "PD > iUPD": 1,
        "NE > NE": 1,
    }
    assert subjects(found, "shift", "n", level="PD > iUPD") == {"S3"}
    assert row(found, "orr_irecist", "rate")["n"] == 1
    assert subjects(found, "irecist_pd", "n", level="open") == {"S2", "S3"}
    assert value(found, "irecist_pd", level="confirmed") == 0


@pytest.mark.rule("RECIST-20")
def test_the_shift_adds_up_to_the_set(data):
    found = ask(response_criteria.irecist, data).frame
    total = found[(found["variable"] == "shift") & (found["group"] == "Total")]["n"].sum()
    assert total == 4


@pytest.mark.rule("RECIST-20")
def test_without_responses_or_without_irecist(data):
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    assert status(response_criteria.irecist(none, data.study), "orr_unconfirmed", "rate")[0] == "NA"
    adrs = data.adam["ADRS"]
    plain = Adam({"ADSL": data.adam["ADSL"], "ADRS": adrs[adrs["PARCAT3"] != "iRECIST"]}, data.study.cut)
    found = response_criteria.irecist(plain, data.study)
    assert status(found, "orr_irecist", "rate") == ("NA", "not available: no iRECIST responses")
    assert row(found, "orr_unconfirmed", "rate")["n"] == 1


@pytest.mark.rule("RECIST-21")
def test_evaluators_agree_but_not_on_the_date(read):
    found = ask(concordance.evaluators, read)
    name = next(iter(found.frame.loc[found.frame["variable"] == "bor", "level"]))
    # Reader: S1 SD, PR, PR -> PR; S2 PR, not confirmed -> SD; S3 SD too early, PD -> PD; S4 NE. The site: PR, SD, PD, NE.
    assert (row(found, "bor", "rate", level=name)["n"], row(found, "bor", "rate", level=name)["N"]) == (4, 4)
    assert (row(found, "pd", "rate", level=name)["n"], row(found, "pd", "rate", level=name)["N"]) == (4, 4)
    dates = {k: value(found, "pd_date", level=f"{name} {k}") for k in ("earlier", "same", "later")}
    assert dates == {"earlier": 0, "same": 1, "later": 1}
    assert subjects(found, "pd_date", "n", level=f"{name} later") == {"S3"}
    assert status(found, "bor", "kappa", level=name) == ("NE", "PAIRS_LT_10")


@pytest.mark.rule("RECIST-21")
def test_discordant_pairs_are_listed(read):
    adrs = read.adam["ADRS"].copy()
    reader = next(name for name in set(adrs["PARCAT2"]) if name != "INVESTIGATOR")
    adrs.loc[
        (adrs["PARCAT2"] == reader) & (adrs["USUBJID"] == "S1") & (adrs["PARAMCD"] == "CBOR"), "AVALC"
    ] = "SD"
    found = concordance.evaluators(
        Adam({"ADSL": read.adam["ADSL"], "ADRS": adrs}, read.study.cut), read.study
    )
    pairs = found.frame[found.frame["variable"] == "pair"]
    assert pairs["text"].tolist() == ["S1", "PR", "SD"]
    assert row(found, "bor", "rate", level=reader)["n"] == 3


@pytest.mark.rule("RECIST-21")
def test_one_evaluator_or_no_responses(data):
    assert status(ask(concordance.evaluators, data), "bor", "rate") == (
        "NA",
        "not available: investigator is the only evaluator",
    )
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    for question, variable in ((concordance.evaluators, "bor"), (concordance.routes, "agreement")):
        assert status(question(none, data.study), variable, "rate")[0] == "NA"


KAPPA = [
    # counts a/a, a/b, b/a, b/b; kappa by hand
    ((20, 5, 10, 15), 0.4),
    ((10, 0, 0, 10), 1.0),
    ((0, 10, 10, 0), -1.0),
    ((25, 25, 25, 25), 0.0),
    ((45, 15, 25, 15), 0.130434782608),
]


@pytest.mark.rule("RECIST-21", source="Wikipedia: Cohen's kappa, simple example and same percentages")
@pytest.mark.parametrize(("counts", "expected"), KAPPA)
def test_kappa(counts, expected):
    pairs = [
        p
        for p, n in zip([("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")], counts, strict=True)
        for _ in range(n)
    ]
    assert concordance.kappa(pairs) == pytest.approx(expected)


@pytest.mark.rule("RECIST-21")
def test_kappa_without_information():
    assert concordance.kappa([]) is None
    assert concordance.kappa([("a", "a")] * 12) is None


@pytest.mark.rule("RECIST-21")
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=20))
def test_kappa_is_symmetric_and_at_most_one(pairs):
    one, two = concordance.kappa(pairs), concordance.kappa([(b, a) for a, b in pairs])
    assert (one is None) == (two is None)
    if one is not None:
        assert one == pytest.approx(two)
        assert one <= 1 + 1e-12


@pytest.mark.rule("RECIST-22")
def test_routes_point_by_point(data):
    found = ask(concordance.routes, data)
    cells = found.frame[found.frame["variable"] == "matrix"]
    # S2: lesions 120, 90, 90, 110 -> SD, SD, PD against reported SD, PR, PD.
    assert dict(zip(cells["level"], cells["n"], strict=True)) == {
        "NE > NE": 3,
        "PD > PD": 4,
        "PR > PR": 3,
        "SD > PR": 1,
        "SD > SD": 1,
    }
    assert (row(found, "agreement", "rate")["n"], row(found, "agreement", "rate")["N"]) == (11, 12)
    assert value(found, "agreement", "kappa") == pytest.approx((11 / 12 - 39 / 144) / (1 - 39 / 144))
    assert row(found, "route", "name")["text"] == "lesions"


@pytest.mark.rule("RECIST-22")
def test_contradictions_are_listed_with_day_and_reason(data):
    found = ask(concordance.contradictions, data)
    assert value(found, "contradictions") == 1
    place = {"level": "S2 1"}
    texts = {
        k: row(found, "finding", k, **place)["text"] for k in ("participant", "rule", "reported", "derived")
    }
    assert texts == {"participant": "S2", "rule": "RS-DERIV", "reported": "PR", "derived": "SD"}
    assert value(found, "finding", "day", **place) == 84
    reason = row(found, "finding", "reason", **place)["text"]
    assert "reported PR, derived SD" in reason and "2026-" not in reason


@pytest.mark.rule("RECIST-19")
def test_the_reported_route_says_so_and_compares_the_other_way_round():
    data = build(make_study(response={"route": "reported"}))
    found = ask(concordance.routes, data)
    assert row(found, "route", "name")["text"] == "reported"
    assert value(found, "matrix", level="SD > PR") == 1
    listed = ask(concordance.contradictions, data)
    assert row(listed, "finding", "derived", level="S2 1")["text"] == "SD"


@pytest.mark.rule("RECIST-22")
def test_one_route_has_nothing_to_compare(data):
    adrs = data.adam["ADRS"]
    alone = Adam(
        {"ADSL": data.adam["ADSL"], "ADRS": adrs[adrs["PARAMCD"] != "ROVR"]},
        data.study.cut,
        rules=(("RS-DERIV", "warn", "not run: no RS"),),
    )
    found = concordance.routes(alone, data.study)
    assert status(found, "agreement", "rate") == ("NA", "not available: the data hold one route only")
    assert row(found, "route", "name")["text"] == "lesions"
    assert status(concordance.contradictions(alone, data.study), "contradictions", "n") == (
        "NA",
        "not run: no RS",
    )


@pytest.mark.rule("RECIST-22")
def test_a_contradiction_without_a_date(data):
    finding = replace(data.adam.findings[0], key=("INVESTIGATOR", "2", ""))
    bare = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut, (finding, replace(finding, key=())))
    found = concordance.contradictions(bare, data.study)
    assert value(found, "contradictions") == 2
    assert status(found, "finding", "day", level="S2 1") == ("NE", "NO_DATE")


@pytest.mark.rule("RECIST-23")
def test_depth_and_times(data):
    found = ask(depth.summary, data)
    # Lowest complete sums up to the first progression: S1 -46.67 % on day 84, S2 -25 % on day 42, S3 0 % on day 42.
    assert value(found, "depth") == 3
    assert value(found, "depth", "min") == pytest.approx(-100 * 70 / 150)
    assert value(found, "depth", "median") == pytest.approx(-25)
    assert value(found, "time_to_nadir", "max") == pytest.approx(84 / 30.4375)
    assert (value(found, "time_to_response"), value(found, "time_to_response", "median")) == (
        1,
        pytest.approx(43 / 30.4375),
    )


@pytest.mark.rule("RECIST-23")
def test_markers_need_a_raised_baseline(data):
    found = ask(depth.summary, data)
    # S1 20 -> 14 falls by exactly 30 %, S2 by less, S3 is normal before, S4 has no later value; its last value is 9.
    rate = row(found, "marker", "rate", level="CEA")
    assert (rate["n"], rate["N"]) == (1, 3)
    assert subjects(found, "marker", "rate", level="CEA") == {"S1"}
    assert status(found, "marker", "rate", level="CA199") == ("NA", "not available: no results of CA199")


@pytest.mark.rule("RECIST-23")
def test_depth_without_sources(data):
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    found = depth.summary(none, data.study)
    for variable in ("depth", "time_to_nadir", "time_to_response"):
        assert status(found, variable, "median")[0] == "NA"
    nobody = Adam(
        {"ADSL": data.adam["ADSL"], "ADTTE": data.adam["ADTTE"][lambda f: f["PARAMCD"] == "OS"]},
        data.study.cut,
    )
    assert status(depth.summary(nobody, data.study), "time_to_response", "median") == ("NE", "NO_DATA")


@pytest.mark.rule("RECIST-24")
def test_spider_draws_complete_sums_after_progression_too(data):
    found = ask(depth.spider, data)
    place = {"level": "S2", "group": "DL1"}
    assert [value(found, "sum", f"pchg{n}", **place) for n in (1, 2, 3)] == [
        pytest.approx(-25),
        pytest.approx(-25),
        pytest.approx(100 * (110 - 120) / 120),
    ]
    assert [value(found, "sum", f"week{n}", **place) for n in (1, 2, 3)] == [6, 12, 18]
    assert value(found, "t_cell", "week", **place) == pytest.approx(10 / 7)
    new = [value(found, "new_lesion", f"week{n}", level="S3", group="DL1") for n in (1, 2, 3)]
    assert new == [6, 12, 18]
    assert subjects(found, "summary", "n") == {"S1", "S2", "S3"}


@pytest.mark.rule("RECIST-24")
def test_spider_stops_before_a_new_therapy_and_needs_sums(data):
    people = data.adam["ADSL"].assign(NACTDT=pd.Timestamp("2026-03-30"), TRTSCT=pd.NaT)
    early = Adam({**data.adam.datasets, "ADSL": people}, data.study.cut)
    found = depth.spider(early, data.study)
    assert not found.frame["stat"].eq("pchg2").any()
    assert not found.frame["variable"].eq("t_cell").any()
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    assert status(depth.spider(none, data.study), "summary", "n")[0] == "NA"


@pytest.mark.rule("RECIST-18")
def test_regions_have_denominators_of_their_own(data):
    found = ask(regional.responses, data)
    rates = {
        name: (row(found, name, "rate")["n"], row(found, name, "rate")["N"])
        for name in ("liver_orr", "liver_dcr", "extrahepatic_orr", "extrahepatic_dcr")
    }
    # S3: the target alone is stable, the new lesion does not count here. S2: bone 60, 60, 60, 80 is SD, SD, PD.
    assert rates == {
        "liver_orr": (2, 4),
        "liver_dcr": (3, 4),
        "extrahepatic_orr": (1, 2),
        "extrahepatic_dcr": (2, 2),
    }
    assert subjects(found, "both", "n") == {"S1", "S2"}
    assert subjects(found, "discordant_response", "n") == {"S2"}
    assert value(found, "discordant_progression") == 0


@pytest.mark.rule("RECIST-18")
def test_regions_without_sub_sums(data):
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    found = regional.responses(none, data.study)
    assert status(found, "liver_orr", "rate") == ("NA", "not available: no sub-sum of liver lesions")
    assert not found.frame["variable"].eq("both").any()


@pytest.mark.rule("RECIST-25")
def test_time_points_with_every_part_and_reason(data):
    found = ask(response_listing.time_points, data)
    assert value(found, "points") == 12
    texts = {
        name: row(found, "point", name, level="S3 7")["text"]
        for name in ("target", "nontarget", "new", "overall", "other", "irecist", "best", "used")
    }
    assert texts == {
        "target": "SD",
        "nontarget": "NONE",
        "new": "Y",
        "overall": "PD",
        "other": "PD",
        "irecist": "iUPD",
        "best": "PD",
        "used": "yes",
    }
    assert row(found, "point", "used", level="S3 8")["text"] == "no"
    assert value(found, "point", "day", level="S3 7") == 42
    assert "unequivocal new lesion [P-NEW]; sum 80 mm" in row(found, "point", "reason", level="S3 7")["text"]
    links = found.links[found.links["SRCDOM"].notna()]
    assert len(links) == 12 and set(links["SRCDOM"]) == {"TR"}


@pytest.mark.rule("RECIST-25")
def test_time_points_without_responses_or_start(data):
    none = Adam({"ADSL": data.adam["ADSL"]}, data.study.cut)
    assert status(response_listing.time_points(none, data.study), "points", "n")[0] == "NA"
    assert status(response_listing.derivations(none, data.study), "rows", "n")[0] == "NA"
    late = Adam({"ADSL": data.adam["ADSL"].assign(TRTSDT=pd.NaT), "ADRS": data.adam["ADRS"]}, data.study.cut)
    found = response_listing.time_points(late, data.study)
    assert status(found, "point", "day", level="S1 1") == ("NE", "NO_DATE")


@pytest.mark.rule("TTE-17")
def test_derivations_are_listed_with_rule_and_the_result_without_rules(data):
    found = ask(response_listing.derivations, data)
    place = {"level": "S4 PFS"}
    assert [value(found, "row", stat, **place) for stat in ("start", "end", "days", "free")] == [
        0,
        150,
        151,
        150,
    ]
    texts = {k: row(found, "row", k, **place)["text"] for k in ("reason", "rule", "source")}
    assert texts == {"reason": "E-DEATH", "rule": "PFS/E-DEATH", "source": "ADSL.DTHDT"}
    levels = found.frame.loc[found.frame["stat"] == "days", "level"].tolist()
    assert levels[:3] == ["S1 PFS", "S1 OS", "S1 DOR"]


ESTIMANDS = [
    ({}, "PFS", "strategy", "Hypothetical: censored at the last adequate assessment before it"),
    ({"new_therapy": "ignore"}, "PFS", "strategy", "Treatment policy: ignored"),
    ({"new_therapy": "event"}, "New anticancer therapy", "strategy", "Composite"),
    ({"gap_rule": "days", "gap_days": 70}, "PFS", "strategy", "more than 70 days"),
    ({"anchor": "first_cart"}, "OS", "endpoint", "the first T-cell infusion"),
    ({"new_therapy_kinds": ("systemic",)}, "Second liver-directed therapy", "strategy", "Does not count"),
    ({"new_therapy_kinds": ()}, "New anticancer therapy", "events", "none"),
]


@pytest.mark.rule("TTE-18")
@pytest.mark.parametrize(("tte", "name", "stat", "words"), ESTIMANDS)
def test_estimands_follow_from_the_parameters(data, tte, name, stat, words):
    study = data.study.model_copy(update={"tte": data.study.tte.model_copy(update=tte)})
    found = estimands.attributes(data.adam, study)
    assert words in row(found, name, stat)["text"]
    assert not found.frame["text"].str.contains("[{}]", regex=True).any()


@pytest.mark.rule("TTE-18")
def test_published_studies_carry_no_unverified_number(data):
    found = context.benchmarks(data.adam, data.study).frame
    numbers = found[found["stat"].isin(context.NUMBERS)]
    assert len(numbers) == 4 * found["variable"].nunique()
    assert set(numbers["status"]) == {"NA"}
    assert numbers["reason"].str.contains("original publication").all()
