"""The worst answer to a query: the source data in which one record says what would be worst."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

from interim.analysis.source_quality import settings
from interim.data import spec
from interim.data.dates import date_range, parse_dates
from interim.data.model import Sdtm
from interim.data.records import value_text

_DAY = timedelta(days=1)


def answered(
    sdtm: Sdtm, query: Mapping[str, str], worst: Mapping[str, str]
) -> dict[str, pd.DataFrame] | None:
    """Return the domains in which the worst answer to a query stands.

    Parameters
    ----------
    sdtm : Sdtm
        Source data as recorded.
    query : mapping of str to str
        USUBJID, QDOMAIN and QKEY of the query.
    worst : mapping of str to str
        Variable -> value, or a word that stands for one (`meant`).

    Returns
    -------
    dict of str to pandas.DataFrame, or None
        Changed domains by name; empty if the record is not there, None if the record has no worst value.

    Raises
    ------
    None
    """
    domain, subject = query.get("QDOMAIN", ""), query.get("USUBJID", "")
    number = re.search(r"(\d+)\s*$", query.get("QKEY", ""))
    frame, seq = sdtm.domain(domain), f"{domain}SEQ"
    mine = frame["USUBJID"] == subject
    if domain in _one_per_participant():
        number = None
    elif number is None or seq not in frame:
        return {}
    else:
        mine &= pd.to_numeric(frame[seq], errors="coerce") == float(number[1])
    if not mine.any():
        return {}
    record = {str(name): cell for name, cell in frame[mine].iloc[0].items()}
    stated = {
        n: v for n, text in worst.items() if (v := meant(text, n, record=record, sdtm=sdtm)) is not None
    }
    if not stated:
        return None
    found = {domain: frame.assign(**{n: _with(frame[n], mine, v) for n, v in stated.items() if n in frame})}
    outside = {n: v for n, v in stated.items() if n not in frame}
    supp = sdtm.domains.get(f"SUPP{domain}")
    if outside and supp is not None and number is not None:
        found[f"SUPP{domain}"] = _qualified(supp, domain, subject, number[1], outside)
    return found


def _one_per_participant() -> frozenset[str]:
    """Return the domains that hold one record per participant, which a query names by the participant alone."""
    known = ((name, spec.domain(name)) for name in settings()["read"])
    return frozenset(name for name, found in known if found is not None and found.key == ("USUBJID",))


def meant(text: str, name: str, *, record: Mapping[str, Any], sdtm: Sdtm) -> str | None:
    """Return the value that a word of the settings means for a record.

    Parameters
    ----------
    text : str
        A value, or a word: ``@cut`` the day of the cut-off where the cell is blank; ``@worst`` far beyond the limit of normal;
        ``@onset`` the first infusion of the last product, or the end of the event if that is earlier; ``@early`` and ``@late``
        the first and the last day that the other infusions, the consent, the death and the cut-off leave to an infusion;
        ``@role`` a new lesion after the first infusion, else the other role; ``@arm`` the next lower dose level, above the
        lowest the next higher one.
    name : str
        Variable.
    record : mapping of str to object
        The record as it stands.
    sdtm : Sdtm
        Source data as recorded.

    Returns
    -------
    str or None
        None: the cell stays, or there is no worst value.

    Raises
    ------
    None
    """
    if text == "@cut":
        return sdtm.cut.date().isoformat() if not value_text(record.get(name)) else None
    if text == "@worst":
        return _beyond(name, record)
    if not text.startswith("@"):
        return text
    return _WORDS[text](record, name, sdtm) if name in record else None


def _beyond(name: str, record: Mapping[str, Any]) -> str | None:
    sets, test = settings()["worst_result"], value_text(record.get("LBTESTCD"))
    for direction, limit in (("low", "NRLO"), ("high", "NRHI")):
        if test in sets[direction]:
            of = pd.Series([record.get(f"{name[:4]}{limit}")], dtype=object)
            bound = float(pd.to_numeric(of, errors="coerce").iloc[0])
            times = 1 / sets["times"] if direction == "low" else sets["times"]
            return value_text(float(bound * times)) if bound == bound else None
    return None


def _infusions(sdtm: Sdtm, subject: object) -> pd.DataFrame:
    """Return SEQ, PRODUCT and DAY of the dated infusions that a participant was given, in their order."""
    ex = sdtm.domain("EX").reindex(columns=["USUBJID", "EXSEQ", "EXTRT", "EXOCCUR", "EXSTDTC"])
    ex = ex[(ex["USUBJID"] == subject) & (ex["EXOCCUR"] != "N")]
    days = parse_dates(ex["EXSTDTC"])["FIRST"]
    table = pd.DataFrame({"SEQ": ex["EXSEQ"], "PRODUCT": ex["EXTRT"], "DAY": days})
    return table[table["DAY"].notna()].sort_values(["DAY", "SEQ"], kind="stable")


def _onset(record: Mapping[str, Any], _: str, sdtm: Sdtm) -> str | None:
    given = _infusions(sdtm, record.get("USUBJID"))
    if given.empty:
        return None
    first: date = given.loc[given["PRODUCT"] == given["PRODUCT"].iloc[-1], "DAY"].iloc[0].date()
    _first, end = date_range(value_text(record.get("AEENDTC")) or None)
    return min(first, end or first).isoformat()


def _moved(record: Mapping[str, Any], sdtm: Sdtm) -> tuple[date | None, list[date]]:
    """Return the day of an infusion and the days of the participant's others."""
    given = _infusions(sdtm, record.get("USUBJID"))
    others = [day.date() for day in given.loc[given["SEQ"] != record.get("EXSEQ"), "DAY"]]
    return date_range(value_text(record.get("EXSTDTC")) or None)[0], others


