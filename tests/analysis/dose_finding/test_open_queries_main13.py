"""Open queries on the example: the participant alone gives what the whole study derived again gives, and each field its worst case."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.analysis import open_queries as room
from interim.analysis.open_queries import _Again, _answered, _counts, _meant, _primary, open_queries
from interim.analysis.source_quality import settings
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
    changed = _answered(main13.sdtm, query, settings()["worst"]["EX"]["EXDOSE"])
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
    changed = _answered(main13.sdtm, query, settings()["worst"][domain][field])
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
    changed = _answered(
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
    changed = _answered(main13.sdtm, query, settings()["worst"]["CM"]["CMCAT"])["CM"]
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
    assert _meant("@worst", "LBSTRESN", row, sdtm) == "40000"
    assert _meant("@worst", "LBORRES", row, sdtm) == "700"
    assert _meant("@worst", "LBSTRESN", {**row, "LBTESTCD": "NEUT"}, sdtm) == "0.005"
    assert _meant("@worst", "LBSTRESN", {**row, "LBTESTCD": "XYZ"}, sdtm) is None
    assert _meant("@worst", "LBSTRESN", {**row, "LBSTNRHI": None}, sdtm) is None
    assert _meant("@cut", "DTHDTC", {"DTHDTC": None}, sdtm) == "2026-06-30"
    assert _meant("@cut", "DTHDTC", {"DTHDTC": "2026-01-01"}, sdtm) is None
    assert _meant("4", "AETOXGR", {}, sdtm) == "4"


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


def test_every_worst_answer_belongs_to_a_primary_field_and_names_variables_of_its_domain():
    from interim.data.check.vocabulary import words

    primary = words("terms")["query"]["primary"]
    for domain, fields in settings()["worst"].items():
        assert set(fields) <= set(primary[domain]), domain
    tests = settings()["worst_result"]
    assert not set(tests["low"]) & set(tests["high"])
