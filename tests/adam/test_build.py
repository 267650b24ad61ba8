from __future__ import annotations

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.errors import DataError, Finding, StudyError

DATASETS = [
    "ADSL",
    "ADEX",
    "ADAE",
    "ADDLT",
    "ADTOX",
    "ADLB",
    "ADVS",
    "ADTR",
    "ADRS",
    "ADTTE",
    "ADSUB",
    "ADBM",
]
NOT_IN_MINI = {
    **dict.fromkeys(("ADPC", "ADPP", "ADPPLZ", "ADPCUSE", "ADCKCM"), "no PC"),
    **dict.fromkeys(("ADCY", "ADCYPP"), "no cytokine results in LB"),
}


@pytest.fixture(scope="session")
def adam(mini_sdtm, mini_study):
    return build_adam(mini_sdtm, mini_study)


@pytest.mark.rule("ADAM-01")
def test_all_datasets_and_no_finding_in_clean_data(adam):
    assert list(adam.datasets) == DATASETS
    assert adam.missing == NOT_IN_MINI
    assert adam.findings == ()
    assert {state for _, _, state in adam.rules if not state.startswith("not run")} == {"run"}
    assert {"DM-SET", "EX-ACTLVL", "AE-PARTIAL", "DOSE-DLTDIFF", "LB-FACTOR", "SUB-ROW"} <= {
        rule for rule, _, _ in adam.rules
    }


@pytest.mark.rule("ADAM-01")
def test_the_sets_of_the_mini_study(adam, mk):
    adsl = adam["ADSL"].set_index("USUBJID")

    def members(flag):
        return "".join(number for number in "12345678" if adsl.loc[mk.uid(f"0{number}"), flag] == "Y")

    found = {
        flag: members(flag)
        for flag in ("ENRLFL", "SAFNKFL", "SAFCTFL", "DLTEVFL", "FASFL", "RESFL", "RESPFL")
    }
    assert found == {
        "ENRLFL": "1234568",
        "SAFNKFL": "123458",
        "SAFCTFL": "12358",
        "DLTEVFL": "123",
        "FASFL": "123458",
        "RESFL": "12",
        "RESPFL": "1",
    }
    reasons = adsl[["DLTEVRS", "RESRS"]].where(adsl[["DLTEVRS", "RESRS"]].notna(), None)
    assert reasons.loc[mk.uid("05")].tolist() == ["PENDING", "NO-BASELINE"]
    assert reasons.loc[mk.uid("06")].tolist() == ["NO-CART", "NO-NK"]
    assert reasons.loc[mk.uid("03")].tolist() == [None, "NO-POST"]
    assert adsl.loc[mk.uid("01"), "BSLD"] == 50.0


@pytest.mark.rule("ADAM-01")
def test_flags_are_y_or_n_and_text_is_missing_as_none(adam):
    adsl = adam["ADSL"]
    for flag in ("ENRLFL", "SAFNKFL", "SAFCTFL", "DLTEVFL", "FASFL", "RESFL", "RESPFL", "DLTFL", "DTHFL"):
        assert set(adsl[flag]) <= {"Y", "N"}, flag
    for name, frame in adam.datasets.items():
        for column in frame.select_dtypes("object"):
            assert not any(isinstance(v, float) for v in frame[column]), (name, column)
        assert frame.index.equals(pd.RangeIndex(len(frame))), name


@pytest.mark.rule("ADAM-02")
@pytest.mark.parametrize(
    ("absent", "missing"),
    [
        (("AE", "SUPPAE"), {"ADAE": "no AE", "ADTOX": "no AE"}),
        (("LB",), dict.fromkeys(("ADLB", "ADCY", "ADCYPP"), "no LB")),
        (("EX", "SUPPEX"), {"ADEX": "no EX"}),
        (("TU", "TR"), {"ADTR": "no TR", "ADRS": "no TR and no RS"}),
        (("VS", "EG", "QS"), {"ADVS": "no VS, EG, QS"}),
    ],
)
def test_an_absent_source_is_a_missing_dataset_with_the_reason(mini, mini_study, mk, absent, missing):
    adam = build_adam(mk.make({name: part for name, part in mini.items() if name not in absent}), mini_study)
    assert dict(adam.missing) == {**NOT_IN_MINI, **missing}
    assert list(adam.datasets) == [name for name in DATASETS if name not in missing]
    assert len(adam["ADSL"]) == 8


@pytest.mark.rule("ADAM-02")
def test_without_dose_ladder_or_subgroups_these_datasets_are_missing(mini, tmp_path, mk):
    from interim.study import read_study

    file = tmp_path / "other.toml"
    file.write_text(
        '[study]\nid = "OTHER"\n[data]\npath = "none"\ncut_date = 2025-06-30\n'
        '[cohort]\nvariable = "ARMCD"\nlabels = { DL1 = "one", DL2 = "two" }\n',
        encoding="utf-8",
    )
    adam = build_adam(mk.make(mini), read_study(file))
    assert set(adam.missing) == {"ADDLT", "ADSUB", *NOT_IN_MINI}
    assert set(adam["ADSL"]["DLTEVFL"]) == {"N"}
    assert set(adam["ADSL"]["DLTEVRS"]) == {"NOT-APPLICABLE"}


@pytest.mark.rule("ADAM-03")
def test_a_derivation_stop_halts_with_all_findings_or_goes_on_as_a_draft(mini, mini_study, study_with, mk):
    mini["EX"].loc[0, "EXTRT"] = "SALINE"
    warned = mk.make(mini).with_findings((Finding("AE-GRADE", "warn", "AE", "grade missing"),))
    with pytest.raises(DataError) as caught:
        build_adam(warned, mini_study)
    assert [f.rule for f in caught.value.findings] == ["EX-PRODUCT", "AE-GRADE"]
    draft = build_adam(warned, study_with('on_stop = "draft"\n'))
    assert [f.rule for f in draft.findings] == ["EX-PRODUCT", "AE-GRADE"]


@pytest.mark.rule("ADAM-03")
def test_what_the_data_room_found_is_not_found_again(mini, mini_study, mk):
    cart = (mini["EX"]["EXTRT"] == "CAR-T") & (mini["EX"]["USUBJID"] == mk.uid("03"))
    mini["EX"].loc[cart, "EXDOSE"] = 3.2e7 * 60
    sdtm = mk.make(mini)
    assert [(f.rule, f.key) for f in build_adam(sdtm, mini_study).findings] == [("EX-ACTLVL", ())]
    known = Finding("EX-ACTLVL", "warn", "EX", "another level", subject=mk.uid("03"), key=("3",))
    assert build_adam(sdtm.with_findings((known,)), mini_study).findings == (known,)


@pytest.mark.rule("ADAM-01")
def test_row_order_of_the_source_changes_nothing(adam, mini, mini_study, mk):
    shuffled = {name: part.sample(frac=1, random_state=11) for name, part in mini.items()}
    again = build_adam(mk.make(shuffled), mini_study)
    for name, frame in adam.datasets.items():
        pd.testing.assert_frame_equal(again[name], frame, obj=name)
    assert again.findings == adam.findings


def test_a_subgroup_of_an_unknown_variable_is_named(mini_sdtm, study_with):
    extra = '[[subgroups]]\nid = "x"\ndimension = "dose"\nlabel = "x"\nvariable = "NOSUCH"\nkind = "nominal"\norigin = "protocol"\n'
    with pytest.raises(StudyError, match="NOSUCH is no variable of ADSL"):
        build_adam(mini_sdtm, study_with(extra))
