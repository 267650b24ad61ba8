"""From a preset and a seed to SDTM frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from interim.example.case import Case, DomainWriter, Row, draw_case
from interim.example.decisions import decisions
from interim.example.dosing import biospecimen_events, exposure, procedures, product_findings
from interim.example.event_records import adverse_events, clinical_events
from interim.example.imaging_records import lesion_identification, measurements, responses
from interim.example.kinetics import kinetics
from interim.example.laboratory import laboratory
from interim.example.path import study_path
from interim.example.plan import plan_people
from interim.example.samples import antibodies, flow_cytometry, ligand_expression
from interim.example.settings import numbers
from interim.example.stream import stream
from interim.example.subjects import (
    characteristics,
    demographics,
    disposition,
    subject_visits,
    survival_status,
    trial_summary,
)
from interim.example.therapies import deviations, medical_history, medications, queries
from interim.example.vital_signs import electrocardiograms, questionnaires, vital_signs

DOMAINS: Mapping[str, DomainWriter] = {
    "DM": demographics,
    "DS": disposition,
    "SV": subject_visits,
    "EX": exposure,
    "PR": procedures,
    "BE": biospecimen_events,
    "BS": product_findings,
    "AE": adverse_events,
    "CE": clinical_events,
    "LB": laboratory,
    "VS": vital_signs,
    "EG": electrocardiograms,
    "QS": questionnaires,
    "TU": lesion_identification,
    "TR": measurements,
    "RS": responses,
    "CM": medications,
    "MH": medical_history,
    "PC": kinetics,
    "CP": flow_cytometry,
    "MI": ligand_expression,
    "IS": antibodies,
    "SC": characteristics,
    "SS": survival_status,
    "DV": deviations,
    "QUERY": queries,
}
SUPP_COLUMNS = ("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM", "QVAL", "QORIG")


def make_study(
    preset_name: str = "main13", seed: int | None = None, *, null: bool = False
) -> dict[str, pd.DataFrame]:
    """Make the raw data of a synthetic study.

    Parameters
    ----------
    preset_name : str
        ``main13``, ``tiny10`` or ``full18``: the path that the study takes; ``free``: the dose-escalation rule decides.
    seed : int, optional
        Seed; default the generator's own.
    null : bool
        No subgroup has an effect: what a forest plot shows is chance.

    Returns
    -------
    dict of str to pandas.DataFrame
        SDTM domains by name, with their supplemental qualifiers; text is object with None for missing.

    Raises
    ------
    StudyError
        If there is no such preset.

    Notes
    -----
    The preset fixes arms, triggers, dose-limiting toxicities and response classes; all else is drawn conditionally on them.
    Every participant has an own random stream per domain, so that one more domain or participant changes no other.

    Examples
    --------
    >>> len(make_study("tiny10")["DM"])
    13
    """
    chosen = numbers("study.seed") if seed is None else seed
    cases = draw_cases(preset_name, chosen, null=null)
    path = study_path(preset_name, chosen)
    frames: dict[str, pd.DataFrame] = {}
    for domain, write in DOMAINS.items():
        records = [(case, write(case)) for case in cases]
        frames[domain], supp = _frames(domain, records)
        if len(supp):
            frames[f"SUPP{domain}"] = supp
    frames["DECISIONS"] = _frame(decisions(cases, path))
    summary = trial_summary(preset_name, path["cut"])
    frames["TS"] = pd.DataFrame([{"STUDYID": numbers("study.id"), "DOMAIN": "TS"} | row for row in summary])
    return frames


def many_studies(
    number: int, preset_name: str = "main13", seed: int | None = None, *, null: bool = False
) -> Iterator[tuple[int, dict[str, pd.DataFrame]]]:
    """Make several studies, one after the other.

    Parameters
    ----------
    number : int
        How many.
    preset_name : str
        Preset of all.
    seed : int, optional
        Seed; default the generator's own.
    null : bool
        No subgroup has an effect.

    Yields
    ------
    tuple of (int, dict of str to pandas.DataFrame)
        Seed and domains of each; the seed of the i-th depends on ``seed`` and i alone, never on how many there are.

    Raises
    ------
    StudyError
        If there is no such preset.
    """
    chosen = numbers("study.seed") if seed is None else seed
    for place in range(1, number + 1):
        own = int(stream(chosen, "many", place).integers(2**31))
        yield own, make_study(preset_name, own, null=null)


def draw_cases(preset_name: str, seed: int, *, null: bool = False) -> tuple[Case, ...]:
    """Draw all participants of a study.

    Parameters
    ----------
    preset_name : str
        Preset.
    seed : int
        Seed of the study.
    null : bool
        No subgroup has an effect.

    Returns
    -------
    tuple of Case
        In the order of consent.

    Raises
    ------
    StudyError
        If there is no such preset.
    """
    return tuple(draw_case(person) for person in plan_people(preset_name, seed, null=null))


def _frames(domain: str, records: Iterable[tuple[Case, list[Row]]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Number the records of each participant and separate the supplemental qualifiers."""
    rows: list[dict[str, Any]] = []
    supp: list[dict[str, Any]] = []
    for case, written in records:
        keys = {"STUDYID": numbers("study.id"), "DOMAIN": domain, "USUBJID": case.person.usubjid}
        for sequence, row in enumerate(written, start=1):
            own = {} if domain in ("DM", "QUERY") else {f"{domain}SEQ": sequence}
            rows.append(keys | own | {name: value for name, value in row.items() if name != "_supp"})
            supp += [_supp(domain, keys, sequence, item) for item in row.get("_supp", {}).items()]
    return _frame(rows), pd.DataFrame(supp, columns=list(SUPP_COLUMNS), dtype=object)


def _supp(domain: str, keys: Mapping[str, str], sequence: int, item: tuple[str, str]) -> dict[str, Any]:
    whole = domain == "DM"
    return {
        "STUDYID": keys["STUDYID"],
        "RDOMAIN": domain,
        "USUBJID": keys["USUBJID"],
        "IDVAR": None if whole else f"{domain}SEQ",
        "IDVARVAL": None if whole else str(sequence),
        "QNAM": item[0],
        "QVAL": item[1],
        "QORIG": "CRF",
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        if frame[name].dtype == object:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame
