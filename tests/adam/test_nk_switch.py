"""The source of the NK cells: first source, and the first infusion from another one."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.nk_switch import derive_nk_switch
from interim.data.model import Sdtm

CASES = [
    # infusions: product, day, given, source -> first source, day of the switch
    ([("CAR-NK", "01", "Y", "UCB"), ("CAR-NK", "02", "Y", "UCB")], "UCB", None),
    ([("CAR-NK", "01", "Y", "UCB"), ("CAR-NK", "02", "Y", "AUTO")], "UCB", "2026-03-02"),
    ([("CAR-NK", "02", "Y", "AUTO"), ("CAR-NK", "01", "Y", "ucb")], "UCB", "2026-03-02"),
    ([("CAR-NK", "01", "Y", "UCB"), ("CAR-NK", "02", "N", "AUTO")], "UCB", None),
    ([("CAR-NK", "01", "Y", "UCB"), ("CAR-T", "09", "Y", "AUTO")], "UCB", None),
    ([("CAR-NK", "01", "Y", None), ("CAR-NK", "02", "Y", "AUTO")], "AUTO", None),
    (
        [("CAR-NK", "01", "Y", "UCB"), ("CAR-NK", "05", "Y", "AUTO"), ("CAR-NK", "03", "Y", "AUTO")],
        "UCB",
        "2026-03-03",
    ),
]


def source(infusions, *, item="SOURCE"):
    ex = [
        {
            "USUBJID": "S1",
            "EXSEQ": place,
            "EXTRT": product,
            "EXOCCUR": given,
            "EXSTDTC": f"2026-03-{day}T10:00",
        }
        for place, (product, day, given, _) in enumerate(infusions, 1)
    ]
    supp = [
        {
            "RDOMAIN": "EX",
            "USUBJID": "S1",
            "IDVAR": "EXSEQ",
            "IDVARVAL": str(place),
            "QNAM": item,
            "QVAL": text,
        }
        for place, (*_, text) in enumerate(infusions, 1)
        if text is not None
    ]
    columns = ["RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL"]
    domains = {"EX": pd.DataFrame(ex), "SUPPEX": pd.DataFrame(supp, columns=columns)}
    return Sdtm(domains, pd.Timestamp("2026-06-30").to_pydatetime())


@pytest.mark.rule("DOSEQ-17", source="by hand: seven courses of infusions")
@pytest.mark.parametrize(("infusions", "first", "day"), CASES)
def test_first_source_and_day_of_the_switch(mini_study, infusions, first, day):
    found = derive_nk_switch(source(infusions), mini_study)
    assert found["USUBJID"].tolist() == ["S1"] and found["NKSRC"].tolist() == [first]
    switch = found["NKSWDT"].iloc[0]
    assert pd.isna(switch) if day is None else switch == pd.Timestamp(day)


@pytest.mark.rule("DOSEQ-17")
def test_without_the_item_there_is_no_row(mini_study):
    found = derive_nk_switch(source(CASES[0][0], item="LOTSRC"), mini_study)
    assert found.empty and list(found.columns) == ["USUBJID", "NKSRC", "NKSWDT"]
    assert str(found["NKSWDT"].dtype) == "datetime64[ns]"
