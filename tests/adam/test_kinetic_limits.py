"""Kinetics at its edges: equal times, missing clocks, limits, marks, order, unit and naming of the records."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.analysis.kinetic_case import (
    CUT,
    STUDY,
    adex,
    adlb,
    adsl,
    frame,
    iso,
    kinetics,
    pc_rows,
    sample,
    samples,
    sdtm,
    with_study,
)

from interim.adam.adbm import COLUMNS as MARKERS
from interim.adam.adbm import derive_adbm
from interim.adam.adcy import PARAMETERS, VALUES, derive_adcy
from interim.adam.adpc import COLUMNS as SAMPLES
from interim.adam.adpc import derive_adpc
from interim.adam.adpc_findings import RULES
from interim.adam.adpp import COLUMNS as PARAMETER_COLUMNS
from interim.adam.adpp import derive_adpp
from interim.adam.adpp_audit import COLUMNS as USES
from interim.adam.kinetic_datasets import kinetic_datasets
from interim.adam.kinetic_sets import kinetic_sets
from interim.data.model import Sdtm

PROFILE_KEY = ["USUBJID", "PRODUCT", "ASSAY", "ASPEC", "CLOCK", "ACYCLE", "INFNO", "PARAMCD", "METHOD"]


def one(change=None, day=7, value=700, **more):
    return {**sample("02", day, value, PCSEQ=1), **(change or {}), **more}


def found(derived, rule):
    return [f for f in derived.findings if f.rule == rule]


def parameter(made, name, who="02", clock="PRODUCT", assay="CARTG"):
    rows = made.adpp
    keep = (rows["USUBJID"] == who) & (rows["PARAMCD"] == name) & (rows["CLOCK"] == clock)
    hit = rows[keep & (rows["ASSAY"] == assay)]
    assert len(hit) == 1
    return hit.iloc[0]


@pytest.mark.rule("KIN-20")
@pytest.mark.parametrize(
    ("change", "state", "value"),
    [
        ({"PCSTRESC": "50"}, "QUANT", 50.0),
        ({"PCSTRESC": "49.999"}, "BAD", None),
        ({"PCSTRESC": "  700 "}, "QUANT", 700.0),
        ({"PCSTRESC": "7e2"}, "QUANT", 700.0),
        ({"PCSTRESC": "< 50"}, "BLQ", None),
        ({"PCSTRESC": "<=50"}, "BLQ", None),
        ({"PCSTRESC": "<50", "PCSTRESN": 50}, "BLQ", None),
        ({"PCSTRESC": None, "PCORRES": "<50", "PCSTRESN": None}, "BLQ", None),
        ({"PCSTRESC": None, "PCSTRESN": 700}, "QUANT", 700.0),
        ({"PCSTRESC": None, "PCSTRESN": None}, "BAD", None),
        ({"PCSTRESC": "inf", "PCSTRESN": None}, "BAD", None),
        ({"PCSTRESC": "not detected", "PCSTRESN": None}, "NEG", None),
        ({"PCSTRESC": "DNQ", "PCSTRESN": 20}, "DNQ", None),
        ({"PCSTRESC": "700", "PCSTAT": "not done"}, "NOT DONE", None),
        ({"PCSTRESC": "12", "PCLLOQ": None}, "QUANT", 12.0),
    ],
)
def test_state_and_value_of_a_text(change, state, value):
    row = samples([one(change)]).frame.iloc[0]
    assert row["STATE"] == state
    assert (None if math.isnan(row["AVAL"]) else row["AVAL"]) == value


@pytest.mark.rule("KIN-21")
@pytest.mark.parametrize(
    ("minutes", "time", "use"),
    [(-61, -61 / 1440, "PREDOSE_EARLY"), (-60, 0, None), (-59, 0, None), (0, 0, None), (1, 1 / 1440, None)],
)
def test_the_hour_before_the_infusion_is_included(minutes, time, use):
    row = samples([one(day=0, PCDTC=iso(minutes / 1440))]).frame.iloc[0]
    assert row["AFRLT"] == pytest.approx(time)
    assert row["EXCLRS"] == use


@pytest.mark.rule("KIN-21")
@pytest.mark.parametrize(
    ("date", "change", "time"),
    [
        ("2025-03", {}, None),
        ("2025", {}, None),
        (iso(7)[:10], {"PCELTM": None}, 7),
        (iso(7)[:10], {"PCELTM": "P6D"}, 6),
        (iso(7)[:10], {"PCTPT": "PRE-DOSE", "PCELTM": "P6D"}, 7),
        (iso(-1)[:10], {"PCELTM": None}, -1),
    ],
)
def test_partial_dates_and_missing_clocks(date, change, time):
    derived = samples([one(change, PCDTC=date)])
    row = derived.frame.iloc[0]
    if time is None:
        assert (row["EXCLRS"], row["TIMEFL"]) == ("NO_DATE", None)
        assert math.isnan(row["AFRLT"])
    else:
        assert (row["AFRLT"], row["TIMEFL"]) == (time, "Y")
        assert len(found(derived, "CK-TIME")) == 1


@pytest.mark.rule("KIN-21")
@pytest.mark.parametrize("shift", [-2.0, 0.0, 2.0])
def test_an_untimed_sample_before_the_second_cycle_is_its_boundary(shift):
    rows = [
        {**row, "PCDTC": row["PCDTC"][:10]} if row["USUBJID"] == "01" and row["VISIT"] == "DAY 14" else row
        for row in pc_rows()
    ]
    doses = adex()
    later = doses["ACYCLE"].eq(2)
    for name in ("ASTDTM", "AENDTM"):
        doses[name] = doses[name].mask(later, doses[name] + pd.Timedelta(shift, unit="h"))
    derived = derive_adpc(sdtm(rows), adsl(), adex=doses, study=STUDY)
    made = derive_adpp(derived.frame, doses, study=STUDY)
    assert parameter(made, "AUC0_28", "01")["REASON"] is None
    boundary = derived.frame[(derived.frame["USUBJID"] == "01") & (derived.frame["AVAL"] == 400)]
    assert (boundary["ARRLT"] <= 0).all() or (boundary["ACYCLE"] == 1).all()


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize("hours", [1, 2, 3])
@pytest.mark.parametrize(("minutes", "late"), [(-15, False), (15, False), (-16, True), (16, True)])
def test_the_limit_of_a_visit_window_is_inside(hours, minutes, late):
    drawn = iso(hours / 24 + minutes / 1440)
    row = samples([one(PCELTM=f"PT{hours}H", PCTPT=f"{hours} H", PCDTC=drawn)]).frame.iloc[0]
    assert (row["WINFL"] == "Y") == late


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("texts", "state", "value"),
    [
        (("700", "900"), "QUANT", 800.0),
        (("<50", "700"), "QUANT", 700.0),
        (("700", "<50"), "QUANT", 700.0),
        (("<50", "<50"), "BLQ", None),
        (("ND", "<50"), "NEG", None),
        (("many", "700"), "BAD", None),
    ],
)
def test_the_mean_of_two_samples_has_the_state_of_its_value(texts, state, value):
    rows = [one(PCSTRESC=text, PCSTRESN=None, PCSEQ=n) for n, text in enumerate(texts, 1)]
    used = samples(rows, with_study(duplicate_rule="mean")).frame.query("ANL01FL == 'Y'").iloc[0]
    assert (used["STATE"], None if math.isnan(used["AVAL"]) else used["AVAL"]) == (state, value)
    assert (used["BLQFL"] == "Y") == (state in ("BLQ", "NEG"))


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "DUPLICATE"),
        ({"PCSPEC": "PLASMA"}, None),
        ({"PCDTC": iso(7 + 1 / 1440)}, None),
        ({"USUBJID": "01"}, None),
        ({"PCSTAT": "NOT DONE"}, None),
        ({"PCTESTCD": "CARTC", "PCSTRESU": "cells/uL"}, None),
    ],
)
def test_what_is_a_duplicate(change, reason):
    derived = samples([one(), one(change, PCSEQ=2)])
    assert set(derived.frame["PROFRS"]) == {reason}
    assert len(found(derived, "CK-DUP")) == (2 if reason else 0)


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("CK-BASE", {"PCDTC": iso(-0.02), "PCTPT": "PRE-DOSE", "PCELTM": "P0D"}),
        ("CK-DATE", {"PCDTC": None}),
        ("CK-NODOSE", {"USUBJID": "04"}),
        ("CK-PREDOSE", {"PCTPT": "PRE-DOSE", "PCELTM": "P0D", "PCDTC": iso(0.01)}),
        ("CK-TIME", {"PCDTC": iso(7)[:10]}),
        ("CK-VALUE", {"PCSTRESC": "lots", "PCSTRESN": None}),
        ("CK-WINDOW", {"PCDTC": iso(8.5)}),
    ],
)
def test_a_finding_names_participant_record_and_variable(rule, change):
    derived = samples([one(change, PCSEQ=17)])
    (finding,) = found(derived, rule)
    assert (finding.subject, finding.key[0], finding.domain) == (change.get("USUBJID", "02"), "17", "PC")
    assert finding.severity == dict(RULES)[rule]
    assert finding.variable in ("PCDTC", "PCSTRESC")
    assert found(samples([one(change, PCSTAT="NOT DONE")]), rule) == []


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("day", "reason"),
    [(-15, "BEFORE_CONSENT"), (-14, "PREDOSE_EARLY"), (0, None), (20, None), (21, "AFTER_DEATH_OR_CUT")],
)
def test_the_days_of_consent_and_death_are_inside(day, reason):
    people = adsl()
    people["RFICDT"] = people["TRTSCT"] - pd.Timedelta(14, unit="D")
    people["DTHDT"] = people["TRTSCT"] + pd.Timedelta(20, unit="D")
    derived = derive_adpc(sdtm([one(PCDTC=iso(day), PCELTM=None)]), people, adex=adex(), study=STUDY)
    assert derived.frame["EXCLRS"].tolist() == [reason]


@pytest.mark.rule("KIN-20")
def test_two_products_have_two_clocks_and_are_never_mixed():
    derived = samples(
        [
            one(),
            one({"PCTESTCD": "CARNK", "PCCAT": "CAR-NK"}, PCSEQ=2),
            one({"PCCAT": None}, PCSEQ=3, PCDTC=iso(8)),
        ]
    )
    rows = derived.frame.set_index("SRCSEQ")
    assert rows["PRODUCT"].tolist() == ["CARNK", "CART", "CART"]
    assert rows.loc[["1", "2", "3"], "AFRLT"].tolist() == [7, 17, 8]


@pytest.mark.rule("KIN-25")
@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({}, "Y"),
        ({"PCDTC": iso(1 / 1440)}, "Y"),
        ({"PCDTC": iso(0)}, "N"),
        ({"PCDTC": iso(-2)}, "N"),
        ({"PCSPEC": "LIVER MET"}, "N"),
        ({"PCSTAT": "NOT DONE"}, "N"),
        ({"PCSTRESC": "lots", "PCSTRESN": None}, "N"),
        ({"PCSTRESC": "<50", "PCSTRESN": None}, "Y"),
        ({"PCTESTCD": "CARNK", "PCCAT": "CAR-NK"}, "N"),
    ],
)
def test_who_has_a_usable_sample(change, flag):
    row = kinetic_sets(adsl(), samples([one(change)]).frame, STUDY).set_index("USUBJID").loc["02"]
    assert (row["CKFL"], row["CKRS"]) == (flag, None if flag == "Y" else "NO-SAMPLE")


@pytest.mark.rule("KIN-01")
@pytest.mark.parametrize("rule", ["zero", "pknca", "pre0_post_drop", "half_lloq"])
def test_a_profile_below_the_limit_has_no_times(rule):
    made = kinetics([row for row in pc_rows() if row["USUBJID"] == "03"], with_study(blq_rule=rule))
    for name in ("TMAX", "TLST", "CLST", "LOSTBY"):
        row = parameter(made, name, "03")
        assert row["FLAGS"] is None or "ALL_BLQ" in row["FLAGS"]
        assert row["EVALFL"] == "N"
        assert row["REASON"] == ("ALL_BLQ" if rule != "half_lloq" or name == "LOSTBY" else None)
    if rule == "half_lloq":
        assert set(made.adpp.loc[made.adpp["USUBJID"] == "03", "EVALFL"]) == {"N"}
    area = parameter(made, "AUC0_28", "03")
    assert "ALL_BLQ" in area["FLAGS"]
    assert area["AVAL"] == (pytest.approx(25 * 28) if rule == "half_lloq" else 0)
    assert parameter(made, "CMAX", "03")["AVAL"] == (25 if rule == "half_lloq" else 0)


@pytest.mark.rule("KIN-24")
@pytest.mark.parametrize(
    ("drug", "day", "mark"),
    [
        ("TOCILIZUMAB", 0, "CMAX_AFTER_TOCI"),
        ("TOCILIZUMAB", 6.9, "CMAX_AFTER_TOCI"),
        ("TOCILIZUMAB", 7, None),
        ("TOCILIZUMAB", -0.1, None),
        ("methylprednisolone", 5, "CMAX_AFTER_STEROID"),
        ("PARACETAMOL", 5, None),
    ],
)
def test_a_maximum_after_a_medicine_is_marked(drug, day, mark):
    medicine = frame([{"USUBJID": "02", "CMTRT": drug, "CMDECOD": None, "CMSTDTC": iso(day)}])
    made = kinetics([row for row in pc_rows() if row["USUBJID"] == "02"], medicines=medicine)
    assert parameter(made, "CMAX")["FLAGS"] == mark


UNUSED = {
    "after the cut": sample("02", 300, 9999, PCSEQ=901),
    "not done": sample("02", 21.5, 9999, PCSEQ=902, PCSTAT="NOT DONE"),
    "tissue": sample("02", 40, 9999, PCSEQ=903, PCSPEC="LIVER MET"),
    "without a date": sample("02", 21.6, 9999, PCSEQ=904, PCDTC=None),
    "before consent": sample("02", 21.7, 9999, PCSEQ=905, PCDTC=iso(-60)),
    "long before the dose": sample("02", 0.1, 9999, PCSEQ=906, PCDTC=iso(-3)),
    "stranger": sample("99", 3, 9999, PCSEQ=907),
}


@pytest.mark.rule("KIN-16")
def test_the_order_and_records_without_use_change_no_parameter():
    more = [*pc_rows(), *UNUSED.values()][::-1]
    changed, plain = kinetics(more).adpp, kinetics().adpp
    pd.testing.assert_frame_equal(changed.drop(columns="FLAGS"), plain.drop(columns="FLAGS"))
    flags = changed.loc[(changed["PARAMCD"] == "CMAX") & (changed["CLOCK"] == "PRODUCT")].set_index("USUBJID")
    assert flags["FLAGS"].replace({np.nan: None}).to_dict() == {
        "01": None,
        "02": "SAMPLE_EXCLUDED;WRONG_LABEL",
        "03": "ALL_BLQ",
        "04": None,
    }
    assert samples(more).frame.query("SRCSEQ >= '901'")["ANL01FL"].eq("N").all()


@pytest.mark.rule("KIN-16")
def test_a_unit_a_thousand_times_smaller_scales_levels_and_leaves_times():
    rows = []
    for row in pc_rows():
        number = row["PCSTRESN"]
        text = f"<{row['PCLLOQ'] * 1000}" if number is None else str(number * 1000)
        more = {"PCSTRESC": text, "PCSTRESN": None, "PCLLOQ": row["PCLLOQ"] * 1000, "PCSTRESU": "copies/mg"}
        rows.append({**row, **more})
    before, after = kinetics().adpp, kinetics(rows).adpp
    assert before[PROFILE_KEY].equals(after[PROFILE_KEY])
    level = before["AVALU"].fillna("").str.contains("copies").to_numpy()
    for scaled, factor in ((level, 1000.0), (~level, 1.0)):
        np.testing.assert_allclose(after["AVAL"][scaled], factor * before["AVAL"][scaled], rtol=1e-9)
    same = ["REASON", "STATUS", "FLAGS", "EVALFL", "NSAMP", "NBLQ"]
    pd.testing.assert_frame_equal(before[same], after[same])


@pytest.mark.rule("KIN-16")
def test_other_names_of_the_participants_change_no_number():
    names = {"01": "Z", "02": "Y", "03": "X", "04": "W"}
    rows = [{**row, "USUBJID": names[row["USUBJID"]]} for row in pc_rows()]
    people, doses = (part.assign(USUBJID=part["USUBJID"].map(names)) for part in (adsl(), adex()))
    derived = derive_adpc(sdtm(rows), people, adex=doses, study=STUDY)
    made = derive_adpp(derived.frame, doses, study=STUDY).adpp
    back = made.assign(USUBJID=made["USUBJID"].map({b: a for a, b in names.items()}))
    keys = PROFILE_KEY
    a, b = (part.set_index(keys).sort_index() for part in (back, kinetics().adpp))
    pd.testing.assert_frame_equal(a, b)


def test_one_row_for_each_key_and_the_stated_columns():
    people, doses, lab = adsl(), adex(), adlb()
    made = kinetic_datasets(sdtm(), people, adex=doses, adlb=lab, study=STUDY).datasets
    keys = {
        "ADPC": ["SRCDOM", "SRCSEQ"],
        "ADPP": PROFILE_KEY,
        "ADPCUSE": ["USUBJID", "PARAMCD", "ASPEC", "ACYCLE", "ATIME", "SRCSEQ"],
        "ADPPLZ": ["USUBJID", "ASSAY", "ASPEC", "ACYCLE", "N", "TFIRST"],
        "ADCY": ["USUBJID", "PARAMCD", "BASETYPE", "SRCSEQ"],
        "ADCYPP": ["USUBJID", "PARAMCD", "BASETYPE", "STAT"],
    }
    for name, key in keys.items():
        assert not made[name].duplicated(key).any(), name
    assert list(made["ADPC"]) == [*SAMPLES, "CMAXFL", "AUCFL", "LAMZFL"]
    assert list(made["ADPP"]) == PARAMETER_COLUMNS
    assert list(made["ADPCUSE"]) == USES
    assert (list(made["ADCY"]), list(made["ADCYPP"]), list(made["ADBM"])) == (VALUES, PARAMETERS, MARKERS)
    pd.testing.assert_frame_equal(people, adsl())
    pd.testing.assert_frame_equal(doses, adex())
    pd.testing.assert_frame_equal(lab, adlb())


def test_no_sample_gives_empty_frames_with_all_columns():
    empty = Sdtm({"PC": frame(pc_rows()).head(0)}, CUT)
    derived = derive_adpc(empty, adsl(), adex=adex(), study=STUDY)
    assert (list(derived.frame), len(derived.frame)) == (SAMPLES, 0)
    assert [(finding.rule, finding.value) for finding in derived.findings] == [
        ("CK-EMPTY", "nk"),
        ("CK-EMPTY", "t"),
    ]
    made = derive_adpp(derived.frame, adex(), study=STUDY)
    assert (list(made.adpp), len(made.adpp), len(made.candidates)) == (PARAMETER_COLUMNS, 0, 0)


def course(values, **more):
    """Return one course of interleukin 6: (day, value) with ``<`` and ``>`` as signs."""
    rows = []
    for place, (day, text) in enumerate(values, 1):
        sign = text[0] if text[0] in "<>" else None
        number = float(text.lstrip("<>"))
        moment = pd.Timestamp(iso(day))
        row = {
            "USUBJID": "01",
            "PARAMCD": "IL6",
            "PARAM": "IL6",
            "BASETYPE": "CART",
            "AVALU": "pg/mL",
            "AVALC": text,
        }
        row |= {"ADT": moment.normalize(), "ADTM": moment, "SRCDOM": "LB", "SRCSEQ": str(place)}
        row |= {"AVAL": math.nan if sign else number, "ALIMIT": number if sign else math.nan, "ASIGN": sign}
        rows.append(row | more)
    made = pd.DataFrame(rows)
    return made.assign(ASIGN=made["ASIGN"].astype(object).where(made["ASIGN"].notna(), None))


@pytest.mark.rule("KIN-15")
@pytest.mark.parametrize(
    ("values", "stat", "wanted", "reason"),
    [
        ([(-1, "5"), (1, "10")], "FOLD", 2.0, None),
        ([(-3, "9"), (-1, "5"), (1, "10")], "BASE", 5.0, None),
        ([(0, "5"), (1, "10")], "BASE", 5.0, None),
        ([(1 / 1440, "5"), (1, "10")], "BASE", None, "NO_BASELINE"),
        ([(-1, "<4"), (1, "10")], "FOLD", 5.0, None),
        ([(-1, "5"), (1, "10"), (2, "10")], "TPEAK", 1.0, None),
        ([(-1, "5"), (1, ">40"), (2, "20")], "PEAK", 40.0, None),
        ([(-1, "5"), (1, "20"), (3, "10")], "TBACK", 3.0, None),
        ([(-1, "5"), (1, "20"), (3, "10.1")], "TBACK", None, "NOT_REACHED"),
        ([(-1, "5"), (2, "5"), (4, "5")], "AUC", 20.0, None),
        ([(-1, "5"), (2, "5"), (4, "5")], "AUCABL", 0.0, None),
        ([(-1, "5"), (1, "10"), (2, "7")], "LAST", 7.0, None),
        ([(-1, "5"), (1, "10"), (2, "7")], "NPOST", 2.0, None),
    ],
)
def test_a_cytokine_course_by_hand(values, stat, wanted, reason):
    row = derive_adcy(course(values), adsl()).parameters.set_index("STAT").loc[stat]
    assert (None if math.isnan(row["AVAL"]) else pytest.approx(row["AVAL"])) == wanted
    assert row["REASON"] == reason


@pytest.mark.rule("KIN-26")
@pytest.mark.parametrize(
    ("drug", "analyte", "day", "flag"),
    [
        ("TOCILIZUMAB", "IL6", 1, "AFTER_TOCILIZUMAB"),
        ("TOCILIZUMAB", "IL6", 1.01, None),
        ("TOCILIZUMAB", "CRP", 0, None),
        ("DEXAMETHASONE", "CRP", 0, "AFTER_DEXAMETHASONE"),
        ("METHYLPREDNISOLONE", "CRP", 0, "AFTER_METHYLPREDNISOLONE"),
        ("PREDNISOLONE SODIUM PHOSPHATE", "FERRITIN", 0, "AFTER_PREDNISOLONE"),
        ("DEXAMETHASONE", "IL6", 0, None),
    ],
)
def test_a_result_after_a_medicine_carries_its_name_once(drug, analyte, day, flag):
    medicine = frame([{"USUBJID": "01", "CMTRT": drug, "CMDECOD": drug, "CMSTDTC": iso(day)}])
    rows = derive_adcy(course([(-1, "5"), (1, "10")], PARAMCD=analyte), adsl(), cm=medicine).values
    assert rows["FLAGS"].tolist() == [None, flag]


def test_the_order_of_laboratory_rows_changes_no_course():
    a, b = derive_adcy(adlb(), adsl()), derive_adcy(adlb()[::-1], adsl())
    pd.testing.assert_frame_equal(a.values, b.values)
    pd.testing.assert_frame_equal(a.parameters, b.parameters)


def marker(values, **more):
    rows = [
        {"USUBJID": "01", "CPTESTCD": "CD3", "CPSTRESN": value, "CPSTRESC": text, "CPDTC": date, "CPSEQ": n}
        | more
        for n, (date, value, text) in enumerate(values, 1)
    ]
    return derive_adbm(Sdtm({"CP": frame(rows)}, CUT), adsl())


@pytest.mark.rule("KIN-27")
@pytest.mark.parametrize(
    ("values", "timing", "base", "percent"),
    [
        ([("2025-03-03", 10, "10"), ("2025-03-04", 15, "15")], ["PRE", "POST"], [10, 10], [0, 50]),
        ([("2025-03-01", 8, "8"), ("2025-03-02", 10, "10")], ["PRE", "PRE"], [10, 10], [-20, 0]),
        ([("2025-03-02", 8, "8"), ("2025-03-02", 10, "10")], ["PRE", "PRE"], [10, 10], [-20, 0]),
        ([("2025-03-04", 15, "15")], ["POST"], [None], [None]),
        ([("2025-03-02", 0, "0"), ("2025-03-04", 15, "15")], ["PRE", "POST"], [0, 0], [None, None]),
        ([("2025-03", 9, "9"), ("2025-03-04", 15, "15")], ["POST", None], [None, None], [None, None]),
        ([("2025-03-02", None, None), ("2025-03-04", 15, "15")], ["POST"], [None], [None]),
    ],
)
def test_the_baseline_of_a_marker(values, timing, base, percent):
    rows = marker(values).replace({np.nan: None})
    assert rows["TIMING"].tolist() == timing
    assert rows["BASE"].tolist() == base
    assert rows["PCHG"].tolist() == percent
    assert marker(values, CPSTAT="NOT DONE").empty
