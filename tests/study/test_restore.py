"""A study written down by its resolved parameters comes back the same, and its printed time never is the clock's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from interim.errors import StudyError
from interim.study import read_study, restore_study
from interim.study.ambiguity import register

ROOT = Path(__file__).resolve().parents[2]
HEAD = """extends = "{base}"
[study]
id = "X"
label = "SYNTHETIC - NOT PATIENT DATA"
[data]
path = "data"
cut_date = {cut}
cut_description = "by hand"
"""


def study(folder: Path, extra: str = "", cut: str = "2026-06-30"):
    file = folder / "x.toml"
    file.write_text(HEAD.format(base=ROOT / "params" / "nct07021534.toml", cut=cut) + extra, encoding="utf-8")
    return read_study(file)


def written(made) -> tuple[dict, list[str]]:
    """Return what a manifest holds, through JSON and back."""
    confirmed = [reading.amb for reading in made.readings if reading.confirmed]
    return json.loads(json.dumps(made.resolved())), confirmed


def back(made):
    values, confirmed = written(made)
    return restore_study(values, confirmed, Path("manifest.json"))


@pytest.mark.rule("STATE-02")
@pytest.mark.parametrize(
    "extra",
    [
        "",
        '[ambiguity]\nAMB-1 = "A"\n',
        '[ambiguity]\nAMB-1 = "A"\nAMB-3 = "B"\nAMB-8 = "C"\n',
        "[response]\nsd_min_weeks = 7.5\n",
        "[report]\nlanguages = ['en']\nformats = ['rtf', 'html']\ntimestamp = 2026-07-01T08:00:00+08:00\n",
        "[dose]\ntox_limit = '3/10'\n",
    ],
)
def test_a_study_comes_back_from_its_parameters(extra, tmp_path):
    made = study(tmp_path, extra)
    again = back(made)
    assert again.resolved() == made.resolved()
    assert again.readings == made.readings
    assert again.digest() == made.digest()
    assert (again.cut, again.moment) == (made.cut, made.moment)


@pytest.mark.rule("STATE-02")
@pytest.mark.parametrize("name", ["example", "cdisc-pilot"])
def test_the_shipped_studies_come_back(name):
    made = read_study(ROOT / "params" / f"{name}.toml")
    assert back(made).digest() == made.digest()
    assert back(made).readings == made.readings


@pytest.mark.rule("STATE-02")
def test_a_default_that_the_file_names_is_confirmed_and_has_the_same_digest(tmp_path):
    text = (ROOT / "params" / "nct07021534.toml").read_text(encoding="utf-8")
    before, after = text.split("[ambiguity]\n")
    (tmp_path / "base.toml").write_text(before + after[after.index("[") :], encoding="utf-8")
    head = HEAD.format(base="base.toml", cut="2026-06-30")
    default = register()["AMB-1"]["default"]
    made = []
    for extra in ("", f'[ambiguity]\nAMB-1 = "{default}"\n'):
        (tmp_path / "x.toml").write_text(head + extra, encoding="utf-8")
        made.append(read_study(tmp_path / "x.toml"))
    silent, named = made
    assert silent.digest() == named.digest()
    assert written(silent)[1] == []
    assert written(named)[1] == ["AMB-1"]
    assert [r.confirmed for r in back(named).readings if r.amb == "AMB-1"] == [True]
    assert not any(r.confirmed for r in back(silent).readings)


@pytest.mark.rule("STATE-02")
@pytest.mark.parametrize(
    ("table", "key", "value", "words"),
    [
        ("dose", "colour", "red", r"manifest\.json dose\.colour: unknown key"),
        ("response", "sd_min_weeks", "six", r"manifest\.json response\.sd_min_weeks: expected a number"),
        ("report", "formats", [], r"manifest\.json report\.formats"),
        ("data", "cut_date", "yesterday", r"manifest\.json data\.cut_date: expected a valid date"),
        ("data", "cut_date", 20260630, r"manifest\.json data\.cut_date"),
        ("report", "timestamp", "2026-07-01T08:00:00", r"report\.timestamp needs an offset"),
        ("rounding", "mode", "up", r"manifest\.json rounding\.mode"),
    ],
)
def test_parameters_of_another_version_are_named(table, key, value, words, tmp_path):
    values, confirmed = written(study(tmp_path))
    values[table][key] = value
    with pytest.raises(StudyError, match=words):
        restore_study(values, confirmed, Path("manifest.json"))


@pytest.mark.rule("STATE-02")
def test_an_unknown_reading_is_named(tmp_path):
    values, _ = written(study(tmp_path))
    values["ambiguity"]["AMB-1"] = "Z"
    with pytest.raises(StudyError, match=r"ambiguity\.AMB-1: unknown reading 'Z'"):
        restore_study(values, ["AMB-1"], Path("manifest.json"))


@pytest.mark.rule("STATE-02")
@pytest.mark.parametrize(
    ("extra", "cut", "moment"),
    [
        ("", "2026-06-30", datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)),
        ("", "2026-06-30T12:00:00", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        (
            "extract_time = 2026-07-02T09:30:00+08:00\n",
            "2026-06-30",
            datetime(2026, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=8))),
        ),
        (
            "extract_time = 2026-07-02T09:30:00+08:00\n[report]\ntimestamp = 2026-07-03T00:00:00Z\n",
            "2026-06-30",
            datetime(2026, 7, 3, tzinfo=UTC),
        ),
    ],
)
def test_the_printed_time_is_stated_extracted_or_cut(extra, cut, moment, tmp_path):
    made = study(tmp_path, extra, cut)
    assert made.moment == moment
    assert made.moment.utcoffset() == moment.utcoffset()


@pytest.mark.rule("STUDY-04", source="where a computer keeps its files is no parameter")
@pytest.mark.parametrize(
    ("place", "stated"),
    [("../data", "../data"), ("export", "export"), ("/srv/trial/export", "export"), ("C:\\trial\\export", "export"),
     ("\\\\server\\share\\trial\\export", "export")],
)  # fmt: skip
def test_an_absolute_place_of_the_data_is_stated_by_its_last_part(place, stated, tmp_path):
    made = study(tmp_path)
    moved = made.model_copy(update={"data": made.data.model_copy(update={"path": place, "sources": None})})
    assert moved.resolved()["data"]["path"] == stated
    named = made.model_copy(update={"data": made.data.model_copy(update={"path": None, "sources": (place,)})})
    assert named.resolved()["data"]["sources"] == [stated]
