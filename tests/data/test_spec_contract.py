"""The specification against itself and against the tables of the data contract."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interim.data import spec
from interim.data.typed import type_domain
from interim.example import make_study

NAMES = [name for name in (*spec.domain_names(), *spec.domain_names("adam")) if name != "SUPP"]
EACH = [(name, variable) for name in NAMES for variable in spec.domain(name).variables.values()]
PLAIN = [(name, column) for name in spec.domain_names("plain") for column, _ in spec.plain_columns(name)]
# Data contract, section 3: required and conditional variables of each domain.
CONTRACT = {
    "DM": (
        "SUBJID SEX AGE AGEU ARMCD ACTARMCD RFICDTC",
        "RFSTDTC RFXSTDTC RFXENDTC RFENDTC RFPENDTC DTHFL DTHDTC SITEID RACE ETHNIC BRTHDTC COUNTRY",
    ),
    "DS": ("DSTERM DSDECOD DSCAT DSSTDTC", "DSSCAT EPOCH"),
    "SV": ("VISITNUM VISIT SVSTDTC", "SVENDTC"),
    "EX": ("EXTRT EXDOSE EXDOSU EXROUTE EXSTDTC", "EXENDTC EXCYCLE EXOCCUR EXADJ EXLOT"),
    "BE": ("BETERM BESTDTC", ""),
    "AE": (
        "AETERM AESTDTC AESER AEOUT AEREL",
        "AETOXGR AEENDTC AEDECOD AEBODSYS AEACN AESDTH AEDTHDTC AESHOSP AESEV",
    ),
    "LB": (
        "LBTESTCD LBORRES LBORRESU LBDTC",
        "LBSTRESN LBSTRESU LBSTNRLO LBSTNRHI LBORNRLO LBORNRHI LBSPEC LBFAST LBMETHOD LBBLFL VISITNUM",
    ),
    "TU": ("TUTESTCD TULNKID TULOC", "TUDTC VISITNUM TUMETHOD TUEVAL TUEVALID TUACPTFL"),
    "TR": (
        "TRGRPID TRLNKID TRTESTCD TRDTC",
        "TRSTRESU VISITNUM TRSTAT TRREASND TRMETHOD TREVAL TREVALID TRACPTFL TRSTRESN TRSTRESC",
    ),
    "RS": ("RSTESTCD RSSTRESC RSDTC", "RSCAT VISITNUM RSEVAL RSEVALID RSACPTFL RSSTAT"),
    "CM": ("CMTRT CMSTDTC CMCAT", "CMENDTC CMDECOD CMCLAS CMINDC CMSCAT"),
    "PR": ("PRTRT PRSTDTC PRCAT", "PRENDTC PRSCAT"),
    "MH": ("MHTERM", "MHSTDTC MHDECOD"),
    "PC": (
        "PCTESTCD PCORRES PCORRESU PCSPEC PCDTC",
        "PCSTRESN PCSTRESC PCLLOQ PCTPTNUM PCELTM PCTPTREF PCSTAT",
    ),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_variables_of_the_contract(name):
    required, further = CONTRACT[name]
    known = spec.domain(name)
    assert set(required.split()) <= set(known.required)
    assert [v for v in further.split() if known.variable(v) is None] == []
    assert set(known.required) - set(required.split()) <= {"STUDYID", "USUBJID", f"{name}SEQ", "DOMAIN"}


@pytest.mark.parametrize(
    "name", [*CONTRACT, "BS", "CP", "EG", "IS", "MI", "QS", "SC", "SS", "VS", "DV", "CE"]
)
def test_identifiers_are_required_everywhere(name):
    wanted = {"STUDYID", "USUBJID"} | (set() if name in ("DM", "SV") else {f"{name}SEQ"})
    assert wanted <= set(spec.domain(name).required)


@pytest.mark.parametrize("name", NAMES)
def test_a_domain_is_labelled_keyed_and_dated(name):
    known = spec.domain(name)
    assert known.name == name
    assert known.label.strip() == known.label != ""
    assert len(known.key) == len(set(known.key))
    assert known.key[0] == ("USUBJID" if known.subject else known.key[0])
    assert [column for column in known.key if known.variable(column) is None] == []
    assert [d for d in known.dates if known.variable(d) is None or known.variable(d).kind != "dtc"] == []
    assert all(known.variable(conversion.to) is None for conversion in known.units)
    assert all(conversion.factor > 0 for conversion in known.units)


def test_variables_are_labelled_typed_and_named_by_their_domain():
    for name, variable in EACH:
        assert variable.label.strip() == variable.label != "", variable.name
        assert len(variable.label) <= 60, variable.name
        assert variable.kind in ("code", "text", "integer", "decimal", "dtc"), variable.name
        assert variable.core in ("R", "C", ""), variable.name
        if spec.domain(name).stage == "adam":  # the causes of an event keep the names of the project
            assert re.fullmatch(r"[A-Z][A-Z0-9]{1,11}", variable.name), variable.name
            dated = variable.name.endswith(("DT", "DTM")) or variable.name in (
                "TRTSNK",
                "TRTENK",
                "TRTSCT",
                "TRTECT",
            )
            assert (variable.kind == "dtc") is dated, (name, variable.name)
        elif name not in (
            "DECISIONS",
            "QUERIES",
            "PATCHES",
        ):  # the three tables that are not SDTM keep names of their own
            assert re.fullmatch(r"[A-Z][A-Z0-9]{1,7}", variable.name), variable.name
            assert (variable.kind == "dtc") is variable.name.endswith("DTC"), (name, variable.name)


def test_no_variable_of_one_name_has_two_types():
    kinds = {}
    for name, variable in EACH:
        kinds.setdefault(variable.name, set()).add(variable.kind)
        general = spec.domain(name).variable(variable.name)
        assert general.name == variable.name
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}


def test_codelists_are_labelled_used_and_unambiguous():
    used = {v.codelist for _, v in (*EACH, *PLAIN) if v.codelist}
    lists = spec.codelists()
    assert used == set(lists)
    for name, codelist in lists.items():
        assert codelist.name == name
        assert codelist.label.strip()
        assert len(codelist.values) == len(set(codelist.values)) > 0, name
        assert all(value == value.strip() and value for value in codelist.values), name
        assert codelist.separator == "" or all(codelist.separator not in v for v in codelist.values), name
        assert not set(codelist.synonyms) & set(codelist.values), name
        assert set(codelist.synonyms.values()) <= set(codelist.values), name
        assert all(codelist.holds(value) for value in codelist.values), name
        assert not any(codelist.holds(synonym) for synonym in codelist.synonyms), name


def test_codelists_belong_to_coded_variables():
    assert [(n, v.name) for n, v in (*EACH, *PLAIN) if v.codelist and v.kind != "code"] == []


@pytest.mark.parametrize(
    ("codelist", "values"),
    [
        ("AEREL", "CARNK CART HAI_PROCEDURE LYMPHODEPLETION OTHER NONE"),
        ("TOXGR", "1 2 3 4 5"),
        ("NY", "Y N"),
        ("ROUTE", "INTRA-ARTERIAL INTRAVENOUS"),
        ("SEX", "F M"),
        ("TUMIDENT", "TARGET NON-TARGET NEW"),
        ("ND", "NOT&DONE"),
        ("DOSU", "cells 10^6&cells cells/kg"),
    ],
)
def test_values_of_the_contract(codelist, values):
    assert {value.replace("&", " ") for value in values.split()} <= set(spec.codelists()[codelist].values)


def test_the_dictionary_is_the_specification():
    rows = spec.dictionary()
    assert len({row[:2] for row in rows}) == len(rows)
    assert {row[0] for row in rows} - {"*"} <= {*NAMES, *spec.domain_names("plain"), "SUPP"}
    assert {(name, v.name) for name, v in EACH} <= {row[:2] for row in rows}
    assert all(label for _, _, label, *_ in rows)


@pytest.mark.parametrize(
    "name", [n for n in NAMES if spec.domain(n).cut != "none" and n not in ("CO", "RELREC")]
)
def test_each_required_column_is_missed_when_absent(name):
    known = spec.domain(name)
    whole = {*known.required, *(group[0] for group in known.one_of)}
    assert known.absent(whole) == ()
    for column in known.required:
        assert known.absent(whole - {column}) == (column,)
    for group in known.one_of:
        assert known.absent(whole - set(group)) == (" or ".join(group),)
        assert all(known.absent((whole - set(group)) | {column}) == () for column in group)


def test_every_column_of_the_example_study_is_specified():
    lost = [
        (name, column)
        for name, frame in make_study("tiny10", 7).items()
        for column in frame.columns
        if spec.domain(name) is None or spec.domain(name).variable(column) is None
    ]
    assert lost == []


@pytest.mark.rule("TYPE-02")
@pytest.mark.parametrize("name", [n for n, c in spec.codelists().items() if c.synonyms])
def test_every_synonym_is_replaced_and_said(name):
    codelist = spec.codelists()[name]
    domain, variable = next((n, v) for n, v in (*EACH, *PLAIN) if v.codelist == name)
    for synonym, value in codelist.synonyms.items():
        frame = make_frame(domain, variable.name, [synonym, value])
        typed = type_domain(domain, frame)
        assert typed.frame[variable.name].tolist() == [value, value]
        assert [(x.rule, x.before, x.after) for x in typed.ledger] == [("NORM-SYNONYM", synonym, value)]
        assert typed.findings == ()


def make_frame(domain, variable, values):
    import pandas as pd

    frame = pd.DataFrame({"USUBJID": ["A"] * len(values), variable: values}, dtype=object)
    return frame.assign(SRCFILE="x.csv", SRCROW=range(2, len(values) + 2))


def test_the_methods_page_states_the_cut_types():
    page = Path(__file__).resolve().parents[2] / "docs" / "methods" / "data.md"
    text = page.read_text(encoding="utf-8")
    by_type = {kind: {n for n in NAMES if spec.domain(n).cut == kind} for kind in ("patient", "parent")}
    assert "patient (DM, SC)" in text
    assert by_type == {"patient": {"DM", "SC"}, "parent": {"CO", "RELREC"}}
