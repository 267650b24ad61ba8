"""What each seeded defect plants, by the wording of its specification."""

from __future__ import annotations

import functools
import itertools
import unicodedata

import pandas as pd
import pytest

from interim.example import make_study
from interim.example.defects import inject
from interim.example.defects.draft import days_between

# id, domain, variable, value that the ledger must show after the change
PLANTED = [
    ("D01", "DM", "BRTHDTC", "1960-02-11"),
    ("D03", "EX", "EXDOSE", "3100000000"),
    ("D03", "EX", "EXDOSU", "cells/kg"),
    ("D13", "AE", "AETOXGR", "5"),
    ("D14", "AE", "AETOXGR", "1"),
    ("D14", "SUPPAE", "QVAL", "1"),
    ("D15", "LB", "LBSTRESN", "612"),
    ("D16", "LB", "LBSTRESN", "540"),
    ("D18", "AE", "AEREL", ""),
    ("D18", "AE", "AESER", "Y"),
    ("D19", "AE", "AEDECOD", ""),
    ("D20", "LB", "LBSTRESN", "1.1"),
    ("D21", "LB", "LBSTRESN", "11.4"),
    ("D22", "LB", "LBSTNRHI", ""),
    ("D23", "LB", "LBORRES", "BLQ"),
    ("D23", "LB", "LBORRES", "0"),
    ("D24", "LB", "LBORRES", "12000"),
    ("D25", "LB", "LBSTRESN", "71"),
    ("D34", "RS", "RSSTRESC", "PR"),
    ("D37", "RS", "RSSTRESC", "PD"),
    ("D38", "TR", "TRSTRESN", "12"),
    ("D38", "RS", "RSSTRESC", "CR"),
    ("D39", "AE", "AEOUT", "FATAL"),
    ("D39", "DM", "DTHDTC", ""),
    ("D40", "DM", "DTHDTC", "2026-07-20"),
    ("D45", "PC", "PCORRES", "8300"),
    ("D46", "PC", "PCLLOQ", "100"),
    ("D47", "PC", "PCSTRESU", "copies/mL"),
    ("D49", "MI", "MISTRESN", "340"),
    ("D50", "MI", "MISPEC", "PRIMARY TUMOUR"),
    ("D53", "DM", "AGE", "76"),
    ("D54", "AE", "AEDECOD", "Prostatitis"),
]
# id, domain of the records that are added or removed, what the ledger says
COUNTED = [
    ("D01", "DM", "added"),
    ("D07", "EX", "removed"),
    ("D09", "AE", "added"),
    ("D10", "AE", "added"),
    ("D14", "CM", "added"),
    ("D15", "AE", "added"),
    ("D28", "LB", "added"),
    ("D30", "TR", "removed"),
    ("D32", "TU", "added"),
    ("D33", "TR", "removed"),
    ("D35", "TU", "added"),
    ("D37", "TR", "removed"),
    ("D39", "DS", "removed"),
    ("D41", "DS", "added"),
    ("D42", "CM", "added"),
    ("D43", "CM", "added"),
    ("D60", "QUERY", "added"),
]
SEED = 2


@functools.cache
def clean():
    return make_study("main13", 20251225)


@functools.cache
def planted(id: str):
    return inject(clean(), [id], seed=SEED)


def changed(id: str, variable: str) -> tuple[str, str, str]:
    """Return participant, value before and value after of the first change of a variable."""
    line = next(line for line in planted(id).ledger if line.variable == variable)
    return line.subject, line.before, line.after


def last(id: str, domain: str) -> pd.Series:
    """Return the record that was added."""
    return planted(id).frames[domain].iloc[-1]


@pytest.mark.rule("SYN-26")
@pytest.mark.parametrize(("id", "domain", "variable", "value"), PLANTED)
def test_values(id, domain, variable, value):
    assert value in {
        line.after for line in planted(id).ledger if (line.domain, line.variable) == (domain, variable)
    }


@pytest.mark.rule("SYN-26")
@pytest.mark.parametrize(("id", "domain", "what"), COUNTED)
def test_records(id, domain, what):
    number = sum(line.domain == domain and line.after == what for line in planted(id).ledger)
    more = len(planted(id).frames[domain]) - len(clean()[domain])
    assert number >= 1
    assert more == (number if what == "added" else -number)


def weight(id: str, subject: str) -> float:
    supp = planted(id).frames["SUPPEX"]
    return float(supp[(supp["USUBJID"] == subject) & (supp["QNAM"] == "WEIGHT")]["QVAL"].iloc[-1])


def test_d02_is_34_million_cells_per_kg_at_level_3():
    who, _, after = changed("D02", "EXDOSE")
    arms = clean()["DM"].set_index("USUBJID")["ARMCD"]
    assert arms[who] == "DL3"
    assert float(after) / weight("D02", who) == pytest.approx(3.4e7)


