from __future__ import annotations

import math
import pickle

import pytest

from interim.report.traced import digest
from interim.result import COLUMNS, ResultStore, Rows, slug


def build(analysis_id="response.bor", **kwargs):
    rows = Rows(analysis_id, title="Best response", population="FAS")
    rows.add("x", 2, group="DL1", variable="orr", n=3, subjects=["S-1", "S-2"])
    rows.add("rate", None, group="DL2", variable="orr", status="NE", reason="NO_DATA", **kwargs)
    return rows.build()


@pytest.mark.rule("RES-01")
@pytest.mark.parametrize(
    "row",
    [
        {"value": None},
        {"value": math.nan},
        {"value": 1, "status": "GOOD"},
        {"value": None, "status": "NE"},
        {"value": None, "status": "FLAG", "reason": "X"},
    ],
)
def test_a_row_needs_a_value_or_a_reason(row):
    with pytest.raises(ValueError, match="r/total/-/-/x"):
        Rows("r", title="").add("x", row.pop("value"), **row)


@pytest.mark.rule("RES-01")
def test_text_stands_for_a_value_and_unknown_keywords_are_refused():
    rows = Rows("r", title="")
    rows.add("category", None, text="PR")
    with pytest.raises(TypeError, match="colour"):
        rows.add("x", 1, colour="red")
    assert rows.build().frame.loc[0, "text"] == "PR"


@pytest.mark.rule("RES-02")
def test_ids_are_slugs_and_unique():
    result = build()
    assert list(result.frame.columns) == list(COLUMNS)
    assert result.frame["result_id"].tolist() == ["response.bor/dl1/orr/-/x", "response.bor/dl2/orr/-/rate"]
    rows = Rows("r", title="")
    rows.add("x", 1)
    rows.add("x", 2)
    with pytest.raises(ValueError, match="used twice"):
        rows.build()


@pytest.mark.rule("RES-02")
def test_store_finds_a_number_and_names_near_ids():
    store = ResultStore({"response.bor": build(), "safety": build("safety")})
    assert store.find("response.bor/dl1/orr/-/x")["value"] == 2
    assert store.find("safety/dl1/orr/-/x")["analysis_id"] == "safety"
    assert len(store.frame()) == 4
    with pytest.raises(KeyError, match=r"nearest: response\.bor/dl1/orr/-/x"):
        store.find("response.bor/dl1/orr/-/y")
    with pytest.raises(KeyError, match="no analysis"):
        store.find("respons/dl1/orr/-/x")
    with pytest.raises(KeyError, match="nearest: response"):
        store["response.bo"]


@pytest.mark.rule("RES-03")
def test_links_lead_to_participants_and_records():
    rows = Rows("r", title="")
    rows.add("x", 1, sources=[("S-1", "AE", "4")], subjects=["S-1"])
    links = rows.build().links
    assert links["USUBJID"].tolist() == ["S-1", "S-1"]
    assert links["SRCSEQ"].tolist() == [None, "4"]


@pytest.mark.parametrize(
    ("text", "expected"), [("DL1 1.5e7", "dl1-1.5e7"), (" >= 5 ", ">=-5"), ("CR/PR", "cr-pr"), ("", "")]
)
def test_slug(text, expected):
    assert slug(text) == expected


def test_where_filters_by_columns():
    assert build().where(group="DL1", stat="x")["value"].tolist() == [2]


@pytest.mark.rule("CACHE-01", source="equal values have one hash")
def test_rows_that_were_asked_for_change_neither_a_result_nor_its_hash():
    result = build()
    before = digest(result), pickle.dumps(result)
    row = result.get("dl1/orr/-/x")
    row["value"] = -1
    assert result.get("dl1/orr/-/x")["value"] == 2
    assert (digest(result), pickle.dumps(result)) == before
    assert pickle.loads(before[1]).get("dl1/orr/-/x") == result.get("response.bor/dl1/orr/-/x")


@pytest.mark.rule("RES-01")
def test_a_link_is_kept_once_and_a_result_without_rows_has_the_same_columns():
    rows = Rows("r", title="")
    sources = [("S-1", "LB", "1"), ("S-1", "LB", None), ("S-1", "LB", math.nan), ("S-1", "LB", "1")]
    rows.add("x", 1, n=1, subjects=["S-1", "S-1"], sources=sources)
    found = rows.build()
    links = found.links[["USUBJID", "SRCDOM", "SRCSEQ"]].to_numpy().tolist()
    assert links == [["S-1", None, None], ["S-1", "LB", "1"], ["S-1", "LB", None]]
    empty = Rows("r", title="").build()
    assert tuple(empty.frame.columns) == COLUMNS and empty.frame.dtypes.equals(found.frame.dtypes)
