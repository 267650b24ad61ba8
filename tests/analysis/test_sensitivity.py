"""Sensitivity of progression-free survival: in a constructed study every row changes exactly the participants it should."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.adam.tte import derive_adtte
from interim.analysis import censoring, sensitivity
from interim.analysis.sensitivity_variants import sensitivity_rows
from interim.data.model import Sdtm
from interim.result import Rows
from interim.study import Study
from interim.study.efficacy import TteTable
from interim.study.tables import DataTable, StudyTable
from tests.analysis.answers import row, status, subjects, value

START = pd.Timestamp("2026-01-05")
MONTH = 30.4375
# Participant -> overall responses (day from the start: value); what else happened.
COURSES: dict[str, dict[int, str]] = {
    "A": {42: "SD", 84: "PD"},
    "B": {42: "SD", 84: "PD"},
    "C": {42: "SD", 150: "PD"},
    "D": {42: "SD"},
    "E": {42: "SD", 84: "PD"},
    "F": {42: "SD", 84: "SD"},
    "G": {42: "SD"},
    "H": {42: "SD", 84: "PD", 126: "SD"},
    "I": {42: "SD", 80: "PD"},
    "J": {42: "SD"},
}
THERAPY = {"B": ("2026-03-06", 60, None), "I": ("2026-03", 55, "D")}
DEATH = {"D": 150}
EVERYONE = sorted(COURSES)
CHANGED = {
    "S0": "",
    "S1": "BI",
    "S2": "BI",
    "S3": "CD",
    "S4": "CD",
    "S5": "C",
    "S6": "E",
    "S7": "ABCDEFGHI",
    "S8": "ACDEH",
    "S9": "F",
    "S9 READER 1": "G",
    "S10": "H",
    "S11a": "ACEH",
    "S11b": "ABCEHI",
    "S12": "I",
    "S13": "",
    "S14": "I",
    "S15": "G",
    "S16": "ABCDEFGHIJ",
    "S17": "ACEH",
}


def day(number: int) -> pd.Timestamp:
    return START + pd.Timedelta(days=number)


def make_study(**tte: object) -> Study:
    return Study(
        study=StudyTable(id="T"),
        data=DataTable(path="none", cut_date=date(2026, 12, 31)),
        tte=TteTable(**{"schedule_weeks": (6, 12, 18, 24, 30), **tte}),
    )


def make_adsl() -> pd.DataFrame:
    frame = pd.DataFrame({"USUBJID": EVERYONE}, dtype=object)
    for name in ("FASFL", "SAFNKFL", "ENRLFL", "RESFL"):
        frame[name] = "Y"
    dates = {
        "TRTSDT": lambda s: START,
        "TRTSCT": lambda s: pd.NaT if s == "J" else day(10),
        "NACTDT": lambda s: day(THERAPY[s][1]) if s in THERAPY else pd.NaT,
        "DTHDT": lambda s: day(DEATH[s]) if s in DEATH else pd.NaT,
        "LSTALVDT": lambda s: day(DEATH.get(s, 300) - 1),
        "DCUTDT": lambda s: pd.Timestamp("2026-12-31"),
        "EOSDT": lambda s: pd.NaT,
        "ENRLDT": lambda s: day(-5),
    }
    for name, rule in dates.items():
        frame[name] = pd.to_datetime(frame["USUBJID"].map(rule)).astype("datetime64[ns]")
    frame["NACTDTF"] = frame["USUBJID"].map(lambda s: THERAPY.get(s, ("", 0, None))[2])
    frame["DTHDTF"] = None
    frame["NACTKIND"] = frame["USUBJID"].map({"B": "systemic"}).astype(object)
    return frame.assign(
        SAFCTFL=frame["USUBJID"].map(lambda s: "N" if s == "J" else "Y"),
        COHORT="DL1",
        COHORTA="DL1",
        EOSSTT="ONGOING",
    )


def make_adrs() -> pd.DataFrame:
    rows = []

    def add(subject, reader, parameter, when, value):
        at = pd.NaT if when is None else day(when)
        rows.append((subject, reader, parameter, at, value, "TR", f"{len(rows)}"))

    for subject, course in COURSES.items():
        for reader in ("INVESTIGATOR", "READER 1"):
            add(subject, reader, "ADIS", None, "Y")
            for number, value_ in course.items():
                other = "PD" if subject == "G" and reader == "READER 1" else value_
                add(subject, reader, "OVR", number, other)
        for number, value_ in course.items():
            add(subject, "INVESTIGATOR", "ROVR", number, "PD" if (subject, number) == ("F", 84) else value_)
            add(subject, "INVESTIGATOR", "IOVR", number, {"PD": "iUPD"}.get(value_, f"i{value_}"))
        ends = [number for number, value_ in course.items() if value_ == "PD"]
        trailing = bool(ends) and subject != "H"
        add(subject, "INVESTIGATOR", "IUPD", ends[0] if trailing else None, "Y" if trailing else "N")
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARCAT2", "PARAMCD", "ADT", "AVALC", "SRCDOM", "SRCSEQ"])
    return frame.astype({"ADT": "datetime64[ns]"})


def domain(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(columns, dtype=object)
    return frame.where(frame.notna(), None)


def make_sdtm() -> Sdtm:
    n = len(EVERYONE)
    ill = list(THERAPY)
    return Sdtm(
        {
            "DM": domain(
                USUBJID=EVERYONE,
                DTHDTC=[f"{day(DEATH[s]):%Y-%m-%d}" if s in DEATH else None for s in EVERYONE],
                DTHFL=["Y" if s in DEATH else None for s in EVERYONE],
            ),
            "EX": domain(
                USUBJID=EVERYONE, EXTRT=["CAR-NK"] * n, EXSTDTC=["2026-01-05"] * n, EXOCCUR=["Y"] * n
            ),
            "DS": domain(
                USUBJID=["E"],
                DSDECOD=["SYMPTOMATIC DETERIORATION"],
                DSSTDTC=[f"{day(70):%Y-%m-%d}"],
                DSSEQ=[1.0],
            ),
            "CM": domain(
                USUBJID=ill,
                CMCAT=["NEW ANTICANCER THERAPY"] * len(ill),
                CMSCAT=["SYSTEMIC" if s == "B" else None for s in ill],
                CMTRT=["X"] * len(ill),
                CMSTDTC=[THERAPY[s][0] for s in ill],
                CMSEQ=[1.0] * len(ill),
            ),
        },
        cut=datetime(2026, 12, 31, 23, 59, 59),
    )


def make_adam(study: Study, **replace: pd.DataFrame | None) -> Adam:
    sets = {"ADSL": make_adsl(), "ADRS": make_adrs(), **replace}
    if "ADTTE" not in sets:
        sets["ADTTE"] = derive_adtte(sets["ADSL"], sets["ADRS"], study=study, sdtm=make_sdtm()).frame
    return Adam({name: frame for name, frame in sets.items() if frame is not None}, study.cut)


@pytest.fixture(scope="module")
def table():
    study = make_study()
    return sensitivity.pfs(make_adam(study), study, make_sdtm())


@pytest.mark.rule("TTE-13")
@pytest.mark.parametrize(("name", "expected"), CHANGED.items())
def test_a_row_changes_exactly_these_participants(table, name, expected):
    assert "".join(sorted(subjects(table, name, "changed"))) == expected
    assert value(table, name, "changed") == len(expected)


@pytest.mark.rule("TTE-13")
def test_every_row_of_the_table_is_there(table):
    states = table.frame[table.frame["stat"] == "state"].set_index("variable")["text"]
    assert list(states.index) == list(CHANGED)
    assert set(states) == {"run"}
    ids = [entry["id"] for entry in sensitivity_rows()]
    assert ids[:9] == [f"S{n}" for n in range(9)]
    assert ids[9:] == ["S9", "S9 evaluator", "S10", "S11a", "S11b", *(f"S{n}" for n in range(12, 18))]


BEFORE_AFTER = [
    # row, participant, day and reason before, after
    ("S1", "B", (43, "K-NACT"), (85, "E-PD")),
    ("S2", "B", (43, "K-NACT"), (61, "E-NACT")),
    ("S2", "I", (43, "K-NACT"), (56, "E-NACT")),
    ("S3", "C", (151, "E-PD"), (43, "K-GAP")),
    ("S3", "D", (151, "E-DEATH"), (43, "K-GAP")),
    ("S4", "C", (151, "E-PD"), (43, "K-GAP")),
    ("S6", "E", (85, "E-PD"), (71, "E-CLIN")),
    ("S7", "A", (85, "E-PD"), (75, "E-PD")),
    ("S9", "F", (85, "K-CUT"), (85, "E-PD")),
    ("S9 READER 1", "G", (43, "K-CUT"), (43, "E-PD")),
    ("S10", "H", (85, "E-PD"), (127, "K-CUT")),
    ("S11a", "A", (85, "E-PD"), (64, "E-PD")),
    ("S11b", "A", (85, "E-PD"), (44, "E-PD")),
    ("S11b", "B", (43, "K-NACT"), (44, "E-PD")),
    ("S12", "I", (43, "K-NACT"), (81, "E-PD")),
    ("S14", "I", (43, "K-NACT"), (81, "E-PD")),
    ("S15", "G", (43, "K-CUT"), (43, "E-PD")),
    ("S16", "A", (85, "E-PD"), (90, "E-PD")),
    ("S16", "D", (151, "E-DEATH"), (156, "E-DEATH")),
    ("S17", "A", (85, "E-PD"), (43, "K-CUT")),
    ("S17", "H", (85, "E-PD"), (127, "K-CUT")),
    ("S8", "A", (85, "E-PD"), (85, "E-PD")),
]


@pytest.mark.rule("TTE-14")
@pytest.mark.parametrize(("name", "subject", "before", "after"), BEFORE_AFTER)
def test_before_and_after(table, name, subject, before, after):
    place = (table, f"{name} change")
    found = [
        (value(*place, f"day_{when}", level=subject), row(*place, f"reason_{when}", level=subject)["text"])
        for when in ("before", "after")
    ]
    assert found == [before, after]


@pytest.mark.rule("TTE-13")
def test_the_primary_row_is_the_primary_analysis(table):
    assert (value(table, "S0"), value(table, "S0", "events"), value(table, "S0", "censored")) == (10, 5, 5)
    assert value(table, "S0", "event", level="E-PD") == 4
    assert value(table, "S0", "event", level="E-DEATH") == 1
    assert value(table, "S0", "censoring", level="K-NACT") == 2
    # Censored on day 43: B, G, I, J. Day 85: three events (A, E, H) of six at risk, S = 0.5, until day 151.
    assert value(table, "S0", "median") == pytest.approx((85 + 151) / 2 / MONTH)
    assert value(table, "S7") == 9


@pytest.mark.rule("TTE-15")
def test_intervals_between_the_previous_assessment_and_the_event(table):
    # (43, 85] for A, E and H, (43, 151] for C and D; five censored at 43, 43, 43, 43 and 85.
    low, high = (value(table, "S8", f"median_{end}") for end in ("from", "to"))
    assert 43 / MONTH <= low < high <= 151 / MONTH
    least, most = (value(table, "S8 landmark", f"rate_{end}", level="3") for end in ("from", "to"))
    assert 0 <= least <= most <= 1
    assert row(table, "S8", "median_from")["method"].startswith("Turnbull")


@pytest.mark.rule("TTE-24")
@pytest.mark.parametrize(
    ("subject", "first", "last"),
    [("A", 43, 85), ("C", 43, 151), ("D", 43, 151), ("E", 43, 85), ("H", 43, 85)],
)
def test_who_is_known_free_of_the_event_until_when(table, subject, first, last):
    place = (table, "S8 change")
    assert value(*place, "day_from", level=subject) == first
    assert value(*place, "day_after", level=subject) == last


@pytest.mark.rule("TTE-13")
def test_a_therapy_of_a_known_kind_is_no_other_reading():
    study = make_study()
    people = make_adsl().assign(NACTKIND="systemic")
    found = sensitivity.pfs(make_adam(study, ADSL=people), study, make_sdtm())
    state = row(found, "S14", "state")["text"]
    assert state == "not run: the kind of every new therapy that counts is known"


@pytest.mark.rule("TTE-24")
@pytest.mark.parametrize(("scan", "changes"), [(60, "B"), (59, "B"), (61, "")])
def test_a_scan_on_the_day_of_the_therapy_is_evidence_if_the_day_counts(scan, changes):
    study = make_study()
    adrs = make_adrs()
    mine = (adrs["USUBJID"] == "B") & (adrs["AVALC"] == "SD") & (adrs["PARAMCD"] == "OVR")
    moved = adrs.assign(ADT=adrs["ADT"].where(~mine, day(scan)))
    found = sensitivity.pfs(make_adam(study, ADRS=moved), study, make_sdtm())
    expected = changes if scan == 60 else ""
    assert "".join(sorted(subjects(found, "S13", "changed"))) == expected


@pytest.mark.rule("TTE-15")
def test_intervals_by_hand():
    # Two participants with the event in (1, 51], one in (51, 101]: mass 2/3 and 1/3, the median in the first.
    times = pd.DataFrame({"CNSR": [0, 0, 0], "AVAL": [51.0, 51.0, 101.0], "LEFT": [1.0, 1.0, 51.0]})
    rows = Rows("x", "x")
    sensitivity._add_interval_estimates(rows, times)
    found = rows.build()
    assert value(found, "S8", "median_from") == pytest.approx(1 / MONTH)
    assert value(found, "S8", "median_to") == pytest.approx(51 / MONTH)
    # Month 3 is day 91.3: inside (51, 101], where the curve is not defined.
    assert value(found, "S8 landmark", "rate_from", level="3") == pytest.approx(0)
    assert value(found, "S8 landmark", "rate_to", level="3") == pytest.approx(1 / 3)
    assert value(found, "S8 landmark", "rate_to", level="6") == pytest.approx(0)
    never = Rows("x", "x")
    sensitivity._add_interval_estimates(never, times.assign(CNSR=[1, 1, 1]))
    assert status(never.build(), "S8", "median_to") == ("NR", "MEDIAN_NOT_REACHED")
    nobody = Rows("x", "x")
    sensitivity._add_interval_estimates(nobody, times.iloc[:0])
    assert status(nobody.build(), "S8", "median_from") == ("NE", "NO_DATA")


@pytest.mark.rule("TTE-13")
def test_rows_that_cannot_be_run_say_why():
    study = make_study(schedule_weeks=None)
    adrs = make_adrs()
    adrs = adrs[(adrs["PARCAT2"] == "INVESTIGATOR") & adrs["PARAMCD"].isin(["OVR", "ADIS"])]
    people = make_adsl().assign(NACTDTF=None, ENRLDT=pd.NaT)
    found = sensitivity.pfs(make_adam(study, ADRS=adrs, ADSL=people), study)
    states = found.frame[found.frame["stat"] == "state"].set_index("variable")["text"]
    assert states[states != "run"].to_dict() == {
        "S4": "not run: no schedule of assessments (tte.schedule_weeks)",
        "S6": "not run: no source records",
        "S9": "not run: the data hold one route only",
        "S9 evaluator": "not run: investigator is the only evaluator",
        "S10": "not run: no iRECIST responses",
        "S12": "not run: no source records",
        "S14": "not run: no source records",
        "S15": "not run: one evaluator only",
        "S16": "not run: no date of enrolment",
        "S17": "not run: no iRECIST responses",
    }
    assert status(found, "S4", "median") == ("NA", states["S4"])
    known = sensitivity.pfs(make_adam(study, ADRS=adrs, ADSL=people), study, make_sdtm())
    assert row(known, "S12", "state")["text"] == "not run: no date of death, new therapy or scan is imputed"


LESIONS = {
    "TU": domain(USUBJID=["A"], TULNKID=["T01"], TUSTRESC=["TARGET"], TULOC=["LIVER"], TUDTC=["2025-12-29"]),
    "TR": domain(
        USUBJID=["A"] * 3,
        TRLNKID=["T01"] * 3,
        TRGRPID=["TARGET"] * 3,
        TRTESTCD=["LDIAM"] * 3,
        TRSTRESN=[50.0, 50.0, 80.0],
        TRDTC=["2025-12-29", "2026-02-16", "2026-03"],
        VISITNUM=[1.0, 2.0, 3.0],
    ),
}
REPORTS = {
    "RS": domain(
        USUBJID=["A"] * 2,
        RSTESTCD=["OVRLRESP"] * 2,
        RSSTRESC=["SD", "PD"],
        RSDTC=["2026-02-16", "2026-03"],
        VISITNUM=[2.0, 3.0],
    )
}


@pytest.mark.rule("TTE-13")
@pytest.mark.parametrize("route", [LESIONS, REPORTS], ids=["lesions", "reports"])
def test_a_scan_without_its_day_lies_at_the_other_end_too(route):
    study, source = make_study(), make_sdtm()
    people = make_adsl().assign(NACTDTF=None)
    sdtm = Sdtm({**{name: source.domain(name) for name in ("DM", "EX", "DS", "CM")}, **route}, cut=source.cut)
    adrs = derive_response(sdtm, people, study=study).adrs
    found = sensitivity.pfs(make_adam(study, ADSL=people, ADRS=adrs), study, sdtm)
    assert row(found, "S12", "state")["text"] == "run"
    place = (found, "S12 change")
    # Start on 5 January: 31 March is day 86, 1 March day 56.
    days = [value(*place, f"day_{when}", level="A") for when in ("before", "after")]
    assert days == [86, 56]
    assert row(*place, "reason_after", level="A")["text"] == "E-PD"
    assert "A" in subjects(found, "S12", "changed")


@pytest.mark.rule("TTE-13")
def test_without_responses_or_times_and_in_a_study_of_another_product(arms):
    study = make_study()
    none = sensitivity.pfs(make_adam(study, ADTTE=None), study)
    assert status(none, "S0", "n")[0] == "NA"
    assert sensitivity.pfs(Adam({"ADSL": make_adsl()}, study.cut), study).frame["status"].tolist()[-1] == "NA"
    other = arms.model_copy(update={"cohort": study.cohort})
    found = sensitivity.pfs(make_adam(study), other)
    assert row(found, "S7", "state")["text"] == "not run: the study has no T-cell product"


@pytest.mark.rule("TTE-13")
def test_a_row_without_participants_has_no_estimate():
    study = make_study()
    nobody = make_adsl().assign(SAFCTFL="N")
    found = sensitivity.pfs(make_adam(study, ADSL=nobody), study)
    assert value(found, "S7") == 0
    assert status(found, "S7", "median") == ("NE", "NO_DATA")
    assert value(found, "S7", "changed") == 0


@pytest.mark.rule("TTE-13")
def test_the_order_of_rows_changes_nothing(table):
    study = make_study()
    shuffled = {
        "ADRS": make_adrs().sample(frac=1, random_state=3),
        "ADSL": make_adsl().sample(frac=1, random_state=4),
    }
    again = sensitivity.pfs(make_adam(study, **shuffled), study, make_sdtm())
    pd.testing.assert_frame_equal(again.frame, table.frame)


@pytest.mark.rule("TTE-16")
def test_censoring_by_reason_early_and_administrative():
    study = make_study()
    found = censoring.reasons(make_adam(study), study)
    counts = {kind: value(found, f"PFS {kind}") for kind in ("early", "administrative", "other")}
    assert counts == {"early": 2, "administrative": 3, "other": 0}
    assert subjects(found, "PFS early", "n", level="K-NACT") == {"B", "I"}
    assert subjects(found, "new_therapy", "n") == {"B", "I"}
    assert subjects(found, "gap", "n") == {"C", "D"}
    assert value(found, "OS administrative", level="K-ALIVE") == 9
    days = censoring.reasons(make_adam(make_study(gap_rule="days")), make_study(gap_rule="days"))
    assert subjects(days, "PFS early", "n", level="K-GAP") == {"C", "D"}
    assert subjects(days, "gap", "n") == {"C", "D"}


@pytest.mark.rule("TTE-16")
def test_censoring_without_times_or_dates():
    study = make_study()
    none = censoring.reasons(Adam({"ADSL": make_adsl()}, study.cut), study)
    assert status(none, "PFS", "censored")[0] == "NA"
    adam = make_adam(study)
    undated = Adam({"ADSL": adam["ADSL"], "ADTTE": adam["ADTTE"]}, study.cut)
    assert status(censoring.reasons(undated, study), "gap", "n")[0] == "NA"
