"""Streams, files, truth, and the verdict of the data room."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from interim.data import open_data
from interim.errors import DataError
from interim.example import build, make_study, write_study
from interim.example.plan import Person, Slot, plan_people
from interim.example.settings import codes, csv_file, numbers, preset
from interim.example.stream import bounded_normal, choose, lognormal, stream, weibull_after
from interim.example.subjects import study_day
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*.*")
    }


@pytest.mark.rule("SYN-18")
def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_study(tmp_path / name, preset="tiny10", seed=seed)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert hashes(tmp_path / "a")["lb.csv"] != hashes(tmp_path / "c")["lb.csv"]


@pytest.mark.rule("SYN-18")
def test_every_file_is_a_domain_and_reads_back(tmp_path, made):
    files = write_study(tmp_path, preset="tiny10", seed=7)
    frames = made("tiny10", 7)
    assert [f.stem.upper() for f in files] == sorted(frames)
    assert {p.name for p in tmp_path.iterdir()} == {f.name for f in files} | {"truth"}
    for file in files:
        read = pd.read_csv(file, dtype=str, keep_default_na=False)
        frame = frames[file.stem.upper()]
        assert list(read.columns) == list(frame.columns)
        assert len(read) == len(frame)
        assert b"\r" not in file.read_bytes()
    doses = pd.read_csv(tmp_path / "ex.csv")["EXDOSE"]
    assert np.array_equal(doses, frames["EX"]["EXDOSE"])


@pytest.mark.rule("SYN-19")
def test_the_truth_lies_apart_and_says_what_it_is(tmp_path, made):
    write_study(tmp_path, preset="main13", seed=3)
    truth = json.loads((tmp_path / "truth" / "truth.json").read_text(encoding="utf-8"))
    assert truth["label"] == "SYNTHETIC - NOT PATIENT DATA"
    assert truth["dlt_probability"] == [0.02, 0.05, 0.12, 0.25]
    arms = made("main13", 3)["DM"].set_index("USUBJID")["ARMCD"].to_dict()
    assert {k: v["arm"] for k, v in truth["participants"].items()} == arms


@pytest.mark.rule("SYN-20")
def test_a_stream_depends_on_its_name_only():
    first = stream(1, "main13", 4, "LB").random(5)
    assert np.array_equal(first, stream(1, "main13", 4, "LB").random(5))
    others = [
        stream(2, "main13", 4, "LB"),
        stream(1, "tiny10", 4, "LB"),
        stream(1, "main13", 5, "LB"),
        stream(1, "main13", 4, "VS"),
    ]
    assert all(not np.array_equal(first, other.random(5)) for other in others)


@pytest.mark.rule("SYN-20")
def test_one_domain_less_changes_no_other(monkeypatch):
    whole = make_study("tiny10", 7)
    fewer = {name: write for name, write in build.DOMAINS.items() if name not in ("LB", "VS")}
    monkeypatch.setattr(build, "DOMAINS", fewer)
    for name, frame in make_study("tiny10", 7).items():
        pd.testing.assert_frame_equal(frame, whole[name])


@pytest.mark.rule("SYN-20")
def test_one_participant_more_changes_no_draw_of_another():
    few = build.draw_case(
        Person(3, Slot("DL2", "SD"), 1, "main13", plan_people("main13", 1)[2].day0, -10, -8, 10, 300, 25)
    )
    again = build.draw_case(
        Person(3, Slot("DL2", "SD"), 1, "main13", plan_people("main13", 1)[1].day0, -10, -8, 10, 300, 25)
    )
    assert few.traits == again.traits
    assert few.events == again.events
    assert few.imaging == again.imaging


@pytest.mark.rule("SYN-21")
@pytest.mark.parametrize(
    ("name", "seed"), [("main13", 20251225), ("main13", 11), ("main13", 12), ("tiny10", 11), ("full18", 11)]
)
def test_the_checks_find_nothing_in_a_clean_study(tmp_path, name, seed):
    write_study(tmp_path / "data", preset=name, seed=seed)
    file = tmp_path / "study.toml"
    base = (ROOT / "params" / "example.toml").as_posix()
    file.write_text(f'extends = "{base}"\n[data]\npath = "data"\n', encoding="utf-8")
    try:
        findings = open_data(read_study(file)).findings
    except DataError as error:
        findings = error.findings
    assert [str(finding) for finding in findings] == []


@pytest.mark.rule("SYN-22", source="scipy.stats")
def test_draws_have_their_distribution():
    rng = stream(1, "test")
    values = np.array([lognormal(rng, 100, 1.5) for _ in range(4000)])
    assert stats.kstest(values, stats.lognorm(s=np.log(1.5), scale=100).cdf).pvalue > 1e-3
    values = np.array([bounded_normal(rng, 57, 10, lo=40, hi=60) for _ in range(4000)])
    assert stats.kstest(values, stats.truncnorm(-1.7, 0.3, loc=57, scale=10).cdf).pvalue > 1e-3
    scale = 80 / np.log(2) ** (1 / 1.3)
    values = np.array([weibull_after(rng, 80, 1.3, after=50) for _ in range(4000)])
    law = stats.weibull_min(1.3, scale=scale)
    assert values.min() > 50
    assert stats.kstest(values, lambda t: (law.cdf(t) - law.cdf(50)) / law.sf(50)).pvalue > 1e-3


@pytest.mark.rule("SYN-22")
def test_categories_are_drawn_with_their_shares():
    rng = stream(1, "shares")
    drawn = [choose(rng, {"a": 0.2, "b": 0.0, "c": 0.8}) for _ in range(4000)]
    assert set(drawn) == {"a", "c"}
    assert abs(drawn.count("a") / 4000 - 0.2) < 0.025


@pytest.mark.rule("SYN-23")
def test_numbers_and_lists_are_shipped_files():
    assert numbers("cart.doses_per_kg") == [1.5e7, 3e7, 5e7, 7e7]
    assert len(csv_file("ae_terms.csv")) >= 60
    assert {row["term"] for row in csv_file("ae_terms.csv")} >= {"Cytokine release syndrome"}
    assert codes("tumour_type")["CRC"] == "CRC"
    assert preset("full18")["cut"] == "2026-06-30"
    with pytest.raises(KeyError):
        numbers("cart.nothing")


@pytest.mark.rule("SYN-11")
@pytest.mark.parametrize(("day", "expected"), [(0, 1), (1, 2), (-1, -1), (-14, -14)])
def test_there_is_no_study_day_0(day, expected):
    assert study_day(day) == expected
