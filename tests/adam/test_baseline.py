from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adlb import derive_adlb
from interim.adam.baseline import Sources, derive_baseline, known_variables
from interim.study.tables import shipped


@pytest.fixture
def derive(mini_study, chain):
    def run(parts, adtr=None, study=mini_study):
        made = chain(parts, study)
        core = made.core()
        adlb = derive_adlb(made.sdtm, core, study=study).frame if "LB" in parts else None
        return derive_baseline(Sources(made.sdtm, core, adlb, adtr, study))

    return run


def value(derived, mk, number, name):
    found = derived.frame.loc[derived.frame["USUBJID"] == mk.uid(number), name].iloc[0]
    return None if pd.isna(found) else found


def add(mini, mk, domain, **row):
    mini[domain] = pd.concat([mini[domain], mk.frame(domain, [row])], ignore_index=True)


@pytest.mark.rule("SUB-03")
def test_where_each_variable_comes_from(mini, derive, mk):
    derived = derive(mini)
    expected = {
        "TUMTYPE": "CRC",
        "LIGHMAX": 200.0,
        "PRLINES": 1.0,
        "CEAULN": 2.4,
        "NLRBL": 4.0,
        "GLRBL": 4.3,
        "METSITE": "LIVER ONLY",
        "ECOGBL": 1.0,
        "WEIGHTBL": 60.0,
    }
    assert {name: value(derived, mk, "01", name) for name in expected} == pytest.approx(expected)
    assert value(derived, mk, "02", "PRLINES") == 2.0
    assert value(derived, mk, "02", "METSITE") == "LIVER + EXTRAHEPATIC"
    assert derived.findings == ()


@pytest.mark.rule("SUB-03")
def test_every_variable_of_the_study_schema_has_a_recipe():
    named = {row["name"] for row in shipped("baseline_variables")} - {"AGE"}
    assert named <= known_variables()


@pytest.mark.rule("SUB-03")
def test_a_later_value_before_the_infusion_wins_and_one_after_it_does_not(mini, derive, mk):
    add(
        mini,
        mk,
        "VS",
        USUBJID=mk.uid("01"),
        VSTESTCD="WEIGHT",
        VSSTRESN=62.0,
        VSSTRESU="kg",
        VSDTC=mk.on("01", 0, "09:00"),
        VSSEQ=5.0,
    )
    add(
        mini,
        mk,
        "VS",
        USUBJID=mk.uid("02"),
        VSTESTCD="WEIGHT",
        VSSTRESN=99.0,
        VSSTRESU="kg",
        VSDTC=mk.on("02", 0, "11:00"),
        VSSEQ=5.0,
    )
    derived = derive(mini)
    assert value(derived, mk, "01", "WEIGHTBL") == 62.0
    assert value(derived, mk, "02", "WEIGHTBL") == 60.0
    assert value(derived, mk, "03", "LIGHMAX") == 60.0


@pytest.mark.rule("SUB-03")
def test_the_direct_value_stands_in_only_without_records(mini, derive, mk):
    mini["SUPPDM"] = mk.supp(
        "DM", [("01", None, "PRLINES", 5), ("03", None, "PRLINES", 4), ("04", None, "METSITE", "liver only")]
    )
    derived = derive(mini)
    assert [value(derived, mk, n, "PRLINES") for n in ("01", "03", "05")] == [1.0, 4.0, None]
    assert value(derived, mk, "04", "METSITE") == "LIVER ONLY"


@pytest.mark.rule("SUB-03")
def test_a_variable_without_source_is_no_column(mini, derive):
    for name in ("MI", "QS", "TU", "SUPPDM", "CM", "SUPPCM", "LB"):
        del mini[name]
    columns = set(derive(mini).frame)
    assert columns == {"USUBJID", "WEIGHTBL"}


