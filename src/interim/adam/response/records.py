"""Records: TU and TR read into one row per measurement, with evaluator, role, millimetres, state and time point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from interim.adam.derived import Moment
from interim.adam.response import lesions, timepoint
from interim.adam.source import date_columns, number_column, sequence_text, shipped_data, text_column
from interim.errors import Finding

INVESTIGATOR, ADJUDICATED = "INVESTIGATOR", "ADJUDICATED"
TARGET, NONTARGET, NEW = "TARGET", "NON-TARGET", "NEW"
ScanDay = Literal["last", "first"]
VALUE_KEYS = ["USUBJID", "EVAL", "POINT", "LESION", "TEST"]
"""What one value of one lesion at one time point is known by."""


@dataclass(frozen=True)
class ScanDates:
    """What bounds the date of a scan that was recorded without its day.

    Attributes
    ----------
    cut, first_dose : mapping of str to pandas.Timestamp
        USUBJID -> data cut-off (ADSL.DCUTDT), first dose (ADSL.TRTSDT).
    day : {"last", "first"}
        End of the range that is taken.
    """

    cut: Mapping[str, Moment] = field(default_factory=dict)
    first_dose: Mapping[str, Moment] = field(default_factory=dict)
    day: ScanDay = "last"


def evaluator(frame: pd.DataFrame, domain: str) -> pd.Series:
    """Return who evaluated each record.

    Parameters
    ----------
    frame : pandas.DataFrame
        TU, TR or RS.
    domain : str
        Its name.

    Returns
    -------
    pandas.Series of object
        --EVALID, else --EVAL, else INVESTIGATOR.

    Raises
    ------
    None
    """
    reader, role = text_column(frame, f"{domain}EVALID"), text_column(frame, f"{domain}EVAL")
    return reader.where(reader.notna(), role.where(role.notna(), INVESTIGATOR)).astype(object)


def read_lesion_records(tr: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Read TR.

    Parameters
    ----------
    tr : pandas.DataFrame
        Domain TR.

    Returns
    -------
    tuple of (pandas.DataFrame, tuple of Finding)
        USUBJID, EVAL, ACCEPTED, VISITNUM, VISIT, ROLE, LESION, TEST, MM, STATE, SEQ, FIRST, DATE (imputed to the last day of
        a known month), one row per record of a lesion; findings for negative diameters and states that are not known.

    Raises
    ------
    None
    """
    names = shipped_data("response/lesion_states")
    test, lesion = text_column(tr, "TRTESTCD"), text_column(tr, "TRLNKID")
    keep = test.isin(names["tests"]["all"]) & lesion.notna()
    part = tr[keep]
    rows = _identified(part, "TR")
    rows["ROLE"] = text_column(part, "TRGRPID")
    rows["LESION"], rows["TEST"] = lesion[keep], test[keep]
    rows["MM"] = _millimetres(part, names)
    rows["STATE"], unknown = _states(part, names)
    findings = [
        *_unusable(part[unknown], "TR-STATE", "TRSTRESC", "a known lesion state", "read as not evaluable"),
        *_unusable(part[rows["MM"] < 0], "TR-NEG", "TRSTRESN", "0 mm or more", "read as not evaluable"),
    ]
    return rows, tuple(findings)


def _identified(part: pd.DataFrame, domain: str) -> pd.DataFrame:
    """Return who, when and by whom of each record."""
    dates = date_columns(part, f"{domain}DTC")
    known = dates["PRECISION"].isin(["T", "D", "M"])
    return pd.DataFrame(
        {
            "USUBJID": part["USUBJID"].astype(object),
            "EVAL": evaluator(part, domain),
            "ACCEPTED": text_column(part, f"{domain}ACPTFL") == "Y",
            "VISITNUM": number_column(part, "VISITNUM"),
            "VISIT": part["VISIT"].astype(object) if "VISIT" in part else None,
            "SEQ": part[f"{domain}SEQ"].map(sequence_text) if f"{domain}SEQ" in part else None,
            "FIRST": dates["FIRST"].where(known),
            "DATE": dates["LAST"].where(known),
        },
        index=part.index,
    )


def _millimetres(part: pd.DataFrame, names: dict[str, dict[str, object]]) -> pd.Series:
    """Return diameters in mm; a number with a unit that is not known is missing."""
    factors = names["units"]
    unit = text_column(part, "TRSTRESU")
    value = number_column(part, "TRSTRESN")
    bad = value.notna() & unit.notna() & ~unit.isin(list(factors))
    return value * unit.map(factors).astype("float64").fillna(1.0).where(~bad)


