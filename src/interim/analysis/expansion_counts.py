"""Phase IB from a table of counts: the questions of the report without a participant's data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis import (
    expansion,
    expansion_designs,
    expansion_scenarios,
    expansion_sensitivity,
    expansion_sources,
)
from interim.analysis.adhoc import adhoc_study
from interim.data.model import Sdtm
from interim.errors import DataError, Finding
from interim.result import Result
from interim.study import Study
from interim.study.expansion import TumourType

COLUMNS = ("TYPE", "LABEL", "R", "N", "P0", "P1", "P0SRC", "P1SRC")
_RULE = "EXP-COUNTS"


@dataclass(frozen=True)
class PhaseIb:
    """The questions about tumour types and designs of Phase IB, asked of counts.

    Attributes
    ----------
    study : Study
        With the tumour types of the table.
    adam : Adam
        One row per counted participant; nothing but type and response is known.
    sdtm : Sdtm
        Empty: no recorded decision, no dose.
    """

    study: Study
    adam: Adam
    sdtm: Sdtm

    @property
    def candidates(self) -> Result:
        """Rates, models and class of every type."""
        return expansion.candidates(self.adam, self.study, self.sdtm)

    @property
    def tipping(self) -> Result:
        """What one response more or less would change."""
        return expansion.tipping(self.adam, self.study, self.sdtm)

    @property
    def sensitivity(self) -> Result:
        """Class of every type under other priors and rates."""
        return expansion_sensitivity.sensitivity(self.adam, self.study, self.sdtm)

    @property
    def sources(self) -> Result:
        """Sources, priors, checks and limitations."""
        return expansion_sources.sources(self.adam, self.study, self.sdtm)

    @property
    def designs(self) -> Result:
        """Designs of a cohort with exact characteristics."""
        return expansion_designs.designs(self.adam, self.study)

    @property
    def together(self) -> Result:
        """All cohorts together."""
        return expansion_scenarios.together(self.adam, self.study)

    @property
    def rule_of_choice(self) -> Result:
        """Characteristics of the grid at the sizes of the table."""
        return expansion_designs.rule_of_choice(self.adam, self.study, self.sdtm)

    @property
    def boundaries(self) -> Result:
        """Boundaries of toxicity and futility."""
        return expansion_designs.boundaries(self.adam, self.study, self.sdtm)

    def _repr_html_(self) -> str:
        types = ", ".join(f"{entry.label}" for entry in self.study.expansion.type)
        return f"<p>{len(self.study.expansion.type)} tumour types: {types}</p>"


def adhoc(data: pd.DataFrame | str | Path, *, study: Study | None = None) -> PhaseIb:
    """Ask the questions of Phase IB of a table of counts.

    Parameters
    ----------
    data : pandas.DataFrame, str or Path
        One row per tumour type, or a CSV file: TYPE (id), LABEL, R responders of N participants, P0 and P1 (null and target
        rate), P0SRC and P1SRC (their citation). Nothing has a default.
    study : Study, optional
        Designs, thresholds and priors; default: those of the package. Its tumour types are replaced.

    Returns
    -------
    PhaseIb
        Every question as a Result.

    Raises
    ------
    DataError
        If a column is missing or a row is impossible (R > N, P0 >= P1, no citation, an id used twice); all problems at once.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> table = pd.DataFrame([["crc", "Colorectal", 1, 6, 0.05, 0.25, "A", "B"]], columns=COLUMNS)
    >>> made = adhoc(table)
    >>> round(float(made.candidates.get("crc/independent/-/prob_above")["value"]), 6)
    0.757543
    """
    frame = pd.read_csv(data, encoding="utf-8-sig") if isinstance(data, (str, Path)) else data
    problems = list(_problems(frame))
    if problems:
        raise DataError(problems)
    settings = study or adhoc_study()
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    types = tuple(_type(row) for row in rows)
    table = settings.expansion.model_copy(update={"type": types})
    return PhaseIb(settings.model_copy(update={"expansion": table}), _adam(rows), Sdtm({}, _cut()))


def _cut() -> datetime:
    return datetime(2000, 1, 1)


def _problems(frame: pd.DataFrame) -> Iterator[Finding]:
    absent = [name for name in COLUMNS if name not in frame]
    if absent or frame.empty:
        what = (
            f"no such column; the table has: {', '.join(map(str, frame.columns))}"
            if absent
            else "the table has no row"
        )
        yield from (Finding(_RULE, "stop", "COUNTS", what, variable=name) for name in absent or COLUMNS[:1])
        return
    rows: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]
    ids = [str(row["TYPE"]) for row in rows]
    for place, row in enumerate(rows, start=1):
        for variable, value, what in _wrong(row, twice=ids.count(str(row["TYPE"])) > 1):
            yield Finding(_RULE, "stop", "COUNTS", what, variable=variable, value=str(value), row=place)


def _wrong(row: Mapping[str, Any], *, twice: bool) -> Iterator[tuple[str, Any, str]]:
    r, n, p0, p1 = (pd.to_numeric(row[name], errors="coerce") for name in ("R", "N", "P0", "P1"))
    if twice:
        yield "TYPE", row["TYPE"], "names a type twice; give each type an id of its own"
    if not (n >= 0 and n == n // 1):
        yield "N", row["N"], "must be a whole number of participants, 0 or more"
    if not (0 <= r <= n and r == r // 1):
        yield "R", row["R"], f"must be a whole number from 0 to N = {row['N']}"
    if not 0 < p0 < p1 < 1:
        yield "P0", row["P0"], f"must lie between 0 and P1 = {row['P1']}, which lies below 1"
    for name in ("LABEL", "P0SRC", "P1SRC"):
        if pd.isna(row[name]) or not str(row[name]).strip():
            yield name, row[name], "must not be empty; rates are cited, never guessed"


def _type(row: Mapping[str, Any]) -> TumourType:
    name = str(row["TYPE"])
    return TumourType(
        id=name,
        label=str(row["LABEL"]),
        values=(name,),
        p0=float(row["P0"]),
        p1=float(row["P1"]),
        p0_source=str(row["P0SRC"]),
        p1_source=str(row["P1SRC"]),
    )


def _no_date(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")


def _adam(rows: list[dict[str, Any]]) -> Adam:
    people = [
        {
            "USUBJID": f"{row['TYPE']}-{number:03d}",
            "TUMTYPE": str(row["TYPE"]),
            "AVALC": "Y" if number <= row["R"] else "N",
        }
        for row in rows
        for number in range(1, int(row["N"]) + 1)
    ]
    base = pd.DataFrame(people, columns=["USUBJID", "TUMTYPE", "AVALC"])
    flags = {"FASFL": "Y", "SAFNKFL": "Y", "SAFCTFL": "Y", "DLTFL": "N", "DTHFL": "N", "EOSSTT": "UNKNOWN"}
    adsl = base.drop(columns="AVALC").assign(COHORT=None, COHORTA=None, NACTDT=_no_date(base), **flags)
    evaluator = adhoc_study().response.evaluator
    parts = [
        base.assign(PARAMCD=code, PARCAT2=evaluator, ADT=_no_date(base), RSNCD=None)
        for code in ("RSP", "CRSP")
    ]
    reason = "only counts are known"
    return Adam(
        {"ADSL": adsl, "ADRS": pd.concat(parts, ignore_index=True)},
        _cut(),
        missing={"ADAE": reason, "ADDLT": reason},
    )
