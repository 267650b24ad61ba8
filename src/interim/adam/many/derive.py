"""Best response and progression-free survival of many participants from TU, TR and ADSL."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from interim.adam.many.points import odd_participants, points_of
from interim.adam.many.read import day_numbers, read_many
from interim.adam.many.response import NO_SCAN, Bests, Scored, best_responses, score, used_responses
from interim.adam.many.survival import Dates, Times, progression_free
from interim.adam.response.adrs import ANCHORS
from interim.adam.response.assessments import BEST_FIRST, MISSING, NE, BestRules
from interim.adam.response.build import derive_response
from interim.adam.tte import derive_adtte, endpoints
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.study import Study

COLUMNS = ["USUBJID", "BOR", "BORDT", "BORRSN", "CBOR", "CBORDT", "CBORRSN", "PFSDT", "PFS", "CNSR", "PFSRSN"]
_LEFT = ("COMPLETED", "DISCONTINUED")
_BEST = (("BOR", False), ("CBOR", True))


def derive_many(tu: pd.DataFrame, tr: pd.DataFrame, *, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return best response and progression-free survival from the lesions, for many participants at once.

    Parameters
    ----------
    tu, tr : pandas.DataFrame
        Domains TU and TR.
    adsl : pandas.DataFrame
        As in `interim.adam.response.derive_response` and `interim.adam.tte.derive_adtte`.
    study : Study
        Tables ``response`` and ``tte``.

    Returns
    -------
    pandas.DataFrame
        One row per participant of ENR, sorted: USUBJID, BOR, BORDT, BORRSN, CBOR, CBORDT, CBORRSN (first reason code), and
        where the participant belongs to FAS and has a start PFSDT, PFS (days), CNSR, PFSRSN.

    Raises
    ------
    DerivationError
        If the study needs records beside the lesions: tumour markers, symptomatic deterioration, reported responses.

    Notes
    -----
    The same ordered rules as the derivation step by step, read for arrays. A participant with anything unusual (a split lesion,
    a partial date, a lesion listed twice ...) is derived step by step; so is everybody if the gap rule counts visits, or the
    evaluator is an adjudication.
    """
    _refuse(study)
    people = adsl[adsl["ENRLFL"] == "Y"] if "ENRLFL" in adsl else adsl
    people = people.sort_values("USUBJID", kind="stable").reset_index(drop=True)
    if study.tte.gap_rule == "visits" or study.response.evaluator == "ADJUDICATED":
        return _step_by_step(tu, tr, people, study)
    subjects = pd.Index(people["USUBJID"].astype(object))
    dose = _day(people, "TRTSDT")
    listed, rows = read_many(tu, tr, subjects=subjects, rules=study.response)
    odd = odd_participants(listed, rows, dose=dose, rules=study.response)
    listed, rows = (part[~odd[part["SUBJECT"].to_numpy()]] for part in (listed, rows))
    points, mixed = points_of(listed, rows, size=len(people), rules=study.response)
    odd |= mixed
    scored = score(points, dose, rules=study.response)
    odd |= ~scored.baseline & ~np.isnan(points.day).all(axis=1)
    assessable = scored.baseline & (points.targets + points.nontargets > 0)
    plain = _in_arrays(people, scored, assessable, study)[~odd]
    if not odd.any():
        return plain.reset_index(drop=True)
    others = set(subjects[odd])
    tu, tr, people = (frame[frame["USUBJID"].isin(others)] for frame in (tu, tr, people))
    both = pd.concat([plain, _step_by_step(tu, tr, people, study)])
    return both.sort_values("USUBJID", kind="stable").reset_index(drop=True)


def _refuse(study: Study) -> None:
    needs = {
        "response.nontarget_markers": bool(study.response.nontarget_markers),
        "response.route = 'reported'": study.response.route == "reported",
        "tte.clinical_progression = 'event'": study.tte.clinical_progression == "event",
        "tte.pd_source": study.tte.pd_source not in ("auto", study.response.evaluator),
    }
    found = [name for name, needed in needs.items() if needed]
    if found:
        raise DerivationError(
            f"many participants at once are derived from the lesions alone; {', '.join(found)} needs other records: "
            "use derive_response and derive_adtte"
        )


