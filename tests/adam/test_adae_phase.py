from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adae_phase import days_since_infusion, phase_of, phase_starts
from interim.adam.adex import derive_adex


def events(number, mk, *onsets):
    frame = pd.DataFrame({"USUBJID": mk.uid(number), "TEXT": [mk.on(number, *onset) for onset in onsets]})
    moment = pd.to_datetime(frame["TEXT"].str.slice(0, 16)).astype("datetime64[ns]")
    timed = frame["TEXT"].str.len() > 10
    return frame.assign(ASTDT=moment.dt.normalize(), ASTDTM=moment.where(timed))


@pytest.mark.rule("AE-05")
def test_a_phase_starts_with_its_first_infusion_and_post_after_the_window(mini_sdtm, mini_study, mk):
    adex, _ = derive_adex(mini_sdtm, mini_study)
    days = [(-1,), (0,), (9,), (11,), (23,), (25,), (53,), (54,)]
    found = phase_of(events("01", mk, *days), phase_starts(adex, mini_study))
    assert found["APHASE"].tolist() == [None, "NK", "NK", "CART_C1", "CART_C1", "CART_C2", "CART_C2", "POST"]
    assert (found["APHAMBFL"] == "N").all()


@pytest.mark.rule("AE-05")
@pytest.mark.parametrize(
    ("onset", "same_day", "phase", "doubtful"),
    [
        ((10, "09:59"), "earlier", "NK", "N"),
        ((10, "10:00"), "earlier", "CART_C1", "N"),
        ((10,), "earlier", "NK", "Y"),
        ((10,), "later", "CART_C1", "Y"),
        ((0, "09:00"), "earlier", None, "N"),
        ((0,), "earlier", "NK", "N"),
    ],
)
def test_the_day_of_a_first_infusion(mini_sdtm, mini_study, mk, onset, same_day, phase, doubtful):
    adex, _ = derive_adex(mini_sdtm, mini_study)
    found = phase_of(events("01", mk, onset), phase_starts(adex, mini_study), same_day=same_day)
    assert found.iloc[0].tolist() == [phase, doubtful]


def test_without_end_of_window_there_is_no_post_and_the_untreated_have_no_phase(mini_sdtm, study_with, mk):
    study = study_with('[safety]\nteae_end_days = "none"\n')
    adex, _ = derive_adex(mini_sdtm, study)
    starts = phase_starts(adex, study)
    assert "POST" not in set(starts["APHASE"])
    untreated = events("01", mk, (0,)).assign(USUBJID=mk.uid("06"))
    assert phase_of(untreated, starts)["APHASE"].tolist() == [None]


@pytest.mark.rule("AE-08")
def test_days_from_the_latest_infusion(mini_sdtm, mini_study, mk):
    adex, _ = derive_adex(mini_sdtm, mini_study)
    found = days_since_infusion(events("01", mk, (-1,), (0,), (5,), (12,), (30,)), adex)
    assert found.fillna(-1).tolist() == [-1, 0, 4, 1, 5]
