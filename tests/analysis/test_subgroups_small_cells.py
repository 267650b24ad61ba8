"""Public copies: masking in the rows, complementary masking, what subtraction would give away; the ad-hoc function."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import interim
from interim.analysis import subgroups
from interim.analysis.subgroups.free import LATE
from interim.errors import DataError
from interim.result import Result, Rows
from tests.analysis.panels import (
    LIGAND_HIGH,
    NLR_HIGH,
    RESPONDERS,
    TYPES,
    N,
    cell,
    entry,
    number,
    reason,
    settings,
)


def rates(counts: dict[str, tuple[int, int]], *, group: str = "f", variable: str = "orr") -> Result:
    made = Rows("subgroups.levels", "By hand")
    add(made, counts, group, variable)
    return made.build()


def add(made: Rows, counts, group: str, variable: str) -> None:
    for level, (x, n) in counts.items():
        made.add(
            "rate",
            x / n if n else 0.0,
            group=group,
            variable=variable,
            level=level,
            n=x,
            N=n,
            subjects=["P1"],
        )


def hidden(result: Result) -> set[str]:
    frame = result.frame
    return set(frame.loc[frame["reason"].str.contains("SUPPRESSED"), "level"])


@pytest.mark.rule("SUBQ-18")
@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": (3, 6), "b": (4, 8)}, set()),
        ({"a": (0, 6), "b": (4, 8)}, set()),
        ({"a": (3, 3), "b": (4, 8)}, set()),
        ({"a": (1, 6), "b": (4, 8)}, {"a", "b"}),
        ({"a": (0, 2), "b": (3, 6), "c": (3, 7), "d": (3, 8)}, {"a", "b"}),
        ({"a": (5, 6), "b": (3, 6), "c": (3, 7), "d": (3, 8)}, {"a", "b"}),
        ({"a": (1, 6), "b": (1, 6), "c": (3, 7), "d": (3, 8)}, {"a", "b"}),
        ({"a": (1, 6), "b": (3, 6), "c": (3, 7)}, {"a", "b", "c"}),
        ({"a": (1, 6), "b": (0, 0), "c": (3, 7), "d": (3, 8), "e": (4, 9)}, {"a", "c"}),
    ],
)
def test_small_levels_and_the_next_smallest_are_masked(counts, expected):
    assert hidden(subgroups.mask(rates(counts), settings())) == expected


@pytest.mark.rule("SUBQ-18")
def test_a_masked_row_keeps_id_and_loses_every_number():
    before = rates({"a": (1, 6), "b": (4, 8)})
    after = subgroups.mask(before, settings())
    assert after.frame["result_id"].tolist() == before.frame["result_id"].tolist()
    assert after.frame["value"].isna().all() and after.frame[["n", "N"]].isna().all().all()
    assert set(after.frame["status"]) == {"NA"} and after.links.empty
    assert not before.links.empty and before.frame["value"].notna().all()


@pytest.mark.rule("SUBQ-18")
def test_limit_is_a_parameter():
    counts = {"a": (4, 8), "b": (5, 11), "c": (6, 12), "d": (7, 14)}
    assert hidden(subgroups.mask(rates(counts), settings())) == set()
    five = settings().model_copy(
        update={"privacy": settings().privacy.model_copy(update={"small_cell_min": 5})}
    )
    assert hidden(subgroups.mask(rates(counts), five)) == {"a", "b"}


@pytest.mark.rule("SUBQ-18")
def test_what_is_made_of_a_masked_level_goes_too():
    made = Rows("subgroups.levels", "By hand")
    add(made, {"a": (1, 6), "b": (4, 8)}, "f", "orr")
    add(made, {"a": (4, 8), "b": (4, 9)}, "g", "orr")
    for group in ("f", "g"):
        made.add("diff", 0.1, group=group, variable="orr difference", level="a minus b")
        made.add("gap", 0.1, group=group, variable="orr gap")
        made.add("label", None, group=group, variable="entry", text="F")
    frame = subgroups.mask(made.build(), settings()).frame
    assert reason(frame, "f", "orr difference", "diff", "a minus b") == ("NA", "SUPPRESSED")
    assert reason(frame, "f", "orr gap", "gap") == ("NA", "SUPPRESSED")
    assert number(frame, "g", "orr gap", "gap") == 0.1
    assert cell(frame, "f", "entry", "label")["text"] == "F"


@pytest.mark.rule("SUBQ-18")
@pytest.mark.parametrize("name", ["participant_map", "cut_path", "type_by_dose", "sensitivity_model"])
def test_single_participants_and_cross_tables_are_withheld(adam, study, name):
    frame = subgroups.mask(getattr(subgroups, name)(adam, study), study).frame
    body = frame[~frame["variable"].isin(["entry", "population"])]
    assert body["value"].isna().all() and body["text"].isna().all()


@pytest.mark.rule("SUBQ-18")
def test_no_small_cell_is_left_in_the_levels(adam, study):
    frame = subgroups.mask(subgroups.levels(adam, study), study).frame
    open_rates = frame[(frame["stat"] == "rate") & (frame["status"] != "NA") & (frame["level"] != "")]
    for row in open_rates.to_dict("records"):
        assert not {row["n"], row["N"], row["N"] - row["n"]} & {1, 2}
    masked = frame[(frame["stat"] == "rate") & frame["reason"].str.contains("SUPPRESSED")]
    for group, variable in set(zip(masked["group"], masked["variable"], strict=True)):
        part = open_rates[(open_rates["group"] == group) & (open_rates["variable"] == variable)]
        assert (part["N"] > 0).sum() != 1


@pytest.mark.rule("SUBQ-18")
def test_nested_cuts_and_an_earlier_cut_are_searched():
    entries = (
        entry("nlr5", dimension="ratio", variable="NLRBL", kind="continuous"),
        entry("nlr3", dimension="ratio", variable="NLRBL", kind="continuous", cuts=(3.0,), primary=False),
    )
    study = settings(entries=entries)
    made = Rows("subgroups.levels", "By hand")
    add(made, {"<5": (3, 9), ">=5": (3, 6)}, "nlr5", "orr")
    add(made, {"<3": (3, 8), ">=3": (3, 12)}, "nlr3", "orr")
    found = subgroups.differencing(made.build(), study)
    assert [(f.rule, f.key) for f in found] == [("PRIV-DIFF", ("nlr3", "orr", "<3"))]
    earlier = rates({"<5": (3, 7), ">=5": (3, 6)}, group="nlr5")
    later = rates({"<5": (3, 9), ">=5": (3, 6)}, group="nlr5")
    assert [f.key[2] for f in subgroups.differencing(later, study, previous=earlier)] == ["<5"]
    assert subgroups.differencing(later, study, previous=later) == []


def frame_of_the_worked_example() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": [f"P{k:02d}" for k in range(1, N + 1)],
            "response": [k in RESPONDERS for k in range(1, N + 1)],
            "type": TYPES,
            "ligand": ["Y" if k in LIGAND_HIGH else "N" for k in range(1, N + 1)],
            "nlr": [6.0 if k in NLR_HIGH else 2.0 for k in range(1, N + 1)],
            "days": [10.0 * k for k in range(1, N + 1)],
            "dead": [k % 2 for k in range(1, N + 1)],
            "depth": [5.0 - k for k in range(1, N + 1)],
        }
    )


NLR = {"column": "nlr", "id": "nlr", "kind": "continuous", "cuts": (5.0,)}


@pytest.mark.rule("SUBQ-20", source="worked example of the specification")
def test_adhoc_repeats_the_worked_example():
    found = interim.subgroups(
        frame_of_the_worked_example(), endpoint="response", factors=["type", "ligand", NLR]
    )
    frame = found.frame
    assert number(frame, "Total", "orr", "chance_gap") == pytest.approx(24 / 55)
    assert number(frame, "factor_2", "orr", "p_min") == pytest.approx(2 / 11)
    assert number(frame, "factor_2", "test orr", "p_heterogeneity") * 220 == pytest.approx(40)
    assert cell(frame, "factor_1", "orr", "rate", "GASTRIC")["n"] == 1
    assert found.footnotes == (LATE,)
    assert set(frame.loc[frame["variable"] == "test orr", "scope"]) == {"internal"}


@pytest.mark.rule("SUBQ-20")
def test_adhoc_does_not_depend_on_the_order_of_rows():
    df = frame_of_the_worked_example()
    call = {"endpoint": "response", "factors": ["type", "ligand", "nlr"]}
    plain = interim.subgroups(df, **call).frame
    turned = interim.subgroups(df.sample(frac=1, random_state=5), **call).frame
    pd.testing.assert_frame_equal(plain, turned)


@pytest.mark.rule("SUBQ-20")
def test_adhoc_times_and_numbers():
    df = frame_of_the_worked_example()
    by_time = interim.subgroups(df, endpoint=("days", "dead"), factors=["ligand"], study=settings()).frame
    assert number(by_time, "Total", "pfs", "n_risk") == 3
    assert 0 < number(by_time, "factor_1", "test pfs", "p_heterogeneity") <= 1
    numbers = interim.subgroups(
        df, endpoint="depth", factors=[{"column": "type", "label": "Type"}], study=settings()
    )
    assert reason(numbers.frame.assign(), "Total", "depth", "median")[0] == "OK"


@pytest.mark.rule("SUBQ-20")
def test_adhoc_refuses_twins_and_odd_events():
    df = frame_of_the_worked_example()
    twin = pd.concat([df, df.iloc[[2]]])
    with pytest.raises(DataError, match="P03") as caught:
        interim.subgroups(twin, endpoint="response", factors=["type"])
    assert [f.rule for f in caught.value.findings] == ["STAT-DUPSUBJ"]
    with pytest.raises(DataError, match="swapped columns are refused"):
        interim.subgroups(df, endpoint=("dead", "days"), factors=["type"])
    with pytest.raises(KeyError):
        interim.subgroups(df, endpoint="response", factors=["absent"])


@pytest.mark.rule("SUBQ-20")
def test_adhoc_keeps_missing_values_as_a_level():
    df = frame_of_the_worked_example().drop(columns="USUBJID")
    df.loc[0, "type"] = None
    df.loc[1, "nlr"] = np.nan
    frame = interim.subgroups(df, endpoint="response", factors=["type", NLR]).frame
    assert cell(frame, "factor_1", "orr", "rate", "Missing")["N"] == 1
    assert cell(frame, "nlr", "orr", "rate", "Missing")["N"] == 1


def test_the_public_name_is_loaded_lazily():
    assert interim.subgroups.__module__ == "interim.report.adhoc" and "subgroups" in interim.__all__
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        interim.nothing  # noqa: B018