def test_d04_halves_both_doses_of_a_cycle():
    lines = [line for line in planted("D04").ledger if line.variable == "EXDOSE"]
    levels = {"DL1": 1.5e7, "DL2": 3e7, "DL3": 5e7, "DL4": 7e7}
    arm = clean()["DM"].set_index("USUBJID")["ARMCD"][lines[0].subject]
    assert len(lines) == 2
    assert len({line.subject for line in lines}) == 1
    for line in lines:
        assert float(line.after) / weight("D04", line.subject) == pytest.approx(levels[arm] / 2, rel=0.02)


def test_d05_swaps_the_first_days_of_two_cycles():
    starts = [line for line in planted("D05").ledger if line.variable == "EXSTDTC"]
    assert (starts[0].before, starts[0].after) == (starts[1].after, starts[1].before)
    assert starts[0].before < starts[0].after


@pytest.mark.parametrize(("id", "variable", "days"), [("D06", "EXSTDTC", 2), ("D51", "SVSTDTC", 13)])
def test_dates_are_moved(id, variable, days):
    _, before, after = changed(id, variable)
    assert days_between(before, after) == days


def test_d08_moves_the_weight_by_a_sixth():
    _, before, after = changed("D08", "QVAL")
    assert float(after) / float(before) == pytest.approx(60 / 72, abs=0.001)


def test_d09_and_d28_repeat_a_record():
    twice = planted("D09").frames["AE"]
    assert twice.duplicated().sum() == 1
    row = last("D28", "LB")
    again = clean()["LB"]
    same = again[(again["USUBJID"] == row["USUBJID"]) & (again["LBTESTCD"] == row["LBTESTCD"])]
    assert (same["LBDTC"].str[:10] == row["LBDTC"][:10]).sum() == 1
    assert row["LBSEQ"] not in set(again.loc[again["USUBJID"] == row["USUBJID"], "LBSEQ"])


def test_d10_overlaps_with_a_higher_grade():
    row, ae = last("D10", "AE"), clean()["AE"]
    first = ae[(ae["USUBJID"] == row["USUBJID"]) & (ae["AEDECOD"] == row["AEDECOD"])].iloc[0]
    assert int(row["AETOXGR"]) == int(first["AETOXGR"]) + 1
    assert first["AESTDTC"] < row["AESTDTC"] < first["AEENDTC"]


def test_d11_keeps_only_the_month_in_which_car_t_began():
    who, _, after = changed("D11", "AESTDTC")
    ex = clean()["EX"]
    start = ex[(ex["USUBJID"] == who) & (ex["EXTRT"] == "CAR-T")]["EXSTDTC"].min()
    assert after == start[:7]
    assert start[8:10] != "01"


def test_d12_swaps_start_and_end():
    _, start, new_start = changed("D12", "AESTDTC")
    _, end, new_end = changed("D12", "AEENDTC")
    assert (new_start, new_end) == (end, start)
    assert new_end < new_start


def test_d17_starts_five_days_after_the_death():
    who, _, after = changed("D17", "AESTDTC")
    died = clean()["DM"].set_index("USUBJID")["DTHDTC"][who]
    assert days_between(died, after) == 5


def test_d27_is_drawn_after_the_infusion_of_its_day():
    who, before, after = changed("D27", "LBDTC")
    ex = clean()["EX"]
    doses = ex[(ex["USUBJID"] == who) & (ex["EXSTDTC"].str[:10] == after[:10])]["EXSTDTC"]
    assert before < doses.min() < after


def test_d26_adds_eosinophils_and_basophils():
    line = next(line for line in planted("D26").ledger if line.variable == "LBSTRESN")
    lb = clean()["LB"]
    row = lb[(lb["USUBJID"] == line.subject) & (lb["LBSEQ"] == int(line.key))].iloc[0]
    draw = lb[(lb["USUBJID"] == line.subject) & (lb["LBDTC"] == row["LBDTC"])].set_index("LBTESTCD")[
        "LBSTRESN"
    ]
    assert float(line.after) == pytest.approx(draw["NEUT"] + draw["EOS"] + draw["BASO"], abs=0.006)


def test_d29_is_a_tenth():
    _, before, after = changed("D29", "TRSTRESN")
    assert float(after) == pytest.approx(float(before) / 10)


def test_d31_names_a_lesion_that_tu_does_not_know():
    who, _, after = changed("D31", "TRLNKID")
    tu = clean()["TU"]
    assert after not in set(tu.loc[tu["USUBJID"] == who, "TULNKID"])


