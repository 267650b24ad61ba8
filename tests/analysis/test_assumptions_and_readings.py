"""What rests on an assumption is marked; the trigger under every reading; cytokines by grade."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import laboratory, safety, toxicity, trigger_readings
from interim.display.by_dose import table_by_dose
from interim.display.laboratory import table_grade_shift
from interim.display.safety import table_teae_summary
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.test_conduct import records
from tests.analysis.test_denominators import _full_episodes, _full_results
from tests.analysis.test_safety_case_displays import lines


def with_flags(**changed):
    adae = case.adae().assign(CRSGR=float("nan"), ICANSGR=float("nan"), TRTEMBFL="Y", **changed)
    return case.adam(ADAE=adae)


@pytest.mark.rule("SAF-34", source="D4: a serious event without a relation counts as related")
@pytest.mark.parametrize(
    ("variable", "worst", "best"),
    [
        ("related_nk", (2, 2), (1, 1)),
        ("related_cart", (4, 5), (3, 4)),
        ("serious_related", (3, 3), (2, 2)),
    ],
)
def test_related_rows_show_the_worst_case_and_the_row_without_the_assumption(study, variable, worst, best):
    result = safety.teae_summary(with_flags(), study)
    assert (value(result, variable, "n"), value(result, variable, "events")) == worst
    assert (value(result, variable, "n_best"), value(result, variable, "events_best")) == best
    assert "D4" not in subjects(result, variable, "n_best")


@pytest.mark.rule("SAF-34", source="a row without an assumption has no second row")
def test_what_is_certain_has_no_second_row(study):
    result = safety.teae_summary(with_flags(), study)
    for variable in ("teae", "grade3", "serious", "related_procedure"):
        assert result.frame[(result.frame["variable"] == variable) & (result.frame["stat"] == "n_best")].empty


@pytest.mark.rule("SAF-34", source="AE-PARTIAL: best and worst case of the start")
def test_a_start_known_in_part_is_counted_in_the_worst_case_only(study):
    adae = case.adae()
    best = ["N" if term == "Procedural pain" else "Y" for term in adae["AEDECOD"]]
    adam = case.adam(ADAE=adae.assign(CRSGR=float("nan"), ICANSGR=float("nan"), TRTEMBFL=best))
    result = safety.teae_summary(adam, study)
    assert (value(result, "teae", "n"), value(result, "teae", "events")) == (4, 9)
    assert (value(result, "teae", "n_best"), value(result, "teae", "events_best")) == (4, 8)
    assert value(result, "related_procedure", "n_best") == 1


@pytest.mark.rule("SAF-34", source="seeded_defects.csv, D18: worst-case related and flag")
def test_the_printed_row_has_a_dagger_and_a_row_below(study):
    table = table_teae_summary(safety.teae_summary(with_flags(), study), study)
    printed = lines(table)
    place = next(n for n, line in enumerate(printed) if line[0] == "Related to CAR-NK †")
    assert printed[place][-1] == "2/4 (50%) [2]"
    assert printed[place + 1][0] == "without what is assumed"
    assert printed[place + 1][-1] == "1/4 (25%) [1]"
    assert any(note.startswith("† worst case") for note in table.footnotes)
    clean = with_flags(RELIMPFL="N")
    none = table_teae_summary(safety.teae_summary(clean, study), study)
    assert not any("†" in line[0] for line in lines(none))
    assert not any("†" in note for note in none.footnotes)


def shift(study, assumed):
    adlb = _full_results()
    adlb["ATOXASFL"] = pd.Series(assumed, index=adlb.index, dtype=object)
    return laboratory.grade_shift(case.adam(ADLB=adlb), study)


@pytest.mark.rule("SAF-34", source="written by hand")
@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ([4], {"A1"}),
        ([3], set()),
        ([3, 4], {"A1"}),
        ([6], set()),
        ([6, 7], {"B2"}),
        ([4, 6, 7], {"A1", "B2"}),
    ],
    ids=["worst", "not the worst", "both", "one of two", "two of two", "two people"],
)
def test_a_worst_grade_that_rests_on_the_assumption_is_counted(study, marked, expected):
    flags = ["Y" if place in marked else None for place in range(len(case.RESULTS))]
    result = shift(study, flags)
    if not expected:
        assert "assumed" not in set(result.frame["stat"])
    else:
        assert subjects(result, "NEUT low", "assumed", level="any") == expected
        head = next(
            line[0] for line in lines(table_grade_shift(result, study)) if line[0].startswith("Neutrophils")
        )
        assert head.endswith(f"worst grade by the assumed clinical half only {len(expected)}")


@pytest.mark.rule("SAF-36", source="A1 has the peak 800 after the first CAR-T infusion and grade 2")
def test_peaks_of_cytokines_by_grade(study):
    result = toxicity.crs_by_cytokine(case.adam(ADTOX=_full_episodes()), study)
    assert value(result, "IL6", "n", group="Grade 2") == 1
    assert value(result, "IL6", "median", group="Grade 2") == 800
    assert value(result, "IL6", "n", group="Grade 0") == 0
    assert value(result, "population", "N", group="Grade 0") == 2
    assert value(result, "population", "N", group="Total") == 3
    assert lines(table_by_dose(result, study)) == [
        ("Interleukin-6", "n=0", "1; 800.0 (800.0, 800.0)", "1; 800.0 (800.0, 800.0)"),
    ]
    absent = toxicity.crs_by_cytokine(case.adam(ADCY=None, ADTOX=_full_episodes()), study)
    assert status(absent, "IL6")[1] == "not available: no cytokines"
    none = toxicity.crs_by_cytokine(case.adam(ADTOX=None), study)
    assert status(none, "IL6")[1] == "not available: no ADTOX"


@pytest.mark.rule("SAF-35", source="answers by hand")
def test_the_trigger_under_every_reading(study, monkeypatch):
    asked = []

    def answer(adae, windows, trigger):
        asked.append((trigger.related_ae_min_grade, trigger.crs_scale, trigger.grade_source))
        flags = pd.Series("N", index=adae.index, dtype=object)
        flags.iloc[0] = "Y"
        if trigger.related_ae_min_grade == 1:
            flags.iloc[5] = "Y"
        if trigger.crs_scale == "astct2019":
            flags.iloc[8] = None
        return flags

    monkeypatch.setattr(trigger_readings, "trigger_events", answer)
    monkeypatch.setattr(trigger_readings, "no_events", lambda adam, study: "")
    monkeypatch.setattr(trigger_readings, "dlt_windows", lambda *args, **kwargs: None)
    adam = case.adam(ADAE=case.adae().assign(APHASE="CART_C1"))
    result = trigger_readings.by_participant(adam, study, case.sdtm())
    assert records(
        result, "dose", "definition_a", "definition_b", "definition_e", "reported", "max", "same"
    ) == [
        ("A1", "DL1", "A B C", "A B C", "A B C", "yes", "yes", "yes"),
        ("B2", "DL2", "", "A B C", "", "no", "no", "no"),
        ("C3", "DL2", "", "", "", "no", "no", "yes"),
        ("D4", "NK only", "B?", "B?", "B?", "no", "no", "no"),
    ]
    assert len(asked) == 19
    assert [source for *_, source in asked[-4:-1]] == ["reported", "derived", "max"]
    assert asked[-1] == (study.titration_trigger.related_ae_min_grade, "ctcae5", "max"), (
        "the reading in force"
    )


@pytest.mark.rule("SAF-47", source="CAR-T starts on day 10; the event of that day has no time")
@pytest.mark.parametrize(("in_force", "phase"), [("earlier", "CART_C1"), ("later", "NK")])
def test_an_ambiguous_phase_changes_and_no_other(study, in_force, phase):
    adae = case.adae()
    mine = adae.index[(adae["USUBJID"] == "A1")][:2]
    start = case.at("A1", 10)
    adae.loc[mine, "ASTDT"] = start
    adae = adae.assign(ASTDTM=pd.NaT, APHASE="X", APHAMBFL="N")
    adae.loc[mine[0], "APHAMBFL"] = "Y"
    changed = study.model_copy(
        update={"toxicity": study.toxicity.model_copy(update={"same_day_phase": in_force})}
    )
    given = case.adex().assign(AENDT=lambda f: f["ASTDT"])
    found = trigger_readings.in_other_phase(case.adam(ADAE=adae, ADEX=given), changed)["APHASE"]
    assert found[mine[0]] == phase
    assert set(found.drop(mine[0])) == {"X"}
    bare = adae.drop(columns="APHAMBFL")
    assert trigger_readings.in_other_phase(case.adam(ADAE=bare), changed)["APHASE"].eq("X").all()


def test_without_relations_the_readings_cannot_be_told(study):
    bare = case.adam(ADAE=case.adae().drop(columns=["RELNK", "APHASE"], errors="ignore"))
    result = trigger_readings.by_participant(bare, study, case.sdtm())
    assert row(result, "records", "n")["status"] == "NA"
