"""Steps of a trace, details of a DLT, recorded decisions, flips of a reading and scenarios, each from rows written by hand."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import escalation_events
from interim.analysis.escalation_state import recorded_decisions
from interim.analysis.expansion_designs import scenarios
from interim.analysis.reading_row import Outcome
from interim.analysis.trace import Traced, trace
from interim.analysis.trace_dlt import dlt_lines
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.study.expansion import TumourType
from tests.analysis.answers import row, value
from tests.analysis.conftest import CUT, adae, adtte, uid

DAY = pd.Timestamp("2025-03-03")


@pytest.fixture(scope="module")
def bare(make_adam, study):
    """The hand-made study with texts of reasons and without any source record."""
    data = make_adam(ADTTE=adtte().assign(RSNTXT="as it happened"))
    return Traced(data, Sdtm({}, CUT.to_pydatetime()), study)


OVERALL = [
    (1, "2025-01-20", "censored (CNSR 7)", "2026-02-13", 390, "K-ALIVE"),
    (2, "2025-02-03", "censored (CNSR 7)", "2026-02-17", 380, "K-ALIVE"),
    (4, "2025-03-03", "event", "2025-09-28", 210, "E-DEATH"),
    (5, "2025-03-17", "censored (CNSR 7)", "2026-03-01", 350, "K-ALIVE"),
    (10, "2025-05-26", "censored (CNSR 7)", "2026-03-21", 300, "K-ALIVE"),
    (15, "2025-08-04", "event", "2025-09-02", 30, "E-DEATH"),
]


@pytest.mark.parametrize(("number", "start", "what", "end", "days", "reason"), OVERALL)
@pytest.mark.parametrize("parameter", ["OS", "os", "Os"])
def test_the_end_of_overall_survival(bare, number, start, what, end, days, reason, parameter):
    found = trace(bare, subject=uid(number), parameter=parameter)
    assert found[0] == f"OS of {uid(number)}"
    assert found[-4:] == (
        "Endpoint",
        f"  start {start}",
        f"  {what} on {end}, day {days} [OS/{reason}]: as it happened <- TR (TR.ADT)",
        f"  without any rule but the cut-off: {what} on {end}",
    )


@pytest.mark.parametrize(
    ("number", "dates"),
    [
        (1, ["first infusion 2025-01-20 (ADSL.TRTSDT)", "data cut-off 2026-06-30 (ADSL.DCUTDT)"]),
        (
            4,
            [
                "first infusion 2025-03-03 (ADSL.TRTSDT)",
                "death 2025-09-28 (ADSL.DTHDT)",
                "end of study 2025-09-28 (ADSL.EOSDT)",
                "data cut-off 2026-06-30 (ADSL.DCUTDT)",
            ],
        ),
        (
            8,
            [
                "first infusion 2025-04-28 (ADSL.TRTSDT)",
                "new anticancer therapy 2025-08-18 (ADSL.NACTDT)",
                "data cut-off 2026-06-30 (ADSL.DCUTDT)",
            ],
        ),
    ],
)
def test_only_dates_that_exist_are_listed(bare, number, dates):
    found = trace(bare, subject=uid(number), parameter="OS")
    here = found[found.index("Dates") + 1 : found.index("Endpoint")]
    assert here == tuple(f"  {text}" for text in dates)


@pytest.mark.parametrize(
    ("subject", "named"),
    [("SYN-04", uid(4)), ("04", uid(4)), ("-15", uid(15)), ("21", uid(21)), ("-01", uid(1))],
)
def test_the_end_of_an_id_names_one_participant(bare, subject, named):
    assert trace(bare, subject=subject, parameter="OS")[0] == f"OS of {named}"


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("1", "3 participants '1'"),
        ("5", "2 participants '5'"),
        ("SYN", "no participant 'SYN'"),
        ("22", "no participant '22'"),
        ("syn-04", "no participant 'syn-04'"),
        ("", "21 participants ''"),
    ],
)
def test_an_end_that_names_nobody_or_several_is_refused(bare, subject, words):
    with pytest.raises(DerivationError, match=words):
        trace(bare, subject=subject, parameter="OS")


@pytest.mark.parametrize("parameter", ["", "XX", "PFS2", "OVERALL", "P FS"])
def test_an_unknown_parameter_names_those_that_exist(bare, parameter):
    with pytest.raises(DerivationError, match=f"no parameter '{parameter}'; parameters are .*DLT.*OS, OVR"):
        trace(bare, subject=uid(1), parameter=parameter)


def fact(**more: object) -> dict[str, object]:
    """Return the row of ADDLT of participant 4."""
    base = {"USUBJID": uid(4), "COHORT": "DL2", "LEVEL": 2.0, "ORDER": 4.0, "DLTWSDT": DAY, "NINFCT": 4.0}
    end = DAY + pd.Timedelta(days=28)
    return {
        **base,
        "DLTWEDT": end,
        "DLTSTAT": "EVALUABLE",
        "DLTSTRS": None,
        "DLTFL": "N",
        "DLTDT": pd.NaT,
        **more,
    }


def event(**more: object) -> dict[str, object]:
    """Return an event of participant 4 in the window."""
    base = {"USUBJID": uid(4), "AEDECOD": "Colitis", "AETERM": "bowel", "AETOXGRN": 3.0, "ASTDT": DAY}
    return {**base, "DLTFL": "Y", "DLTWINFL": "Y", "DLTRULE": None, "SRCDOM": "AE", "SRCSEQ": "1", **more}


FACTS = [
    ({}, ["  window 2025-03-03 to 2025-03-31"], ["  EVALUABLE", "  DLT N"]),
    ({"DLTSTAT": "PENDING"}, ["  window 2025-03-03 to 2025-03-31"], ["  PENDING", "  DLT N"]),
    ({"DLTSTAT": "NOT EVALUABLE", "DLTSTRS": "WINDOW"}, ["  window 2025-03-03 to 2025-03-31"], ["  NOT EVALUABLE [WINDOW]", "  DLT N"]),
    ({"DLTWSDT": pd.NaT}, ["  no window"], ["  EVALUABLE", "  DLT N"]),
    ({"DLTFL": "Y", "DLTDT": DAY}, ["  window 2025-03-03 to 2025-03-31"], ["  EVALUABLE", "  DLT Y on 2025-03-03"]),
    ({"DLTFL": "Y"}, ["  window 2025-03-03 to 2025-03-31"], ["  EVALUABLE", "  DLT Y"]),
]  # fmt: skip


@pytest.mark.parametrize(("change", "window", "end"), FACTS)
def test_window_and_end_of_a_dlt(change, window, end):
    facts = pd.DataFrame([fact(**change)]).astype({"DLTWSDT": "datetime64[ns]", "DLTDT": "datetime64[ns]"})
    data = Adam({"ADDLT": facts, "ADAE": pd.DataFrame([event(USUBJID=uid(5))])}, CUT.to_pydatetime())
    found = list(dlt_lines(data, uid(4), records=lambda *_: []))
    head = ["DLT of SYN-04", "Dose level DL2", *window, "Events", "  none in the window", "Endpoint"]
    assert found == [*head, *end]


EVENTS = [
    ({}, "  2025-03-03 Colitis, grade 3: DLT Y <- no record"),
    ({"AETOXGRN": 4.0}, "  2025-03-03 Colitis, grade 4: DLT Y <- no record"),
    ({"AETOXGRN": float("nan")}, "  2025-03-03 Colitis: DLT Y <- no record"),
    ({"DLTRULE": "LIVER"}, "  2025-03-03 Colitis, grade 3: DLT Y [LIVER] <- no record"),
    ({"DLTRULE": ""}, "  2025-03-03 Colitis, grade 3: DLT Y <- no record"),
    ({"DLTFL": "N"}, "  2025-03-03 Colitis, grade 3: DLT N <- no record"),
    ({"DLTWINFL": "N"}, "  2025-03-03 Colitis, grade 3: DLT Y <- no record"),
    ({"DLTFL": "N", "DLTWINFL": "N"}, "  none in the window"),
    ({"ASTDT": pd.NaT}, "  no date Colitis, grade 3: DLT Y <- no record"),
    ({"USUBJID": uid(5)}, "  none in the window"),
]


@pytest.mark.parametrize(("change", "line"), EVENTS)
def test_an_event_of_a_dlt_in_one_line(change, line):
    events = pd.DataFrame([event(**change)]).astype({"ASTDT": "datetime64[ns]"})
    facts = pd.DataFrame([fact()]).astype({"DLTDT": "datetime64[ns]"})
    data = Adam({"ADDLT": facts, "ADAE": events}, CUT.to_pydatetime())
    found = list(dlt_lines(data, uid(4), records=lambda *_: []))
    assert found[found.index("Events") + 1 : found.index("Endpoint")] == [line]


def details(make_adam, study, *, facts: dict[str, object], change: dict[str, object]):
    """Answer the details of the one DLT of participant 4, whose T-cells were given ten days after DAY."""
    more = {"ADURN": 5.0, "AONGOFL": "N", "AEOUT": "RECOVERED", "DLTREPFL": "N", "DLTRULE": "LIVER", **change}
    base = adae().assign(DLTFL="N", RELMISFL="N", CRSFL="N", APHASE="CART_C1", ASTDT=DAY)
    base = base.astype({"ASTDT": "datetime64[ns]"})
    mine = {
        **base.iloc[0].to_dict(),
        "USUBJID": uid(4),
        "AEDECOD": "Colitis",
        "AETERM": "bowel",
        "DLTFL": "Y",
    }
    mine |= {"AETOXGRN": 3.0, "ASTDT": DAY + pd.Timedelta(days=12), **more}
    events = pd.DataFrame([mine]).astype({"ASTDT": "datetime64[ns]"})
    addlt = pd.DataFrame([fact(**facts)])
    return escalation_events.dlt_details(make_adam(ADAE=events, ADDLT=addlt), study)


DETAILS = [
    ({}, {}, "grade", "3"),
    ({}, {"AETOXGRN": float("nan")}, "grade", "Missing"),
    ({}, {}, "term", "Colitis"),
    ({}, {"AEDECOD": None}, "term", "bowel"),
    ({}, {}, "dose", "DL2"),
    ({}, {}, "day_nk", "12"),
    ({}, {}, "day_cart", "2"),
    ({}, {"ASTDT": DAY}, "day_cart", "-10"),
    ({}, {"ASTDT": pd.NaT}, "day_nk", "Missing"),
    ({}, {"ASTDT": pd.NaT}, "day_cart", "Missing"),
    ({}, {}, "duration", "5"),
    ({}, {"AONGOFL": "Y"}, "duration", "5+"),
    ({}, {"ADURN": float("nan"), "AONGOFL": "Y"}, "duration", "Missing+"),
    ({}, {"AEACN": "DRUG WITHDRAWN"}, "action", "Drug withdrawn"),
    ({}, {"AEACN": None}, "action", "–"),
    ({}, {}, "outcome", "Recovered"),
    ({}, {"AEOUT": "NOT RECOVERED"}, "outcome", "Not recovered"),
    ({}, {}, "basis", "LIVER"),
    ({}, {"DLTREPFL": "Y"}, "basis", "LIVER; reported"),
    ({}, {"DLTRULE": None, "DLTREPFL": "Y"}, "basis", "reported"),
    ({}, {}, "window", "closed"),
    ({"DLTWEDT": CUT}, {}, "window", "closed"),
    ({"DLTWEDT": CUT + pd.Timedelta(days=1)}, {}, "window", "open"),
    ({"DLTWEDT": pd.NaT}, {}, "window", "closed"),
]


@pytest.mark.parametrize(("facts", "change", "stat", "text"), DETAILS)
def test_each_detail_of_a_dlt(make_adam, study, facts, change, stat, text):
    table = details(make_adam, study, facts=facts, change=change)
    assert row(table, "event", stat, level="1")["text"] == text
    assert value(table, "event") == 1


def test_an_event_of_somebody_without_a_dose_level_is_not_listed(make_adam, study):
    facts = pd.DataFrame([fact(LEVEL=float("nan")), fact(USUBJID=uid(5))])
    events = adae().assign(RELMISFL="N", CRSFL="N", APHASE="CART_C1", ASTDT=DAY, DLTFL="Y")
    events = events[events["USUBJID"] == uid(4)]
    assert value(escalation_events.dlt_details(make_adam(ADAE=events, ADDLT=facts), study), "event") == 0


BASE = Outcome(cohorts="0/1; 0/3", triggers="0; 1", next_action="escalate to DL3", mtd="none", orr="1/9")
FLIPS = [
    ({}, ""),
    ({"orr": "2/9"}, ""),
    ({"triggers": "1; 1"}, ""),
    ({"changed": 4}, ""),
    ({"mtd": "DL2"}, "MTD DL2 instead of none"),
    ({"next_action": "stay at DL2"}, "next action stay at DL2 instead of escalate to DL3"),
    ({"cohorts": "1/1; 0/3"}, "DLT / evaluable 1/1; 0/3 instead of 0/1; 0/3"),
    ({"mtd": "DL1", "next_action": "stop"}, "MTD DL1 instead of none; next action stop instead of escalate to DL3"),
    ({"mtd": "DL1", "reason": "no CTCAE grade"}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("change", "text"), FLIPS)
def test_what_a_reading_flips(change, text):
    values = {"cohorts": BASE.cohorts, "triggers": BASE.triggers, "next_action": BASE.next_action}
    other = Outcome(**{**values, "mtd": BASE.mtd, "orr": BASE.orr, **change})
    assert other.flips_from(BASE) == text
    assert BASE.flips_from(BASE) == "" == other.flips_from(Outcome(reason="no record"))


DECISIONS = [
    ("2025-02-01", "dose", "DL1", "3"),
    ("2025-01-01", "dose", "DL1", "1"),
    ("2025-02-01", "dose", "DL4", "3"),
    ("2025-03-01", "safety_halt", None, None),
    ("2025-02-15", "rp2d", "DL9", None),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::17])
def test_recorded_decisions_stand_by_date_and_level(study, order):
    frame = pd.DataFrame(DECISIONS, columns=["date", "kind", "level", "n"], dtype=object).iloc[list(order)]
    found = recorded_decisions(Sdtm({"DECISIONS": frame}, CUT.to_pydatetime()), study)
    assert [f"{day:%m-%d}" for day in found["date"]] == ["01-01", "02-01", "02-01", "02-15", "03-01"]
    assert found["level"].fillna(0).tolist() == [1, 1, 4, 0, 0]
    assert found["n"].fillna(0).tolist() == [1, 3, 3, 0, 0]
    assert set(found["role"]) == set(found["reason"]) == {""}


NAMED = {"p0_source": "by hand", "p1_source": "by hand"}
TYPES = tuple(
    TumourType(id=f"T{k}", label=f"Type {k}", values=(f"T{k}",), p0=k / 20, p1=k / 20 + 0.2, **NAMED)
    for k in (1, 2, 3)
)
LOW, HIGH = (0.05, 0.1, 0.15), (0.25, 0.3, 0.35)


@pytest.mark.parametrize(
    ("count", "high"),
    [
        (1, {"none active": "", "only Type 1": "1", "all active": "1"}),
        (2, {"none active": "", "only Type 1": "1", "only Type 2": "2", "all active": "12"}),
        (3, {"none active": "", "only Type 1": "1", "only Type 2": "2", "only Type 3": "3",
             "all but Type 1": "23", "all but Type 2": "13", "all but Type 3": "12", "all active": "123"}),
    ],
)  # fmt: skip
def test_scenarios_of_the_tumour_types(count, high):
    found = scenarios(TYPES[:count])
    assert list(found) == list(high)
    for name, active in high.items():
        rates = [HIGH[k] if str(k + 1) in active else LOW[k] for k in range(count)]
        assert found[name] == pytest.approx(rates), name