def test_d32_makes_six_targets():
    tu = planted("D32").frames["TU"]
    assert tu[tu["TUSTRESC"] == "TARGET"].groupby("USUBJID").size().max() == 6


def test_d33_leaves_a_target_without_size_before_the_dose():
    gone = next(line for line in planted("D33").ledger if line.domain == "TR")
    tr = clean()["TR"]
    row = tr[(tr["USUBJID"] == gone.subject) & (tr["TRSEQ"] == int(gone.key))].iloc[0]
    assert (row["TRGRPID"], row["VISITNUM"]) == ("TARGET", 1)


def test_d35_is_a_new_lesion_at_a_stable_scan():
    row, rs = last("D35", "TU"), clean()["RS"]
    scan = rs[(rs["USUBJID"] == row["USUBJID"]) & (rs["VISITNUM"] == row["VISITNUM"])]
    said = scan[(scan["RSTESTCD"] == "OVRLRESP") & (scan["RSCAT"] == "RECIST 1.1")]["RSSTRESC"]
    assert list(said) == ["SD"]
    assert row["TUSTRESC"] == "NEW"


def test_d36_confirms_after_17_days():
    who, _, after = changed("D36", "RSDTC")
    rs = planted("D36").frames["RS"]
    mine = rs[(rs["USUBJID"] == who) & (rs["RSTESTCD"] == "OVRLRESP") & (rs["RSCAT"] == "RECIST 1.1")]
    partial = sorted(mine[mine["RSSTRESC"] == "PR"]["RSDTC"])
    assert days_between(partial[0], partial[1]) == 17
    assert partial[1] == after


def test_d37_leaves_more_than_98_days_without_a_scan():
    who, _, _ = changed("D37", "RSSTRESC")
    tr = planted("D37").frames["TR"]
    days = sorted(set(tr.loc[tr["USUBJID"] == who, "TRDTC"]))
    assert max(days_between(a, b) for a, b in itertools.pairwise(days)) > 98


def test_d41_lies_before_the_last_sample():
    row, lb = last("D41", "DS"), clean()["LB"]
    latest = lb[(lb["USUBJID"] == row["USUBJID"]) & lb["LBSTAT"].isna()]["LBDTC"].max()
    assert days_between(row["DSSTDTC"], latest) == 10


def test_d42_and_d43_are_therapies_of_the_right_people():
    row = last("D42", "CM")
    start = clean()["DM"].set_index("USUBJID")["RFXSTDTC"][row["USUBJID"]]
    assert days_between(start, row["CMSTDTC"]) == 60
    ae = clean()["AE"]
    with_crs = set(ae.loc[ae["AEDECOD"] == "Cytokine release syndrome", "USUBJID"])
    assert last("D43", "CM")["USUBJID"] not in with_crs


def test_d44_and_d48_move_samples():
    line = next(line for line in planted("D44").ledger if line.variable == "PCDTC")
    pc = clean()["PC"]
    row = pc[(pc["USUBJID"] == line.subject) & (pc["PCSEQ"] == int(line.key))].iloc[0]
    assert days_between(row["PCRFTDTC"], line.after) == -1
    line = next(line for line in planted("D48").ledger if line.variable == "PCDTC")
    row = pc[(pc["USUBJID"] == line.subject) & (pc["PCSEQ"] == int(line.key))].iloc[0]
    assert row["PCELTM"] == "P7D"
    assert days_between(row["PCRFTDTC"], line.after) == 10


def test_d52_consents_after_the_first_infusion():
    who, _, after = changed("D52", "RFICDTC")
    assert days_between(clean()["DM"].set_index("USUBJID")["RFXSTDTC"][who], after) == 1


def test_d55_to_d59_damage_cells():
    assert changed("D55", "USUBJID")[2] not in set(clean()["DM"]["USUBJID"])
    assert changed("D56", "AETERM")[2].startswith("Mr Zhang 13800000000 ")
    dates = planted("D57").ledger
    assert dates[0].after == f"03/04/{dates[0].before[:4]}"
    assert changed("D58", "EXSTDTC")[2].endswith("T15:50+00:00")
    coded = planted("D59").ledger[0]
    assert coded.after != coded.before
    assert unicodedata.normalize("NFKC", coded.after).strip() == coded.before


def test_d60_is_open_and_on_a_dose_limiting_toxicity():
    row = last("D60", "QUERY")
    supp = clean()["SUPPAE"]
    dlt = supp[(supp["QNAM"] == "DLTFL") & (supp["USUBJID"] == row["USUBJID"])]
    assert (row["QSTATUS"], row["QFIELD"]) == ("OPEN", "AETOXGR")
    assert f"AESEQ={dlt['IDVARVAL'].iloc[0]}" == row["QKEY"]
