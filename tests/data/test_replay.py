"""Replay: today's extract on an earlier day is the extract of that day."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.data.test_opening import FILES

from interim.data.opening import open_data
from interim.data.replay import known_by
from interim.study import read_study

HEAD = "domain,subject,key,variable,old,new,reason,name,date\n"
NOW = {
    **FILES,
    "ae.csv": (
        "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC,AEENDTC,AESER,AEOUT,AEREL\n"
        "X,X-1,1,Fever,2026-01-06,2026-01-20,N,RESOLVED,CARNK\n"
        "X,X-1,2,Rash,2026-02-20,,N,NOT RECOVERED/NOT RESOLVED,CARNK\n"
        "X,X-1,3, Cough,2026-02-20,2026-02-21,N,RESOLVED,CARNK\n"
    ),
    "ts.csv": "STUDYID,TSSEQ,TSPARMCD,TSVAL\nX,1,DCUTDTC,2026-06-30\nX,1,SPONSOR,2026-06-30\n",
    "query.csv": "STUDYID,USUBJID,QDOMAIN,QKEY,QFIELD,QSTATUS,QSTDTC,QENDTC\nX,X-1,AE,1,AETERM,CLOSED,2026-01-08,2026-02-01\n",
    "patches.csv": HEAD + "AE,X-1,1,AESER,N,Y,late,A,2026-03-01\nDM,X-1,,AGE,61,62,early,A,2026-01-09\n",
}
THEN = {
    **{name: text for name, text in NOW.items() if name != "patches.csv"},
    "ae.csv": (
        "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC,AEENDTC,AESER,AEOUT,AEREL\n"
        "X,X-1,1,Fever,2026-01-06,,N,NOT RECOVERED/NOT RESOLVED,CARNK\n"
    ),
    "dm.csv": FILES["dm.csv"].splitlines()[0] + "\nX,X-1,1,61,YEARS,F,DL1,DL1,2026-01-01\n",
    "rs.csv": FILES["rs.csv"].splitlines()[0] + "\n",
    "ts.csv": NOW["ts.csv"].replace("DCUTDTC,2026-06-30", "DCUTDTC,2026-01-10"),
    "query.csv": NOW["query.csv"].replace("CLOSED,2026-01-08,2026-02-01", "OPEN,2026-01-08,"),
    "patches.csv": HEAD + "DM,X-1,,AGE,61,62,early,A,2026-01-09\n",
}
DAY = "2026-01-10"


def opened(folder, files, cut, *, day=None, more=""):
    folder.mkdir()
    (folder / "raw").mkdir()
    for file, text in files.items():
        (folder / "raw" / file).write_text(text)
    path = folder / "study.toml"
    path.write_text(
        f'[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = {cut}\non_stop = "draft"\nsource_is_cut = true\n{more}\n'
    )
    study = read_study(path, cut_date=day)
    return study, open_data(study)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    return opened(folder / "now", NOW, "2026-06-30", day=DAY), opened(folder / "then", THEN, DAY)


@pytest.mark.rule("REPLAY-01")
@pytest.mark.rule("REPLAY-02")
@pytest.mark.rule("REPLAY-03")
def test_a_replay_has_the_domains_findings_and_counts_of_the_day(both):
    (study, now), (_, then) = both
    assert study.replayed
    assert list(now.domains) == list(then.domains)
    for name, frame in then.domains.items():
        mine = now.domains[name].drop(columns="SRCROW")
        pd.testing.assert_frame_equal(mine, frame.drop(columns="SRCROW"))
    assert [(f.id, f.value, f.message) for f in now.findings] == [
        (f.id, f.value, f.message) for f in then.findings
    ]
    assert [f.rule for f in now.findings if f.severity == "stop"] == []
    pd.testing.assert_frame_equal(now.counts, then.counts)
    assert (now.ledger, now.rules, now.cut) == (then.ledger, then.rules, then.cut)


@pytest.mark.rule("REPLAY-01")
def test_what_is_open_on_the_day(both):
    now = both[0][1]
    assert now.domain("AE")[["AETERM", "AEENDTC", "AEOUT"]].to_numpy().tolist() == [
        ["Fever", None, "NOT RECOVERED/NOT RESOLVED"]
    ]
    assert now.domain("QUERY")["QSTATUS"].tolist() == ["OPEN"]
    assert now.domain("TS")["TSVAL"].tolist() == [DAY, "2026-06-30"]
    assert {source.note for source in now.sources} == {f"comma, utf-8; as of {DAY}"}


@pytest.mark.rule("REPLAY-02")
def test_patches_of_a_later_day_are_not_known(both):
    now = both[0][1]
    assert now.domain("AE")["AESER"].tolist() == ["N"]
    assert now.domain("DM")["AGE"].tolist() == [62.0]
    assert now.domain("PATCHES")["reason"].tolist() == ["early"]


@pytest.mark.rule("REPLAY-01")
@pytest.mark.parametrize(
    ("own", "day", "replayed", "extract"),
    [
        ("2026-06-30", "2026-06-29", True, False),
        ("2026-06-30", "2026-06-30", False, True),
        ("2026-06-30", "2026-07-01", False, True),
        ("2026-06-30T12:00:00", "2026-06-30", False, True),
        ("2026-06-30", "2026-06-30T12:00:00", True, False),
        ("2026-07-09", "2026-07-08", True, True),
    ],
)
def test_only_an_earlier_day_is_a_replay(tmp_path, own, day, replayed, extract):
    path = tmp_path / "study.toml"
    made = "extract_time = 2026-07-02T08:00:00+08:00"
    path.write_text(f'[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = {own}\n{made}\n')
    study = read_study(path, cut_date=day)
    assert study.replayed is replayed
    assert (study.data.extract_time is not None) is extract
    assert study.model_copy().replayed is replayed
    assert read_study(path).replayed is False


def frame_of(**columns):
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


EVENTS = frame_of(
    USUBJID=["X-1"] * 4,
    AESEQ=[1.0, 2.0, 3.0, 4.0],
    AETERM=["Fever", "Rash", "Sepsis", "Cough"],
    AESTDTC=["2026-01-02", "2026-01-03", "2026-01-04", "2026-02-01"],
    AEENDTC=["2026-01-05", "2026-01-20", "2026-01-25", None],
    AEOUT=["RECOVERED/RESOLVED", "RECOVERED/RESOLVED", "FATAL", None],
    AESDTH=["N", "N", "Y", "N"],
    AEDTHDTC=[None, None, "2026-01-25", None],
)
CONSENT = frame_of(USUBJID=["X-1"], RFICDTC=["2026-01-01"], DTHDTC=["2026-01-25"], DTHFL=["Y"])


@pytest.mark.rule("REPLAY-01")
@pytest.mark.parametrize(
    ("day", "outcomes", "ends", "dead"),
    [
        ("2026-01-02", ["NOT RECOVERED/NOT RESOLVED"], [None], None),
        (
            "2026-01-10",
            ["RECOVERED/RESOLVED", "NOT RECOVERED/NOT RESOLVED", "NOT RECOVERED/NOT RESOLVED"],
            ["2026-01-05", None, None],
            None,
        ),
        (
            "2026-01-24",
            ["RECOVERED/RESOLVED", "RECOVERED/RESOLVED", "NOT RECOVERED/NOT RESOLVED"],
            ["2026-01-05", "2026-01-20", None],
            None,
        ),
        (
            "2026-01-25",
            ["RECOVERED/RESOLVED", "RECOVERED/RESOLVED", "FATAL"],
            ["2026-01-05", "2026-01-20", "2026-01-25"],
            "Y",
        ),
    ],
)
def test_events_day_by_day(day, outcomes, ends, dead):
    last = pd.Timestamp(f"{day}T23:59:59")
    known = known_by({"AE": EVENTS, "DM": CONSENT}, last).domains
    assert known["AE"]["AEOUT"].tolist() == outcomes
    assert known["AE"]["AEENDTC"].tolist() == ends
    assert known["DM"]["DTHFL"].tolist() == [dead]
    again = known_by(known, last)
    assert again.changed == frozenset()
    for name, frame in known.items():
        pd.testing.assert_frame_equal(again.domains[name], frame)


@pytest.mark.rule("REPLAY-01")
def test_an_outcome_that_was_never_given_is_not_made_up():
    last = pd.Timestamp("2026-02-10T23:59:59")
    known = known_by({"AE": EVENTS, "DM": CONSENT}, last).domains
    assert known["AE"]["AEOUT"].tolist()[3] is None
    assert known["AE"].equals(EVENTS)
