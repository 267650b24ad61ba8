from __future__ import annotations

from datetime import datetime

import pytest

from interim.errors import StudyError
from interim.study import dose_text, read_study

MINIMAL = '[study]\nid = "X-1"\n[data]\npath = "raw"\ncut_date = 2026-01-31\n'


def write(folder, text, name="study.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder, text):
    with pytest.raises(StudyError) as caught:
        read_study(write(folder, text))
    return {problem.path: problem for problem in caught.value.problems}


@pytest.mark.rule("STUDY-01")
def test_extends_replaces_key_by_key_and_arrays_whole(tmp_path):
    write(tmp_path, MINIMAL + "[dose]\nlevels = [1.0, 2.0, 3.0]\nwindow_days = 21\n", "base.toml")
    study = read_study(write(tmp_path, 'extends = "base.toml"\n[dose]\nlevels = [5.0]\n'))
    assert study.dose.levels == (5.0,)
    assert study.dose.window_days == 21
    assert study.study.id == "X-1"


@pytest.mark.rule("STUDY-01")
def test_extends_cycle_and_missing_file(tmp_path):
    write(tmp_path, 'extends = "b.toml"\n', "a.toml")
    write(tmp_path, 'extends = "a.toml"\n', "b.toml")
    with pytest.raises(StudyError, match="cycle"):
        read_study(tmp_path / "a.toml")
    with pytest.raises(StudyError, match=r"nowhere\.toml"):
        read_study(write(tmp_path, 'extends = "nowhere.toml"\n'))


@pytest.mark.rule("STUDY-02")
def test_all_problems_at_once_with_line_and_nearest_name(tmp_path):
    text = (
        '[study]\nid = "X-1"\nsed = 1\n[data]\npath = "raw"\ncut_date = "2026-01-01"\n[dose]\nwindow_days = 2.5\n'
        'levels = [3e7, 1e7]\n[response]\npr_pct = 130\nroute = "leson"\n[[products]]\nid = "A"\nextrt = ["a"]\nrole = "x"\n'
    )
    found = problems(tmp_path, text)
    lines = {path: problem.line for path, problem in found.items()}
    assert lines == {
        "study.sed": 3,
        "data.cut_date": 6,
        "dose.window_days": 8,
        "dose.levels": 9,
        "response.pr_pct": 11,
        "response.route": 12,
        "products.0.role": 16,
    }
    assert "did you mean 'seed'" in found["study.sed"].message
    assert "130" in found["response.pr_pct"].message


@pytest.mark.rule("STUDY-02")
@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("[stats]\nlevel = nan", "stats.level"),
        ("[stats]\nlevel = inf", "stats.level"),
        ('[stats]\nlevel = "0.95"', "stats.level"),
        ("[response]\nmax_targets = true", "response.max_targets"),
        ("[report]\nworkers = 0", "report.workers"),
        ('[report]\nformats = ["html", "rtx"]', "report.formats.1"),
        ("[nonsense]\na = 1", "nonsense"),
        ('[safety]\nteae_end_days = "nun"', "safety.teae_end_days"),
        ("[dose]\ntox_limit = 1.5", "dose.tox_limit"),
    ],
)
def test_each_wrong_value_is_refused(tmp_path, line, path):
    assert path in problems(tmp_path, MINIMAL + line + "\n")


@pytest.mark.rule("STUDY-02")
def test_integer_stands_for_float_and_nothing_else(tmp_path):
    study = read_study(write(tmp_path, MINIMAL + "[response]\npr_pct = 25\n"))
    assert study.response.pr_pct == 25.0


def test_broken_toml_and_missing_file_are_one_line(tmp_path):
    with pytest.raises(StudyError, match="not a TOML document"):
        read_study(write(tmp_path, "[study\n"))
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "absent.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b'[study]\nid = "\xe9"\n')
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(latin)


@pytest.mark.rule("STUDY-03")
def test_reading_sets_parameters_and_contradiction_names_both(tmp_path):
    study = read_study(write(tmp_path, MINIMAL + '[ambiguity]\nAMB-1 = "A"\nAMB-3 = "D"\n'))
    assert study.dose.last_titration_level == "all"
    assert (study.dose.window_includes_nk_phase, study.dose.window_anchor) == (True, "c2_last_infusion")
    confirmed = {reading.amb: reading.confirmed for reading in study.readings}
    assert confirmed["AMB-1"] and not confirmed["AMB-2"] and len(confirmed) == 9
    found = problems(
        tmp_path, MINIMAL + '[ambiguity]\nAMB-6 = "B"\n[titration_trigger]\ncrs_scale = "ctcae5"\n'
    )
    assert "AMB-6" in found["titration_trigger.crs_scale"].message


@pytest.mark.rule("STUDY-03")
def test_own_reading_leaves_the_parameters_alone(tmp_path):
    study = read_study(
        write(tmp_path, MINIMAL + '[ambiguity]\nAMB-1 = "own"\n[dose]\nlast_titration_level = 3\n')
    )
    assert study.dose.last_titration_level == 3


