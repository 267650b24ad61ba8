"""Tumour: identified lesions have a place, a size, a baseline; measurements are unique, complete and in mm."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from interim.data.check.context import Context
from interim.data.check.lesions import LESION, SIZES, baseline_sizes, identified, lesions, measured
from interim.data.check.records import Hit, each, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_TU = ("TULNKID", "TUTESTCD")
_TR = ("TRLNKID", "TRTESTCD", "TRDTC")
_EX = ("EXTRT", "EXSTDTC")
_RESPONSE = ("T 14.2.2.1", "T 14.2.3.1")
_TENFOLD = 10
_NEAR = 2.0
_FAR = 4.0


@rule("TU-LOC", severity="warn", needs={"TU": ("TULNKID", "TULOC")}, effect=("T 14.2.4.8",))
def _location(context: Context) -> Iterator[Hit]:
    """A target lesion has no location."""
    tu = context.records("TU")
    role = tu.code("TUSTRESC").fillna(tu.code("TUORRES"))
    absent = (role == "TARGET") & tu.code("TULOC").isna()
    yield from hits(
        tu,
        absent,
        variable="TULOC",
        message="target without location: organ and node rules cannot be applied",
    )


@rule("TU-BASE", severity="stop", needs={"TU": _TU, "TR": _TR}, any_of=("EX", "DM"), effect=_RESPONSE)
def _baseline(context: Context) -> Iterator[Hit]:
    """A target lesion has no size on or before the first dose."""
    table = baseline_sizes(context)
    for row in each(table[table["SIZE"].isna()]):
        yield Hit(
            "TU",
            row.PLACE,
            f"target {row.LESION} has no size on or before the first dose; add the baseline",
            "TULNKID",
        )


@rule("TU-MIN", severity="warn", needs={"TU": _TU, "TR": _TR, "EX": _EX}, effect=_RESPONSE)
def _smallest(context: Context) -> Iterator[Hit]:
    """A target lesion is smaller at baseline than RECIST 1.1 permits."""
    limits, table = context.study.response, baseline_sizes(context)
    least = pd.Series(limits.min_target_mm, index=table.index).mask(table["NODE"], limits.min_node_mm)
    for row in each(table.assign(LEAST=least)[table["SIZE"] < least]):
        message = f"target {row.LESION} measures {row.SIZE:g} mm at baseline, at least {row.LEAST:g} mm are required"
        yield Hit("TR", int(row.MM), message, "TRSTRESN", f">= {row.LEAST:g} mm")


@rule("TU-WINDOW", severity="warn", needs={"TR": _TR, "EX": _EX}, effect=_RESPONSE)
def _baseline_window(context: Context) -> Iterator[Hit]:
    """The baseline scan lies too long before the first dose, or after it."""
    limit = context.study.checks.tu_window_days
    table = measured(context).dropna(subset=["DOSE", "FIRST"])
    table = table[table["DONE"]].sort_values(["FIRST", "PLACE"], kind="stable")
    before = table[table["BASELINE"]].drop_duplicates(["USUBJID", "EVAL"], keep="last")
    early = before[(before["DOSE"] - before["FIRST"]).dt.days > limit]
    seen = set(before["USUBJID"] + "\x1f" + before["EVAL"])
    late = table[~(table["USUBJID"] + "\x1f" + table["EVAL"]).isin(seen)].drop_duplicates(["USUBJID", "EVAL"])
    for row in each(pd.concat([early, late])):
        message = f"baseline scan not within {limit} d before the first dose"
        yield Hit(
            "TR", row.PLACE, message, "TRDTC", f"up to {limit} d before the first dose", key=(row.EVAL,)
        )


@rule("TR-BASE", severity="warn", needs={"TU": _TU, "TR": _TR, "EX": _EX}, effect=_RESPONSE)
def _baseline_complete(context: Context) -> Iterator[Hit]:
    """A non-target lesion of the baseline has no status on or before the first dose."""
    table, rows = lesions(context), measured(context)
    known = rows[rows["BASELINE"] & rows["DONE"]][LESION].drop_duplicates().assign(SEEN=True)
    wanted = table[(table["ROLE"] == "NON-TARGET") & table["AT_BASELINE"]]
    joined = wanted.merge(known, on=LESION, how="left", validate="1:1")
    for row in each(joined[joined["SEEN"].isna()]):
        yield Hit("TU", row.PLACE, f"non-target {row.LESION} has no baseline status; add it", "TULNKID")


@rule("TR-DUP", severity="stop", needs={"TR": _TR}, effect=_RESPONSE)
def _one_value(context: Context) -> Iterator[Hit]:
    """One lesion has two values of one test at one date by one evaluator."""
    table = measured(context)
    moment = (
        table["DAY"]
        .astype("str")
        .where(table["DAY"].notna(), table["DTC"] + "|" + table["VISITNUM"].astype("str"))
    )
    again = table.assign(MOMENT=moment).duplicated([*LESION, "TEST", "MOMENT"]) & (table["DTC"] != "")
    for row in each(table[again]):
        yield Hit(
            "TR",
            row.PLACE,
            f"second {row.TEST} of lesion {row.LESION} at this date; keep the right one",
            "TRSTRESN",
        )


@rule("TR-AXIS", severity="warn", needs={"TR": (*_TR, "TRSTRESN")}, effect=_RESPONSE)
def _axes(context: Context) -> Iterator[Hit]:
    """A node has no short axis, or a short axis is longer than the long one."""
    table = _by_axis(context)
    bare = table["NODE"] & table["LPERP"].isna() & table["DIAMETER"].isna()
    for row in each(table[bare]):
        yield Hit(
            "TR", row.PLACE, f"node {row.LESION} has no short axis: it does not enter the sum", "TRSTRESN"
        )
    for row in each(table[table["LPERP"] > table["LDIAM"]]):
        message = f"short axis {row.LPERP:g} mm longer than the long axis {row.LDIAM:g} mm; correct them"
        yield Hit("TR", row.PLACE, message, "TRSTRESN")


def _by_axis(context: Context) -> pd.DataFrame:
    """Return one row per lesion and date: PLACE of its first size, the sizes by test, NODE (a target that is a node)."""
    keys = [*LESION, "DTC", "VISITNUM"]
    rows = measured(context)
    rows = rows[rows["DONE"] & rows["TEST"].isin(SIZES) & rows["VALUE"].notna()]
    table = rows.sort_values("PLACE").drop_duplicates(keys)[[*keys, "PLACE"]]
    for test in SIZES:
        part = rows[rows["TEST"] == test].sort_values("PLACE").drop_duplicates(keys)
        part = part[[*keys, "VALUE"]].rename(columns={"VALUE": test})
        table = table.merge(part, on=keys, how="left", validate="1:1")
    nodes = lesions(context)
    nodes = nodes[nodes["NODE"] & (nodes["ROLE"] == "TARGET")][LESION].assign(NODE=1.0)
    joined = table.merge(nodes, on=LESION, how="left", validate="m:1")
    return joined.assign(NODE=joined["NODE"].notna())


@rule("TR-UNIT", severity="stop", needs={"TR": (*_TR, "TRSTRESN")}, effect=_RESPONSE)
def _millimetres(context: Context) -> Iterator[Hit]:
    """A size is not in mm: another unit, or a tenth of the lesion's other sizes."""
    rows = measured(context)
    rows = rows[rows["TEST"].isin(SIZES) & (rows["VALUE"] > 0)]
    unit = rows["UNIT"].fillna("MM")
    for row in each(rows[~unit.isin(["MM", "CM"])]):
        yield Hit("TR", row.PLACE, "sizes are given in mm (or cm); correct value and unit", "TRSTRESU", "mm")
    rows = rows[unit == "MM"].sort_values([*LESION, "TEST", "FIRST", "PLACE"], kind="stable")
    for row in each(rows[_tenth(rows)]):
        message = f"{row.VALUE:g} mm is a tenth of the lesion's other sizes: cm instead of mm? correct it"
        yield Hit("TR", row.PLACE, message, "TRSTRESN", f"about {row.VALUE * _TENFOLD:g} mm")


