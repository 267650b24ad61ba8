"""The tipping table over the readings, and the register."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pandas as pd
import pytest

from interim.adam.dlt import dlt_windows, flag_dlt
from interim.analysis import reading_row, readings
from interim.analysis.escalation_state import NO_LADDER, printed
from interim.analysis.reading_row import (
    IN_FORCE,
    Bundle,
    Outcome,
    Source,
    bundles,
    changed_cells,
    outcome_of,
    rederived,
)
from interim.errors import ReportError, StudyError
from interim.result import Rows
from interim.study import read_study
from interim.study.ambiguity import register
from interim.study.expansion import TumourType
from interim.study.ratio import with_primary_ratio
from interim.study.reread import with_readings
from tests.analysis.answers import row, value
from tests.analysis.dose_finding.conftest import ROOT, listed


@pytest.fixture(scope="session")
def tipped(main13):
    return readings.tipping(main13.adam, main13.study, main13.sdtm)


@pytest.fixture
def source(main13):
    return Source(dict(main13.adam.datasets), main13.adam.cut, dict(main13.sdtm.domains), main13.study)


def same(first, second):
    return all(first[name].astype(str).tolist() == second[name].astype(str).tolist() for name in second)


def bundle(study, name):
    return next(item for item in bundles(study) if item.name == name)


def grid(study, **more):
    table = study.tipping.model_copy(update={"mode": "dose_grid", **more})
    return study.model_copy(update={"tipping": table})


@pytest.mark.rule("DOSEQ-08", source="register of the readings: 2 5 4 2 2 3 2 4 5")
def test_one_at_a_time_has_21_rows(main13, tipped):
    names = listed(tipped, "row").index.tolist()
    assert len(names) == len(set(names)) == 21 and names[0] == IN_FORCE
    assert value(tipped, "flips") <= 20 and row(tipped, "flips", "n")["N"] == 20
    assert len(bundles(main13.study)) == 21


@pytest.mark.rule("DOSEQ-08", source="register of the readings: 2 x 5 x 4 x 3")
def test_the_grid_has_120_combinations(main13):
    found = bundles(grid(main13.study))
    assert len(found) == len({item.chosen for item in found}) == 120
    assert found[0].name == IN_FORCE and dict(found[0].chosen)["AMB-1"] == "A"
    assert [item.is_default for item in found].count(True) == 1
    assert not found[0].is_default


@pytest.mark.rule("DOSEQ-08")
def test_a_small_grid_runs_and_keeps_the_register(main13):
    study = grid(main13.study, joint=("AMB-1", "AMB-6"))
    found = readings.tipping(main13.adam, study, main13.sdtm)
    assert listed(found, "row").index.tolist() == [
        IN_FORCE,
        "AMB-1 A, AMB-6 B",
        "AMB-1 A, AMB-6 C",
        "AMB-1 B, AMB-6 A",
        "AMB-1 B, AMB-6 B",
        "AMB-1 B, AMB-6 C",
    ]
    assert row(found, "AMB-3", "effect", level="B")["text"]


def test_an_unknown_ambiguity_of_the_grid_is_refused(main13):
    with pytest.raises(StudyError, match="AMB-77"):
        bundles(grid(main13.study, joint=("AMB-77",)))


@pytest.mark.rule("DOSEQ-07")
def test_under_the_readings_in_force_the_same_datasets_come_again(main13, source):
    class Other:
        """Equal to no study, so that everything is derived again."""

        dose = titration_trigger = estimand = None

    adsl = main13.adam["ADSL"]
    switched = {**source.datasets, "ADSL": adsl.assign(NKSWDT=adsl["TRTSDT"])}
    again = rederived(Source(source.datasets, source.cut, source.domains, Other()), main13.study)
    ignored = rederived(Source(switched, source.cut, source.domains, Other()), main13.study)
    for name in ("ADRS", "ADTTE", "ADTR"):
        pd.testing.assert_frame_equal(ignored[name], main13.adam[name])
    for name in ("ADDLT", "ADAE", "ADSL"):
        pd.testing.assert_frame_equal(again[name], main13.adam[name])


@pytest.mark.rule("DOSEQ-07")
@pytest.mark.parametrize(
    ("amb", "letter", "moved"),
    [
        ("AMB-1", "B", set()),
        ("AMB-2", "B", {"ADAE", "ADDLT"}),
        ("AMB-3", "B", {"ADAE", "ADDLT", "ADSL"}),
        ("AMB-7", "B", set()),
        ("AMB-8", "B", set()),
        ("AMB-8", "C", set()),
        ("AMB-8", "D", set()),
        ("AMB-9", "C", set()),
    ],
)
def test_a_reading_moves_only_its_own_datasets(main13, source, amb, letter, moved):
    other = rederived(source, with_readings(main13.study, {amb: letter}))
    different = {name for name in main13.adam.datasets if not same(other[name], main13.adam[name])}
    assert different == moved


@pytest.mark.rule("DOSEQ-07")
def test_the_window_to_the_second_cycle_leaves_out_who_had_none(main13, source):
    adam = rederived(source, with_readings(main13.study, {"AMB-3": "C"}))
    facts = adam["ADDLT"].set_index("USUBJID")
    without = facts[(facts["NINFCT"] == 2) & (facts["DLTFL"] == "N")]
    assert len(without) and not (without["DLTSTAT"] == "EVALUABLE").any()
    assert without.loc[without["DLTSTRS"] == "NO-CYCLE2", "STATKNDT"].notna().all()
    flags = adam["ADSL"].set_index("USUBJID")["DLTEVFL"]
    assert (flags[facts.index[facts["DLTSTAT"] == "EVALUABLE"]] == "Y").all()


@pytest.mark.rule("DOSEQ-08")
def test_workers_give_the_same_table(main13, tipped):
    with ThreadPoolExecutor(3) as pool:
        other = readings.tipping(main13.adam, main13.study, main13.sdtm, executor=pool)
    pd.testing.assert_frame_equal(other.frame, tipped.frame)


@pytest.mark.rule("DOSEQ-08")
@pytest.mark.parametrize("name", ["AMB-1 B", "AMB-2 B", "AMB-3 C"])
def test_a_reading_alone_gives_its_row(main13, source, tipped, name):
    alone = outcome_of(source, bundle(main13.study, name))
    shown = listed(tipped, "row").loc[name]
    for stat in ("cohorts", "triggers", "next_action", "mtd", "concordance", "orr", "dcr"):
        assert getattr(alone, stat) == shown[stat]
    assert str(alone.changed) == shown["changed"]


@pytest.mark.rule("DOSEQ-08")
def test_what_readings_share_is_what_each_answers_on_its_own(main13, source):
    for name in (IN_FORCE, "AMB-2 B", "AMB-3 C"):
        outcome_of(source, bundle(main13.study, name))
    for chosen in ({"AMB-3": "C"}, {"AMB-2": "C"}, {"AMB-3": "D"}):
        study = with_readings(main13.study, chosen)
        shared = rederived(source, study)
        own = Source(source.datasets, source.cut, source.domains, main13.study)
        alone = rederived(own, study)
        assert all(same(shared[name], alone[name]) for name in ("ADAE", "ADDLT", "ADSL"))
        other = Bundle("", tuple(chosen.items()), "", "", False)
        assert outcome_of(source, other) == outcome_of(own, other)


@pytest.mark.rule("DOSEQ-20")
def test_an_answer_that_readings_share_is_the_one_that_each_gives_alone(main13, source):
    asked = ("escalation", "expansion.", "expansion_designs.b")
    shared = 0
    for item in bundles(main13.study):
        if item.name == "AMB-5 B":  # it needs limits that the study does not state
            continue
        study = with_readings(main13.study, {} if item.name == IN_FORCE else dict(item.chosen))
        adam = rederived(source, study)
        answers = reading_row._Answers(source, adam, study)
        for part in printed()["readings"]["part"]:
            for name in (name for name in part["questions"] if name.startswith(asked)):
                known = len(source.known)
                found = answers.cells(part["reads"], name)
                shared += len(source.known) == known
                assert found == dict(
                    reading_row._cells(reading_row.answered(name, adam, study, sdtm=main13.sdtm))
                )
    assert shared > 80


@pytest.mark.rule("DOSEQ-20")
def test_readings_share_windows_by_every_parameter_that_these_read(main13, source):
    """A parameter that windows and flags read and the key does not name would give a reading the flags of another."""
    read = set()

    class Noted:
        def __init__(self, table):
            self.table = table

        def __getattr__(self, name):
            read.add(name)
            return getattr(self.table, name)

    for item in bundles(main13.study):
        try:
            study = with_readings(main13.study, {} if item.name == IN_FORCE else dict(item.chosen))
        except StudyError:
            continue
        for policy in ("worst_case", study.dose.partial_date_policy):
            dose = study.dose.model_copy(update={"partial_date_policy": policy})
            noted = study.model_copy(update={"dose": Noted(dose)})
            windows = dlt_windows(main13.sdtm, main13.adam["ADSL"], adex=main13.adam["ADEX"], study=noted)
            flag_dlt(main13.adam["ADAE"], windows, noted)
    assert read == set(reading_row._FLAGGED)


@pytest.mark.rule("DOSEQ-20")
def test_a_design_matters_to_tumour_types_with_null_rates_only(main13, source):
    def observed(study, letter):
        return reading_row._Answers(source, main13.adam, with_readings(study, {"AMB-9": letter})).observed

    one = TumourType.model_construct(id="crc", label="CRC", values=("CRC",), p0=0.05, p1=0.2)
    table = main13.study.expansion.model_copy(update={"type": (one,)})
    typed = main13.study.model_copy(update={"expansion": table})
    assert observed(main13.study, "B") == observed(main13.study, "D")
    assert repr(typed.expansion) in reading_row._Answers(source, main13.adam, typed).observed


@pytest.mark.rule("DOSEQ-08")
def test_a_reading_that_cannot_be_evaluated_stays_with_its_reason(tipped):
    frame = tipped.where(variable="row", stat="cohorts")
    absent = frame[frame["status"] == "NA"].set_index("level")["reason"]
    assert (
        absent["AMB-5 B"] == "not evaluable: the study states no limits of toxicity, response and completion"
    )
    assert set(absent.index) == {"AMB-5 B"}
    assert value(tipped, "not_evaluable") == len(absent)
    assert not set(absent.index) & {"in force", "AMB-1 B", "AMB-3 D", "AMB-6 C", "AMB-8 B"}


@pytest.mark.rule("DOSEQ-08")
def test_thresholds_make_the_index_evaluable(main13, source):
    table = main13.study.therapeutic_index.model_copy(
        update={
            "ti_tox_max": 0.3,
            "ti_prob_tox": 0.6,
            "ti_orr_min": 0.1,
            "ti_prob_orr": 0.5,
            "ti_completion_min": 0.5,
        }
    )
    table = type(table).model_validate(table.model_dump())
    study = main13.study.model_copy(update={"therapeutic_index": table})
    own = Source(source.datasets, source.cut, source.domains, study)
    found = outcome_of(own, bundle(study, "AMB-5 B"))
    assert found.reason == "" and found.changed > 0


@pytest.mark.rule("DOSEQ-09", source="cells that each reading names in the register of the trial")
def test_effects_of_the_readings_on_main13(tipped):
    table = listed(tipped, "row")
    assert table.loc[IN_FORCE, "cohorts"] == "DL1 0/1, DL2 0/3, DL3 1/6, DL4 0/3"
    assert table.loc[IN_FORCE, "next_action"] == "enrol 3 at DL4" and table.loc[IN_FORCE, "mtd"] == "none"
    assert (table.loc[IN_FORCE, "orr"], table.loc[IN_FORCE, "dcr"]) == ("1/15", "9/15")
    assert (table.loc[IN_FORCE, "concordance"], table.loc["AMB-1 B", "concordance"]) == ("6/6", "5/6")
    assert table.loc["AMB-8 B", "orr"].endswith("/13")
    assert table.loc["AMB-3 C", "cohorts"] != table.loc[IN_FORCE, "cohorts"]
    assert table.loc["AMB-4 B", "changed"] == "0" == table.loc[IN_FORCE, "changed"]


@pytest.mark.rule("DOSEQ-09")
def test_every_flip_is_named(tipped):
    table = listed(tipped, "row")
    flips = table[(table["flips"] != "none") & table["flips"].notna()].index.tolist()
    named = listed(tipped, "flips")
    assert named.index.tolist() == flips and len(flips) == value(tipped, "flips")
    sentence = row(tipped, "flips", "sentence")["text"]
    assert all(f"{name}: " in sentence for name in flips) and "AMB-3 C" in flips


@pytest.mark.rule("DOSEQ-09")
@pytest.mark.parametrize(
    ("other", "flips"),
    [
        (Outcome("a", "b", "c", "d"), ""),
        (Outcome("a", "x", "c", "d"), ""),
        (Outcome("a", "b", "c", "e"), "MTD e instead of d"),
        (Outcome("a", "b", "x", "d"), "next action x instead of c"),
        (Outcome("x", "b", "c", "d"), "DLT / evaluable x instead of a"),
        (Outcome("x", "b", "c", "d", reason="none"), ""),
    ],
)
def test_what_flips(other, flips):
    assert other.flips_from(Outcome("a", "b", "c", "d")) == flips


@pytest.mark.rule("DOSEQ-09")
def test_without_a_flip_the_sentence_says_so():
    assert readings._sentence([], Outcome()) == "no conclusion depends on the reading"
    assert "not compared" in readings._sentence([], Outcome(reason="no data"))


def test_nothing_changes_under_the_readings_in_force(main13, source):
    assert changed_cells(source, main13.adam, main13.study) == 0


@pytest.mark.rule("DOSEQ-08")
def test_a_fact_without_a_date_makes_the_reading_not_evaluable(main13, source):
    addlt = main13.adam["ADDLT"].copy()
    addlt.loc[addlt["DLTFL"] == "Y", ["DLTKNDT", "DLTDT"]] = pd.NaT
    broken = Source({**source.datasets, "ADDLT": addlt}, source.cut, source.domains, main13.study)
    assert outcome_of(broken, bundle(main13.study, "AMB-1 B")).reason.startswith("DOSE-KNOWN")
    ungraded = main13.adam["ADAE"].drop(columns="AETOXGRN")
    bare = Source({**source.datasets, "ADAE": ungraded}, source.cut, source.domains, main13.study)
    assert "not available" in outcome_of(bare, bundle(main13.study, "AMB-2 B")).reason


@pytest.mark.rule("DOSEQ-10")
def test_the_register_has_every_ambiguity_and_open_point(tipped):
    names = set(tipped.frame["variable"])
    assert {f"AMB-{n}" for n in range(1, 10)} | {f"OP-{n}" for n in range(1, 9)} <= names
    for amb, entry in register().items():
        letters = [letter for letter, item in entry.items() if isinstance(item, dict)]
        assert listed(tipped, amb).index.tolist() == letters
        assert (listed(tipped, amb)["effect"] == "in force").sum() == 1


@pytest.mark.rule("DOSEQ-10")
def test_a_default_is_said_to_be_unconfirmed(main13, tipped):
    assert row(tipped, "AMB-1", "basis")["text"] == "stated in the study parameters"
    silent = main13.study.model_copy()
    silent._readings = tuple(replace(reading, confirmed=False) for reading in silent.readings)
    rows = Rows("readings.tipping", "Register")
    outcomes = {item.name: Outcome("a", "b", "c", "d") for item in bundles(silent)}
    readings._add_register(rows, silent, outcomes)
    assert row(rows.build(), "AMB-2", "basis")["text"] == "default reading, not confirmed by the sponsor"
    assert row(rows.build(), "AMB-2", "effect", level="B")["text"] == "no flip; cells that differ: 0"
    assert row(tipped, "AMB-1", "used")["text"].startswith("A: one participant at every level")
    assert "to be confirmed" in row(tipped, "OP-1", "basis")["text"]
    assert row(tipped, "OP-1", "used")["text"].startswith(
        "at most 18; counted: evaluable; a part of a cohort is enrolled up to the cap: no"
    )
    assert row(tipped, "OP-2", "used")["text"].endswith(
        "at least 6; de-escalation: yes; also at the top level: yes"
    )
    assert (
        row(tipped, "OP-4", "used")["text"] == "stable disease from 8 weeks; clinical benefit from 24 weeks"
    )
    assert row(tipped, "OP-6", "used")["text"] == "the day of the first NK infusion is Day 0: yes"
    assert "DLT-CRS" in row(tipped, "OP-3", "used")["text"]
    assert "not defined" in row(tipped, "OP-8", "used")["text"]
    assert row(tipped, "AMB-3", "effect", level="C")["text"].startswith("next action")
    assert "not evaluable" in row(tipped, "AMB-5", "effect", level="B")["text"]


@pytest.mark.rule("DOSEQ-10")
def test_a_missing_ambiguity_stops(main13, monkeypatch):
    short = {amb: entry for amb, entry in register().items() if amb != "AMB-7"}
    monkeypatch.setattr(readings, "register", lambda: short)
    with pytest.raises(ReportError, match="AMB-7"):
        readings.tipping(main13.adam, main13.study, main13.sdtm)


@pytest.mark.rule("DOSEQ-10")
def test_a_missing_open_point_stops(main13, monkeypatch):
    points = [point for point in printed()["open_point"] if point["id"] != "OP-4"]
    monkeypatch.setattr(readings, "printed", lambda: {**printed(), "open_point": points})
    with pytest.raises(ReportError, match="OP-4"):
        readings.tipping(main13.adam, main13.study, main13.sdtm)


@pytest.mark.rule("DOSEQ-14")
def test_without_a_ladder_the_register_stays(main13, arms, adam):
    found = readings.tipping(adam, arms, main13.sdtm)
    frame = found.where(variable="row", stat="cohorts")
    assert set(frame["reason"]) == {f"not evaluable: {NO_LADDER}"}
    assert value(found, "flips") == 0 and row(found, "AMB-9", "title")["text"] == "Phase IB rule"


@pytest.mark.rule("DOSEQ-07")
def test_an_own_reading_stays_and_every_letter_is_looked_at(tmp_path):
    file = tmp_path / "own.toml"
    base = (ROOT / "params" / "nct07021534.toml").as_posix()
    file.write_text(
        f'extends = "{base}"\n[study]\nid = "OWN"\n[data]\npath = "none"\ncut_date = 2026-06-30\n'
        '[ambiguity]\nAMB-1 = "own"\n[dose]\nlast_titration_level = 2\n'
    )
    study = read_study(file)
    names = [item.name for item in bundles(study)]
    assert len(names) == 22 and names[1:3] == ["AMB-1 A", "AMB-1 B"]
    rows = Rows("readings.tipping", "Register")
    readings._add_register(rows, study, {name: Outcome("a", "b", "c", "d") for name in names})
    found = rows.build()
    assert row(found, "AMB-1", "used")["text"].startswith("own: own reading")
    assert "in force" not in set(listed(found, "AMB-1")["effect"])


@pytest.mark.rule("DOSEQ-07")
@pytest.mark.parametrize("amb", sorted(register()))
def test_a_reread_study_is_the_one_that_a_file_would_give(tmp_path, main13, amb):
    base = (ROOT / "params" / "nct07021534.toml").as_posix()
    head = f'extends = "{base}"\n[study]\nid = "X"\n[data]\npath = "none"\ncut_date = 2026-06-30\n'
    (tmp_path / "base.toml").write_text(head)
    study = read_study(tmp_path / "base.toml")
    for letter, entry in register()[amb].items():
        if not isinstance(entry, dict) or (amb, letter) == ("AMB-5", "B"):
            continue
        (tmp_path / "other.toml").write_text(head + f'[ambiguity]\n{amb} = "{letter}"\n')
        other = with_readings(study, {amb: letter})
        wanted = read_study(tmp_path / "other.toml").resolved()
        assert {**other.resolved(), "ambiguity": 0} == {**wanted, "ambiguity": 0}
        assert {reading.amb: reading.reading for reading in other.readings}[amb] == letter
    assert study.resolved() == read_study(tmp_path / "base.toml").resolved()


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"AMB-1": "Z"}, "permitted here: A, B"),
        ({"AMB-99": "A"}, "unknown ambiguity"),
        ({"AMB-5": "B"}, "ti_tox_max"),
    ],
)
def test_readings_that_cannot_be_applied(main13, chosen, words):
    with pytest.raises(StudyError, match=words):
        with_readings(main13.study, chosen)


def switched(source, **dates):
    """Return the snapshot in which participants got NK cells of another source on these days."""
    adsl = source.datasets["ADSL"]
    days = pd.to_datetime(adsl["USUBJID"].str[-3:].map({name[1:]: day for name, day in dates.items()}))
    frame = adsl.assign(NKSWDT=days.astype("datetime64[ns]"))
    return Source({**source.datasets, "ADSL": frame}, source.cut, source.domains, source.study)


@pytest.mark.rule(
    "DOSEQ-17", source="counted on the example: the one responder and the times of one participant"
)
def test_a_switch_ends_follow_up_or_counts_as_failure(main13, source):
    """The responder switches before the first scan: no response is left; PFS ends before, or on, the day of the switch."""
    adrs, adsl = main13.adam["ADRS"], main13.adam["ADSL"].set_index("USUBJID")
    who = adrs.loc[(adrs["PARAMCD"] == "CRSP") & (adrs["AVALC"] == "Y"), "USUBJID"].iloc[0]
    day = adsl.loc[who, "TRTSDT"] + pd.Timedelta(days=5)
    moved = switched(source, **{f"S{who[-3:]}": str(day.date())})
    found = {letter: outcome_of(moved, bundle(main13.study, f"AMB-8 {letter}")) for letter in "CD"}
    assert {item.orr for item in found.values()} == {"0/15"} and all(item.changed for item in found.values())
    for strategy, code, cnsr, days in (("C", "K-SWITCH", 8, 1), ("D", "E-SWITCH", 0, 6)):
        adam = rederived(moved, with_readings(main13.study, {"AMB-8": strategy}))
        times = adam["ADTTE"].set_index(["USUBJID", "PARAMCD"])
        assert tuple(times.loc[(who, "PFS"), ["RSNCD", "CNSR", "AVAL"]]) == (code, cnsr, days)
        assert (who, "DOR") not in times.index
        late = adam["ADRS"][(adam["ADRS"]["USUBJID"] == who) & (adam["ADRS"]["PARAMCD"] == "OVR")]
        assert late["RSNCD"].str.endswith("B-SWITCH").all()
        others = adam["ADTTE"]["USUBJID"] != who
        pd.testing.assert_frame_equal(
            adam["ADTTE"][others].reset_index(drop=True),
            main13.adam["ADTTE"][main13.adam["ADTTE"]["USUBJID"] != who].reset_index(drop=True),
        )
    overall = rederived(moved, with_readings(main13.study, {"AMB-8": "C"}))["ADTTE"]
    row_ = overall[(overall["USUBJID"] == who) & (overall["PARAMCD"] == "OS")].iloc[0]
    assert row_["RSNCD"] == "K-SWITCH"


@pytest.mark.rule("DOSEQ-17")
def test_without_a_recorded_source_a_switch_cannot_be_told(main13, source):
    silent = {**source.datasets, "ADSL": source.datasets["ADSL"].assign(NKSRC=None)}
    bare = Source(silent, source.cut, source.domains, main13.study)
    for letter in "CD":
        assert "source of the NK cells" in outcome_of(bare, bundle(main13.study, f"AMB-8 {letter}")).reason
    assert outcome_of(bare, bundle(main13.study, "AMB-8 B")).reason == ""


@pytest.mark.rule("DOSEQ-18", source="subgroups.md row 6: the numerator by AMB-7, the same cut-points")
def test_the_primary_ratio_follows_its_numerator(main13):
    other = with_readings(main13.study, {"AMB-7": "B"})

    def primary(study):
        return [entry.id for entry in study.subgroups if entry.primary and entry.dimension == "ratio"]

    assert (primary(main13.study), primary(other)) == (["nlr5"], ["glr5"])
    assert primary(with_readings(other, {"AMB-7": "A"})) == ["nlr5"]
    assert with_primary_ratio(other) is other
    alone = tuple(entry for entry in main13.study.subgroups if entry.variable != "GLRBL")
    with pytest.raises(StudyError, match="GLRBL with the cut-points of 'nlr5'"):
        with_readings(main13.study.model_copy(update={"subgroups": alone}), {"AMB-7": "B"})
    none = tuple(entry for entry in main13.study.subgroups if entry.dimension != "ratio")
    bare = with_readings(main13.study.model_copy(update={"subgroups": none}), {"AMB-7": "B"})
    assert bare.subgroups == none


@pytest.mark.rule("DOSEQ-18")
def test_ratio_and_design_of_phase_ib_have_an_effect(tipped):
    table = listed(tipped, "row")
    assert int(table.loc["AMB-7 B", "changed"]) > 0 and int(table.loc["AMB-9 C", "changed"]) > 0
    assert (table.loc[["AMB-7 B", "AMB-8 C", "AMB-8 D", "AMB-9 E"], "flips"] == "none").all()
    assert (table.loc[["AMB-8 C", "AMB-8 D"], "changed"] == "0").all()


@pytest.mark.rule("DOSEQ-09")
def test_another_class_of_a_tumour_type_is_a_flip():
    base, other = Outcome(types="crc GO, gastric HOLD"), Outcome(types="crc GO, gastric GO")
    assert other.flips_from(base) == "tumour types crc GO, gastric GO instead of crc GO, gastric HOLD"