def _states(part: pd.DataFrame, names: dict[str, dict[str, object]]) -> tuple[pd.Series, pd.Series]:
    """Return lesion states in the words of this room, and where a text is none of them."""
    text = text_column(part, "TRSTRESC")
    raw = text_column(part, "TRORRES")
    text = text.where(text.notna(), raw)
    text = text.where(pd.to_numeric(text, errors="coerce").isna())
    known = {str(key): str(value) for key, value in names["states"].items()}
    state = text.map(lambda value: lesion_state(value, known)).astype(object)
    unknown = text.notna() & state.isna() & number_column(part, "TRSTRESN").isna()
    not_done = text_column(part, "TRSTAT") == "NOT DONE"
    state = state.where(~(not_done | unknown), lesions.NOT_EVALUABLE)
    return state.where(state.notna(), None), unknown & ~not_done


def lesion_state(text: object, known: Mapping[str, str]) -> str | None:
    """Return the state of a lesion in the words of this room.

    Parameters
    ----------
    text : object
        Text as collected, upper case; None if none.
    known : mapping of str to str
        Texts that are known.

    Returns
    -------
    str or None
        None without a text, or if it is not known.

    Raises
    ------
    None

    Examples
    --------
    >>> lesion_state("DISAPPEARED", {"DISAPPEARED": "ABSENT"}), lesion_state("ABOUT 5", {})
    ('ABSENT', None)
    """
    if not isinstance(text, str):
        return None
    if text.startswith(("MERGED INTO ", "SPLIT OF ")):
        return text
    return known.get(text)


def _unusable(
    rows: pd.DataFrame, rule: str, variable: str, expected: str, consequence: str
) -> Iterable[Finding]:
    for row in rows.to_dict("records"):
        yield Finding(
            rule,
            "warn",
            "TR",
            f"expected {expected}; {consequence}; correct the record",
            subject=str(row["USUBJID"]),
            key=(str(sequence_text(row.get("TRSEQ"))),),
            variable=variable,
            value=str(row.get(variable)),
            expected=expected,
            file=row.get("SRCFILE"),
            row=None if pd.isna(row.get("SRCROW")) else int(row["SRCROW"]),
        )


def read_identified(tu: pd.DataFrame) -> pd.DataFrame:
    """Read TU.

    Parameters
    ----------
    tu : pandas.DataFrame
        Domain TU.

    Returns
    -------
    pandas.DataFrame
        USUBJID, EVAL, ACCEPTED, VISITNUM, VISIT, SEQ, FIRST, DATE, LESION, ROLE, LOCATION, NODAL.

    Raises
    ------
    None
    """
    lesion, role = text_column(tu, "TULNKID"), text_column(tu, "TUSTRESC")
    role = role.where(role.notna(), text_column(tu, "TUORRES"))
    keep = lesion.notna() & role.isin([TARGET, NONTARGET, NEW])
    rows = _identified(tu[keep], "TU")
    rows["LESION"], rows["ROLE"] = lesion[keep], role[keep]
    rows["LOCATION"] = text_column(tu[keep], "TULOC")
    prefix = str(shipped_data("response/lesion_states")["locations"]["nodal_prefix"])
    rows["NODAL"] = rows["LOCATION"].fillna("").str.startswith(prefix)
    return rows


