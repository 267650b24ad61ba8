"""Samples that are not plain: limits, detected values, wrong input, carry-over, single infusions, and the use of each sample."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.analysis.kinetic_case import (
    STUDY,
    adex,
    adsl,
    iso,
    kinetics,
    pc_rows,
    sample,
    samples,
    sdtm,
    with_study,
)

from interim.adam.adpc import derive_adpc
from interim.adam.adpp import derive_adpp
from interim.stats.nca_profile import apply_blq_rule, profiles
from interim.stats.nca_segments import subtract_exponential
from interim.stats.nca_tobit import tobit

LN2 = math.log(2)


def rows_of_two(**levels):
    """Return the samples of participant 02 with changed records: ``d7={...}`` changes day 7."""
    rows = [row for row in pc_rows() if row["USUBJID"] == "02" and row["PCSPEC"] == "BLOOD"]
    return [{**row, **levels.get(f"d{row['VISITNUM']:g}", {})} for row in rows]


def found(derived):
    return {finding.rule for finding in derived.findings} - {"CK-EMPTY"}


def value(made, name, cycle=None, who="02", **more):
    rows = made.adpp
    hit = rows[(rows["USUBJID"] == who) & (rows["PARAMCD"] == name)]
    hit = hit[hit["CLOCK"] == "PRODUCT"] if cycle is None else hit[hit["ACYCLE"] == cycle]
    for column, wanted in more.items():
        hit = hit[hit[column] == wanted]
    assert len(hit) == 1
    return hit.iloc[0]


def flags(row):
    return set((row["FLAGS"] or "").split(";")) - {""}


@pytest.mark.rule("KIN-36", source="spec kinetics 3")
@pytest.mark.parametrize(
    ("text", "state", "reported"),
    [
        ("30", "DNQ", 30),
        ("20", "DNQ", 20),
        ("19.9", "NEG", None),
        ("<20", "NEG", None),
        ("<50", "BLQ", None),
        ("DNQ 30", "DNQ", 30),
        ("detected nq (31.5)", "DNQ", 31.5),
        ("DNQ", "DNQ", None),
        ("50", "QUANT", None),
        ("49.9x", "BAD", None),
    ],
)
def test_states_between_detection_and_quantification(text, state, reported):
    row = sample("02", 7, None, PCSTRESC=text, PCLLOD=20)
    one = samples([row]).frame.iloc[0]
    assert one["STATE"] == state
    assert one["AVALC"] == text
    assert (None if math.isnan(one["REPORTED"]) else one["REPORTED"]) == reported


@pytest.mark.rule("KIN-36", source="spec kinetics 2, CK-ULOQ")
@pytest.mark.parametrize(
    ("change", "wanted", "capped"),
    [
        ({"PCSTRESC": ">5000", "PCSTRESN": None}, 5000, True),
        ({"PCULOQ": 5000}, 5000, True),
        ({"PCULOQ": 5000, "DILUTION": 10}, 6400, False),
        ({"PCULOQ": 6400}, 6400, False),
    ],
)
def test_a_value_above_the_upper_limit_counts_as_it_and_flags_maximum_and_area(change, wanted, capped):
    rows = rows_of_two(d7=change)
    derived, made = samples(rows), kinetics(rows)
    assert ("CK-ULOQ" in found(derived)) == capped
    assert value(made, "CMAX")["AVAL"] == wanted
    marked = {row["PARAMCD"] for _, row in made.adpp.iterrows() if "CENSORED_HIGH" in flags(row)}
    assert (marked >= {"CMAX", "AUCLST", "AUC0_28"}) == capped
    assert not marked & {"TMAX", "LAMZHL", "TLST"}


@pytest.mark.rule("KIN-37", source="spec kinetics 2")
@pytest.mark.parametrize(
    ("day", "change", "rule", "flag", "reason", "listed"),
    [
        ("d10", {"PCDTC": iso(-60)}, "CK-DATE", "SAMPLE_EXCLUDED", None, "1600"),
        ("d10", {"PCDTC": iso(7)}, "CK-DUP", None, "DUPLICATE", "1600"),
        ("d10", {"PCSTRESC": "-3", "PCSTRESN": -3}, "CK-VALUE", None, "BAD_INPUT", "-3"),
        ("d10", {"PCSTRESU": "copies/mL"}, "CK-UNIT", None, "UNIT_MIXED", "1600"),
        ("d10", {"PCLLOQ": None}, "CK-LLOQ", "LLOQ_MISSING", None, "1600"),
        ("d10", {"PCLLOQ": 60}, "CK-LLOQ", "LLOQ_CHANGES", None, "1600"),
        ("d0", {"PCDTC": iso(0.5)}, "CK-PREDOSE", "WRONG_LABEL", None, "<50"),
        ("d10", {"PCDTC": iso(10)[:10]}, "CK-TIME", "TIME_NOMINAL", None, "1600"),
        ("d10", {"PCDTC": iso(11.5)}, "CK-WINDOW", "TIME_OUTSIDE_WINDOW", None, "1600"),
    ],
)
def test_bad_input_is_a_finding_the_profile_is_flagged_and_the_value_stays_listed(
    day, change, rule, flag, reason, listed
):
    rows = rows_of_two(**{day: change})
    derived, made = samples(rows), kinetics(rows)
    assert rule in found(derived)
    assert len(derived.frame) == len(rows)
    assert listed in derived.frame["AVALC"].tolist()
    assert listed in made.use["AVALC"].tolist()
    cmax = value(made, "CMAX")
    assert cmax["REASON"] == reason
    assert flag is None or flag in flags(cmax)


@pytest.mark.rule("KIN-37")
def test_samples_that_were_not_delivered_in_time_order_are_sorted_and_listed_once():
    derived = samples(rows_of_two()[::-1])
    assert [finding.rule for finding in derived.findings] == ["CK-EMPTY", "CK-SORT"]
    pd.testing.assert_frame_equal(derived.frame, samples(rows_of_two()).frame)


@pytest.mark.rule("KIN-37")
def test_a_product_without_any_sample_that_can_be_analysed():
    (finding,) = (f for f in samples(rows_of_two()).findings if f.rule == "CK-EMPTY")
    assert (finding.value, finding.severity) == ("nk", "warn")
    assert not [f for f in samples().findings if f.rule == "CK-EMPTY"]


@pytest.mark.rule("KIN-37", source="spec kinetics 3")
def test_a_limit_that_is_not_known_is_not_invented():
    value, time = [float("nan"), 8, 4, 2, float("nan")], [0, 1, 2, 3, 4]
    unknown = profiles([0] * 5, time, value=value, lloq=[float("nan")] * 5)
    assert apply_blq_rule(unknown, "half_lloq").conc.tolist() == [[0, 8, 4, 2, 0]]
    known = profiles([0] * 5, [0, 1, 2, 3, 4], value=value, lloq=[1.0] * 5)
    assert apply_blq_rule(known, "half_lloq").conc.tolist() == [[0, 8, 4, 2, 0.5]]
    late = [8, 4.2, 2, 1.1, float("nan")]
    with_limit = profiles([0] * 5, time, value=late, lloq=[1.0] * 4 + [0.5])
    without = profiles([0] * 5, time, value=late, lloq=[1.0] * 4 + [float("nan")])
    shorter = profiles([0] * 4, time[:4], value=late[:4], lloq=[1.0] * 4)
    assert tobit(without).lambda_z == pytest.approx(tobit(shorter).lambda_z, rel=1e-10)
    assert tobit(with_limit).lambda_z[0] > tobit(shorter).lambda_z[0] * 1.0001


@pytest.mark.rule("KIN-37")
def test_a_limit_that_only_the_text_states_is_used_and_listed():
    derived = samples(rows_of_two(d28={"PCLLOQ": None}))
    assert derived.frame.loc[derived.frame["AVALC"] == "<50", "ALLOQ"].tolist() == [50, 50, 50]
    assert found(derived) == {"CK-LLOQ"}


@pytest.mark.rule("KIN-38", source="spec kinetics 2, CK-BASE")
@pytest.mark.parametrize(("level", "above"), [(50, False), (50.1, True), (None, False)])
def test_a_baseline_exactly_at_the_limit_is_not_above_it(level, above):
    text = "<50" if level is None else str(level)
    rows = rows_of_two(d0={"PCSTRESC": text, "PCSTRESN": level})
    made = kinetics(rows)
    assert ("CK-BASE" in found(samples(rows))) == above
    assert ("BASELINE_ABOVE_LLOQ" in flags(value(made, "CMAX"))) == above
    before = value(made, "CPRE")
    assert (before["AVAL"], before["REASON"]) == pytest.approx((level, None)) if level else True
    assert level or before["REASON"] == "NOT_QUANTIFIED"


@pytest.mark.rule("KIN-38", source="spec kinetics 5 rule 7")
@pytest.mark.parametrize(
    ("collected", "rest", "left"), [(100.0, 50.0, 50.0), (99.9, 50.0, None), (40.0, 50.0, None)]
)
def test_what_is_left_at_the_limit_stays_quantified(collected, rest, left):
    one = profiles([0], [3.0], value=[collected], lloq=[50.0])
    less = subtract_exponential(one, np.array([rest]), slope=np.array([0.0])).value[0, 0]
    assert (None if math.isnan(less) else less) == left
    unknown = profiles([0], [3.0], value=[40.0], lloq=[float("nan")])
    assert math.isnan(subtract_exponential(unknown, np.array([rest]), slope=np.array([0.0])).value[0, 0])


def with_nk():
    """Participant 02 with CAR-NK halving each day, 128 copies left before the CAR-T cells, in one unit and specimen."""
    early = {1: 65536, 3: 16384, 5: 4096, 7: 1024}
    nk = [sample("02", day, level, code="CARNK") for day, level in early.items()]
    return [*rows_of_two(d0={"PCSTRESC": "128", "PCSTRESN": 128}), *nk]


@pytest.mark.rule("KIN-38", source="spec kinetics 5 rule 7")
def test_carry_over_is_reported_and_subtracted_only_when_asked():
    plain = value(kinetics(with_nk()), "CMAX", cycle=1, ASSAY="CARTG")
    assert (plain["AVAL"], "BASELINE_ABOVE_LLOQ" in flags(plain)) == (6400, True)
    assert "carry-over" not in plain["METHOD"]
    made = kinetics(with_nk(), with_study(carryover="subtract_exponential"))
    less = value(made, "CMAX", cycle=1, ASSAY="CARTG")
    assert less["AVAL"] == pytest.approx(6400 - 128 * 2**-7)
    assert flags(less) >= {"BASELINE_ABOVE_LLOQ", "CARRYOVER_SUBTRACTED"}
    assert less["METHOD"] == "lin up/log down; carry-over subtracted"
    assert value(made, "CMAX", ASSAY="CARNK")["AVAL"] == 65536


@pytest.mark.rule("KIN-38")
def test_without_a_slope_of_the_first_product_nothing_is_subtracted():
    rows = rows_of_two(d0={"PCSTRESC": "128", "PCSTRESN": 128})
    made = kinetics(rows, with_study(carryover="subtract_exponential"))
    cmax = value(made, "CMAX", cycle=1)
    assert cmax["AVAL"] == 6400
    assert "CARRYOVER_NO_SLOPE" in flags(cmax)


@pytest.mark.rule("KIN-36", source="spec kinetics 3")
def test_detected_values_as_reported_change_maximum_and_area_and_never_the_slope():
    rows = rows_of_two(d28={"PCSTRESC": "DNQ 40"})
    plain, made = kinetics(rows), kinetics(rows, with_study(dnq_treatment="reported_value"))
    assert value(made, "AUC0_28")["AVAL"] > value(plain, "AUC0_28")["AVAL"]
    gain = 7 * (100 - 40) / math.log(100 / 40)
    assert value(made, "AUC0_28")["AVAL"] - value(plain, "AUC0_28")["AVAL"] == pytest.approx(gain)
    for name in ("LAMZ", "LAMZNPT", "TLST", "TMAX"):
        assert value(made, name, cycle=1)["AVAL"] == value(plain, name, cycle=1)["AVAL"]
    assert value(made, "AUC0_28")["METHOD"] == "lin up/log down; detected values as reported"


@pytest.mark.rule("KIN-18", source="spec kinetics 4")
def test_a_bolus_has_a_computed_start_in_its_area_and_an_observed_maximum():
    rows = [sample("02", day, 800 * 2.0**-day) for day in (1, 2, 3)]
    plain, made = kinetics(rows), kinetics(rows, with_study(allow_tmax_in_lambda_z=True))
    first = kinetics(rows, with_study(allow_tmax_in_lambda_z=True, c0_method="first"))
    area = (800 - 100) / LN2
    assert value(made, "AUCLST", cycle=1)["AVAL"] == pytest.approx(area)
    assert value(plain, "AUCLST", cycle=1)["AVAL"] == pytest.approx(300 / LN2)
    assert value(first, "AUCLST", cycle=1)["AVAL"] == pytest.approx(400 + 300 / LN2)
    assert value(made, "CMAX", cycle=1)["AVAL"] == 400
    assert value(made, "AUC0_14", cycle=1)["AVAL"] == pytest.approx(area)


def nk_doses(times):
    rows = [
        sample("04", day, level, code="CARNK", PCTPT="PRE-DOSE" if day == 0 else None)
        for day, level in times.items()
    ]
    return kinetics(rows)


@pytest.mark.rule("KIN-39", source="spec kinetics 5 rule 1")
def test_single_infusions_have_parameters_only_where_the_first_is_sampled():
    made = nk_doses({0: None, 0.25: 100, 0.5: 300, 1: 200, 2: 800, 4: 200, 6: 50})
    first, second = (value(made, "AUCLST", who="04", CLOCK="DOSE", INFNO=n, cycle=1)["AVAL"] for n in (1, 2))
    assert first == pytest.approx(0.25 * 50 + 0.25 * 200 + 0.5 * 100 / math.log(1.5))
    assert second == pytest.approx(500 + 2 * 600 / math.log(4) + 2 * 150 / math.log(4))
    peaks = [value(made, "CMAX", who="04", CLOCK="DOSE", INFNO=n, cycle=1)["AVAL"] for n in (1, 2)]
    assert peaks == [300, 800]
    assert value(made, "LAMZ", who="04", CLOCK="DOSE", INFNO=1, cycle=1)["REASON"] == "WINDOW_TRUNCATED"
    sparse = nk_doses({0: None, 0.5: 300, 1: 200, 2: 800, 4: 200})
    assert not (sparse.adpp["CLOCK"] == "DOSE").any()


@pytest.mark.rule("KIN-39", source="spec kinetics 5 rule 1")
@pytest.mark.parametrize(("gap", "apart"), [(36, False), (23.9, True), (24, False)])
def test_infusions_further_apart_than_one_dose_event_are_flagged(gap, apart):
    made = kinetics(rows_of_two(), with_study(consecutive_gap_h=gap))
    assert ("DOSES_APART" in flags(value(made, "AUC0_28"))) == apart
    assert "DOSES_APART" not in flags(value(made, "CMAX"))


@pytest.mark.rule("KIN-39", source="spec kinetics 5 rule 4")
@pytest.mark.parametrize(("gap", "kept"), [(36, "Y"), (23, "N")])
def test_an_area_through_a_second_dose_event_enters_no_summary(gap, kept):
    made = kinetics(study=with_study(consecutive_gap_h=gap))
    for name, where in (("AUC0_28", {}), ("AUC0_14", {"cycle": 1})):
        area = value(made, name, who="01", **where)
        assert area["EVALFL"] == kept
        assert area["AVAL"] > 0
    assert value(made, "CMAX", who="01")["EVALFL"] == "Y"
    ratio = value(made, "RACAUC", who="01")
    assert (ratio["AVAL"] > 0, ratio["REASON"] == "DOSES_APART") == (kept == "Y", kept == "N")
    assert value(made, "RACCMAX", who="01")["AVAL"] > 0


def uses(made, who, cycle):
    rows = made.use
    rows = rows[(rows["USUBJID"] == who) & (rows["ACYCLE"] == cycle) & (rows["ASPEC"] == "BLOOD")]
    return rows.replace({np.nan: None})


@pytest.mark.rule("KIN-40", source="spec kinetics 12")
def test_each_sample_says_for_what_it_was_used_and_why_not():
    made = kinetics()
    first, second = uses(made, "01", 1), uses(made, "01", 2)
    assert first["ATIME"].tolist() == [0, 3, 7, 10, 14]
    assert first["DTYPE"].tolist() == ["ZERO", None, None, None, None]
    assert first["CMAXRS"].tolist() == [
        "BELOW_LIMIT",
        *["NOT_THE_MAXIMUM"] * 1,
        None,
        *["NOT_THE_MAXIMUM"] * 2,
    ]
    assert set(first["LAMZRS"]) == {"WINDOW_TRUNCATED"}
    assert second["DTYPE"].tolist() == ["COPY", None, None, None, None, None]
    assert second["CMAXRS"].iloc[0] == "BEFORE_THE_DOSE"
    assert second["LAMZFL"].tolist() == [None, None, None, "Y", "Y", "Y"]
    assert second["LAMZRS"].iloc[2] == "NOT_AFTER_TMAX"
    cleared = uses(made, "02", 1)
    assert cleared["AUCRS"].tolist()[-2:] == ["AFTER_TLAST", "AFTER_TLAST"]
    tissue = made.use[made.use["ASPEC"] == "LIVER MET"]
    assert set(tissue["AUCRS"]) == {"NOT_BLOOD"}


@pytest.mark.rule("KIN-40")
def test_rules_and_boundaries_leave_their_mark_on_the_sample():
    dropped = uses(kinetics(study=with_study(blq_rule="pre0_post_drop")), "02", 1)
    assert dropped["AUCRS"].tolist()[-2:] == ["DROPPED_BY_RULE", "DROPPED_BY_RULE"]
    half = uses(kinetics(study=with_study(blq_rule="half_lloq")), "02", 1)
    assert half["DTYPE"].tolist()[-2:] == ["HALFLLOQ", "HALFLLOQ"]
    assert half["AVAL"].tolist()[-2:] == [25, 25]
    rows = [
        {**row, "PCDTC": iso(13.6)} if row["VISIT"] == "DAY 14" and row["USUBJID"] == "01" else row
        for row in pc_rows()
    ]
    moved = uses(kinetics(rows), "01", 2)
    assert moved[["ATIME", "DTYPE", "AVAL"]].values.tolist()[0] == [0, "CARRY", 400]


@pytest.mark.rule("KIN-40")
def test_every_sample_stands_in_the_use_of_samples():
    made = kinetics()
    assert set(made.use["SRCSEQ"]) == set(made.adpc["SRCSEQ"])
    used = made.use[(made.use["CMAXFL"] == "Y")]
    assert set(used["SRCSEQ"]) == set(made.adpc.loc[made.adpc["CMAXFL"] == "Y", "SRCSEQ"])


@pytest.mark.rule("KIN-31", source="spec kinetics 8")
def test_exposure_per_kg_and_per_cell():
    made = kinetics()
    assert value(made, "CMAXDN", cycle=1)["AVAL"] == pytest.approx(6400 / (3.6e9 / 60 / 1e7))
    assert value(made, "CMAXDT", cycle=1)["AVAL"] == pytest.approx(6400 / 3.6)
    assert value(made, "CMAXDT", cycle=1)["AVALU"] == "copies/ug per 10^9 cells"
    assert value(made, "GROWTH", cycle=1)["AVAL"] == pytest.approx(math.log(32) / 4)


def test_the_frames_that_were_given_stay_as_they_are():
    people, doses = adsl(), adex()
    derived = derive_adpc(sdtm(), people, adex=doses, study=STUDY)
    before = derived.frame.copy()
    derive_adpp(derived.frame, doses, study=with_study(carryover="subtract_exponential"))
    pd.testing.assert_frame_equal(derived.frame, before)