def _tenth(rows: pd.DataFrame) -> pd.Series:
    """Tell the sizes that ten times as large would fit both their neighbours in time and that now fit neither."""
    groups = rows.groupby([*LESION, "TEST"])["VALUE"]
    near = pd.DataFrame({"A": groups.shift(), "B": groups.shift(-1)})
    ratio = near.div(rows["VALUE"], axis=0)
    decimal = rows["VALUE"] % 1 != 0
    fits = ((ratio >= _TENFOLD / _NEAR) & (ratio <= _TENFOLD * _NEAR)) | ratio.isna()
    far = (ratio >= _FAR) | ratio.isna()
    neighbours = ratio.notna().sum(axis=1)
    return fits.all(axis=1) & far.all(axis=1) & ((neighbours == 2) | ((neighbours == 1) & decimal))


@rule("TR-MISSTL", severity="warn", needs={"TU": _TU, "TR": (*_TR, "VISITNUM"), "EX": _EX}, effect=_RESPONSE)
def _missing_target(context: Context) -> Iterator[Hit]:
    """A target lesion has no record at a visit at which the other targets have one."""
    table, rows = lesions(context), measured(context)
    targets = table[(table["ROLE"] == "TARGET") & table["AT_BASELINE"]]
    mine = rows.merge(targets[LESION], on=LESION, validate="m:1")
    visits = mine[~mine["BASELINE"]].dropna(subset=["VISITNUM"])
    visits = visits.sort_values("PLACE").drop_duplicates(["USUBJID", "EVAL", "VISITNUM"])
    wanted = visits[["USUBJID", "EVAL", "VISITNUM", "PLACE"]].merge(
        targets[LESION], on=["USUBJID", "EVAL"], validate="m:m"
    )
    found = mine[[*LESION, "VISITNUM"]].drop_duplicates().assign(FOUND=True)
    joined = wanted.merge(found, on=[*LESION, "VISITNUM"], how="left", validate="m:1")
    for row in each(joined[joined["FOUND"].isna()]):
        message = f"target {row.LESION} has no record at visit {row.VISITNUM:g}: the sum is incomplete; add it or NOT DONE"
        yield Hit(
            "TR", row.PLACE, message, "TRLNKID", key=(row.LESION, f"{row.VISITNUM:g}", row.EVAL), value=""
        )