def in_order(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Return records in the order of some columns, then of their sequence numbers.

    Parameters
    ----------
    rows : pandas.DataFrame
        Records with SEQ (text).
    keys : sequence of str
        Columns.

    Returns
    -------
    pandas.DataFrame
        Sorted; a number is compared as a number, so that 9 precedes 10.

    Raises
    ------
    None
    """
    number = pd.to_numeric(rows["SEQ"], errors="coerce")
    ordered = rows.assign(NUMBER=number).sort_values([*keys, "NUMBER", "SEQ"], kind="stable")
    return ordered.drop(columns="NUMBER")


def assemble(rows: pd.DataFrame, *, window_days: int, dates: ScanDates) -> pd.DataFrame:
    """Return the records with the number of the time point to which each belongs.

    Parameters
    ----------
    rows : pandas.DataFrame
        Records with USUBJID, EVAL, VISITNUM, FIRST, DATE.
    window_days : int
        Scans of one scheduled visit further apart are split.
    dates : ScanDates
        Bounds of an imputed date.

    Returns
    -------
    pandas.DataFrame
        With POINT (0, 1, ... by participant and evaluator in the order of time; records without date have -1), and DATE bounded.

    Raises
    ------
    None

    Notes
    -----
    A visit number that is no whole number, or missing, is an unscheduled scan: each date forms its own time point. A date
    without a day is the last complete date of the same visit that it can mean; else the last day of its month, not after the
    next visit and not after the data cut-off. At the other end it is the first such date, else the first day of its month, not
    before the previous visit and not before the day after the first dose, if its range holds them.
    """
    dated = bounded(rows, dates)
    keys = ["USUBJID", "EVAL", "VISITNUM", "DATE"]
    distinct = dated[keys].dropna(subset=["DATE"]).drop_duplicates().sort_values(keys, kind="stable")
    distinct["CLUSTER"] = _clusters(distinct, window_days)
    start = distinct.groupby(["USUBJID", "EVAL", "CLUSTER"])["DATE"].transform("min")
    order = distinct.assign(START=start).sort_values(["USUBJID", "EVAL", "START", "CLUSTER"], kind="stable")
    order["POINT"] = (
        order.groupby(["USUBJID", "EVAL"])["CLUSTER"]
        .transform(lambda part: pd.factorize(part)[0])
        .astype(int)
    )
    answer = dated.merge(order[[*keys, "POINT"]], on=keys, how="left", validate="m:1")
    answer["POINT"] = answer["POINT"].fillna(-1).astype(int)
    return answer


def bounded(rows: pd.DataFrame, dates: ScanDates) -> pd.DataFrame:
    """Return the records with every imputed date within its bounds.

    Parameters
    ----------
    rows : pandas.DataFrame
        Records with USUBJID, EVAL, VISITNUM, FIRST, DATE.
    dates : ScanDates
        The bounds.

    Returns
    -------
    pandas.DataFrame
        The same records, numbered anew.

    Raises
    ------
    None
    """
    dated = rows.reset_index(drop=True)
    partial = dated["DATE"].notna() & (dated["DATE"] != dated["FIRST"])
    if not partial.any():
        return dated
    whole = dated[~partial].dropna(subset=["DATE"])
    groups: dict[Any, list[pd.Timestamp]] = {
        key: sorted(set(part["DATE"])) for key, part in whole.groupby(["USUBJID", "EVAL", "VISITNUM"])
    }
    for place in dated.index[partial]:
        row = dated.loc[place]
        chain = {key[2]: days for key, days in groups.items() if key[:2] == (row["USUBJID"], row["EVAL"])}
        dated.loc[place, "DATE"] = _imputed(row, chain, dates)
    return dated


def _imputed(row: pd.Series, visits: Mapping[Any, Sequence[pd.Timestamp]], dates: ScanDates) -> Moment:
    same = [day for day in visits.get(row["VISITNUM"], ()) if row["FIRST"] <= day <= row["DATE"]]
    if same:
        return same[-1] if dates.day == "last" else same[0]
    later = [days[0] for number, days in visits.items() if number > row["VISITNUM"]]
    cut = dates.cut.get(row["USUBJID"], pd.NaT)
    last = min([row["DATE"], *(day for day in (*later, cut) if row["FIRST"] <= day)])
    if dates.day == "last":
        return last
    dosed = dates.first_dose.get(row["USUBJID"], pd.NaT) + pd.Timedelta(days=1)
    earlier = [days[-1] for number, days in visits.items() if number < row["VISITNUM"]]
    return max([row["FIRST"], *(day for day in (*earlier, dosed) if day <= last)])


def _clusters(distinct: pd.DataFrame, window_days: int) -> list[int]:
    """Return a number for each distinct scan date; equal numbers belong to one time point."""
    answer: list[int] = []
    opened: tuple[object, ...] = ()
    start = pd.NaT
    for subject, reader, visit, day in zip(
        distinct["USUBJID"], distinct["EVAL"], distinct["VISITNUM"], distinct["DATE"], strict=True
    ):
        scheduled = visit == visit and float(visit).is_integer()
        same = scheduled and opened == (subject, reader, visit) and (day - start).days <= window_days
        if not same:
            opened, start = (subject, reader, visit), day
        answer.append(answer[-1] if same else len(answer))
    return answer


def nontarget_state(state: object) -> str:
    """Return the state of a non-target or new lesion in the words of the time-point rules.

    Parameters
    ----------
    state : object
        State as read.

    Returns
    -------
    str
        ABSENT, PRESENT, UNEQUIVOCAL PROGRESSION, FURTHER INCREASE, UNEQUIVOCAL, EQUIVOCAL or NE.

    Raises
    ------
    None
    """
    if not isinstance(state, str) or state == lesions.NOT_EVALUABLE:
        return timepoint.NE
    if state == lesions.TSTM:
        return timepoint.PRESENT
    return timepoint.UNEQUIVOCAL if state == timepoint.NEW_UNEQUIVOCAL else state
