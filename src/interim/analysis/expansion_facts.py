"""What stands beside the rate of a tumour type: both scopes of dose, kinetics, ligand, and the recorded decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.expansion_covariates import ligand_levels
from interim.analysis.expansion_types import Types, count_types, in_scope, printed
from interim.analysis.population import add_rate
from interim.analysis.response import chosen, responders
from interim.data.model import Sdtm
from interim.design.expansion_rule import Class
from interim.result import Rows
from interim.study import Study
from interim.study.expansion import TumourType

RECORD, DEVIATE, UNCONFIRMED = "EXP-RECORD", "EXP-DEVIATE", "EXP-CONF"
_NO_NEED = "not stated: the sponsor states it in the protocol"
_NO_SAMPLES = "not available: no kinetic parameters"


def add_facts(rows: Rows, types: Types, *, adam: Adam, study: Study, sdtm: Sdtm) -> None:
    """Add what stands beside the rate of every type.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    types : Types
        Counts in the scope of the study.
    adam : Adam
        ADSL, ADRS, ADPP, ADSUB.
    study : Study
        Table ``expansion``.
    sdtm : Sdtm
        Recorded decisions.

    Returns
    -------
    None
        Group = id of the type: variable ``scope`` (levels all, rp2d; rate, lower, upper), ``kinetics`` (level = assay; n, median),
        ``ligand`` (rate of the highest level among those with a value), ``members`` (level = scope, ligand: n behind those rates), ``unmet_need``; total: ``EXP-CONF`` (participants
        whose response has no confirmation status; they count as unconfirmed).

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    confirmed = study.expansion.response_status == "confirmed"
    for scope in ("all", "rp2d"):
        part = count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm, scope=scope))
        for entry, ids, hit in zip(part.types, part.members, part.responders, strict=True):
            counts = (len(hit), len(ids))
            place = {"group": entry.id, "variable": "members", "level": scope}
            rows.add("n", len(ids), n=len(ids), subjects=sorted(ids), **place)
            add_rate(rows, counts, study=study, where=(entry.id, "scope", scope), subjects=sorted(hit))
    samples = _samples(adam)
    for entry, ids in zip(types.types, types.members, strict=True):
        _add_kinetics(rows, entry, ids, samples)
        _add_ligand(rows, entry, ids, adam, study)
        rows.add("text", None, group=entry.id, variable="unmet_need", status="NA", reason=_NO_NEED)
    missing = sorted(_without_status(adam, study) & frozenset[str]().union(*types.members))
    rows.add("n", len(missing), variable=UNCONFIRMED, n=len(missing), N=types.who.n(), subjects=missing)


def _without_status(adam: Adam, study: Study) -> frozenset[str]:
    known = chosen(adam, study, "CRSP")
    stated = frozenset(known.loc[known["AVALC"].notna(), "USUBJID"])
    return responders(adam, study, confirmed=False) - stated


def _samples(adam: Adam) -> dict[str, pd.DataFrame] | None:
    """Return the kinetic parameter that stands beside the rates by assay; None without kinetic parameters."""
    if not adam.has("ADPP"):
        return None
    adpp, setting = adam["ADPP"], printed()["kinetics"]
    wanted = (adpp["ROLE"] == "t") & (adpp["CLOCK"] == "CYCLE") & (adpp["ACYCLE"] == setting["cycle"])
    found = adpp[wanted & (adpp["PARAMCD"] == setting["parameter"]) & adpp["AVAL"].notna()]
    return {str(assay): part for assay, part in found.groupby("ASSAY", sort=True)}


def _add_kinetics(
    rows: Rows, entry: TumourType, ids: frozenset[str], samples: Mapping[str, pd.DataFrame] | None
) -> None:
    if samples is None:
        rows.add("median", None, group=entry.id, variable="kinetics", status="NA", reason=_NO_SAMPLES)
        return
    for assay, part in samples.items():
        mine = part[part["USUBJID"].isin(ids)]
        place: dict[str, Any] = {
            "group": entry.id,
            "variable": "kinetics",
            "level": assay,
            "unit": str(part["AVALU"].iloc[0]),
            "n": len(mine),
            "N": len(ids),
        }
        if mine.empty:
            rows.add("median", None, status="NE", reason="NO_DATA", **place)
        else:
            rows.add("median", float(mine["AVAL"].median()), subjects=sorted(set(mine["USUBJID"])), **place)


