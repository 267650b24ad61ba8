"""The specification: complete, coherent, and what typing does with it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.data import spec
from interim.data.records import record_keys, value_text
from interim.data.typed import plain_width, type_domain
from interim.data.units import Factor, apply_factors, to_standard_units


def frame_of(domain="LB", **columns):
    size = len(next(iter(columns.values())))
    made = {
        "USUBJID": [f"S-{i + 1}" for i in range(size)],
        f"{domain}SEQ": [str(i + 1) for i in range(size)],
        **columns,
    }
    frame = pd.DataFrame(made).astype(object)
    frame = frame.where(frame.notna(), None)
    for name, values in columns.items():
        if all(isinstance(v, float) for v in values):
            frame[name] = np.array(values, dtype=float)
    return frame.assign(SRCFILE=f"{domain.lower()}.csv", SRCROW=np.arange(2, size + 2))


def test_every_domain_has_a_cut_type_keys_and_variables():
    for name in spec.domain_names():
        known = spec.domain(name if name != "SUPP" else "SUPPAE")
        assert known.cut in ("none", "patient", "date", "parent")
        assert known.dates or known.cut != "date"
        assert all(known.variable(column) is not None for column in known.key), name
        assert set(known.required) <= {v for v in known.variables}
        for group in known.one_of:
            assert all(known.variable(column) is not None for column in group), name


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("DM", "SUBJID SEX AGE AGEU ARMCD ACTARMCD RFICDTC STUDYID USUBJID"),
        ("DS", "DSTERM DSDECOD DSCAT DSSTDTC DSSEQ"),
        ("EX", "EXTRT EXDOSE EXDOSU EXROUTE EXSTDTC EXSEQ"),
        ("AE", "AETERM AESTDTC AESER AEOUT AEREL AESEQ"),
        ("LB", "LBTESTCD LBORRES LBORRESU LBDTC"),
        ("TU", "TUTESTCD TULNKID TULOC"),
        ("TR", "TRGRPID TRLNKID TRTESTCD TRDTC"),
        ("RS", "RSTESTCD RSSTRESC RSDTC"),
        ("PC", "PCTESTCD PCORRES PCORRESU PCSPEC PCDTC"),
        ("SV", "VISITNUM VISIT SVSTDTC"),
    ],
)
def test_required_variables(domain, names):
    assert set(names.split()) <= set(spec.domain(domain).required)


def test_codelists_are_used_and_hold_their_own_synonyms():
    used = {
        v.codelist
        for name in (*spec.domain_names(), *spec.domain_names("adam"), *spec.domain_names("plain"))
        if name != "SUPP"
        for v in spec.domain(name).variables.values()
    }
    for name, codelist in spec.codelists().items():
        assert name in used, name
        assert all(target in codelist.values for target in codelist.synonyms.values())
        assert not set(codelist.synonyms) & set(codelist.values)
    assert {name for name in used if name} <= set(spec.codelists())


def test_lists_of_codes():
    causes = spec.codelists()["AEREL"]
    assert causes.holds("CARNK;CART")
    assert causes.holds("CARNK; CART")
    assert not causes.holds("CARNK;PROBABLE")
    assert not spec.codelists()["NY"].holds("Y;N")


@pytest.mark.parametrize(
    ("domain", "variable", "kind"),
    [
        ("LB", "LBSTRESN", "decimal"),
        ("LB", "LBSEQ", "integer"),
        ("LB", "VISITNUM", "decimal"),
        ("LB", "LBDTC", "dtc"),
        ("AE", "AETOXGR", "code"),
        ("AE", "AETERM", "text"),
        ("SUPPAE", "QVAL", "code"),
        ("IS", "ISLLOQ", "decimal"),
        ("LB", "AESEQ", None),
        ("DM", "SHOESIZE", None),
    ],
)
def test_type_of_a_variable(domain, variable, kind):
    found = spec.domain(domain).variable(variable)
    assert (None if found is None else found.kind) == kind


def test_unknown_domains():
    assert spec.domain("ZZ") is None
    assert spec.domain("SUPPZZ") is None
    assert spec.domain("SUPP") is None
    assert spec.domain("SUPPAE").label == "Supplemental Qualifiers for AE"
    assert len(spec.dictionary()) == len({row[:2] for row in spec.dictionary()})


@pytest.mark.rule("TYPE-01")
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("1", 1.0),
        ("-1.50", -1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("+2.", 2.0),
        (2.5, 2.5),
        (None, None),
        ("", None),
        ("  ", None),
        ("<0.2", "wrong"),
        ("1,5", "wrong"),
        ("1.2.3", "wrong"),
        ("inf", "wrong"),
        ("nan", "wrong"),
        ("1e999", "wrong"),
        ("0x10", "wrong"),
        ("1_000", "wrong"),
        ("10²", "wrong"),
        ("\u0661", "wrong"),
        ("１２", 12.0),
    ],
)
def test_numbers(raw, value):
    typed = type_domain("LB", frame_of(LBSTRESN=[raw, "1"] if not isinstance(raw, float) else [raw, 1.0]))
    found = typed.frame["LBSTRESN"]
    assert found.dtype == float
    stops = [f for f in typed.findings if f.severity == "stop"]
    if value == "wrong":
        assert np.isnan(found.iloc[0])
        (finding,) = stops
        assert (finding.rule, finding.subject, finding.key, finding.variable) == (
            "XD-TYPE",
            "S-1",
            ("1",),
            "LBSTRESN",
        )
        assert (finding.value, finding.file, finding.row) == (raw, "lb.csv", 2)
    else:
        assert stops == []
        assert found.iloc[0] == value if value is not None else np.isnan(found.iloc[0])
    assert found.iloc[1] == 1.0


@pytest.mark.rule("TYPE-01")
def test_integers_and_texts_from_numbers():
    frame = frame_of("AE", AETOXGR=[3.0, np.nan], AETERM=[0.1, 2.0], AESTDY=[1.5, 2.0])
    typed = type_domain("AE", frame)
    assert typed.frame["AETOXGR"].tolist() == ["3", None]
    assert typed.frame["AETERM"].tolist() == ["0.1", "2"]
    assert [(f.rule, f.variable, f.value) for f in typed.findings] == [("XD-TYPE", "AESTDY", "1.5")]
    assert frame["AETOXGR"].iloc[0] == 3.0


@pytest.mark.rule("TYPE-01")
def test_dates_stay_as_collected_whatever_they_say():
    typed = type_domain("LB", frame_of(LBDTC=["2026-02-30", "03/04/2026", "2026---04"]))
    assert typed.frame["LBDTC"].tolist() == ["2026-02-30", "03/04/2026", "2026---04"]
    assert typed.findings == ()


@pytest.mark.rule("TYPE-02")
@pytest.mark.parametrize(
    ("domain", "variable", "raw", "value", "rule"),
    [
        ("TR", "TRGRPID", "NONTARGET", "NON-TARGET", "NORM-SYNONYM"),
        ("TR", "TRGRPID", " NONTARGET", "NON-TARGET", "NORM-SYNONYM"),
        ("AE", "AEOUT", "RESOLVED", "RECOVERED/RESOLVED", "NORM-SYNONYM"),
        ("LB", "LBTESTCD", "ALT ", "ALT", "NORM-TRIM"),
        ("LB", "LBTESTCD", "\u3000ALT", "ALT", "NORM-WIDTH"),
        ("RS", "RSSTRESC", "\uff30\uff32", "PR", "NORM-WIDTH"),
        ("LB", "LBORRESU", "10\u2079/L", "10\u2079/L", None),
        ("LB", "LBORRESU", "\u00b5mol/L", "\u00b5mol/L", None),
        ("AE", "AETERM", "\u53d1\u70ed\uff0c\u5bd2\u6218", "\u53d1\u70ed\uff0c\u5bd2\u6218", None),
        ("AE", "AETERM", " fever", "fever", "NORM-TRIM"),
        ("RS", "RSSTRESC", "CHECK", "CHECK", None),
    ],
)
def test_normalisations_are_ledger_lines(domain, variable, raw, value, rule):
    typed = type_domain(domain, frame_of(domain, **{variable: [raw]}))
    assert typed.frame[variable].tolist() == [value]
    lines = [(x.rule, x.domain, x.subject, x.key, x.variable, x.before, x.after) for x in typed.ledger]
    assert lines == ([] if rule is None else [(rule, domain, "S-1", "1", variable, raw, value)])
    tidied = rule in ("NORM-TRIM", "NORM-WIDTH")
    assert [(f.rule, f.severity, f.value) for f in typed.findings] == (
        [("XD-TRIM", "warn", raw)] if tidied else []
    )


@pytest.mark.rule("TYPE-02")
@settings(max_examples=50, deadline=None)
@given(st.text(max_size=8))
def test_plain_width_is_idempotent_and_leaves_ascii_alone(text):
    once = plain_width(text)
    assert plain_width(once) == once
    assert not text.isascii() or once == text


@pytest.mark.rule("TYPE-03")
def test_centimetres_become_millimetres():
    frame = frame_of(
        "TR",
        TRSTRESN=[2.3, 14.0, np.nan],
        TRSTRESC=["2.3", "14", "ABSENT"],
        TRSTRESU=["cm", "mm", None],
    )
    typed = type_domain("TR", frame)
    assert typed.frame["TRSTRESN"].tolist()[:2] == [23.0, 14.0]
    assert typed.frame["TRSTRESC"].tolist() == ["23", "14", "ABSENT"]
    assert typed.frame["TRSTRESU"].tolist() == ["mm", "mm", None]
    assert {(x.variable, x.before, x.after) for x in typed.ledger} == {
        ("TRSTRESN", "2.3", "23"),
        ("TRSTRESC", "2.3", "23"),
        ("TRSTRESU", "cm", "mm"),
    }
    again, lines = to_standard_units(typed.frame, "TR")
    assert lines == ()
    pd.testing.assert_frame_equal(again, typed.frame)


@pytest.mark.rule("TYPE-03", source="creatinine 1 mg/dL = 88.42 umol/L")
def test_declared_factors_fill_standard_results_and_limits():
    frame = frame_of(
        LBTESTCD=["CREAT", "CREAT", "ALT", "CREAT"],
        LBORRES=["1.0", "<0.2", "30", "80"],
        LBORRESU=["mg/dL", "mg/dL", "mg/dL", "umol/L"],
        LBORNRLO=["0.5", None, None, None],
        LBSTRESN=[None, None, "30", "80"],
    )
    typed = type_domain("LB", frame).frame
    made, lines = apply_factors(typed, "LB", (Factor("CREAT", "mg/dL", "umol/L", 88.42),))
    assert made["LBSTRESN"].fillna(-1).tolist() == [88.42, -1, 30, 80]
    assert made["LBSTRESU"].tolist() == ["umol/L", None, None, None]
    assert made["LBSTNRLO"].iloc[0] == 44.21
    assert "LBSTNRHI" not in made
    assert len(lines) == 4
    same, none = apply_factors(typed[["USUBJID"]], "LB", (Factor("CREAT", "mg/dL", "umol/L", 88.42),))
    assert none == ()
    assert list(same) == ["USUBJID"]


@pytest.mark.rule("TYPE-04")
def test_unknown_columns_stay():
    frame = frame_of(SHOESIZE=[" 43", "x"], LBFOO=["1 ", "2"])
    typed = type_domain("LB", frame)
    assert typed.frame["SHOESIZE"].tolist() == [" 43", "x"]
    assert typed.frame["LBFOO"].tolist() == ["1 ", "2"]
    assert type_domain("ZZ", frame).frame["LBFOO"].tolist() == ["1 ", "2"]


@pytest.mark.rule("TYPE-04")
def test_absent_columns_are_named():
    assert spec.domain("SC").absent(["STUDYID", "USUBJID", "SCSEQ", "SCSTRESC"]) == ("SCTESTCD",)
    assert spec.domain("SC").absent(["STUDYID", "USUBJID", "SCSEQ", "SCTESTCD"]) == (
        "SCORRES or SCSTRESC or SCSTRESN",
    )


def test_keys_of_records():
    frame = frame_of("TR", TRLNKID=["T01"], TRTESTCD=["LDIAM"])
    assert record_keys(frame, "TR", [0]) == [("S-1", ("1",))]
    assert record_keys(frame.drop(columns="TRSEQ"), "TR", [0]) == [("S-1", ("T01", "LDIAM"))]
    assert record_keys(pd.DataFrame({"TSPARMCD": ["SSTDTC"], "TSSEQ": [1.0]}), "TS", [0]) == [
        ("", ("SSTDTC", "1"))
    ]
    assert record_keys(pd.DataFrame({"A": ["x"]}), "ZZ", [0]) == [("", ())]


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (-0.25, "-0.25"), (1e20, "1e+20"), (float("nan"), ""), (None, ""), ("x ", "x "), (7, "7")],
)
def test_one_text_form_of_a_value(value, text):
    assert value_text(value) == text


@pytest.mark.rule("TYPE-01")
@pytest.mark.parametrize(
    ("name", "values", "wrong"),
    [
        ("LBSTRESN", [1.5, np.nan, -2.0], []),
        ("LBSTRESN", [1.5, np.inf, np.nan], [1]),
        ("LBSEQ", [1.0, 2.0, np.nan], []),
        ("LBSEQ", [1.0, 2.5, np.nan], [1]),
        ("LBSEQ", [-np.inf, 2.0, 3.0], [0]),
    ],
)
def test_numbers_that_need_no_change_are_the_column_itself(name, values, wrong):
    frame = frame_of(**{name: values})
    typed = type_domain("LB", frame)
    assert [f.row - 2 for f in typed.findings if f.rule == "XD-TYPE"] == wrong
    found = typed.frame[name].to_numpy()
    expected = [np.nan if place in wrong else value for place, value in enumerate(values)]
    np.testing.assert_array_equal(found, expected)
    assert np.shares_memory(found, frame[name].to_numpy()) is (not wrong)


@pytest.mark.rule("TYPE-01")
@pytest.mark.parametrize(
    ("cells", "shared"),
    [
        (["A", None, "B"], True),
        (["A", " B", None], False),
        (["A", "", "B"], False),
        (["A", np.nan, "B"], False),
    ],
)
def test_texts_that_need_no_change_are_the_column_itself(cells, shared):
    frame = frame_of(LBSPEC=["x", "x", "x"])
    frame["LBSPEC"] = np.array(cells, dtype=object)
    found = type_domain("LB", frame).frame["LBSPEC"].to_numpy()
    assert found.tolist() == [v.strip() or None if isinstance(v, str) else None for v in cells]
    assert np.shares_memory(found, frame["LBSPEC"].to_numpy()) is shared