def _early(record: Mapping[str, Any], _: str, sdtm: Sdtm) -> str | None:
    own, others = _moved(record, sdtm)
    before = [day + _DAY for day in others if own is not None and day < own]
    dm = sdtm.domain("DM").reindex(columns=["USUBJID", "RFICDTC"])
    consent = dm.loc[dm["USUBJID"] == record.get("USUBJID"), "RFICDTC"]
    first = date_range(value_text(consent.iloc[0]) or None)[1] if len(consent) else None
    bound = max(before, default=first)
    return None if own is None or bound is None else min(bound, own).isoformat()


def _late(record: Mapping[str, Any], _: str, sdtm: Sdtm) -> str | None:
    own, others = _moved(record, sdtm)
    if own is None:
        return None
    dm = sdtm.domain("DM").reindex(columns=["USUBJID", "DTHDTC"])
    death = [value_text(text) or None for text in dm.loc[dm["USUBJID"] == record.get("USUBJID"), "DTHDTC"]]
    ends = [day for text in death if (day := date_range(text)[0]) is not None]
    bound = min([day - _DAY for day in others if day > own], default=min([*ends, sdtm.cut.date()]))
    return max(bound, own).isoformat()


def _role(record: Mapping[str, Any], _: str, sdtm: Sdtm) -> str | None:
    sets = settings()["worst_role"]
    role = value_text(record.get("TUSTRESC")) or value_text(record.get("TUORRES"))
    seen, given = (
        date_range(value_text(record.get("TUDTC")) or None)[0],
        _infusions(sdtm, record.get("USUBJID")),
    )
    after = seen is not None and not given.empty and seen > given["DAY"].iloc[0].date()
    found: str | None = sets["new"] if after else sets["other"].get(role)
    return found


def _arm(record: Mapping[str, Any], name: str, _: Sdtm) -> str | None:
    level = re.fullmatch(r"(.*?)(\d+)", value_text(record.get(name)))
    if level is None:
        return None
    number = int(level[2])
    return f"{level[1]}{number - 1 if number > 1 else number + 1}"


_WORDS = {"@onset": _onset, "@early": _early, "@late": _late, "@role": _role, "@arm": _arm}


def _with(column: pd.Series, where: pd.Series, value: str) -> pd.Series:
    if column.dtype == object:
        return column.mask(where, value or None)
    return column.mask(where, float(value) if value else float("nan"))


def _qualified(
    supp: pd.DataFrame, domain: str, subject: str, number: str, values: Mapping[str, str]
) -> pd.DataFrame:
    """Return the supplemental records with other qualifiers of one parent record."""
    mine = (
        (supp["USUBJID"] == subject)
        & (supp["IDVARVAL"].astype(str) == number)
        & supp["QNAM"].isin(list(values))
    )
    new = [
        {
            "USUBJID": subject,
            "RDOMAIN": domain,
            "IDVAR": f"{domain}SEQ",
            "IDVARVAL": number,
            "QNAM": n,
            "QVAL": v,
        }
        for n, v in values.items()
    ]
    added = pd.DataFrame(new, dtype=object).reindex(columns=supp.columns)
    joined = pd.concat([supp[~mine].astype(object), added.astype(object)], ignore_index=True)
    return joined.where(joined.notna(), None)
