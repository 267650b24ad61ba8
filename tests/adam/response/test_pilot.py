"""The public pilot data, read in place: the contradictions of its reports, and the time that it takes."""

from __future__ import annotations

import time
from collections import Counter

import pandas as pd
import pytest

from interim.adam.tte import derive_adtte


@pytest.fixture(scope="module")
def pilot(external, make):
    folder = external / "cdisc-pilot" / "sdtm_parquet"
    frames = {}
    for name, file in (("TU", "tu_onco"), ("TR", "tr_onco"), ("RS", "rs_onco"), ("DM", "dm")):
        frame = pd.read_parquet(folder / f"{file}.parquet")
        for column in frame.select_dtypes(exclude="number"):
            frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
        frames[name] = frame
    dm = frames.pop("DM")
    dosed = dm[dm["RFXSTDTC"].notna()]
    people = make.adsl(
        *dosed["USUBJID"],
        TRTSDT=pd.to_datetime(dosed["RFXSTDTC"].str[:10]).to_numpy(),
        DCUTDT=pd.Timestamp("2016-01-01"),
        LSTALVDT=pd.Timestamp("2015-12-31"),
    )
    return frames, people


@pytest.fixture(scope="module")
def external():
    import os
    from pathlib import Path

    folder = os.environ.get("INTERIM_EXTERNAL", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("INTERIM_EXTERNAL names no folder of third-party data")
    return Path(folder)


@pytest.fixture(scope="module")
def derived(pilot, make, derive):
    frames, people = pilot
    study = make.study(cut=pd.Timestamp("2016-01-01").date())
    start = time.process_time()
    data = derive(frames["TU"], frames["TR"], frames["RS"], study=study, people=people)
    times = derive_adtte(people, data.adrs, study=study).frame
    return data, times, time.process_time() - start


@pytest.mark.rule("RECIST-15", source="pharmaversesdtm tr_onco, tu_onco, rs_onco")
def test_two_hundred_target_responses_contradict_the_lesions(derived):
    data, _, _ = derived
    found = Counter(
        (f.expected, f.value) for f in data.findings if f.rule == "RS-DERIV" and f.variable == "TRGRESP"
    )
    assert found == {("PD", "SD"): 94, ("PD", "PR"): 64, ("NE", "CR"): 22, ("NE", "PR"): 11, ("NE", "SD"): 9}


@pytest.mark.rule("RECIST-08")
def test_one_visit_with_two_dates_is_two_time_points(derived, values):
    data, _, _ = derived
    days = values(data.adrs, "OVR", subject="01-711-1143", column="ADT")
    visits = values(data.adrs, "OVR", subject="01-711-1143", column="AVISITN")
    assert [f"{d:%Y-%m-%d}" for d, v in zip(days, visits, strict=True) if v == 9.2] == [
        "2013-06-22",
        "2013-09-22",
    ]


@pytest.mark.rule("RECIST-17")
def test_everybody_has_every_endpoint_and_the_run_is_fast(derived):
    data, times, seconds = derived
    best = data.adrs[data.adrs["PARAMCD"].isin(["BOR", "CBOR"])]
    assert best.groupby(["PARCAT2", "PARAMCD"])["USUBJID"].nunique().unique().tolist() == [254]
    assert set(best["PARCAT2"]) == {"INVESTIGATOR", "RADIOLOGIST 1", "RADIOLOGIST 2", "ADJUDICATED"}
    assert (times["AVAL"] >= 1).all()
    wide = times.pivot(index="USUBJID", columns="PARAMCD", values="ADT")
    assert (wide["PFS"] <= wide["OS"]).all()
    assert seconds < 10