@rule("TR-LINK", severity="info", needs={"TU": _TU, "TR": _TR}, effect=_RESPONSE)
def _linked(context: Context) -> Iterator[Hit]:
    """A measured lesion is not in TU, or a target or non-target appears after baseline without a link."""
    table, rows = identified(context), measured(context)
    known = set(table["USUBJID"] + "\x1f" + table["LESION"])
    orphan = rows[~(rows["USUBJID"] + "\x1f" + rows["LESION"]).isin(known)].drop_duplicates(LESION)
    for row in each(orphan):
        yield Hit(
            "TR",
            row.PLACE,
            f"lesion {row.LESION} is not in TU; identify or link it",
            "TRLNKID",
            key=(row.LESION, row.EVAL),
        )
    split = rows[rows["STATE"].fillna("").str.startswith(words("terms")["lesion"]["split"])]
    joined = set(split["USUBJID"] + "\x1f" + split["LESION"])
    late = lesions(context)
    late = late[late["ROLE"].isin(["TARGET", "NON-TARGET"]) & late["DOSE"].notna() & ~late["AT_BASELINE"]]
    for row in each(late[~(late["USUBJID"] + "\x1f" + late["LESION"]).isin(joined)]):
        message = f"{row.ROLE.lower()} {row.LESION} appears after baseline: split, merged or new? it does not enter the sum"
        yield Hit("TU", row.PLACE, message, "TULNKID", key=(row.LESION, row.EVAL))


@rule("TR-RULE", severity="warn", needs={"TU": _TU}, effect=_RESPONSE)
def _number_of_targets(context: Context) -> Iterator[Hit]:
    """More target lesions than RECIST 1.1 permits, in all or in one organ."""
    limits, table = context.study.response, identified(context)
    targets = table[table["ROLE"] == "TARGET"].sort_values("PLACE").drop_duplicates(LESION)
    for name, limit, keys in (
        ("in all", limits.max_targets, ["USUBJID", "EVAL"]),
        ("in one organ", limits.max_per_organ, ["USUBJID", "EVAL", "ORGAN"]),
    ):
        for key, rows in targets.groupby(keys, sort=True):
            if len(rows) > limit:
                message = (
                    f"{len(rows)} target lesions {name}, at most {limit}; the first {limit} enter the sum"
                )
                yield Hit(
                    "TU",
                    int(rows["PLACE"].iloc[0]),
                    message,
                    "TULNKID",
                    key=tuple(map(str, key[1:])),
                    value=str(len(rows)),
                )
