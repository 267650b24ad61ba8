"""Plain tables by hand: which SDTM record follows from which cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.data import spec
from interim.data.mapping import sdtm_records
from interim.data.typed import type_domain


def table(name, rows):
    frame = pd.DataFrame(rows, dtype=object)
    frame = frame.where(frame.notna(), None).assign(SRCFILE=f"{name}.csv", SRCROW=range(2, len(rows) + 2))
    return type_domain(name, frame).frame


def records(**tables):
    return sdtm_records({name: table(name, rows) for name, rows in tables.items()}, "X")


def row(frame, place=0):
    found = frame.iloc[place].to_dict()
    return {k: v for k, v in found.items() if v is not None and v == v and not k.startswith("SRC")}


PERSON = {
    "subject": "01",
    "sex": "女",
    "age": "61",
    "consent": "2026-01-02",
    "first_dose": "2026-01-20T10:00",
}


@pytest.mark.rule("MAP-09")
def test_a_person_becomes_dm_and_the_consent_a_milestone():
    made = records(subjects=[PERSON | {"dose_level": "DL1", "cohort": "CRC"}])
    assert sorted(made) == ["DM", "DS", "SUPPDM"]
    assert row(made["DM"]) == {
        "STUDYID": "X",
        "DOMAIN": "DM",
        "USUBJID": "X-01",
        "SUBJID": "01",
        "SEX": "F",
        "AGE": 61.0,
        "AGEU": "YEARS",
        "ARMCD": "DL1",
        "ACTARMCD": "DL1",
        "RFICDTC": "2026-01-02",
        "RFSTDTC": "2026-01-20T10:00",
        "RFXSTDTC": "2026-01-20T10:00",
    }
    assert (made["DS"]["DSDECOD"].tolist(), made["DS"]["DSSEQ"].tolist()) == (
        ["INFORMED CONSENT OBTAINED"],
        [1.0],
    )
    assert made["SUPPDM"][["QNAM", "QVAL", "IDVAR"]].to_numpy().tolist() == [["TUMTYPE", "CRC", None]]


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize(
    ("cells", "decod", "term", "flag"),
    [
        ({"death": "2026-05-01", "death_cause": "progression"}, "DEATH", "progression", "Y"),
        ({"death": "2026-05-01"}, "DEATH", "Death", "Y"),
        ({"death": "2026-05-01", "end_of_study": "2026-05-01", "end_reason": "DEATH"}, "DEATH", "Death", "Y"),
        ({"end_of_study": "2026-06-01", "end_reason": "COMPLETED"}, "COMPLETED", "COMPLETED", None),
        ({"end_of_study": "2026-06-01"}, None, None, None),
    ],
)
def test_the_end_of_the_study(cells, decod, term, flag):
    made = records(subjects=[PERSON | cells])
    (end,) = made["DS"][made["DS"]["DSSCAT"] == "STUDY"].to_dict("records")
    assert (end["DSDECOD"], end["DSTERM"], made["DM"]["DTHFL"].iloc[0]) == (decod, term, flag)


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize(("death", "rows"), [(None, 1), ("2026-05-01", 0)])
def test_last_contact_is_evidence_of_life_only_for_the_living(death, rows):
    made = records(subjects=[PERSON | {"last_alive": "2026-04-01", "death": death}])
    assert len(made.get("SS", ())) == rows


@pytest.mark.rule("MAP-09")
def test_a_node_has_its_place_in_the_location_and_a_lesion_its_role():
    lesion = {"subject": "01", "organ": "AXILLA", "first_seen": "2026-01-10"}
    made = records(
        lesions=[
            lesion | {"lesion": "T01", "role": "靶病灶", "nodal": "是"},
            lesion | {"lesion": "N01", "role": "non-target", "nodal": "N", "organ": "LIVER"},
        ]
    )["TU"]
    made = made.sort_values("TUSEQ")
    assert made[["TULNKID", "TUSTRESC", "TULOC", "TUTESTCD"]].to_numpy().tolist() == [
        ["T01", "TARGET", "LYMPH NODE AXILLA", "TUMIDENT"],
        ["N01", "NON-TARGET", "LIVER", "TUMIDENT"],
    ]


# Case: cells of a measurement, and test, number, text, status of the record.
MEASURED = {
    "diameter": ({"mm": "23"}, ("LDIAM", 23.0, "23", None)),
    "short axis": ({"mm": "12.5", "axis": "短轴"}, ("LPERP", 12.5, "12.5", None)),
    "absent": ({"status": "消失"}, ("TUMSTATE", np.nan, "ABSENT", None)),
    "too small": ({"status": "TSTM"}, ("TUMSTATE", np.nan, "TSTM", None)),
    "progression": ({"status": "unequivocal_pd"}, ("TUMSTATE", np.nan, "UNEQUIVOCAL PROGRESSION", None)),
    "merged": ({"status": "merged_into:T02"}, ("TUMSTATE", np.nan, "MERGED INTO T02", None)),
    "split": ({"status": "split_of: T01"}, ("TUMSTATE", np.nan, "SPLIT OF T01", None)),
    "not evaluable": ({"status": "NE"}, ("TUMSTATE", np.nan, None, "NOT DONE")),
    "present and measured": ({"mm": "9", "status": "present"}, ("LDIAM", 9.0, "9", None)),
    "a word of nobody": ({"status": "smaller?"}, ("TUMSTATE", np.nan, "smaller?", None)),
}


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize("case", MEASURED)
def test_a_measurement(case):
    cells, (test, number, text, status) = MEASURED[case]
    made = records(
        lesions=[{"subject": "01", "lesion": "T01", "role": "target", "nodal": "N", "organ": "LIVER"}],
        measurements=[{"subject": "01", "lesion": "T01", "date": "2026-02-01", "visit": "W4"} | cells],
    )
    frame = type_domain("TR", made["TR"]).frame.reindex(
        columns=["TRTESTCD", "TRSTRESN", "TRSTRESC", "TRSTAT", "TRGRPID", "TREVAL"]
    )
    found = [None if v is None or v != v else v for v in frame.iloc[0]]
    assert found == [test, None if number != number else number, text, status, "TARGET", "INVESTIGATOR"]


@pytest.mark.rule("MAP-09")
def test_a_measurement_of_an_unknown_lesion_has_no_role():
    made = records(
        measurements=[{"subject": "01", "lesion": "T09", "date": "2026-02-01", "visit": "W4", "mm": "9"}]
    )
    assert made["TR"]["TRGRPID"].tolist() == [None]


@pytest.mark.rule("MAP-09")
def test_an_assessment_is_one_record_per_part():
    made = records(
        responses=[
            {
                "subject": "01",
                "date": "2026-02-01",
                "evaluator": "INVESTIGATOR",
                "criteria": "RECIST1.1",
                "overall": "PR",
                "target": "PR",
            },
            {
                "subject": "01",
                "date": "2026-02-01",
                "evaluator": "INVESTIGATOR",
                "criteria": "iRECIST",
                "overall": "iPR",
            },
        ]
    )["RS"].sort_values("RSSEQ")
    assert made[["RSTESTCD", "RSCAT", "RSSTRESC"]].to_numpy().tolist() == [
        ["TRGRESP", "RECIST 1.1", "PR"],
        ["OVRLRESP", "RECIST 1.1", "PR"],
        ["OVRLRESP", "iRECIST", "iPR"],
    ]


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize(
    ("kind", "domain", "category", "subcategory"),
    [
        ("prior", "CM", "PRIOR ANTICANCER THERAPY", "SYSTEMIC"),
        ("concomitant", "CM", "CONCOMITANT MEDICATION", None),
        ("托珠单抗", "CM", "CONCOMITANT MEDICATION", None),
        ("steroid", "CM", "CONCOMITANT MEDICATION", None),
        ("new_anticancer", "CM", "NEW ANTICANCER THERAPY", "SYSTEMIC"),
        ("local_liver", "PR", "NEW ANTICANCER THERAPY", "LOCAL LIVER"),
        ("prior_surgery", "PR", "PRIOR ANTICANCER THERAPY", "SURGERY"),
        ("prior_radiation", "PR", "PRIOR ANTICANCER THERAPY", "RADIATION"),
    ],
)
def test_a_therapy_goes_where_its_kind_belongs(kind, domain, category, subcategory):
    made = records(therapies=[{"subject": "01", "kind": kind, "name": "X", "start": "2025-03"}])
    assert set(made) == {domain}
    assert len(made[domain]) == 1
    found = made[domain].iloc[0]
    assert (found[f"{domain}CAT"], found.get(f"{domain}SCAT")) == (category, subcategory)


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize(
    ("value", "number"), [("3.9", 3.9), ("<0.2", np.nan), ("NEGATIVE", np.nan), ("1e3", np.nan), ("+4", 4.0)]
)
def test_a_result_has_a_number_only_where_its_text_is_one(value, number):
    sample = {"subject": "01", "datetime": "2026-02-01T07:00", "unit": "U/L"}
    made = records(
        labs=[sample | {"test": "ALT", "value": value, "uln": "40"}],
        kinetics=[sample | {"matrix": "BLOOD", "analyte": "CARTG", "value": value, "lloq": "50"}],
    )
    lab, sample = made["LB"].iloc[0], made["PC"].iloc[0]
    assert (lab["LBORRES"], lab["LBSTRESC"], lab["LBSTNRHI"]) == (value, value, 40.0)
    assert sample["PCORRES"] == value
    for found in (lab.get("LBSTRESN"), sample.get("PCSTRESN")):
        assert (found is None or found != found) if number != number else found == number


@pytest.mark.rule("MAP-09")
@pytest.mark.parametrize(
    ("kind", "domain"), [(None, "PC"), ("kinetics", "PC"), ("cytokine", "LB"), ("antibody", "IS")]
)
def test_a_sample_goes_where_its_kind_belongs(kind, domain):
    cells = {
        "subject": "01",
        "datetime": "2026-02-01",
        "matrix": "BLOOD",
        "analyte": "A",
        "value": "1",
        "unit": "u",
        "lloq": "1",
    }
    made = records(kinetics=[cells | {"kind": kind}])
    assert [name for name, frame in made.items() if len(frame)] == [domain]


@pytest.mark.rule("MAP-09")
def test_an_event_with_its_qualifiers():
    made = records(
        adverse_events=[
            {
                "subject": "01",
                "term": "Fever",
                "grade": "2",
                "start": "2026-02-01",
                "serious": "否",
                "related_to": "CARNK;CART",
                "outcome": "痊愈",
            },
            {
                "subject": "02",
                "term": "CRS",
                "grade": "1",
                "start": "2026-02-03",
                "serious": "N",
                "related_to": "CART",
                "outcome": "死亡",
                "dlt": "是",
            },
        ]
    )
    ae = made["AE"]
    assert ae["AEOUT"].tolist() == ["RECOVERED/RESOLVED", "FATAL"]
    assert ae["AESEQ"].tolist() == [1.0, 1.0]
    supp = made["SUPPAE"].iloc[0]
    assert (supp["USUBJID"], supp["IDVAR"], supp["IDVARVAL"], supp["QNAM"], supp["QVAL"]) == (
        "X-02",
        "AESEQ",
        "1",
        "DLTFL",
        "Y",
    )
    assert (supp["SRCFILE"], supp["SRCROW"]) == ("adverse_events.csv", 3)


@pytest.mark.rule("MAP-09")
def test_a_row_without_participant_is_kept():
    made = records(
        doses=[
            {"subject": None, "product": "CAR-T", "route": "静脉", "datetime": "2026-02-01", "cells": "7e7"}
        ]
    )
    assert made["EX"]["USUBJID"].tolist() == [None]
    assert made["EX"][["EXROUTE", "EXDOSE", "EXDOSU"]].to_numpy().tolist() == [["INTRAVENOUS", 7e7, "cells"]]


@pytest.mark.rule("MAP-09")
def test_every_rule_uses_known_columns_and_variables():
    for name, rules in spec.plain_tables().items():
        columns = {column.name for column, _ in spec.plain_columns(name)}
        for rule in rules["record"]:
            used = {
                *rule.get("set", {}).values(),
                *rule.get("supp", {}).values(),
                *rule.get("fallback", {}).values(),
            }
            used |= {
                *rule.get("filled", ()),
                *rule.get("empty", ()),
                *rule.get("only", {}),
                *rule.get("except", {}),
            }
            assert used <= columns, name
            domain = spec.domain(rule["domain"])
            variables = {
                *rule.get("set", {}),
                *rule.get("constant", {}),
                *rule.get("codes", {}),
                *rule.get("number", {}),
            }
            assert [v for v in variables if domain.variable(v) is None] == [], name
    headings = [heading for name in spec.plain_tables() for _, heading in spec.plain_columns(name)]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in heading) for heading in headings)


@pytest.mark.rule("MAP-09")
def test_an_infusion_with_its_qualifiers():
    cells = {
        "subject": "01",
        "product": "CAR-T",
        "infusion_no": "1",
        "route": "静脉",
        "datetime": "2026-02-01T10:00",
    }
    made = records(
        doses=[
            cells
            | {
                "cells": "7e8",
                "cycle": "1",
                "weight": "61.5",
                "planned_cells": "700000000",
                "interrupted": "否",
            },
            cells | {"cells": "6e8", "infusion_no": "2", "end": "2026-02-08T10:30", "lot": "T-1"},
        ]
    )
    first, second = (row(made["EX"], place) for place in (0, 1))
    assert (first["EXSEQ"], first["EXTRT"], first["EXDOSE"], first["EXDOSU"]) == (1.0, "CAR-T", 7e8, "cells")
    assert (second["EXSEQ"], second["EXENDTC"], second["EXLOT"]) == (2.0, "2026-02-08T10:30", "T-1")
    supp = made["SUPPEX"].sort_values(["IDVARVAL", "QNAM"])
    assert supp[["IDVARVAL", "QNAM", "QVAL"]].to_numpy().tolist() == [
        ["1", "INTERRUP", "N"],
        ["1", "PLANCELL", "700000000"],
        ["1", "WEIGHT", "61.5"],
    ]


@pytest.mark.rule("MAP-09")
def test_numbers_go_on_over_the_rules_of_one_domain():
    cells = {"subject": "01", "name": "X", "start": "2025-03"}
    kinds = ["concomitant", "prior", "prior_surgery", "steroid"]
    made = records(
        therapies=[cells | {"kind": kind} for kind in kinds] + [cells | {"kind": "prior", "subject": "02"}]
    )
    medication = made["CM"].sort_values(["USUBJID", "CMSEQ"])
    assert medication["CMCAT"].str[:5].tolist() == ["CONCO", "PRIOR", "CONCO", "PRIOR"]
    assert medication["CMSEQ"].tolist() == [1.0, 2.0, 3.0, 1.0]
    assert made["PR"]["PRSEQ"].tolist() == [1.0]