def _add_ligand(rows: Rows, entry: TumourType, ids: frozenset[str], adam: Adam, study: Study) -> None:
    levels = ligand_levels(adam, study)
    if not levels:
        reason = "not available: no ligand level"
        rows.add("rate", None, group=entry.id, variable="ligand", status="NA", reason=reason)
        return
    top, members = list(levels.items())[-1]
    known = ids & frozenset[str]().union(*levels.values())
    counts = (len(known & members), len(known))
    place = {"group": entry.id, "variable": "members", "level": "ligand"}
    rows.add("n", len(known), n=len(known), subjects=sorted(known), **place)
    add_rate(rows, counts, study=study, where=(entry.id, "ligand", top), subjects=sorted(known & members))


@dataclass(frozen=True)
class Recorded:
    """The last recorded decision on a tumour type.

    Attributes
    ----------
    text : str
        Who, when, why, with references.
    opened : bool or None
        Whether a cohort is opened (a number of participants above 0); None if the record states no number.
    """

    text: str
    opened: bool | None


def recorded_types(sdtm: Sdtm, study: Study) -> Mapping[str, Recorded]:
    """Return the recorded decisions on tumour types.

    Parameters
    ----------
    sdtm : Sdtm
        DECISIONS of kind ``tumour_type``; ``type`` is an id or a value of the study, ``n`` the participants of the cohort that
        is opened, 0 if none is.
    study : Study
        Tumour types.

    Returns
    -------
    mapping of str to Recorded
        Id of the type -> its last decision by date.

    Raises
    ------
    None
    """
    source = sdtm.domain("DECISIONS")
    if "kind" not in source or "type" not in source:
        return {}
    chosen_rows = source[source["kind"] == "tumour_type"].sort_values("date", kind="stable")
    known = {value: entry.id for entry in study.expansion.type for value in (*entry.values, entry.id)}
    found = {}
    for row in chosen_rows.to_dict("records"):
        if (name := known.get(str(row["type"]))) is not None:
            found[name] = _record({str(key): value for key, value in row.items()})
    return found


def _record(row: Mapping[str, Any]) -> Recorded:
    number = row.get("n")
    n = None if pd.isna(number) else int(float(str(number)))
    outcome = "" if n is None else (f"cohort of {n}" if n else "no cohort")
    words = [
        f"{str(row['date'])[:10]}, {row['role']} ({row['name']})",
        outcome,
        row["rationale"],
        row.get("references"),
    ]
    return Recorded(
        "; ".join(str(word) for word in words if word and not pd.isna(word)), None if n is None else n > 0
    )


def record_text(kind: Class, record: Recorded | None) -> str:
    """Return how the record of a type stands beside the class by the rule.

    Parameters
    ----------
    kind : {"GO", "CONSIDER", "NO-GO"}
        Class by the rule.
    record : Recorded or None
        The recorded decision.

    Returns
    -------
    str
        The record; EXP-RECORD if CONSIDER has none, EXP-DEVIATE if it goes against the rule. Both stand.

    Raises
    ------
    None

    Examples
    --------
    >>> record_text("CONSIDER", None)
    'no decision recorded (EXP-RECORD)'
    >>> record_text("NO-GO", Recorded("2026-06-01, Sponsor (A); cohort of 9; new data", True))
    'recorded: 2026-06-01, Sponsor (A); cohort of 9; new data (EXP-DEVIATE)'
    """
    if record is None:
        return f"no decision recorded ({RECORD})" if kind == "CONSIDER" else "no decision recorded"
    against = (kind == "GO" and record.opened is False) or (kind == "NO-GO" and record.opened is True)
    return f"recorded: {record.text}" + (f" ({DEVIATE})" if against else "")
