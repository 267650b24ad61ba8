"""Listings of lesions: every measurement of a target, every status of a non-target and of a new lesion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import open_rows, population
from interim.result import Result, Rows
from interim.study import Study

_OPTIONAL = (
    "AVISITN",
    "TRLNKID",
    "TULOC",
    "AVALC",
    "RSNCD",
    "DTYPE",
    "PCHG",
    "PCHGNAD",
    "AVAL",
    "SRCDOM",
    "SRCSEQ",
)
_POINT = ["USUBJID", "PARCAT2", "ADT", "AVISITN"]
_ROLES = {"NTLSTAT": "non-target", "NEWLSTAT": "new"}
_SUMS = {"sum": ("AVAL", "mm"), "pchg_base": ("PCHG", "%"), "pchg_nadir": ("PCHGNAD", "%")}


def targets(adam: Adam, study: Study) -> Result:
    """List every target lesion at every time point, with the sum of the time point.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTR.
    study : Study
        Parameters.

    Returns
    -------
    Result
        ``lesion_listing.targets``; ``record`` with level = participant and number: day (from the first infusion), mm, sum,
        pchg_base, pchg_nadir (per cent), and as texts participant, evaluator, lesion, site, status (reason code of the
        lesion), complete (yes or no), source (record).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    return _listed(adam, study, "lesion_listing.targets", "Listing: Target lesions", ["LDIAM"])


def others(adam: Adam, study: Study) -> Result:
    """List the status of every non-target and every new lesion at every time point.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTR.
    study : Study
        Parameters.

    Returns
    -------
    Result
        ``lesion_listing.others``; ``record`` with level = participant and number: day (from the first infusion), and as texts
        participant, evaluator, role, lesion, site, status, source (record).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    title = "Listing: Non-target and new lesions"
    return _listed(adam, study, "lesion_listing.others", title, list(_ROLES))


def _listed(adam: Adam, study: Study, name: str, title: str, parameters: list[str]) -> Result:
    who = population(adam, study, "NK-SAF")
    rows = open_rows(name, title, who)
    lacking = adam.lacks(*(f"ADTR.{name}" for name in parameters), "ADSL.TRTSDT")
    if lacking or not adam.has("ADTR"):
        reason = f"not available: {lacking or adam.missing.get('ADTR', 'no tumour measurements')}"
        rows.add("n", None, variable="records", status="NA", reason=reason)
        return rows.build()
    adtr = adam["ADTR"]
    adtr = adtr[adtr["USUBJID"].isin(who.everyone)]
    adtr = adtr.reindex(columns=list(dict.fromkeys((*adtr.columns, *_OPTIONAL))))
    here = adtr[adtr["PARAMCD"].isin(parameters)]
    sums = adtr[adtr["PARAMCD"] == "SDIAM"].drop_duplicates(_POINT).set_index(_POINT)
    order = ["USUBJID", "PARCAT2", "ADT", "AVISITN", "PARAMCD", "TRLNKID"]
    here = here.sort_values(order, kind="stable")
    rows.add("n", len(here), variable="records", n=len(here), subjects=sorted(set(here["USUBJID"])))
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"]
    keys = zip(*(here[column] for column in _POINT), strict=True)
    for count, (item, key) in enumerate(zip(here.to_dict("records"), keys, strict=True), 1):
        point = sums.loc[[key]].iloc[0] if "LDIAM" in parameters and key in sums.index else None
        _add_record(rows, item, count, first=start[item["USUBJID"]], point=point)
    return rows.build()


def _add_record(
    rows: Rows, item: Mapping[Any, Any], count: int, *, first: pd.Timestamp, point: pd.Series | None
) -> None:
    subject = str(item["USUBJID"])
    numbers = _sequences(item["SRCSEQ"])
    place: dict[str, Any] = {
        "variable": "record",
        "level": f"{subject} {count}",
        "sources": [(subject, str(item["SRCDOM"]), str(item["SRCSEQ"]))],
    }
    days = (item["ADT"] - first).days if not pd.isna(first) else None
    _add_number(rows, "day", days, "days", place)
    texts = {
        "participant": subject,
        "evaluator": str(item["PARCAT2"]),
        "lesion": str(item["TRLNKID"]),
        "site": _text(item["TULOC"]),
        "source": ", ".join(f"{item['SRCDOM']} {number}" for number in numbers) or "no record",
    }
    if item["PARAMCD"] in _ROLES:
        texts |= {"role": _ROLES[str(item["PARAMCD"])], "status": _text(item["AVALC"])}
    else:
        texts |= {"status": _text(item["RSNCD"])}
        texts["complete"] = "no" if point is None or point["DTYPE"] == "PARTIAL" else "yes"
        _add_number(rows, "mm", item["AVAL"], "mm", place)
        for stat, (column, unit) in _SUMS.items():
            _add_number(rows, stat, None if point is None else point[column], unit, place)
    for stat, text in texts.items():
        rows.add(stat, None, text=text, variable="record", level=place["level"])


def _add_number(rows: Rows, stat: str, value: Any, unit: str, place: Mapping[str, Any]) -> None:
    if value is None or pd.isna(value):
        rows.add(stat, None, status="NE", reason="NOT_KNOWN", unit=unit, **place)
    else:
        rows.add(stat, float(value), unit=unit, **place)


def _sequences(text: object) -> Iterable[str]:
    return text.split(";") if isinstance(text, str) and text else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) and value else "-"
