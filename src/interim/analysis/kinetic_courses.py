"""Courses of single participants: one row per sample, with the infusions and the medicines that fall into them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from interim.adam.adpc import clocks
from interim.adam.kinetic_columns import days_from
from interim.adam.model import Adam
from interim.analysis.population import Population
from interim.result import Rows


@dataclass(frozen=True)
class Sample:
    """One sample of a course.

    Attributes
    ----------
    group, variable : str
        Column of the table; assay with unit, a bar, and the participant.
    time : float
        Days from the first infusion.
    value, limit : float
        Quantified value; limit of quantification, NaN if it is not known.
    below : bool
        Whether the sample is below that limit.
    unit : str
        Unit of both.
    source : tuple of str
        USUBJID, SRCDOM and SRCSEQ; empty if there is none.
    """

    group: str
    variable: str
    time: float
    value: float
    limit: float
    below: bool
    unit: str = ""
    source: tuple[str, ...] = ()


def add_samples(rows: Rows, samples: Iterable[Sample]) -> None:
    """Add the samples of courses, stat ``conc``.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    samples : iterable of Sample
        In the order of printing; two samples at one time both stand, the level of the second ends in ``#2``.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Below the limit: status FLAG, reason BLQ, the value is the limit; status NE, reason NO_LIMIT, where no limit is known.
    """
    seen: dict[tuple[str, str, str], int] = {}
    for sample in samples:
        level = f"{sample.time:.4f}"
        place = (sample.group, sample.variable, level)
        seen[place] = seen.get(place, 0) + 1
        status, reason = "OK", ""
        value: float | None = sample.value
        if sample.below:
            known = sample.limit > 0
            status, reason = ("FLAG", "BLQ") if known else ("NE", "NO_LIMIT")
            value = sample.limit if known else None
        rows.add(
            "conc",
            value,
            group=sample.group,
            variable=sample.variable,
            level=level if seen[place] == 1 else f"{level}#{seen[place]}",
            status=status,
            reason=reason,
            unit=sample.unit,
            sources=[sample.source] if sample.source else [],
        )


def add_events(rows: Rows, adam: Adam, *, who: Population, role: str) -> None:
    """Add the infusions of a product and the medicines after them, in days from its first infusion.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    adam : Adam
        ADEX and ADCKCM.
    who : Population
        Participants and columns.
    role : str
        Role of the product.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Stat ``infusion`` of variable ``infusions`` and stat ``start`` of variable ``CMAX_AFTER_TOCI`` or ``CMAX_AFTER_STEROID``;
    level = participant and number.
    """
    column = column_of(who)
    adex = adam["ADEX"]
    first = clocks(adex[adex["ROLE"] == role]).groupby("USUBJID")["FIRST"].min()
    doses = adex[adex["ROLE"] == role].assign(WHEN=adex["ASTDTM"].fillna(adex["ASTDT"]), KIND="infusions")
    parts = [doses[["USUBJID", "WHEN", "KIND", *_source(doses)]]]
    if adam.has("ADCKCM") and len(adam["ADCKCM"]):
        drugs = adam["ADCKCM"].rename(columns={"ASTDTM": "WHEN", "CMKIND": "KIND"})
        parts.append(drugs[["USUBJID", "WHEN", "KIND", *_source(drugs)]])
    frame = pd.concat(parts, ignore_index=True)
    frame = frame[frame["USUBJID"].isin(list(column))].reset_index(drop=True)
    frame = frame.assign(DAY=days_from(frame["WHEN"], frame["USUBJID"].map(first)))
    frame = frame[frame["DAY"] >= 0].sort_values(["KIND", "USUBJID", "DAY"], kind="stable")
    number = frame.groupby(["KIND", "USUBJID"]).cumcount() + 1
    for item, count in zip(frame.to_dict("records"), number, strict=True):
        subject = str(item["USUBJID"])
        rows.add(
            "infusion" if item["KIND"] == "infusions" else "start",
            float(item["DAY"]),
            group=column[subject],
            variable=str(item["KIND"]),
            level=f"{subject} {count}",
            unit="days",
            subjects=[subject],
        )


def _source(frame: pd.DataFrame) -> list[str]:
    return [name for name in ("SRCDOM", "SRCSEQ") if name in frame]


def column_of(who: Population) -> Mapping[str, str]:
    """Return the column of each participant.

    Parameters
    ----------
    who : Population
        Participants and columns; the last column is the total.

    Returns
    -------
    mapping of str to str
        USUBJID -> column code.

    Raises
    ------
    None
    """
    return {subject: group for group in who.groups[:-1] for subject in who.members[group]}