@pytest.mark.rule("STUDY-03")
def test_unknown_reading_and_unknown_ambiguity(tmp_path):
    found = problems(tmp_path, MINIMAL + '[ambiguity]\nAMB-1 = "Z"\nAMB-12 = "A"\n')
    assert "A, B, own" in found["ambiguity.AMB-1"].message
    assert found["ambiguity.AMB-12"].line == 8


@pytest.mark.rule("STUDY-03")
def test_threshold_reading_needs_its_limits(tmp_path):
    found = problems(tmp_path, MINIMAL + '[ambiguity]\nAMB-5 = "B"\n')
    assert "ti_tox_max" in found["therapeutic_index"].message


@pytest.mark.rule("STUDY-04")
def test_digest_ignores_order_and_comments_but_no_value(tmp_path):
    one = read_study(
        write(tmp_path, MINIMAL + "[stats]\nlevel = 0.95\n[rounding]\nguard_digits = 12\n", "a.toml")
    )
    two = read_study(write(tmp_path, "# note\n[rounding]\nguard_digits = 12\n" + MINIMAL, "b.toml"))
    other = read_study(write(tmp_path, MINIMAL + "[stats]\nlevel = 0.9\n", "c.toml"))
    reading = read_study(write(tmp_path, MINIMAL + '[ambiguity]\nAMB-9 = "B"\n', "d.toml"))
    assert one.digest() == two.digest()
    assert len({one.digest(), other.digest(), reading.digest()}) == 3


ENTRY = '[[subgroups]]\nid = "{id}"\ndimension = "ratio"\nlabel = "NLR"\nvariable = "NLRBL"\nkind = "continuous"\nscale = "log2"\n{more}\norigin = "literature"\n'


@pytest.mark.rule("STUDY-05")
@pytest.mark.parametrize(
    ("more", "word"),
    [
        ("cuts = [500]\nprimary = true", "outside the possible range"),
        ("cuts = [0]\nprimary = true", "outside the possible range"),
        ("cuts = [5, 3]\nprimary = true", "increase"),
        ("cuts = [5]", "exactly one primary"),
        ("primary = true", "needs cuts"),
        ("cuts = [5]\ncut_frozen = 4.0\nprimary = true", "cut_frozen"),
    ],
)
def test_cut_points(tmp_path, more, word):
    found = problems(tmp_path, MINIMAL + ENTRY.format(id="nlr", more=more))
    assert any(word in problem.message for problem in found.values())


@pytest.mark.rule("STUDY-05")
def test_two_entries_of_one_id(tmp_path):
    text = (
        MINIMAL
        + ENTRY.format(id="nlr", more="cuts = [5]\nprimary = true")
        + ENTRY.format(id="nlr", more="cuts = [3]")
    )
    assert any("used twice" in problem.message for problem in problems(tmp_path, text).values())


@pytest.mark.rule("STUDY-06")
def test_cut_without_time_is_the_end_of_the_day(tmp_path):
    assert read_study(write(tmp_path, MINIMAL)).cut == datetime(2026, 1, 31, 23, 59, 59)
    assert read_study(write(tmp_path, MINIMAL), cut_date="2026-01-15").cut == datetime(
        2026, 1, 15, 23, 59, 59
    )
    with pytest.raises(StudyError, match="ISO date"):
        read_study(write(tmp_path, MINIMAL), cut_date="15/01/2026")


@pytest.mark.rule("STUDY-06")
def test_one_door(tmp_path):
    found = problems(tmp_path, MINIMAL + 'sources = ["a.toml"]\n')
    assert "exactly one of" in found["data"].message


@pytest.mark.rule("STUDY-07")
def test_columns(tmp_path):
    assert list(read_study(write(tmp_path, MINIMAL)).cohorts()) == ["DL1", "DL2", "DL3", "DL4", "NK only"]
    arms = MINIMAL + '[cohort]\nvariable = "ARMCD"\nlabels = { P = "Placebo", A = "Active" }\n'
    assert read_study(write(tmp_path, arms)).cohorts() == {"P": "Placebo", "A": "Active"}
    one = MINIMAL + '[[products]]\nid = "T"\nextrt = ["CAR-T"]\nrole = "t"\n[dose]\nlevels = [1e6]\n'
    assert read_study(write(tmp_path, one)).cohorts() == {"DL1": "DL1 1e6"}


@pytest.mark.parametrize(("dose", "text"), [(1.5e7, "1.5e7"), (3e7, "3e7"), (1e8, "1e8"), (2.25e6, "2.25e6")])
def test_dose_text(dose, text):
    assert dose_text(dose) == text


def test_shipped_studies_are_valid():
    from tests.conftest import ROOT

    for name in ("example", "cdisc-pilot", "cdisc-pilot-xpt"):
        assert read_study(ROOT / "params" / f"{name}.toml").study.id
    with pytest.raises(StudyError, match="data: required"):
        read_study(ROOT / "params" / "nct07021534.toml")