@pytest.mark.rule("SUB-03")
@pytest.mark.parametrize(
    ("domain", "row", "rule", "variable"),
    [
        ("VS", {"VSTESTCD": "WEIGHT", "VSSTRESN": 70.0, "VSSTRESU": "kg", "day": -3}, "SUB-BASE", "WEIGHTBL"),
        ("VS", {"VSTESTCD": "WEIGHT", "VSSTRESN": 70.0, "VSSTRESU": None, "day": -1}, "SUB-UNIT", None),
        ("QS", {"QSTESTCD": "ECOG101", "QSSTRESN": 2.0, "day": -3}, "SUB-BASE", "ECOGBL"),
        (
            "MI",
            {"MITESTCD": "HSCORE", "MITSTDTL": "ULBP3", "MISTRESN": 340.0, "day": -2},
            "SUB-RANGE",
            "LIGHMAX",
        ),
        ("SUPPDM", "MELANOMA", "SUB-LEVEL", "TUMTYPE"),
    ],
)
def test_what_is_found_wrong_is_missing(mini, derive, mk, domain, row, rule, variable):
    if domain == "SUPPDM":
        mini["SUPPDM"] = mk.supp("DM", [("01", None, "TUMTYPE", row)])
    else:
        add(
            mini,
            mk,
            domain,
            USUBJID=mk.uid("01"),
            **{f"{domain}DTC": mk.on("01", row.pop("day")), f"{domain}SEQ": 9.0},
            **row,
        )
    derived = derive(mini)
    assert [(f.rule, f.severity, f.subject) for f in derived.findings] == [(rule, "warn", mk.uid("01"))]
    if variable is not None:
        assert value(derived, mk, "01", variable) is None


@pytest.mark.rule("SUB-03")
def test_a_refused_record_is_not_replaced_by_the_direct_value(mini, derive, mk):
    mini["SUPPDM"] = mk.supp("DM", [("01", None, "ECOGBL", 0)])
    add(
        mini,
        mk,
        "QS",
        USUBJID=mk.uid("01"),
        QSTESTCD="ECOG101",
        QSSTRESN=2.0,
        QSDTC=mk.on("01", -3),
        QSSEQ=9.0,
    )
    assert value(derive(mini), mk, "01", "ECOGBL") is None


def test_two_equal_last_values_are_one(mini, derive, mk):
    add(
        mini,
        mk,
        "QS",
        USUBJID=mk.uid("01"),
        QSTESTCD="ECOG101",
        QSSTRESN=1.0,
        QSDTC=mk.on("01", -3),
        QSSEQ=9.0,
    )
    derived = derive(mini)
    assert value(derived, mk, "01", "ECOGBL") == 1.0
    assert derived.findings == ()


@pytest.mark.rule("SUB-04")
def test_values_beyond_the_assay_and_missing_ligands_are_flagged(mini, derive, mk):
    derived = derive(mini)
    assert value(derived, mk, "02", "CEAULN") == pytest.approx(0.05)
    assert value(derived, mk, "02", "CEAULNF") == "LLOQ"
    assert value(derived, mk, "02", "LIGHMAXF") == "LIGAND_PARTIAL (1 of 4)"
    assert value(derived, mk, "01", "LIGHMAXF") is None


def test_a_marker_above_the_assay_keeps_the_limit(mini, derive, mk):
    row = mini["LB"].index[(mini["LB"]["LBTESTCD"] == "CEA") & (mini["LB"]["USUBJID"] == mk.uid("02"))][0]
    mini["LB"].loc[row, ["LBORRES", "LBSTRESC"]] = [">1000", ">1000"]
    derived = derive(mini)
    assert (value(derived, mk, "02", "CEAULN"), value(derived, mk, "02", "CEAULNF")) == (200.0, "ULOQ")


def test_the_baseline_sum_is_that_of_the_primary_evaluator(mini, derive, mk):
    rows = [
        (mk.uid("01"), "INVESTIGATOR", "Y", 50.0),
        (mk.uid("01"), "READER 1", "Y", 70.0),
        (mk.uid("01"), "INVESTIGATOR", None, 30.0),
    ]
    adtr = pd.DataFrame(rows, columns=["USUBJID", "PARCAT2", "ABLFL", "AVAL"]).assign(PARAMCD="SDIAM")
    derived = derive(mini, adtr)
    assert value(derived, mk, "01", "BSLD") == 50.0
    assert value(derived, mk, "02", "BSLD") is None
