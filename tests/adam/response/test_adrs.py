"""ADTR and ADRS from SDTM: baseline, assembly, routes, evaluators, contradictions."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

DAYS = (-7, 42, 84, 126)


def one(make, *values, organ="LIVER", days=DAYS, **more):
    return make.tumour(days[: len(values)], {"T01": (organ, list(values))}, **more)


@pytest.mark.rule("RECIST-17")
def test_adtr_and_adrs_of_one_participant(make, derive, values):
    data = derive(*one(make, 100, 60, 62, 80))
    assert data.route == "lesion"
    sums = data.adtr[data.adtr["PARAMCD"] == "SDIAM"]
    assert sums["AVAL"].tolist() == [100, 60, 62, 80]
    assert sums["NADIR"].tolist()[1:] == [100, 60, 60]
    assert sums["PCHG"].tolist()[1:] == [-40, -38, -20]
    assert sums["PCHGNAD"].tolist()[3] == pytest.approx(100 / 3)
    assert sums["ABLFL"].tolist() == ["Y", None, None, None]
    assert sums["DTYPE"].isna().all()
    assert values(data.adrs, "TRGRESP") == ["PR", "PR", "PD"]
    assert values(data.adrs, "TRGRESP", column="RSNTXT")[2] == "sum 80 mm against nadir 60 mm"
    assert values(data.adrs, "OVR") == ["PR", "PR", "PD"]
    assert values(data.adrs, "OVR", column="ANL01FL") == ["Y", "Y", "Y"]
    assert values(data.adrs, "OVR", column="SRCSEQ") == ["2", "3", "4"]
    assert values(data.adrs, "BOR") == ["PR"]
    assert values(data.adrs, "CBOR", column="RSNTXT") == [
        "partial response on 2026-02-16, confirmed on 2026-03-30"
    ]
    assert values(data.adrs, "MDIS") == ["Y"]


@pytest.mark.rule("RECIST-17")
def test_one_row_per_endpoint_participant_and_evaluator(make, derive):
    people = make.adsl("S1", "S2", "S3", ENRLFL=["Y", "Y", "N"])
    data = derive(*one(make, 100, 60), people=people)
    best = data.adrs[data.adrs["PARAMCD"].isin(["BOR", "CBOR", "CBR", "ADIS"])]
    assert Counter(zip(best["USUBJID"], best["PARAMCD"], strict=True)) == {
        (s, p): 1 for s in ("S1", "S2") for p in ("BOR", "CBOR", "CBR", "ADIS")
    }
    missing = best[(best["USUBJID"] == "S2") & (best["PARAMCD"] == "BOR")].iloc[0]
    assert (missing["AVALC"], missing["RSNCD"]) == ("MISSING", "B-MISSING")


@pytest.mark.rule("RECIST-02")
def test_baseline_is_the_last_complete_scan_before_the_dose(make, derive, values):
    tu, tr = make.tumour(
        (-20, -5, 42), {"T01": ("LIVER", [40, 50, 50]), "T02": ("LUNG", [40, "NOT EVALUABLE", 50])}
    )
    data = derive(tu, tr)
    whole = data.adtr[data.adtr["PARAMCD"].isin(["LDIAM", "SDIAM"])]
    assert whole.loc[whole["ABLFL"] == "Y", "AVAL"].tolist() == [40, 40, 80]
    assert values(data.adrs, "TRGRESP") == ["PD"]
    tu, tr = make.tumour((3, 42), {"T01": ("LIVER", [40, 10])})
    assert values(derive(tu, tr).adrs, "TRGRESP", column="RSNCD") == ["T-NOBASE", "T-NOBASE"]


@pytest.mark.rule("RECIST-02")
def test_more_targets_than_permitted(make, derive, values):
    organs = {f"T0{n}": ("LIVER", [20, 10 if n < 3 else 40]) for n in range(1, 5)}
    tu, tr = make.tumour((-7, 42), organs)
    data = derive(tu, tr)
    assert values(data.adrs, "TRGRESP") == ["PR"]
    text = next(f.message for f in data.findings if f.rule == "RS-EXCESS")
    assert "with the first 2: PR; with all: PD" in text
    every = derive(tu, tr, study=make.study(response={"excess_targets": "all"}))
    assert values(every.adrs, "TRGRESP") == ["PD"]


@pytest.mark.rule("RECIST-03")
def test_partial_sum_and_zero_references(make, derive, values):
    tu, tr = make.tumour(DAYS, {"T01": ("LIVER", [50, 0, 0, 5]), "T02": ("LUNG", [44, None, 0, 0])})
    sums = derive(tu, tr).adtr.query("PARAMCD == 'SDIAM'")
    assert sums["DTYPE"].tolist() == [None, "PARTIAL", None, None]
    assert sums["RSNCD"].tolist() == [None, None, None, "NADIR_ZERO"]
    assert pd.isna(sums["PCHGNAD"].iloc[3])
    assert values(derive(tu, tr).adrs, "TRGRESP") == ["NE", "CR", "PD"]


@pytest.mark.rule("RECIST-01")
def test_states_of_lesions_in_tr(make, derive, values):
    cases = {
        "node with its short axis": ("LYMPH NODE NECK", [18, 9], "CR"),
        "absent": ("LIVER", [20, "ABSENT"], "CR"),
        "too small": ("LIVER", [20, "TOO SMALL TO MEASURE"], "PR"),
        "not evaluable": ("LIVER", [20, "NOT EVALUABLE"], "NE"),
        "treated": ("LIVER", [20, "TREATED"], "NE"),
        "unknown word": ("LIVER", [20, "BLURRED"], "NE"),
    }
    for name, (organ, measured, expected) in cases.items():
        data = derive(*one(make, *measured, organ=organ))
        assert values(data.adrs, "TRGRESP") == [expected], name
        assert any(f.rule == "TR-STATE" for f in data.findings) == (name == "unknown word")


@pytest.mark.rule("RECIST-01")
def test_node_with_long_diameter_only(make, derive, values):
    tu, tr = one(make, 18, 9, organ="LYMPH NODE NECK")
    tr.loc[1, "TRTESTCD"] = "LDIAM"
    data = derive(tu, tr)
    assert values(data.adrs, "TRGRESP") == ["NE"]
    assert "L-NOAXIS" in data.adtr["RSNCD"].tolist()


@pytest.mark.rule("RECIST-01")
def test_split_merged_and_treated_lesions(make, derive, values):
    tu, tr = make.tumour(
        (-7, 42, 84),
        {"T01": ("LIVER", [40, 15, 15]), "T02": ("LUNG", [40, "MERGED INTO T01", "MERGED INTO T01"])},
    )
    assert values(derive(tu, tr).adrs, "TRGRESP") == ["PR", "PR"]
    tu, tr = make.tumour(
        (-7, 42), {"T01": ("LIVER", [40, None]), "T01A": ("LIVER", [None, 10]), "T01B": ("LIVER", [None, 12])}
    )
    tu = tu[tu["TULNKID"] == "T01"]
    states = tr[tr["TRLNKID"] != "T01"].assign(
        TRTESTCD="TUMSTATE", TRSTRESC="SPLIT OF T01", TRSTRESN=float("nan")
    )
    data = derive(tu, pd.concat([tr, states], ignore_index=True))
    split = data.adtr[data.adtr["RSNCD"] == "L-SPLIT"].iloc[0]
    assert (split["TRLNKID"], split["AVAL"]) == ("T01", 22)
    assert values(data.adrs, "TRGRESP") == ["PR"]
    tu, tr = one(make, 40, "TREATED", 5, days=(-7, 42, 84))
    assert values(derive(tu, tr).adrs, "TRGRESP", column="RSNCD") == ["T-NE", "T-NE"]
    kept = derive(tu, tr, study=make.study(response={"treated_lesion": "as_measured"}))
    assert values(kept.adrs, "TRGRESP") == ["NE", "PR"]


@pytest.mark.rule("RECIST-01")
def test_a_lesion_that_is_in_no_list_makes_the_sum_incomplete(make, derive, values):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [40, 20]), "T09": ("LIVER", [None, 8])})
    data = derive(tu[tu["TULNKID"] == "T01"], tr)
    assert values(data.adrs, "TRGRESP") == ["NE"]


@pytest.mark.rule("RECIST-05")
@pytest.mark.rule("RECIST-06")
def test_nontarget_and_new_lesions(make, derive, values):
    tu, tr = make.tumour(
        DAYS,
        {"T01": ("LIVER", [50, 50, 50, 50])},
        {"NT01": ("LUNG", ["PRESENT", "PRESENT", "ABSENT", "UNEQUIVOCAL PROGRESSION"])},
        {"NEW01": ("BONE", [None, "EQUIVOCAL", "UNEQUIVOCAL", "UNEQUIVOCAL"])},
    )
    data = derive(tu, tr)
    assert values(data.adrs, "NTRGRESP") == ["NON-CR/NON-PD", "CR", "PD"]
    assert values(data.adrs, "NEWLPROG", column="RSNCD") == ["W-BACK", "W-NEW", "W-NEW"]
    assert values(data.adrs, "OVR", column="RSNCD") == ["P-NEW", "P-NEW", "P-NEW;P-NT-PD"]
    later = derive(tu, tr, study=make.study(response={"equivocal_backdate": False}))
    assert values(later.adrs, "OVR") == ["SD", "PD", "PD"]


@pytest.mark.rule("RECIST-06")
def test_new_lesion_known_from_tu_alone(make, derive, values):
    tu, tr = make.tumour(
        (-7, 42), {"T01": ("LIVER", [50, 50])}, None, {"NEW01": ("BONE", [None, "UNEQUIVOCAL"])}
    )
    data = derive(tu, tr[tr["TRLNKID"] != "NEW01"])
    assert values(data.adrs, "OVR") == ["PD"]


@pytest.mark.rule("RECIST-05")
def test_markers_and_reported_nontarget(make, derive, values):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [50, 0])}, {"NT01": ("LUNG", ["PRESENT", "ABSENT"])})
    lb = pd.DataFrame(
        {
            "USUBJID": ["S1", "S1"],
            "LBTESTCD": ["CEA", "CEA"],
            "LBSTRESN": [3.0, 9.0],
            "LBSTNRHI": [5.0, 5.0],
            "LBDTC": [make.day(-7), make.day(40)],
        }
    )
    study = make.study(response={"nontarget_markers": ("CEA",)})
    assert values(derive(tu, tr, study=study, LB=lb).adrs, "OVR") == ["PR"]
    assert values(derive(tu, tr, study=study, LB=lb.iloc[:1]).adrs, "OVR") == ["CR"]
    assert values(derive(tu, tr, study=study).adrs, "NTRGRESP", column="RSNCD") == ["N-MARKER"]
    tu, tr = one(make, 50, 0)
    rs = make.reports([42], ["PD"], test="NTRGRESP")
    assert values(derive(tu, tr, rs).adrs, "NTRGRESP", column="RSNCD") == ["N-RS"]
    assert values(derive(tu, tr, rs).adrs, "OVR") == ["PD"]


@pytest.mark.rule("RECIST-08")
def test_assembly_of_time_points(make, derive, values):
    tu, tr = make.tumour((-7, 40), {"T01": ("LIVER", [50, 70])})
    more = make.tumour((-7, 46), {"T02": ("LUNG", [50, 50])})
    two = [pd.concat(parts, ignore_index=True) for parts in zip((tu, tr), more, strict=True)]
    data = derive(*two)
    assert values(data.adrs, "OVR", column="ADT") == [pd.Timestamp(make.day(40))]
    calm = two[1].assign(TRSTRESN=two[1]["TRSTRESN"].replace(70.0, 51.0))
    assert values(derive(two[0], calm).adrs, "OVR", column="ADT") == [pd.Timestamp(make.day(46))]
    first = make.study(response={"date_rule": "first"})
    assert values(derive(two[0], calm, study=first).adrs, "OVR", column="ADT") == [pd.Timestamp(make.day(40))]
    narrow = make.study(response={"visit_window_days": 3})
    assert values(derive(*two, study=narrow).adrs, "OVR") == ["NE", "NE"]
    unscheduled = two[1].assign(VISITNUM=two[1]["VISITNUM"].replace(2.0, 2.1))
    assert len(values(derive(two[0], unscheduled).adrs, "OVR")) == 2


@pytest.mark.rule("RECIST-08")
@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (["2025-12-29", "2026-02", "2026-03-30"], "2026-02-28"),
        (["2025-12-29", "2026-02", "2026-02-20"], "2026-02-20"),
        (["2025-12-29", "2026-03", "2026-03-30"], "2026-03-30"),
    ],
)
def test_partial_scan_dates(make, derive, values, dates, expected):
    tu, tr = make.tumour(dates, {"T01": ("LIVER", [50, 50, 50])})
    assert values(derive(tu, tr).adrs, "OVR", column="ADT")[0] == pd.Timestamp(expected)


OTHER_END = [
    # dates of baseline and two visits (dose on 2026-01-05), dates of the time points at the last and at the first end
    (["2025-12-29", "2026-02", "2026-03-30"], ["2026-02-28", "2026-03-30"], ["2026-02-01", "2026-03-30"]),
    (["2025-12-29", "2026-02-10", "2026-02"], ["2026-02-10", "2026-02-28"], ["2026-02-10", "2026-02-10"]),
    (["2025-12-29", "2026-02", "2026-02-20"], ["2026-02-20", "2026-02-20"], ["2026-02-01", "2026-02-20"]),
    # May lie before the dose: no evidence at either end.
    (["2025-12-29", "2026-01", "2026-02-20"], ["2026-02-20"], ["2026-02-20"]),
    (["2025-12-29", "2026-02-10", "2026-03-30"], ["2026-02-10", "2026-03-30"], ["2026-02-10", "2026-03-30"]),
]


@pytest.mark.rule("RECIST-08")
@pytest.mark.parametrize(("dates", "last", "first"), OTHER_END)
def test_partial_scan_dates_at_both_ends(make, derive, values, dates, last, first):
    tu, tr = make.tumour(dates, {"T01": ("LIVER", [50, 50, 50])})
    for end, expected in (("last", last), ("first", first)):
        found = values(derive(tu, tr, scan_day=end).adrs, "OVR", column="ADT")
        assert [f"{day:%Y-%m-%d}" for day in found] == expected


@pytest.mark.rule("RECIST-08")
def test_the_complete_date_of_the_same_visit_holds_at_both_ends(make, derive, values):
    parts = (
        make.tumour(("2025-12-29", "2026-02"), {"T01": ("LIVER", [50, 50])}),
        make.tumour(("2025-12-29", "2026-02-12"), {"T02": ("LUNG", [50, 50])}),
    )
    tu, tr = (pd.concat(both, ignore_index=True) for both in zip(*parts, strict=True))
    for end in ("last", "first"):
        found = values(derive(tu, tr, scan_day=end).adrs, "OVR", column="ADT")
        assert found == [pd.Timestamp("2026-02-12")]


@pytest.mark.rule("RECIST-08")
@pytest.mark.parametrize(
    ("dates", "last", "first"),
    [
        (["2026-02-16", "2026-03"], "2026-03-31", "2026-03-01"),
        (["2026-02-16", "2026-02"], "2026-02-28", "2026-02-16"),
        (["2026-01", "2026-02-16"], "2026-01-31", "2026-01-06"),
    ],
)
def test_partial_dates_of_reports_at_both_ends(make, derive, values, dates, last, first):
    rs = make.reports(dates, ["SD", "SD"])
    for end, expected in (("last", last), ("first", first)):
        found = values(derive(rs=rs, scan_day=end).adrs, "OVR", column="ADT")
        assert len(found) == 2
        assert pd.Timestamp(expected) in found


@pytest.mark.rule("RECIST-08")
def test_undated_scans_are_listed_and_not_used(make, derive, values):
    tu, tr = one(make, 50, 20, 20, days=(-7, 42, 84))
    tr.loc[1, "TRDTC"] = None
    data = derive(tu, tr)
    assert len(values(data.adrs, "OVR")) == 1
    assert [f.rule for f in data.findings] == ["TR-NODATE"]


@pytest.mark.rule("RECIST-09")
def test_new_therapy_ends_the_best_response(make, derive, values):
    people = make.adsl(NACTDT=pd.Timestamp(make.day(84)))
    data = derive(*one(make, 100, 90, 40, 40), people=people)
    assert values(data.adrs, "OVR", column="ANL01FL") == ["Y", None, None]
    assert values(data.adrs, "OVR", column="RSNCD") == ["P-SD", "P-PR;B-NACT", "P-PR;B-NACT"]
    assert values(data.adrs, "BOR") == ["NE"]
    ignored = derive(
        *one(make, 100, 90, 40, 40), people=people, study=make.study(response={"bor_stop_at_nact": False})
    )
    assert values(ignored.adrs, "CBOR") == ["PR"]


@pytest.mark.rule("RECIST-09")
def test_reference_dates(make, derive, values):
    data = derive(
        *one(make, 100, 60, 60, days=(-7, 8, 60)), study=make.study(response={"anchor": "first_cart"})
    )
    assert values(data.adrs, "OVR", column="ANL01FL") == [None, "Y"]
    enrolled = derive(*one(make, 100, 60, 60), study=make.study(response={"anchor": "enrolment"}))
    assert values(enrolled.adrs, "CBOR") == ["PR"]


@pytest.mark.rule("RECIST-12")
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, "C-SD-UNCONF;C-PENDING"),
        ({"EOSSTT": "ONGOING"}, "C-SD-UNCONF;C-PENDING"),
        ({"EOSSTT": "DISCONTINUED"}, "C-SD-UNCONF"),
        ({"DTHDT": "2026-06-01"}, "C-SD-UNCONF"),
        ({"NACTDT": "2026-06-01"}, "C-SD-UNCONF"),
    ],
)
def test_pending_as_long_as_the_participant_is_followed(make, derive, values, columns, expected):
    data = derive(*one(make, 100, 60, days=(-7, 60)), people=make.adsl(**columns))
    assert values(data.adrs, "CBOR", column="RSNCD") == [expected]


@pytest.mark.rule("RECIST-10")
def test_early_death(make, derive, values):
    data = derive(*one(make, 100), people=make.adsl(DTHDT=pd.Timestamp(make.day(20))))
    assert values(data.adrs, "BOR", column="RSNCD") == ["B-NE-DEATH"]


@pytest.mark.rule("RECIST-15")
def test_contradictions(make, derive, values):
    tu, tr = one(make, 100, 80, 79)
    rs = pd.concat(
        [make.reports([42, 84], ["PR", "SD"]), make.reports([42, 84], ["PR", "SD"], test="TRGRESP")]
    )
    data = derive(tu, tr, rs)
    found = [(f.rule, f.variable, f.value, f.expected) for f in data.findings]
    assert found == [("RS-DERIV", "OVRLRESP", "PR", "SD"), ("RS-DERIV", "TRGRESP", "PR", "SD")]
    assert "sum 80 mm, nadir 100 mm, baseline 100 mm" in data.findings[0].message
    assert values(data.adrs, "ROVR") == ["PR", "SD"]
    assert {r[2] for r in data.rules} == {"run"}


NONTARGETS = [
    # states of NT01 and NT02 at the scan, reported, derived (None: no contradiction), what the message says
    (["PRESENT", "PRESENT"], "NON-CR/NON-PD", None, ""),
    (["PRESENT", "ABSENT"], "CR", "NON-CR/NON-PD", "N-PRES; NT01 PRESENT, NT02 ABSENT"),
    (["ABSENT", "ABSENT"], "NON-CR/NON-PD", "CR", "N-CR; NT01 ABSENT, NT02 ABSENT"),
    (["ABSENT", None], "CR", "NE", "N-NE; NT01 ABSENT, NT02 not recorded"),
    (["UNEQUIVOCAL PROGRESSION", "PRESENT"], "PD", None, ""),
]


@pytest.mark.rule("RECIST-15")
@pytest.mark.parametrize(("states", "said", "expected", "words"), NONTARGETS)
def test_reported_nontarget_response_against_the_lesions(make, derive, states, said, expected, words):
    others = {f"NT0{n}": ("LUNG", ["PRESENT", state]) for n, state in enumerate(states, 1)}
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [50, 50])}, others)
    data = derive(tu, tr, make.reports([42], [said], test="NTRGRESP"))
    found = [(f.rule, f.severity, f.variable, f.value, f.expected) for f in data.findings]
    assert found == ([("RS-DERIV", "warn", "NTRGRESP", said, expected)] if expected else [])
    assert all(words in f.message for f in data.findings)


@pytest.mark.rule("RECIST-15")
def test_a_nontarget_response_known_from_the_report_alone_is_no_contradiction(make, derive):
    tu, tr = one(make, 50, 50)
    assert derive(tu, tr, make.reports([42], ["PD"], test="NTRGRESP")).findings == ()


IMMUNE = [
    # sums on days -7, 42, 84, 126 give iUPD, iCPD, or after a reset iSD; reported; findings as (day, reported, derived)
    ([100, 125, 131], ["iUPD", "iCPD"], []),
    ([100, 125, 131], ["PD", "iCPD"], []),
    ([100, 125, 131], ["iUPD", "iUPD"], [(84, "iUPD", "iCPD")]),
    ([100, 125, 126], ["iUPD", "iCPD"], [(84, "iCPD", "iUPD")]),
    ([100, 60, 60], ["PR", "iPR"], []),
    ([100, 90, 90], ["iSD", "iPR"], [(84, "iPR", "iSD")]),
]


@pytest.mark.rule("RECIST-15")
@pytest.mark.parametrize(("sums", "said", "expected"), IMMUNE)
def test_reported_immune_response_against_the_lesions(make, derive, sums, said, expected):
    rs = make.reports([42, 84], said, category="iRECIST")
    data = derive(*one(make, *sums), rs)
    found = [(f.rule, f.variable, f.key[-1], f.value, f.expected) for f in data.findings]
    assert found == [
        ("RS-DERIV", "OVRLRESP (iRECIST)", make.day(day), old, new) for day, old, new in expected
    ]
    assert all("T 14.2.2.2" in f.effect and "T 14.2.2.1" not in f.effect for f in data.findings)


@pytest.mark.rule("RECIST-15")
def test_both_criteria_of_a_visit_are_counted_apart_and_each_reader_alone(make, derive):
    tu, tr = one(make, 100, 125)
    rs = pd.concat(
        [
            make.reports([42], ["SD"]),
            make.reports([42], ["iSD"], category="iRECIST"),
            make.reports([42], ["iSD"], category="iRECIST", reader="R1"),
        ]
    )
    found = [(f.key[0], f.variable, f.value, f.expected) for f in derive(tu, tr, rs).findings]
    assert found == [
        ("INVESTIGATOR", "OVRLRESP", "SD", "PD"),
        ("INVESTIGATOR", "OVRLRESP (iRECIST)", "iSD", "iUPD"),
    ]


@pytest.mark.rule("RECIST-15")
def test_new_lesion_against_the_report(make, derive):
    tu, tr = make.tumour(
        (-7, 42), {"T01": ("LIVER", [50, 50])}, None, {"NEW01": ("BONE", [None, "UNEQUIVOCAL"])}
    )
    data = derive(tu, tr, make.reports([42], ["SD"]))
    assert Counter(f.rule for f in data.findings) == {"RS-NEW": 1, "RS-DERIV": 1}
    rs = pd.concat([make.reports([42], ["PD"]), make.reports([42], ["UNEQUIVOCAL"], test="NEWLPROG")])
    alone = derive(*one(make, 50, 50), rs)
    assert Counter(f.rule for f in alone.findings) == {"RS-NEW": 1, "RS-DERIV": 1}


@pytest.mark.rule("RECIST-15")
def test_a_new_lesion_seen_earlier_explains_a_later_report(make, derive):
    tu, tr = make.tumour(
        (-7, 42, 84), {"T01": ("LIVER", [50, 50, 50])}, None, {"NEW01": ("BONE", [None, "PRESENT", None])}
    )
    rs = pd.concat(
        [make.reports([42, 84], ["PD", "PD"]), make.reports([42, 84], ["Y", "Y"], test="NEWLPROG")]
    )
    assert {f.rule for f in derive(tu, tr, rs).findings} <= {"RS-DERIV"}


@pytest.mark.rule("RECIST-15")
def test_dates_against_visit_numbers(make, derive):
    tu, tr = make.tumour((-7, 42, 100, 90), {"T01": ("LIVER", [100, 60, 55, 66])}, visits=(1, 2, 2.1, 2.2))
    rs = make.reports([42, 100, 90], ["PR", "PR", "PR"], visits=(2, 2.1, 2.2))
    data = derive(tu, tr, rs)
    assert [(f.rule, f.expected) for f in data.findings] == [("RS-DERIV", "PD")]
    assert "not in the order of the visit numbers" in data.findings[0].message


@pytest.mark.rule("RECIST-15")
def test_reported_route(make, derive, values):
    rs = pd.concat(
        [make.reports([42, 84], ["PR", "PR"]), make.reports([42, 84], ["PR", "PR"], test="TRGRESP")]
    )
    data = derive(rs=rs)
    assert (data.route, data.adtr) == ("reported", None)
    assert values(data.adrs, "CBOR") == ["PR"]
    assert values(data.adrs, "TRGRESP", column="SRCDOM") == ["RS", "RS"]
    assert values(data.adrs, "MDIS") == values(data.adrs, "ADIS") == [None]
    assert all(status.startswith("not run") for rule, _, status in data.rules if rule != "RS-BEFORE")
    both = derive(*one(make, 100, 90, 90), rs, study=make.study(response={"route": "reported"}))
    assert values(both.adrs, "CBOR") == ["PR"]
    assert values(both.adrs, "LOVR") == ["SD", "SD"]
    nothing = derive()
    assert (nothing.route, nothing.adrs) == ("none", None)


@pytest.mark.rule("RECIST-15")
def test_a_report_of_the_baseline_scan_is_not_used(make, derive, values):
    rs = make.reports([-7, 42], ["NE", "PR"], visits=(1, 2))
    data = derive(*one(make, 100, 60), rs)
    assert values(data.adrs, "ROVR") == ["PR"]


@pytest.mark.rule("RECIST-14")
def test_evaluators_and_adjudication(make, derive, values):
    mine = one(make, 100, 90, 60)
    first = one(make, 100, 60, 60, reader="READER 1")
    second = one(make, 80, 79, 20, reader="READER 2")
    first[1].loc[[0, 1], "TRACPTFL"] = "Y"
    second[1].loc[[2], "TRACPTFL"] = "Y"
    tu, tr = (pd.concat(parts, ignore_index=True) for parts in zip(mine, first, second, strict=True))
    data = derive(tu, tr)
    assert values(data.adrs, "OVR") == ["SD", "PR"]
    assert values(data.adrs, "OVR", "READER 1") == ["PR", "PR"]
    assert values(data.adrs, "OVR", "ADJUDICATED") == ["PR", "PR"]
    sums = data.adtr.query("PARAMCD == 'SDIAM' and PARCAT2 == 'ADJUDICATED'")
    assert sums["AVAL"].tolist() == [100, 60, 20]
    assert sums["BASE"].tolist() == [100, 100, 80]
    told = derive(rs=make.reports([42], ["PR"], reader="READER 1", accepted="Y"))
    assert values(told.adrs, "BOR", "ADJUDICATED") == ["PR"]
    assert values(told.adrs, "BOR") == ["MISSING"]


@pytest.mark.rule("RECIST-16")
def test_order_names_units_other_readers_and_late_records_change_nothing(make, derive):
    tu, tr = make.tumour(
        DAYS,
        {"T01": ("LIVER", [50, 30, 28, 40]), "T02": ("LUNG", [40, 20, 22, 41])},
        {"NT01": ("BONE", ["PRESENT", "PRESENT", "ABSENT", "PRESENT"])},
    )
    base = derive(tu, tr)
    shuffled = derive(tu.sample(frac=1, random_state=3), tr.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(base.adrs, shuffled.adrs)
    pd.testing.assert_frame_equal(base.adtr, shuffled.adtr)
    renamed = derive(tu.assign(VISIT="x"), tr.assign(VISIT="x"))
    pd.testing.assert_frame_equal(base.adrs.drop(columns="AVISIT"), renamed.adrs.drop(columns="AVISIT"))
    number = tr["TRSTRESN"].notna()
    cm = tr.assign(TRSTRESN=tr["TRSTRESN"] / 10, TRSTRESU=tr["TRSTRESU"].where(~number, "cm"))
    pd.testing.assert_frame_equal(base.adrs, derive(tu, cm).adrs)
    other = make.tumour(DAYS, {"T01": ("LIVER", [50, 90, 90, 90])}, reader="READER 1")
    both = derive(*(pd.concat(parts, ignore_index=True) for parts in zip((tu, tr), other, strict=True)))
    mine = both.adrs[both.adrs["PARCAT2"] == "INVESTIGATOR"].reset_index(drop=True)
    pd.testing.assert_frame_equal(base.adrs, mine)
    late = make.tumour((-7, 400), {"T01": ("LIVER", [50, 5]), "T02": ("LUNG", [40, 5])}, visits=(1, 9))
    with_late = derive(tu, pd.concat([tr, late[1][late[1]["VISITNUM"] == 9]], ignore_index=True))
    ends = base.adrs["PARAMCD"].isin(["BOR", "CBOR", "RSP", "CRSP", "CBR", "PD", "LSTA"])
    columns = ["USUBJID", "PARAMCD", "ADT", "AVALC", "RSNCD"]
    again = with_late.adrs[with_late.adrs["PARAMCD"].isin(base.adrs.loc[ends, "PARAMCD"])]
    pd.testing.assert_frame_equal(
        base.adrs.loc[ends, columns].reset_index(drop=True), again[columns].reset_index(drop=True)
    )


@pytest.mark.rule("IRECIST-04")
def test_immune_rows_of_both_routes(make, derive, values):
    data = derive(*one(make, 100, 60, 80, 90, days=(-7, 42, 77, 112)))
    assert values(data.adrs, "IOVR") == ["iPR", "iUPD", "iCPD"]
    assert values(data.adrs, "IOVR", column="AVAL") == [2.0, 6.0, 5.0]
    assert values(data.adrs, "ICPD", column="ADT") == [pd.Timestamp(make.day(77))]
    assert data.adrs.loc[data.adrs["PARAMCD"] == "IBOR", "PARCAT3"].tolist() == ["iRECIST"]
    rs = pd.concat(
        [
            make.reports([42], ["PR"]),
            make.reports([84, 120], ["iUPD", "iCPD"], category="iRECIST", visits=(3, 4)),
        ]
    )
    told = derive(rs=rs)
    assert values(told.adrs, "IOVR") == ["PR", "iUPD", "iCPD"]
    assert values(told.adrs, "IBOR") == ["iPR"]


def test_new_lesions_measured_apart(make, derive, values):
    tu, tr = make.tumour(
        (-7, 42, 77, 112),
        {"T01": ("LIVER", [100, 100, 100, 100])},
        None,
        {"NEW01": ("BONE", [None, 10, 12, 16])},
    )
    data = derive(tu, tr)
    assert values(data.adrs, "IOVR") == ["iUPD", "iUPD", "iCPD"]
    assert values(data.adrs, "IOVR", column="RSNCD")[2] == "I-CPD-NEW;I-LATE"


@pytest.mark.rule("RECIST-01")
def test_split_parent_with_its_own_diameter_and_a_fragment_that_was_not_seen(make, derive, values):
    lesions = {"T01": ("LIVER", [40, 6]), "T01A": ("LIVER", [None, 10]), "T01B": ("LIVER", [None, 12])}
    tu, tr = make.tumour((-7, 42), lesions)
    tu = tu[tu["TULNKID"] == "T01"]
    states = tr[tr["TRLNKID"].isin(["T01A", "T01B"])].assign(
        TRTESTCD="TUMSTATE", TRSTRESC="SPLIT OF T01", TRSTRESN=float("nan")
    )
    whole = pd.concat([tr, states], ignore_index=True)
    data = derive(tu, whole)
    assert data.adtr.loc[data.adtr["RSNCD"] == "L-SPLIT", "AVAL"].tolist() == [28]
    unseen = whole.assign(TRSTRESN=whole["TRSTRESN"].where(whole["TRLNKID"] != "T01B"))
    assert values(derive(tu, unseen).adrs, "TRGRESP") == ["NE"]


@pytest.mark.rule("RECIST-06")
def test_a_new_lesion_that_disappears(make, derive, values):
    tu, tr = make.tumour(
        (-7, 42, 84), {"T01": ("LIVER", [50, 50, 50])}, None, {"NEW01": ("BONE", [None, "PRESENT", "ABSENT"])}
    )
    data = derive(tu, tr)
    assert values(data.adrs, "NEWLPROG") == ["Y", "N"]
    assert values(data.adrs, "IOVR") == ["iUPD", "iSD"]
    grown = make.tumour(
        (-7, 42, 84),
        {"T01": ("LIVER", [50, 50, 50])},
        None,
        {"NEW01": ("BONE", [None, "PRESENT", "FURTHER INCREASE"])},
    )
    assert values(derive(*grown).adrs, "IOVR", column="RSNCD") == ["I-UPD", "I-CPD-NEW"]


@pytest.mark.rule("RECIST-05")
def test_nontarget_lesion_that_was_measured_is_present(make, derive, values):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [50, 50])}, {"NT01": ("LUNG", [8, 9])})
    assert values(derive(tu, tr).adrs, "NTRGRESP") == ["NON-CR/NON-PD"]


@pytest.mark.rule("RECIST-01")
def test_units(make, derive, values):
    tu, tr = one(make, 50, 2)
    wrong = tr.assign(TRSTRESU=["mm", "inch"])
    assert values(derive(tu, wrong).adrs, "TRGRESP") == ["NE"]
    negative = derive(tu, tr.assign(TRSTRESN=[50.0, -2.0]))
    assert values(negative.adrs, "TRGRESP") == ["NE"]
    assert [f.rule for f in negative.findings] == ["TR-NEG"]


@pytest.mark.rule("RECIST-15")
def test_unscheduled_reports_are_paired_by_date(make, derive):
    tu, tr = make.tumour((-7, 42), {"T01": ("LIVER", [100, 100])})
    tr = tr.assign(VISITNUM=[1.0, float("nan")])
    rs = make.reports([42], ["PR"]).assign(VISITNUM=float("nan"))
    assert [f.value for f in derive(tu, tr, rs).findings] == ["PR"]


def test_tr_without_tu_takes_its_own_roles(make, derive, values):
    _, tr = make.tumour((-7, 42), {"T01": ("LIVER", [50, 20])}, {"NT01": ("LUNG", ["PRESENT", "PRESENT"])})
    assert values(derive(None, tr).adrs, "OVR") == ["PR"]


def test_parts_alone_equal_the_whole(make, derive):
    from interim.adam.response import derive_adrs, derive_adtr

    tu, tr = one(make, 100, 60, 80)
    rs = make.reports([42], ["PR"])
    whole = derive(tu, tr, rs)
    pd.testing.assert_frame_equal(derive_adtr(tu, tr, adsl=make.adsl(), study=make.study()).frame, whole.adtr)
    pd.testing.assert_frame_equal(
        derive_adrs(tu, tr, rs, adsl=make.adsl(), study=make.study()).frame, whole.adrs
    )
    assert derive_adrs(
        tu.iloc[:0], tr.iloc[:0], rs.iloc[:0], adsl=make.adsl(), study=make.study()
    ).frame.empty
