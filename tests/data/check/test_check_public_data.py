"""The checks on public data with known defects; read in place, nothing of it is kept here."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from interim.data.check import run_checks
from interim.data.model import Sdtm
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[3]
SOURCE = "DataExchange pharmaversesdtm 530a5ea (Apache-2.0), known defects as listed by its curator"
FILES = [
    "dm",
    "suppdm",
    "ae",
    "suppae",
    "ex",
    "lb",
    "vs",
    "ds",
    "cm",
    "mh",
    "ts",
    "sv",
    "pc",
    "tr_onco",
    "tu_onco",
    "rs_onco",
]


@pytest.fixture(scope="module")
def report(request):
    import os

    folder = os.environ.get("INTERIM_EXTERNAL", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERIM_EXTERNAL names no folder of third-party data")
    frames = {}
    for name in FILES:
        table = pd.read_parquet(Path(folder) / "cdisc-pilot" / "sdtm_parquet" / f"{name}.parquet")
        frames[name.removesuffix("_onco").upper()] = table.assign(
            SRCFILE=f"{name}.parquet", SRCROW=range(1, len(table) + 1)
        )
    study = read_study(ROOT / "params" / "cdisc-pilot.toml")
    start = time.process_time()
    found = run_checks(Sdtm(frames, study.cut), study)
    return found, time.process_time() - start, frames


@pytest.mark.rule("CHECK-11", source=SOURCE)
def test_known_defects_are_named(report):
    found, _, _ = report
    counts = Counter((f.rule, f.domain) for f in found.findings)
    assert counts["XD-PARTSCAN", "TR"] == 16
    assert counts["RS-VALUE", "RS"] == 3
    assert counts["LB-SIGN", "LB"] == 6
    assert {f.value for f in found.findings if f.rule == "RS-VALUE"} == {"CHECK"}
    twice = [f for f in found.findings if f.rule == "RS-DUP"]
    assert {f.subject for f in twice} == {"01-711-1143"}
    assert all("9.2" in f.key for f in twice)


@pytest.mark.rule("CHECK-11", source=SOURCE)
def test_records_behind_the_laboratory_findings(report):
    found, _, frames = report

    def records(rule, variable):
        return sum(
            int(f.message.rsplit("(", 1)[1].split()[0])
            for f in found.findings
            if (f.rule, f.variable) == (rule, variable)
        )

    assert records("LB-STRES", "LBORRES") == 874
    assert records("LB-REF", "LBSTNRHI") == 2915 == int(frames["LB"]["LBSTNRLO"].isna().sum())


@pytest.mark.rule("CHECK-11", source=SOURCE)
def test_not_done_is_no_defect(report):
    found, _, frames = report
    not_done = set(frames["TR"]["SRCROW"][frames["TR"]["TRSTAT"] == "NOT DONE"])
    assert len(not_done) == 820
    assert [str(f) for f in found.findings if f.domain == "TR" and f.row in not_done] == []


def test_fast_enough(report):
    assert report[1] < 30
