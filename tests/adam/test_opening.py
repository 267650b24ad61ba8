"""Opening a study: what the derivations contradict is found beside a stop of the data."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.adam import open_adam, opening
from interim.data.model import Sdtm
from interim.errors import DataError, Finding
from interim.study import read_study

STOP = Finding("AE-G5", "stop", "AE", "grade 5 with another outcome", subject="S1")
TWICE = Finding("DM-UNIQ", "stop", "DM", "second row of a participant", subject="S1")
WARN = replace(STOP, rule="AE-CODE", severity="warn")


def scan(visit: float, day: str, size: float, response: str | None) -> tuple[dict, list[dict]]:
    """Return the size of one lesion and, after the baseline, the responses reported from it."""
    common = {"USUBJID": "S1", "VISITNUM": visit}
    measured = {
        "TRSEQ": visit,
        "TRLNKID": "T01",
        "TRGRPID": "TARGET",
        "TRTESTCD": "LDIAM",
        "TRSTRESN": size,
        "TRSTRESC": str(size),
        "TRSTAT": None,
        "TREVAL": "INVESTIGATOR",
        "TRDTC": day,
    }
    reported = [
        {
            "RSTESTCD": test,
            "RSCAT": "RECIST 1.1",
            "RSSTRESC": response,
            "RSEVAL": "INVESTIGATOR",
            "RSDTC": day,
        }
        for test in ("TRGRESP", "OVRLRESP")
        if response
    ]
    return common | measured, [common | row | {"RSSEQ": visit} for row in reported]


def data(*findings: Finding, last: str = "PR") -> Sdtm:
    """A lesion of 50, 48 and 54 mm: stable, whatever is reported last."""
    scans = [
        scan(1, "2026-01-02", 50, None),
        scan(2, "2026-03-01", 48, "SD"),
        scan(3, "2026-05-01", 54, last),
    ]
    tu = {"USUBJID": "S1", "TUSEQ": 1.0, "TULNKID": "T01", "TUTESTCD": "TUMIDENT", "TUSTRESC": "TARGET"}
    tu |= {"TULOC": "LIVER", "TUEVAL": "INVESTIGATOR", "VISITNUM": 1.0, "TUDTC": "2026-01-02"}
    frames = {
        "TR": pd.DataFrame([measured for measured, _ in scans]),
        "RS": pd.DataFrame([row for _, rows in scans for row in rows]),
        "TU": pd.DataFrame([tu]),
        "EX": pd.DataFrame({"USUBJID": ["S1", "S1"], "EXSTDTC": ["2026-01-11T10:00", "2026-01-10T10:00"]}),
    }
    return Sdtm(frames, datetime(2026, 6, 30), findings=findings)


@pytest.fixture
def study(tmp_path):
    def make(on_stop: str = "halt"):
        file = tmp_path / "study.toml"
        base = opening.__file__.split("src/interim")[0] + "params/nct07021534.toml"
        text = f'extends = "{base}"\n[data]\npath = "x"\ncut_date = 2026-06-30\non_stop = "{on_stop}"\n'
        file.write_text(text, encoding="utf-8")
        return read_study(file)

    return make


@pytest.fixture
def opened(monkeypatch):
    """Return a function that opens a study on given data; the analysis datasets are a mark."""

    def run(study, sdtm):
        asked = []
        monkeypatch.setattr(opening, "open_data", lambda given: asked.append(given.data.on_stop) or sdtm)
        monkeypatch.setattr(opening, "build_adam", lambda sdtm, study, recall: SimpleNamespace(built=True))
        result = open_adam(study)
        assert asked == ["draft"]
        return result

    return run


@pytest.mark.rule("OPEN-02")
def test_a_stop_does_not_hide_a_contradiction(study, opened):
    with pytest.raises(DataError) as caught:
        opened(study(), data(STOP))
    found = [(finding.rule, finding.value) for finding in caught.value.findings]
    assert found == [("AE-G5", None), ("RS-DERIV", "PR"), ("RS-DERIV", "PR")]


@pytest.mark.rule("OPEN-02")
def test_without_a_contradiction_only_the_stop_is_listed(study, opened):
    with pytest.raises(DataError) as caught:
        opened(study(), data(STOP, WARN, last="SD"))
    assert [finding.rule for finding in caught.value.findings] == ["AE-G5", "AE-CODE"]


@pytest.mark.rule("OPEN-01")
@pytest.mark.parametrize(("mode", "findings"), [("halt", ()), ("halt", (WARN,)), ("draft", (STOP,))])
def test_the_datasets_are_built_where_nothing_stops(study, opened, mode, findings):
    result = opened(study(mode), data(*findings))
    assert result.adam.built
    assert result.sdtm.findings == findings


@pytest.mark.rule("OPEN-02")
@pytest.mark.parametrize("mode", ["halt", "draft"])
def test_a_participant_twice_in_dm_ends_the_run_in_either_mode(study, opened, mode):
    with pytest.raises(DataError, match="DM-UNIQ"):
        opened(study(mode), data(TWICE))


@pytest.mark.rule("OPEN-02")
def test_data_without_tumour_domains_or_dates_contradict_nothing(study):
    empty = Sdtm({}, datetime(2026, 6, 30))
    assert opening.response_findings(empty, study()) == ()
    undated = data()
    ex = undated.domains["EX"].assign(EXSTDTC=None)
    found = opening.response_findings(replace(undated, domains={**undated.domains, "EX": ex}), study())
    assert {finding.rule for finding in found} <= {"RS-DERIV", "RS-NEW", "TR-NODATE", "RS-BASE"}
