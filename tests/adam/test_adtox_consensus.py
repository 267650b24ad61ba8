"""IEC-HS, haematotoxicity and graft-versus-host disease from results and signs, beside what the site reports."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interim.adam.adtox_consensus import ConsensusInputs, consensus_rows, with_consensus
from interim.adam.adtox_episodes import COLUMNS
from interim.adam.toxicity.iechs_course import iechs_course
from interim.data.model import Sdtm
from interim.study.toxicity import LabsTable, SafetyTable, ToxicityTable

WHO = "S1"
T0 = pd.Timestamp("2025-01-10")
NK0 = pd.Timestamp("2025-01-01")
DATES = ("ASTDT", "ASTDTM", "AENDT", "AENDTM")


def day(number, base=T0):
    return base + pd.Timedelta(number, unit="D")


def lab(code, number, value, uln=np.nan, *, base=np.nan, indicator="NORMAL", basetype="NK", **more):
    row = {"USUBJID": WHO, "PARAMCD": code, "BASETYPE": basetype, "ADT": day(number), "ADTM": pd.NaT}
    row |= {"AVAL": value, "ALIMIT": np.nan, "AVALU": "g/L", "ANRLO": np.nan, "ANRHI": uln, "BASE": base}
    row |= {"BNRIND": indicator, "ATOXGRL": np.nan, "BTOXGRL": np.nan, "ONTRTFL": "Y"}
    return row | more


def results(*rows):
    return pd.DataFrame(list(rows)).astype({"ADTM": "datetime64[ns]"})


def subject(**more):
    row = {"USUBJID": WHO, "TRTSDT": NK0, "TRTSNK": NK0, "TRTSCT": T0, "DCUTDT": day(200)}
    row |= {"DTHDT": pd.NaT, "NACTDT": pd.NaT} | more
    frame = pd.DataFrame([row])
    return frame.astype({name: "datetime64[ns]" for name in row if name != "USUBJID"})


def infusions(*days_and_roles):
    rows = [
        {
            "USUBJID": WHO,
            "ROLE": role,
            "ASTDT": day(number),
            "ASTDTM": pd.NaT,
            "AENDT": day(number),
            "ACYCLE": cycle,
            "APHASE": "NK" if role == "nk" else f"CART_C{cycle:g}",
            "SRCSEQ": str(place),
        }
        for place, (number, role, cycle) in enumerate(days_and_roles or ((-9, "nk", 1.0), (0, "t", 1.0)), 1)
    ]
    return pd.DataFrame(rows).astype({name: "datetime64[ns]" for name in ("ASTDT", "ASTDTM", "AENDT")})


def event(term, start=12, grade=2.0, consensus=np.nan):
    row = {"USUBJID": WHO, "AEDECOD": term, "AETERM": term, "AETOXGRN": grade, "ASTCTGRN": consensus}
    row |= {"ASTDT": day(start), "ASTDTM": pd.NaT, "AENDT": day(start + 3), "SRCDOM": "AE", "SRCSEQ": "4"}
    return row


def events(*rows):
    columns = list(event(""))
    return pd.DataFrame(list(rows), columns=columns).astype({n: "datetime64[ns]" for n in DATES[:3]})


def episodes(*onsets):
    rows = [{"USUBJID": WHO, "PARAMCD": "CRS", "ASTDT": at.normalize(), "ASTDTM": at} for at in onsets]
    frame = pd.DataFrame(rows, columns=[*COLUMNS])
    return frame.astype({"ASTDT": "datetime64[ns]", "ASTDTM": "datetime64[ns]"})


def sdtm(ce=(), cm=None):
    domains = {}
    if ce:
        rows = [
            {
                "USUBJID": WHO,
                "CETESTCD": c,
                "CESTRESC": v,
                "CESTDTC": f"{day(n, NK0):%Y-%m-%d}",
                "CEDTC": None,
            }
            for c, v, n in ce
        ]
        domains["CE"] = pd.DataFrame(rows)
    if cm is not None:
        domains["CM"] = pd.DataFrame(cm)
    return Sdtm(domains, datetime(2025, 12, 31))


def study(**toxicity):
    return SimpleNamespace(
        toxicity=ToxicityTable(**toxicity),
        labs=LabsTable(),
        safety=SafetyTable(),
        response=SimpleNamespace(evaluator="INVESTIGATOR"),
        with_role=lambda role: role in ("nk", "t"),
    )


def inputs(adlb=None, *, adae=None, adsl=None, adex=None, crs=None, source=None, adrs=None, rules=None):
    return ConsensusInputs(
        source or sdtm(),
        subject() if adsl is None else adsl,
        infusions() if adex is None else adex,
        events() if adae is None else adae,
        adlb,
        adrs,
        episodes() if crs is None else crs,
        rules or study(),
    )


def of(kind, made):
    frame = consensus_rows(made)
    found = frame[frame["PARAMCD"] == kind] if len(frame) else frame
    assert len(found) == 1
    return found.iloc[0]


def counts(values, first=0):
    """Return daily neutrophil counts."""
    return [lab("NEUT", first + place, value) for place, value in enumerate(values)]


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 6")
@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([3.0] * 31, 0, 0),
        ([0.4] * 6 + [3.0] * 25, 1, 1),
        ([0.4] * 7 + [3.0] * 24, 2, 2),
        ([0.4] * 14 + [3.0] * 17, 3, 3),
        ([0.1] * 7 + [3.0] * 24, 3, 3),
        ([0.1] * 14 + [3.0] * 17, 4, 4),
        ([0.5] * 31, 4, 4),
    ],
)
def test_early_haematotoxicity_is_graded_from_the_neutrophils_after_the_first_t_cells(values, low, high):
    row = of("ICAHT", inputs(results(*counts(values))))
    assert (row["ASTLO"], row["ASTHI"], row["REPFL"]) == (low, high, "N")
    assert row["ASTDT"] == T0


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 6")
def test_late_counts_need_two_tests_and_the_highest_row_wins():
    rows = [*counts([3.0] * 31), lab("NEUT", 40, 0.9), lab("NEUT", 50, 0.8)]
    row = of("ICAHT", inputs(results(*rows)))
    assert (row["ASTLO"], row["ASTHI"], row["DRIVERA"]) == (2, 2, "late neutrophils")
    assert of("ICAHT", inputs(results(*rows[:-1])))["ASTHI"] == 0


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 6")
@pytest.mark.parametrize(
    "ended",
    [
        {"adsl": subject(DTHDT=day(4))},
        {"adsl": subject(NACTDT=day(4))},
        {"adsl": subject(DCUTDT=day(4))},
        {"adex": infusions((-9, "nk", 1.0), (0, "t", 1.0), (4, "nk", 2.0))},
        {
            "adrs": pd.DataFrame(
                [{"USUBJID": WHO, "PARCAT2": "INVESTIGATOR", "PARAMCD": "PD", "AVALC": "Y", "ADT": day(4)}]
            )
        },
    ],
    ids=["death", "new therapy", "cut-off", "another product", "progression"],
)
def test_counts_after_the_end_of_follow_up_do_not_count(ended):
    adlb = results(*counts([3.0] * 5 + [0.05] * 20))
    assert of("ICAHT", inputs(adlb, **ended))["ASTHI"] == 0
    assert of("ICAHT", inputs(adlb))["ASTHI"] == 4


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 6")
def test_support_and_a_low_baseline_are_flagged_and_the_anchor_is_a_parameter():
    drug = {
        "USUBJID": WHO,
        "CMTRT": "Filgrastim",
        "CMDECOD": "FILGRASTIM",
        "CMSTDTC": "2025-01-15",
        "CMENDTC": None,
    }
    rows = [lab("NEUT", -1, 0.8), *counts([0.4] * 7 + [3.0] * 8), *counts([3.0] * 31, first=15)]
    adex = infusions((-9, "nk", 1.0), (0, "t", 1.0), (15, "t", 2.0))
    made = inputs(results(*rows), adex=adex, source=sdtm(cm=[drug]))
    row = of("ICAHT", made)
    assert (row["ASTHI"], row["FLAGS"]) == (2, "BASELINE_LOW;GCSF")
    later = of("ICAHT", inputs(results(*rows), adex=adex, rules=study(icaht_anchor="latest_cycle")))
    assert (later["ASTHI"], later["ASTDT"], later["FLAGS"]) == (0, day(15), None)


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 6")
def test_weekly_counts_leave_bounds_and_no_count_leaves_no_grade():
    weekly = results(*[lab("NEUT", number, 3.0) for number in (0, 7, 14, 21, 28)])
    row = of("ICAHT", inputs(weekly))
    assert (row["ASTLO"], row["ASTHI"], row["MISSINP"]) == (0, 4, "ANC")
    none = of("ICAHT", inputs(results(lab("ALT", 1, 20.0, 40.0))))
    assert np.isnan(none["ASTLO"]) and np.isnan(none["ASTHI"])


FERRITIN = [lab("FERRITIN", 5, 900.0, 300.0, base=200.0)]
ALT = [lab("ALT", 5, 250.0, 40.0, base=30.0)]


def screened(*rows, crs=None, seen=False, **rules):
    found = iechs_course(results(*rows), crs, haemophagocytosis=seen, rules=ToxicityTable(**rules))
    return None if found is None else (found[0].verdict, found[0].supporting, found[0].missing)


@pytest.mark.rule("SAF-26", source="spec/immune-toxicity.md, section 5")
@pytest.mark.parametrize(
    ("rows", "verdict", "supporting"),
    [
        ([*FERRITIN, *ALT], "SCREEN_POSITIVE", ("aminotransferase",)),
        ([lab("FERRITIN", 5, 310.0, 300.0, base=200.0), *ALT], "SCREEN_NEGATIVE", ("aminotransferase",)),
        (
            [
                *FERRITIN,
                lab("ALT", 5, 150.0, 40.0, base=100.0, indicator="HIGH"),
                lab("FIBRINO", 5, 3.0, 4.0),
                lab("NEUT", 5, 2.0, ATOXGRL=0.0, BTOXGRL=0.0),
            ],
            "SCREEN_NEGATIVE",
            (),
        ),
        ([*FERRITIN, lab("FIBRINO", 5, 1.4, 4.0, ANRLO=2.0)], "SCREEN_POSITIVE", ("fibrinogen",)),
        ([*FERRITIN, lab("PLAT", 5, 20.0, ATOXGRL=4.0, BTOXGRL=1.0)], "SCREEN_POSITIVE", ("cytopenia",)),
        (
            [
                *FERRITIN,
                lab("PLAT", 5, 20.0, ATOXGRL=4.0, BTOXGRL=4.0),
                lab("FIBRINO", 5, 3.0, 4.0),
                lab("ALT", 5, 30.0, 40.0),
            ],
            "SCREEN_NEGATIVE",
            (),
        ),
        (
            [*FERRITIN, *ALT, lab("FIBRINO", 5, 140.0, 400.0, AVALU="mg/dL")],
            "SCREEN_POSITIVE",
            ("aminotransferase",),
        ),
    ],
)
def test_the_screen_of_a_day(rows, verdict, supporting):
    assert screened(*rows)[:2] == (verdict, supporting)


@pytest.mark.rule("SAF-26", source="spec/immune-toxicity.md, section 5")
def test_a_rise_within_two_days_counts_and_without_ferritin_nothing_is_screened():
    rise = [lab("FERRITIN", 4, 140.0, 300.0, base=150.0), lab("FERRITIN", 5, 290.0, 300.0, base=150.0)]
    assert screened(*rise, *ALT)[0] == "SCREEN_POSITIVE"
    slow = [lab("FERRITIN", 1, 140.0, 300.0, base=150.0), lab("FERRITIN", 5, 290.0, 300.0, base=150.0)]
    assert screened(*slow, *ALT)[0] == "SCREEN_NEGATIVE"
    assert screened(*ALT) is None


@pytest.mark.rule("SAF-26", source="spec/immune-toxicity.md, section 5")
def test_findings_early_after_the_onset_of_cytokine_release_are_concurrent():
    onset = pd.Series([day(4)])
    early = iechs_course(results(*FERRITIN, *ALT), onset, haemophagocytosis=None, rules=ToxicityTable())
    assert (early[0].verdict, early[0].reason) == ("SCREEN_NEGATIVE", "CONCURRENT_CRS")
    late = iechs_course(
        results(*FERRITIN, *ALT), pd.Series([day(3)]), haemophagocytosis=None, rules=ToxicityTable()
    )
    assert late[0].verdict == "SCREEN_POSITIVE"


@pytest.mark.rule("SAF-26", source="spec/immune-toxicity.md, section 5")
def test_what_was_not_recorded_is_named_unless_absence_means_none():
    assert screened(*FERRITIN, seen=None) == (
        "NOT_EVALUABLE",
        (),
        ("aminotransferase", "fibrinogen", "cytopenia", "haemophagocytosis"),
    )
    row = of("IECHS", inputs(results(*FERRITIN, *ALT)))
    assert (row["SCREEN"], row["ASTDT"], row["REPFL"]) == ("SCREEN_POSITIVE", day(5), "N")
    quiet = [
        *FERRITIN,
        lab("ALT", 5, 30.0, 40.0),
        lab("FIBRINO", 5, 3.0, 4.0),
        lab("NEUT", 5, 2.0, ATOXGRL=0.0, BTOXGRL=0.0),
    ]
    assert of("IECHS", inputs(results(*quiet)))["SCREEN"] == "NOT_EVALUABLE"
    none = study(absent_means_none=("HEMOPHAG",))
    assert of("IECHS", inputs(results(*quiet), rules=none))["SCREEN"] == "SCREEN_NEGATIVE"
    seen = sdtm(ce=[("HEMOPHAG", "Y", 15)])
    assert of("IECHS", inputs(results(*quiet), source=seen))["DRIVERA"] == "haemophagocytosis"


@pytest.mark.rule("SAF-27", source="MAGIC 2016 in spec/immune-toxicity.md, section 8")
@pytest.mark.parametrize(
    ("signs", "grade", "driver"),
    [
        ([("SKINBSA", "20", 20)], 1, "skin"),
        ([("SKINBSA", "60", 20)], 2, "skin"),
        ([("UPPERGI", "Y", 20)], 2, "upper"),
        ([("STOOLVOL", "1200", 20)], 3, "lower"),
        ([("STOOLN", "4", 20), ("BULLAE", "Y", 20)], 4, "skin"),
        ([("SKINBSA", "0", 20), ("UPPERGI", "N", 20)], 0, ""),
    ],
)
def test_graft_versus_host_disease_is_graded_from_the_signs(signs, grade, driver):
    row = of("GVHD", inputs(source=sdtm(ce=signs)))
    assert (row["ASTLO"], row["ASTHI"], row["DRIVERA"]) == (grade, grade, driver)


@pytest.mark.rule("SAF-27", source="spec/immune-toxicity.md, section 8")
def test_a_bilirubin_that_was_high_before_makes_bounds():
    signs = sdtm(ce=[("SKINBSA", "20", 10)])
    high = lab("BILI", 1, 60.0, 20.0, base=40.0, indicator="HIGH")
    row = of("GVHD", inputs(results(high), source=signs))
    assert (row["ASTLO"], row["ASTHI"], row["FLAGS"]) == (1, 3, "LIVER_CONFOUNDED")
    new = of("GVHD", inputs(results(lab("BILI", 1, 60.0, 20.0, base=10.0)), source=signs))
    assert (new["ASTLO"], new["ASTHI"], new["FLAGS"]) == (3, 3, None)


@pytest.mark.rule("SAF-27", source="spec/immune-toxicity.md, section 8")
def test_signs_later_than_the_acute_phase_are_not_graded():
    assert consensus_rows(inputs(source=sdtm(ce=[("SKINBSA", "20", 101)]))).empty
    assert of("GVHD", inputs(source=sdtm(ce=[("SKINBSA", "20", 100)])))["ASTHI"] == 1


@pytest.mark.rule("SAF-25", source="spec/immune-toxicity.md, section 9")
def test_the_site_s_grade_stands_beside_the_derived_one_with_the_direction():
    term = "Immune effector cell-associated haematotoxicity"
    adae = events(event(term, grade=3.0, consensus=1.0))
    adlb = results(*counts([0.4] * 7 + [3.0] * 24), *FERRITIN, *ALT)
    frame = with_consensus(episodes(), inputs(adlb, adae=adae)).set_index("PARAMCD")
    assert list(frame.columns) == [name for name in COLUMNS if name != "PARAMCD"]
    icaht = frame.loc["ICAHT"]
    assert (icaht["REPGRC"], icaht["REPGRA"], icaht["DERGRA"], icaht["DIRA"]) == (3.0, 1.0, 2.0, "LOWER")
    assert (icaht["SRCSEQ"], icaht["REPFL"], icaht["DIRC"]) == ("4", "Y", None)
    assert (frame.loc["IECHS", "DIRA"], frame.loc["IECHS", "REASON"]) == ("UNREPORTED", None)
    reported = events(event("Haemophagocytic lymphohistiocytosis", consensus=2.0))
    both = with_consensus(episodes(), inputs(results(*FERRITIN, *ALT), adae=reported)).set_index("PARAMCD")
    assert (both.loc["IECHS", "DIRA"], both.loc["IECHS", "REPGRA"]) == ("AGREE", 2.0)
    alone = with_consensus(episodes(), inputs(adae=events(event("Graft versus host disease"))))
    assert alone[["PARAMCD", "REASON"]].to_numpy().tolist() == [["GVHD", "NO_ASSESSMENT"]]


def test_of_several_reported_events_the_highest_and_first_stands():
    many = [event("Prolonged cytopenia", grade=2.0), event("Prolonged cytopenia", start=20, grade=4.0)]
    many.append(event("Prolonged cytopenia", start=9, grade=4.0))
    row = of("ICAHT", inputs(adae=events(*many)))
    assert (row["REPGRC"], row["ASTDT"]) == (4.0, day(9))


def test_without_products_and_results_there_is_nothing():
    only_nk = infusions((-9, "nk", 1.0))
    adlb = results(*counts([0.1] * 20))
    assert "ICAHT" not in set(consensus_rows(inputs(adlb, adex=only_nk)).get("PARAMCD", []))
    before = episodes()
    assert with_consensus(before, inputs()) is before
