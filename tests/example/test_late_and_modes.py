"""Late data after the cut-off, successive cuts and many studies as folders."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from tests.example.conftest import study as made

from interim.cli import main
from interim.errors import StudyError
from interim.example import modes
from interim.example.asof import as_of
from interim.example.late import late_data
from interim.example.modes import Made, at_cut, cuts, write_modes

CUT = date(2026, 6, 30)
LATE = date(2026, 7, 30)


@pytest.fixture(scope="module")
def frames():
    small = ("DM", "AE", "SUPPAE", "SS", "QUERY", "MH", "TS", "DECISIONS", "DS")
    whole = {name: frame for name, frame in made("tiny10", 7).items() if name in small}
    queries = whole["QUERY"].copy()
    queries.loc[queries.index[:1], ["QSTATUS", "QENDTC"]] = ["OPEN", None]
    return {**whole, "QUERY": queries}


@pytest.fixture(scope="module")
def late(frames):
    return late_data(frames, CUT)


@pytest.mark.rule("SYN-32")
def test_as_of_the_cut_off_only_the_correction_differs(frames, late):
    back, own = as_of(late[0], CUT), as_of(frames, CUT)
    assert list(back) == list(own)
    assert [name for name in own if not back[name].equals(own[name])] == ["MH"]
    before, after = own["MH"]["MHSTDTC"], back["MH"]["MHSTDTC"]
    (place,) = before.index[before != after]
    assert int(after[place]) == int(before[place]) - 1
    (line,) = (x for x in late[1] if x.defect == "CORRECTION")
    assert (line.domain, line.variable, line.before, line.after) == (
        "MH",
        "MHSTDTC",
        before[place],
        after[place],
    )


@pytest.mark.rule("SYN-32")
def test_what_becomes_known_after_the_cut_off(frames, late):
    after = late[0]
    dead = set(frames["DM"].loc[frames["DM"]["DTHFL"] == "Y", "USUBJID"])
    was_open = frames["AE"]["AEENDTC"].isna() & ~frames["AE"]["USUBJID"].isin(dead)
    assert was_open.any()
    assert (after["AE"].loc[was_open, "AEENDTC"] == "2026-07-10").all()
    assert (after["AE"].loc[was_open, "AEOUT"] == "RECOVERED/RESOLVED").all()
    assert after["AE"].loc[~was_open].equals(frames["AE"].loc[~was_open])
    assert (after["QUERY"]["QSTATUS"] == "CLOSED").all()
    new = after["SS"].iloc[len(frames["SS"]) :]
    assert len(new) > 0
    assert set(new["SSDTC"]) == {"2026-07-15"}
    assert not set(new["USUBJID"]) & dead
    assert after["TS"].set_index("TSPARMCD")["TSVAL"]["DCUTDTC"] == LATE.isoformat()
    assert frames["TS"].set_index("TSPARMCD")["TSVAL"]["DCUTDTC"] == CUT.isoformat()


@pytest.mark.rule("SYN-32")
def test_every_changed_record_is_in_the_ledger(frames, late):
    changed = {
        (name, row.USUBJID)
        for name in ("AE", "MH", "QUERY")
        for row in late[0][name][
            (late[0][name] != frames[name]).any(axis=1) & ~late[0][name].isna().all(axis=1)
        ].itertuples()
        if not frames[name].loc[row.Index].equals(late[0][name].loc[row.Index])
    }
    assert changed == {
        (line.domain, line.subject) for line in late[1] if line.domain in ("AE", "MH", "QUERY")
    }


@pytest.mark.rule("SYN-28")
def test_the_cuts_of_a_study(frames):
    days = cuts(frames)
    assert days == sorted(set(days))
    assert days[-2:] == [CUT, LATE]
    assert [day.isoformat() for day in days[:-2]] == list(dict.fromkeys(frames["DECISIONS"]["date"].iloc[1:]))
    assert at_cut(frames, CUT) == (frames, [])
    between, ledger = at_cut(frames, CUT + timedelta(days=7))
    assert len(between["SS"]) == len(frames["SS"])
    assert "CLOSED" in set(between["QUERY"]["QSTATUS"])
    assert {line["defect"] for line in ledger} == {"LATE", "CORRECTION"}


def test_folders_of_cuts_and_studies(tmp_path, monkeypatch, frames):
    monkeypatch.setattr(modes, "make_study", lambda *args, **options: frames)
    monkeypatch.setattr(modes, "many_studies", lambda n, *args, **options: ((k, frames) for k in range(n)))
    monkeypatch.setattr(modes, "true_values", lambda preset, seed, **options: {"seed": seed})
    written = list(write_modes(tmp_path / "cuts", Made("tiny10", as_of="all")))
    assert [folder.name for folder, _ in written] == [day.isoformat() for day in cuts(frames)]
    assert {number for _, number in written} == {len(frames)}
    first = pd.read_csv(written[0][0] / "ae.csv")
    assert 0 < len(first) < len(frames["AE"])
    truth = json.loads((written[-1][0] / "truth" / "truth.json").read_text())
    assert {line["defect"] for line in truth["late"]} == {"LATE", "CORRECTION"}
    ((one, _),) = write_modes(tmp_path / "one", Made("tiny10", as_of="2026-06-30"))
    assert one == tmp_path / "one"
    many = list(write_modes(tmp_path / "many", Made("tiny10", many=2)))
    assert [folder.name for folder, _ in many] == ["001", "002"]
    assert json.loads((many[1][0] / "truth" / "truth.json").read_text()) == {"seed": 1}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Made("tiny10", as_of="2026-13-01"), "expected an ISO date such as 2026-03-04, or all"),
        (Made("tiny10", defects=("D01",), as_of="all"), "defects are planted in one study"),
        (Made("tiny10", defects=("D01",), many=2), "defects are planted in one study"),
    ],
)
def test_what_no_mode_makes(tmp_path, monkeypatch, frames, asked, words):
    monkeypatch.setattr(modes, "make_study", lambda *args, **options: frames)
    monkeypatch.setattr(modes, "true_values", lambda preset, seed, **options: {})
    with pytest.raises(StudyError, match=words):
        list(write_modes(tmp_path / "x", asked))
    assert not (tmp_path / "x").exists()


def test_the_modes_of_the_command(tmp_path, monkeypatch, frames, capsys):
    monkeypatch.setattr(modes, "make_study", lambda *args, **options: frames)
    monkeypatch.setattr(modes, "true_values", lambda preset, seed, **options: {})
    assert main(["example", str(tmp_path / "d"), "--preset", "tiny10", "--as-of", "2026-01-31"]) == 0
    assert f"{len(frames)} files of synthetic data in {tmp_path / 'd'}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["example", str(tmp_path / "d"), "--as-of", "all", "--many", "2"])
    assert stopped.value.code == 2
