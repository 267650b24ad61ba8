"""Open queries on the example: the participant alone gives what the whole study derived again gives, and each field its worst case."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.analysis import open_queries as room
from interim.analysis.open_queries import _Again, _counts, _primary, open_queries
from interim.analysis.source_quality import settings
from interim.analysis.worst_answers import answered, meant
from interim.data.model import Sdtm


def asked(main13, domain, field, who, key):
    table = pd.DataFrame(
        [{"USUBJID": who, "QDOMAIN": domain, "QKEY": key, "QFIELD": field, "QSTATUS": "OPEN", "QTEXT": "?"}],
        dtype=object,
    )
    return replace(main13.sdtm, domains={**main13.sdtm.domains, "QUERY": table})


def moved(main13, domain, field, who, key=""):
    """Return outcome, and table, number -> recorded, worst."""
    result = open_queries(main13.adam, main13.study, asked(main13, domain, field, who, key))
    part = result.frame[result.frame["variable"] == "record"]
    lines = [rows.set_index("stat") for _, rows in part.groupby("level", sort=False)]
    outcome = {line["text"]["outcome"] for line in lines}
    assert len(outcome) == 1
    numbers = {
        (line["text"]["table"], line["text"]["number"]): (line["value"]["recorded"], line["value"]["worst"])
        for line in lines
        if outcome == {"MOVES"}
    }
    return outcome.pop(), numbers


def record(main13, domain, **equal):
    frame = main13.sdtm.domains[domain]
    for name, value in equal.items():
        frame = frame[frame[name] == value] if not callable(value) else frame[frame[name].map(value)]
    return frame.iloc[0]


def treated(main13):
    adsl = main13.adam["ADSL"]
    return adsl[adsl["FASFL"] == "Y"]


@pytest.mark.rule("SDQ-05", source="a count of participants is the sum over them")
@pytest.mark.parametrize("domain", ["LB", "PC"])
def test_the_participants_add_up_to_the_study(main13, domain):
    again = _Again(main13.adam, main13.sdtm, main13.study)
    whole = again.recorded(domain)
    sums = dict.fromkeys(whole, 0.0)
    for who in main13.adam["ADSL"]["USUBJID"]:
        for name, count in _counts(again._primary(again._part(who), domain)).items():
            sums[name] += count
    assert sums == _counts(whole)
    assert sum(count > 0 for count in sums.values()) > len(sums) / 2


@pytest.mark.rule("SDQ-05")
def test_who_comes_out_otherwise_alone_is_answered_with_the_study(main13):
    """DS of 019 names no event of the study; whether it may stand for one rests on the DS of the others."""
    who, again = "SYN-NKG2D-01-01-019", _Again(main13.adam, main13.sdtm, main13.study)
    shared = _counts(again._primary(again._part(who), "AE"))
    assert shared["T 14.1.1.2", "evaluable for DLT"] == 1
    assert _counts(again._derived("AE", {}, who))["T 14.1.1.2", "evaluable for DLT"] == 0
    row = record(main13, "EX", USUBJID=who)
    query = {"USUBJID": who, "QDOMAIN": "EX", "QKEY": f"EXSEQ={row['EXSEQ']:g}", "QFIELD": "EXDOSE"}
    changed = answered(main13.sdtm, query, settings()["worst"]["EX"]["EXDOSE"])
    assert again.worst("EX", who, changed) == again._derived("EX", changed)


@pytest.mark.rule("SDQ-05")
@pytest.mark.parametrize(
    ("domain", "field"),
    [
        ("AE", "AETOXGR"),
        ("AE", "AEREL"),
        ("AE", "DLTFL"),
        ("TR", "TRSTRESN"),
        ("RS", "RSSTRESC"),
        ("CM", "CMCAT"),
    ],
)
def test_one_participant_derived_again_is_the_study_derived_again(main13, domain, field):
    who = treated(main13)["USUBJID"].iloc[3]
    row = record(main13, domain, USUBJID=who)
    query = {
        "USUBJID": who,
        "QDOMAIN": domain,
        "QKEY": f"{domain}SEQ={row[f'{domain}SEQ']:g}",
        "QFIELD": field,
    }
    changed = answered(main13.sdtm, query, settings()["worst"][domain][field])
    again = _Again(main13.adam, main13.sdtm, main13.study)
    quick = again.worst(domain, who, changed)
    data = replace(main13.sdtm, domains={**main13.sdtm.domains, **changed})
    study = main13.study.model_copy(
        update={"data": main13.study.data.model_copy(update={"on_stop": "draft"}), "subgroups": ()}
    )
    slow = dict(_primary(build_adam(data, study, asked=()), study, domain))
    assert quick == slow


@pytest.mark.rule("SDQ-05")
def test_a_query_derives_the_participant_twice_and_never_the_study(main13, monkeypatch):
    sizes = []

    def counted(sdtm, study, *, asked):
        sizes.append((len(sdtm.domains["DM"]), tuple(asked)))
        return build_adam(sdtm, study, asked=asked)

    monkeypatch.setattr(room, "build_adam", counted)
    who = treated(main13)["USUBJID"].iloc[0]
    moved(main13, "AE", "AETOXGR", who, f"AESEQ={record(main13, 'AE', USUBJID=who)['AESEQ']:g}")
    assert sizes == [(1, ()), (1, ())]


@pytest.mark.rule("SDQ-05", source="one more death: the number of deaths rises by one")
def test_a_death_in_question_is_one_more_death(main13):
    adsl = treated(main13)
    alive = adsl[adsl["DTHFL"] != "Y"]["USUBJID"].iloc[0]
    outcome, numbers = moved(main13, "DM", "DTHFL", alive)
    assert outcome == "MOVES"
    recorded, worst = numbers["T 14.2.3.2", "who died"]
    assert (recorded, worst) == ((adsl["DTHFL"] == "Y").sum(), (adsl["DTHFL"] == "Y").sum() + 1)
    dead = adsl[adsl["DTHFL"] == "Y"]["USUBJID"].iloc[0]
    assert moved(main13, "DM", "DTHDTC", dead) == ("STAYS", {})


@pytest.mark.rule("SDQ-05")
def test_an_infusion_in_question_was_not_given(main13):
    adsl = main13.adam["ADSL"]
    once = adsl[(adsl["NINFNK"] == 1) & (adsl["SAFNKFL"] == "Y")]
    who = adsl[adsl["SAFNKFL"] == "Y"]["USUBJID"].iloc[0] if once.empty else once["USUBJID"].iloc[0]
    row = record(main13, "EX", USUBJID=who)
    outcome, numbers = moved(main13, "EX", "EXDOSE", who, f"EXSEQ={row['EXSEQ']:g}")
    assert outcome in ("MOVES", "STAYS")
    changed = answered(
        main13.sdtm,
        {"USUBJID": who, "QDOMAIN": "EX", "QKEY": f"{row['EXSEQ']:g}"},
        settings()["worst"]["EX"]["EXDOSE"],
    )["EX"]
    mine = changed[(changed["USUBJID"] == who) & (changed["EXSEQ"] == row["EXSEQ"])].iloc[0]
    assert (mine["EXDOSE"], mine["EXOCCUR"]) == (0.0, "N")
    assert (changed["EXOCCUR"] == "N").sum() == (main13.sdtm.domains["EX"]["EXOCCUR"] == "N").sum() + (
        row["EXOCCUR"] != "N"
    )
    assert all(
        worst <= recorded for (table, _), (recorded, worst) in numbers.items() if table == "T 14.1.1.2"
    )


@pytest.mark.rule("SDQ-05")
def test_a_therapy_in_question_is_a_new_anticancer_therapy(main13):
    adsl = treated(main13)
    row = next(
        item
        for _, item in main13.sdtm.domains["CM"].iterrows()
        if item["USUBJID"] in set(adsl["USUBJID"]) and item["CMCAT"] != "NEW ANTICANCER THERAPY"
    )
    query = {"USUBJID": row["USUBJID"], "QDOMAIN": "CM", "QKEY": f"{row['CMSEQ']:g}", "QFIELD": "CMCAT"}
    changed = answered(main13.sdtm, query, settings()["worst"]["CM"]["CMCAT"])["CM"]
    before = main13.sdtm.domains["CM"]
    assert (changed["CMCAT"] == "NEW ANTICANCER THERAPY").sum() == (
        before["CMCAT"] == "NEW ANTICANCER THERAPY"
    ).sum() + 1
    assert moved(main13, "CM", "CMCAT", row["USUBJID"], query["QKEY"])[0] in ("MOVES", "STAYS")


@pytest.mark.rule("SDQ-05", source="CTCAE: a value far beyond its limit has the highest grade")
def test_a_laboratory_value_in_question_is_far_beyond_its_limit(main13):
    adlb = main13.adam["ADLB"]
    severe = adlb[adlb[["ATOXGRL", "ATOXGRH"]].max(axis=1) >= 3]["USUBJID"]
    fine = set(treated(main13)["USUBJID"]) - set(severe)
    rows = adlb[
        adlb["USUBJID"].isin(fine)
        & (adlb["PARAMCD"] == "ALT")
        & (adlb["ONTRTFL"] == "Y")
        & (adlb["SRCDOM"] == "LB")
    ]
    row = rows.iloc[0]
    outcome, numbers = moved(main13, "LB", "LBSTRESN", row["USUBJID"], f"LBSEQ={row['SRCSEQ']}")
    recorded, worst = numbers["T 14.3.4.3", "with a result of grade 3 or higher"]
    assert (outcome, worst) == ("MOVES", recorded + 1)
    assert not any(table == "T 14.4.1.2" for table, _ in numbers)


@pytest.mark.rule("SDQ-05")
def test_the_word_worst_goes_in_the_direction_of_the_test():
    sdtm = Sdtm({}, pd.Timestamp("2026-06-30").to_pydatetime())
    row = {"LBTESTCD": "ALT", "LBSTNRHI": 40.0, "LBSTNRLO": 5.0, "LBORNRHI": 0.7}
    assert meant("@worst", "LBSTRESN", record=row, sdtm=sdtm) == "40000"
    assert meant("@worst", "LBORRES", record=row, sdtm=sdtm) == "700"
    assert meant("@worst", "LBSTRESN", record={**row, "LBTESTCD": "NEUT"}, sdtm=sdtm) == "0.005"
    assert meant("@worst", "LBSTRESN", record={**row, "LBTESTCD": "XYZ"}, sdtm=sdtm) is None
    assert meant("@worst", "LBSTRESN", record={**row, "LBSTNRHI": None}, sdtm=sdtm) is None
    assert meant("@cut", "DTHDTC", record={"DTHDTC": None}, sdtm=sdtm) == "2026-06-30"
    assert meant("@cut", "DTHDTC", record={"DTHDTC": "2026-01-01"}, sdtm=sdtm) is None
    assert meant("4", "AETOXGR", record={}, sdtm=sdtm) == "4"


@pytest.mark.rule("SDQ-05")
def test_a_sample_in_question_was_not_done(main13):
    adpp = main13.adam["ADPP"]
    peaks = adpp[(adpp["PARAMCD"] == "CMAX") & adpp["AVAL"].notna()]
    who = peaks["USUBJID"].iloc[0]
    pc = main13.sdtm.domains["PC"]
    row = pc[pc["USUBJID"] == who].iloc[-1]
    outcome, numbers = moved(main13, "PC", "PCSTRESN", who, f"PCSEQ={row['PCSEQ']:g}")
    assert outcome in ("MOVES", "STAYS")
    assert {table for table, _ in numbers} <= {"T 14.4.1.2", "T 14.1.1.2"}


@pytest.mark.rule("SDQ-05", source="every open query on a primary field has a worst case")
def test_every_primary_field_has_a_worst_answer_and_no_other():
    from interim.data.check.vocabulary import words

    primary = words("terms")["query"]["primary"]
    assert {domain: set(fields) for domain, fields in settings()["worst"].items()} == {
        domain: set(fields) for domain, fields in primary.items()
    }
    tests = settings()["worst_result"]
    assert not set(tests["low"]) & set(tests["high"])


INFUSIONS = pd.DataFrame(
    {
        "USUBJID": ["S1"] * 5,
        "EXSEQ": [1.0, 2.0, 3.0, 4.0, 5.0],
        "EXTRT": ["CAR-NK", "CAR-NK", "CAR-T", "CAR-T", "CAR-T"],
        "EXOCCUR": ["Y", "Y", "Y", "Y", "N"],
        "EXSTDTC": ["2026-01-01T10:00", "2026-01-02", "2026-01-12", "2026-01-15", "2026-01-20"],
        "EXENDTC": [None] * 5,
    }
)
ONE = pd.DataFrame(
    {"USUBJID": ["S1"], "RFICDTC": ["2025-12-20"], "DTHDTC": [None], "ARMCD": ["DL3"]}, dtype=object
)
OWN = Sdtm({"EX": INFUSIONS, "DM": ONE}, pd.Timestamp("2026-06-30").to_pydatetime())


@pytest.mark.rule("SDQ-05")
@pytest.mark.parametrize(
    ("word", "name", "record", "value"),
    [
        ("@onset", "AESTDTC", {"AEENDTC": "2026-02-01"}, "2026-01-12"),
        ("@onset", "AESTDTC", {"AEENDTC": None}, "2026-01-12"),
        ("@onset", "AESTDTC", {"AEENDTC": "2026-01-05"}, "2026-01-05"),
        ("@onset", "AESTDTC", {"USUBJID": "S2"}, None),
        ("@early", "EXSTDTC", {"EXSEQ": 1.0, "EXSTDTC": "2026-01-01"}, "2025-12-20"),
        ("@early", "EXSTDTC", {"EXSEQ": 2.0, "EXSTDTC": "2026-01-02"}, "2026-01-02"),
        ("@early", "EXSTDTC", {"EXSEQ": 3.0, "EXSTDTC": "2026-01-12"}, "2026-01-03"),
        ("@late", "EXSTDTC", {"EXSEQ": 3.0, "EXSTDTC": "2026-01-12"}, "2026-01-14"),
        ("@late", "EXSTDTC", {"EXSEQ": 4.0, "EXSTDTC": "2026-01-15"}, "2026-06-30"),
        ("@late", "EXSTDTC", {"EXSEQ": 4.0, "EXSTDTC": None}, None),
        ("@role", "TUSTRESC", {"TUSTRESC": "TARGET", "TUDTC": "2025-12-28"}, "NON-TARGET"),
        ("@role", "TUSTRESC", {"TUSTRESC": "NON-TARGET", "TUDTC": "2025-12-28"}, "TARGET"),
        ("@role", "TUSTRESC", {"TUSTRESC": "NON-TARGET", "TUDTC": "2026-02-28"}, "NEW"),
        ("@role", "TUSTRESC", {"TUSTRESC": "OTHER", "TUDTC": None}, None),
        ("@arm", "ARMCD", {"ARMCD": "DL3"}, "DL2"),
        ("@arm", "ARMCD", {"ARMCD": "DL1"}, "DL2"),
        ("@arm", "ARMCD", {"ARMCD": "SCRNFAIL"}, None),
    ],
)
def test_what_each_word_means(word, name, record, value):
    assert meant(word, name, record={"USUBJID": "S1", name: None} | record, sdtm=OWN) == value


@pytest.mark.rule("SDQ-05")
def test_an_infusion_is_not_moved_past_the_death():
    dead = replace(OWN, domains={**OWN.domains, "DM": ONE.assign(DTHDTC="2026-03-05")})
    row = {"USUBJID": "S1", "EXSEQ": 4.0, "EXSTDTC": "2026-01-15"}
    assert meant("@late", "EXSTDTC", record=row, sdtm=dead) == "2026-03-05"


@pytest.mark.rule("SDQ-05")
def test_a_dose_level_in_question_moves_the_event_to_the_level_below(main13):
    adae, adsl = main13.adam["ADAE"], main13.adam["ADSL"]
    who = adae.loc[adae["DLTFL"] == "Y", "USUBJID"].iloc[0]
    assert adsl.set_index("USUBJID")["COHORT"][who] == "DL3"
    outcome, numbers = moved(main13, "DM", "ARMCD", who)
    assert outcome == "MOVES"
    assert numbers["T 14.2.1.2", "with a DLT in DL3"] == (1.0, 0.0)
    assert numbers["T 14.2.1.2", "with a DLT in DL2"] == (0.0, 1.0)
    assert ("T 14.2.1.2", "with a DLT") not in numbers


@pytest.mark.rule("SDQ-05")
def test_a_screening_failure_has_no_dose_level_to_move(main13):
    who = record(main13, "DM", ARMCD="SCRNFAIL")["USUBJID"]
    assert moved(main13, "DM", "ARMCD", who) == ("NO-RULE", {})


@pytest.mark.rule("SDQ-05")
def test_a_lesion_in_question_at_a_later_scan_is_a_progression(main13):
    adsl = treated(main13)
    tu = main13.sdtm.domains["TU"]
    base = tu[tu["TUSTRESC"] == "NON-TARGET"].iloc[0]
    adtte = main13.adam["ADTTE"]
    free = set(adtte.loc[(adtte["PARAMCD"] == "PFS") & (adtte["CNSR"] > 0), "USUBJID"])
    who = next(w for w in adsl["USUBJID"] if w in free)
    scans = main13.sdtm.domains["TR"]
    last = scans[(scans["USUBJID"] == who) & scans["TRDTC"].notna()].iloc[-1]
    late = base.to_dict() | {
        "USUBJID": who,
        "TUSEQ": 900.0,
        "TULNKID": "X01",
        "TUDTC": last["TRDTC"],
        "VISITNUM": last["VISITNUM"],
        "VISIT": last["VISIT"],
    }
    data = replace(
        main13.sdtm,
        domains={**main13.sdtm.domains, "TU": pd.concat([tu, pd.DataFrame([late])], ignore_index=True)},
    )
    query = {"USUBJID": who, "QDOMAIN": "TU", "QKEY": "TUSEQ=900"}
    changed = answered(data, query, settings()["worst"]["TU"]["TUSTRESC"])
    assert changed["TU"].iloc[-1][["TUORRES", "TUSTRESC"]].tolist() == ["NEW", "NEW"]
    again = _Again(main13.adam, main13.sdtm, main13.study)
    now = again.worst("TU", who, changed)
    name = ("T 14.2.3.1", "with progression or death")
    assert now[name] == again.recorded("TU")[name] + 1


@pytest.mark.rule("SDQ-05", source="no primary number is read from VS: its queries move none")
def test_vital_signs_move_no_primary_number(main13):
    again = _Again(main13.adam, main13.sdtm, main13.study)
    who = treated(main13)["USUBJID"].iloc[2]
    empty = main13.sdtm.domains["VS"].iloc[:0]
    assert again.worst("VS", who, {"VS": empty}) == _counts(again.recorded("VS"))
    row = record(main13, "VS", USUBJID=who)
    assert moved(main13, "VS", "VSSTRESN", who, f"VSSEQ={row['VSSEQ']:g}") == ("UNREAD", {})


@pytest.mark.rule("SDQ-05")
def test_of_two_answers_the_one_that_moves_more_is_printed():
    name = ("T 1", "n")
    moved_most = list(room._furthest({name: 3.0}, [{name: 4.0}, {name: 1.0}, {name: 3.0}]))
    assert moved_most == [(name, 3.0, 1.0)]
    assert list(room._furthest({name: 3.0}, [{name: 3.0}])) == []
    assert list(room._furthest({}, [{name: 1.0}])) == [(name, 0.0, 1.0)]
