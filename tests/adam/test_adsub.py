from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.adam.adsub import derive_adsub
from interim.adam.levels import cut_level, cut_levels
from interim.errors import StudyError


def people(values, variable="NLRBL", fas=None, **more):
    size = len(values)
    frame = pd.DataFrame({"USUBJID": [f"S{n}" for n in range(size)], variable: values})
    return frame.assign(ENRLFL="Y", FASFL=fas or ["Y"] * size, **more)


ENTRY = '[[subgroups]]\nid = "e"\ndimension = "ratio"\nlabel = "x"\nprimary = true\n'


@pytest.fixture
def study_of(study_with):
    def make(*, variable="NLRBL", kind="continuous", extra=""):
        return study_with(f'{ENTRY}variable = "{variable}"\nkind = "{kind}"\norigin = "literature"\n{extra}')

    return make


@pytest.mark.rule("SUB-01")
@pytest.mark.parametrize(
    ("extra", "levels", "ranks", "cut"),
    [
        ("cuts = [5]\n", ["<5", ">=5", ">=5"], [1, 2, 2], 5.0),
        ('cuts = [5]\nclosed = "right"\n', ["<=5", "<=5", ">5"], [1, 1, 2], 5.0),
        ("cuts = [3, 5]\n", [">=3 to <5", ">=5", ">=5"], [2, 3, 3], None),
    ],
)
def test_levels_by_cut(study_of, extra, levels, ranks, cut):
    frame = derive_adsub(people([4.9, 5.0, 7.0]), study_of(extra=extra)).frame
    assert frame["AVALC"].tolist() == levels
    assert frame["AVALN"].tolist() == ranks
    assert frame["CUT"].isna().all() if cut is None else (frame["CUT"] == cut).all()


@pytest.mark.rule("SUB-01")
def test_one_row_per_enrolled_participant_and_entry_also_without_a_value(study_of):
    adsl = people([4.0, None, 6.0]).assign(ENRLFL=["Y", "Y", "N"], FASFL=["Y", "Y", "N"])
    frame = derive_adsub(adsl, study_of(extra="cuts = [5]\n")).frame
    assert frame[["USUBJID", "ENTRY", "AVALC"]].to_numpy().tolist() == [["S0", "e", "<5"], ["S1", "e", None]]


@pytest.mark.rule("SUB-01")
def test_nominal_levels_have_the_order_of_the_study_and_an_unknown_text_is_missing(study_of):
    study = study_of(variable="TUMTYPE", kind="nominal", extra='levels = ["CRC", "GASTRIC"]\n')
    derived = derive_adsub(people(["GASTRIC", "CRC", "MELANOMA", None], "TUMTYPE"), study)
    assert derived.frame["AVALC"].tolist() == ["GASTRIC", "CRC", None, None]
    assert derived.frame["AVALN"].fillna(0).tolist() == [2, 1, 0, 0]
    assert [(f.rule, f.severity, f.subject, f.value) for f in derived.findings] == [
        ("SUB-LEVEL", "warn", "S2", "MELANOMA")
    ]


@pytest.mark.rule("SUB-01")
def test_ordinal_and_nominal_without_stated_levels_take_the_values(study_of):
    ordinal = derive_adsub(
        people([10.0, 2.0, 3.0], "PRLINES"), study_of(variable="PRLINES", kind="ordinal")
    ).frame
    assert ordinal[["AVALC", "AVALN"]].to_numpy().tolist() == [["10", 3.0], ["2", 1.0], ["3", 2.0]]
    nominal = derive_adsub(people(["B", "A"], "SEX"), study_of(variable="SEX", kind="nominal")).frame
    assert nominal["AVALN"].tolist() == [2.0, 1.0]


@pytest.mark.rule("SUB-02")
@pytest.mark.parametrize(
    ("extra", "cut", "levels"),
    [
        ('cuts = "median"\n', 4.0, ["<4", ">=4", ">=4", ">=4"]),
        ('cuts = "median"\ncut_frozen = 5.5\n', 5.5, ["<5.5", "<5.5", ">=5.5", ">=5.5"]),
    ],
)
def test_the_median_is_that_of_the_full_analysis_set_unless_it_is_frozen(study_of, extra, cut, levels):
    adsl = people([3.0, 4.0, 6.0, 100.0], fas=["Y", "Y", "Y", "N"])
    frame = derive_adsub(adsl, study_of(extra=extra)).frame
    assert frame["CUT"].unique().tolist() == [cut]
    assert frame["AVALC"].tolist() == levels


@pytest.mark.rule("SUB-02")
def test_without_values_there_is_no_median(study_of):
    frame = derive_adsub(people([None, None]), study_of(extra='cuts = "median"\n')).frame
    assert frame["CUT"].isna().all()
    assert frame["AVALC"].tolist() == [None, None]


@pytest.mark.rule("SUB-04")
@pytest.mark.parametrize(
    ("flag", "value", "cut", "expected"),
    [
        ("LLOQ", 1.0, 1.5, "LLOQ; CUT_AT_LLOQ"),
        ("LLOQ", 1.0, 5, "LLOQ"),
        (None, 1.0, 1.5, None),
        ("ULOQ", 1.0, 1.5, "ULOQ"),
    ],
)
def test_a_level_that_depends_on_half_the_limit_is_flagged(study_of, flag, value, cut, expected):
    adsl = people([value]).assign(NLRBLF=pd.Series([flag], dtype=object))
    assert derive_adsub(adsl, study_of(extra=f"cuts = [{cut}]\n")).frame["FLAGS"].tolist() == [expected]


@pytest.mark.rule("SUB-05")
def test_a_value_that_its_scale_cannot_take_has_no_level(study_of):
    frame = derive_adsub(people([0.0, 8.0]), study_of(extra='scale = "log2"\ncuts = [5]\n')).frame
    assert frame["AVALC"].tolist() == [None, ">=5"]
    assert frame["AVAL"].tolist() == [0.0, 8.0]


@pytest.mark.rule("SUB-05")
def test_an_unknown_variable_is_an_error_and_an_uncollected_one_is_missing(study_of):
    with pytest.raises(StudyError, match=r"subgroups\[0\]\.variable: NOSUCH is no variable of ADSL"):
        derive_adsub(people([1.0]), study_of(variable="NOSUCH", extra="cuts = [5]\n"))
    frame = derive_adsub(people([1.0], "AGE"), study_of(extra="cuts = [5]\n")).frame
    assert frame[["AVALC", "FLAGS"]].to_numpy().tolist() == [[None, "NOT_COLLECTED"]]


@pytest.mark.rule("SUB-05")
def test_a_member_of_the_full_analysis_set_without_row_stops(study_of):
    adsl = people([1.0, 2.0]).assign(ENRLFL=["Y", "N"])
    derived = derive_adsub(adsl, study_of(extra="cuts = [5]\n"))
    assert [(f.rule, f.severity, f.subject) for f in derived.findings] == [("SUB-ROW", "stop", "S1")]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=4, unique=True),
    st.floats(-2e3, 2e3),
    st.sampled_from(["left", "right"]),
)
def test_every_value_has_exactly_the_level_that_its_place_says(cuts, value, closed):
    cuts = sorted(cuts)
    below = sum(cut <= value if closed == "left" else cut < value for cut in cuts)
    assert cut_levels(cuts, closed=closed)[below] == cut_level(value, cuts, closed=closed)