def _day(people: pd.DataFrame, *names: str) -> np.ndarray:
    """Return the first date of some columns in days since 1970-01-01; NaN if none is known."""
    answer = np.full(len(people), np.nan)
    for name in names:
        if name in people:
            answer = np.where(np.isnan(answer), day_numbers(people[name]), answer)
    return answer


def _in_arrays(people: pd.DataFrame, scored: Scored, assessable: np.ndarray, study: Study) -> pd.DataFrame:
    cut, nact, death = (_day(people, name) for name in ("DCUTDT", "NACTDT", "DTHDT"))
    reference = _day(people, *ANCHORS[study.response.anchor])
    rules = BestRules.of(study.response)
    before = nact if study.response.bor_stop_at_nact else np.full(len(people), np.nan)
    day, response = used_responses(scored, reference, before=before, last=np.fmin(cut, death), rules=rules)
    answer = pd.DataFrame({"USUBJID": people["USUBJID"].astype(object)})
    for name, confirmed in _BEST:
        best = best_responses(day, response, rules=rules, confirmed=confirmed)
        answer = answer.assign(**_best_columns(name, best, reference, ~np.isnan(death), rules))
    left = (
        people["EOSSTT"].isin(_LEFT).to_numpy() if "EOSSTT" in people else np.zeros(len(people), dtype=bool)
    )
    start = _day(people, *ANCHORS[study.tte.anchor])
    if "FASFL" in people:
        start = np.where(people["FASFL"] == "Y", start, np.nan)
    endpoint = next(endpoint for endpoint in endpoints(study) if endpoint.name == "PFS")
    times = progression_free(scored, Dates(start, cut, nact, death, left, assessable), endpoint)
    return answer.assign(**_time_columns(times))[COLUMNS]


def _best_columns(
    name: str, best: Bests, reference: np.ndarray, died: np.ndarray, rules: BestRules
) -> dict[str, Any]:
    without = best.value == NO_SCAN
    nothing = np.where(died, NE, NE if rules.missing_as_ne else MISSING)
    values = np.array([*BEST_FIRST, MISSING], dtype=object)[best.value]
    reason = np.where(died, "B-NE-DEATH", "B-MISSING")
    return {
        name: np.where(without, nothing, values),
        f"{name}DT": _dates(reference + best.day),
        f"{name}RSN": np.where(without, reason, best.code).astype(object),
    }


def _time_columns(times: Times) -> dict[str, Any]:
    code = pd.Series(times.code, dtype=object)
    return {
        "PFSDT": _dates(times.at),
        "PFS": times.days,
        "CNSR": times.cnsr,
        "PFSRSN": code.where(code != "", None),
    }


def _dates(days: np.ndarray) -> pd.Series:
    whole = np.where(np.isnan(days), 0, days).astype("int64").astype("datetime64[D]").astype("datetime64[ns]")
    return pd.Series(whole).where(~np.isnan(days))


def _step_by_step(tu: pd.DataFrame, tr: pd.DataFrame, people: pd.DataFrame, study: Study) -> pd.DataFrame:
    data = derive_response(Sdtm({"TU": tu, "TR": tr}, cut=study.cut), people, study=study)
    answer = people[["USUBJID"]].astype(object)
    adrs = data.adrs
    if adrs is not None:
        for name, _ in _BEST:
            best = adrs[(adrs["PARAMCD"] == name) & (adrs["PARCAT2"] == study.response.evaluator)]
            best = best.assign(RSNCD=best["RSNCD"].str.split(";").str[0])[
                ["USUBJID", "AVALC", "ADT", "RSNCD"]
            ]
            names = {"AVALC": name, "ADT": f"{name}DT", "RSNCD": f"{name}RSN"}
            answer = answer.merge(best.rename(columns=names), on="USUBJID", how="left", validate="1:1")
    times = derive_adtte(people, adrs, study=study, names=("PFS",)).frame
    names = {"ADT": "PFSDT", "AVAL": "PFS", "RSNCD": "PFSRSN"}
    times = times.rename(columns=names)[["USUBJID", "PFSDT", "PFS", "CNSR", "PFSRSN"]]
    joined = answer.merge(times, on="USUBJID", how="left", validate="1:1")
    return joined.reindex(columns=COLUMNS)
