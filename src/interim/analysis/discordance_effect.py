"""What a difference between reported and derived grade does: the titration trigger under every reading, and the DLT rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.adam.adtox import trigger_events
from interim.adam.conditions import all_hold
from interim.adam.dlt import has_dose_ladder
from interim.adam.model import Adam
from interim.data.check.vocabulary import words
from interim.data.model import Sdtm
from interim.study import Study
from interim.study.dosing import TriggerTable
from interim.study.reread import with_readings

TRIGGER, DLT, OTHER, NONE = "trigger", "DLT", "other readings", "none"
OPEN, CLOSED, NO_QUERY = "query open", "query closed", "no query"
_DEFINITION, _SCALE = "AMB-2", "AMB-6"
_RELATIONS = ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP", "RELMISFL", "DLTFL")
_GRADES = {"CRSGR": "CRS", "ICANSGR": "ICANS"}
_BOUNDS = {"ASTLO": "ASTHI", "CTCLO": "CTCHI"}


def effects_of(adtox: pd.DataFrame, adam: Adam, study: Study) -> pd.DataFrame:
    """Tell what would change if the derived grade stood in place of the reported one.

    Parameters
    ----------
    adtox : pandas.DataFrame
        Episodes: rows of ADTOX.
    adam : Adam
        ADDLT (windows), if there is one; without it an onset counts as inside the window. ADAE: relation, duration and what
        else a DLT rule names, of the reported event.
    study : Study
        ``titration_trigger``, ``dose.dlt_rules``, ``dose.dlt_crs_scale``.

    Returns
    -------
    pandas.DataFrame
        Same index: EFFECT (trigger, DLT, both, other readings, none) under the reading in force; READINGS, the readings under
        which the trigger changes: letters of the definition (AMB-2), a colon, letters of the scale (AMB-6).

    Raises
    ------
    None

    Notes
    -----
    The derived grade is its upper bound. An episode that nobody reported has no reported grade and triggers nothing; a DLT rule
    that needs its relation or duration does not hold for it. A rule on a variable that ADAE does not have is not asked.
    """
    windows = _windows(adam)
    events = _as_events(adtox)
    force = _changes(events, windows, study.titration_trigger)
    texts = pd.Series("", index=adtox.index, dtype=object)
    for definition in ("A", "B", "C", "D", "E"):
        letters = pd.Series("", index=adtox.index, dtype=object)
        for scale in ("A", "B", "C"):
            reading = with_readings(study, {_DEFINITION: definition, _SCALE: scale}).titration_trigger
            letters += _changes(events, windows, reading).map({True: scale, False: ""})
        texts += letters.map(lambda found, name=definition: f" {name}:{found}" if found else "")
    limiting = _dlt_changes(adtox, adam, windows, study)
    effect = np.select(
        [force & limiting, force, limiting, texts != ""],
        [f"{TRIGGER}, {DLT}", TRIGGER, DLT, OTHER],
        default=NONE,
    )
    return pd.DataFrame({"EFFECT": effect, "READINGS": texts.str.strip()}, index=adtox.index, dtype=object)


def _windows(adam: Adam) -> pd.DataFrame:
    names = ["USUBJID", "DLTWSDT", "DLTWEDT"]
    if adam.has("ADDLT") and set(names) <= set(adam["ADDLT"]):
        return adam["ADDLT"][names]
    none = pd.Series(dtype="datetime64[ns]")
    return pd.DataFrame({"USUBJID": pd.Series(dtype=object), "DLTWSDT": none, "DLTWEDT": none})


def _as_events(adtox: pd.DataFrame) -> pd.DataFrame:
    """Return the episodes in the form of ADAE; the lower bounds are replaced by the upper ones."""
    plain = adtox[["USUBJID", "APHASE", "ASTDT", "REPFL", *_BOUNDS.values()]]
    return plain.assign(
        **dict.fromkeys(_RELATIONS, "N"),
        **{low: adtox[high] for low, high in _BOUNDS.items()},
        CRSFL=np.where(adtox["PARAMCD"] == "CRS", "Y", "N"),
        TRTEMRS="TE-ON",
        AETOXGRN=adtox["REPGRC"].astype("float64"),
        ASTCTGRN=adtox["REPGRA"].astype("float64"),
        AEITOXGN=np.nan,
    )


def _changes(events: pd.DataFrame, windows: pd.DataFrame, trigger: TriggerTable) -> pd.Series:
    """Tell for which episodes the trigger by the reported grade is not that by the derived one."""
    met = {}
    for source in ("reported", "derived"):
        reading = trigger.model_copy(update={"grade_source": source, "missing_grade": "no_trigger"})
        met[source] = trigger_events(events, windows, reading) == "Y"
    return (met["reported"] & (events["REPFL"] == "Y")) != met["derived"]


def _dlt_changes(adtox: pd.DataFrame, adam: Adam, windows: pd.DataFrame, study: Study) -> pd.Series:
    """Tell for which episodes a DLT rule holds with one of the two grades only."""
    answer = pd.Series(False, index=adtox.index)
    if not has_dose_ladder(study):
        return answer
    ends = windows.set_index("USUBJID")
    start, end = (adtox["USUBJID"].map(ends[name]) for name in ("DLTWSDT", "DLTWEDT"))
    inside = ~(adtox["ASTDT"] < start) & ~(adtox["ASTDT"] > end)
    if adtox["USUBJID"].isin(ends.index).any():
        inside &= start.notna()
    events = _reported_events(adtox, adam)
    reported, derived = (events.assign(**side) for side in _graded(adtox, events, study))
    for place, rule in enumerate(study.dose.dlt_rules):
        if {condition.var for condition in rule.all} <= set(reported):
            path = f"dose.dlt_rules[{place}]"
            answer |= all_hold(reported, rule.all, path=path) != all_hold(derived, rule.all, path=path)
    return answer & inside


def _reported_events(adtox: pd.DataFrame, adam: Adam) -> pd.DataFrame:
    """Return the record of ADAE behind each episode, on its index; without values where nobody reported it."""
    keys = ["USUBJID", "SRCSEQ"]
    adae = adam["ADAE"] if adam.has("ADAE") else pd.DataFrame(columns=keys, dtype=object)
    places = pd.MultiIndex.from_frame(adtox[keys].astype(object))
    known = adae.drop_duplicates(keys).set_index(keys)
    return known.reindex(places).set_axis(adtox.index)


def _graded(
    adtox: pd.DataFrame, events: pd.DataFrame, study: Study
) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
    """Return the variables of ADAE that hold a grade: by the report, and by the upper bound of the derived grade.

    The grade by CTCAE of another syndrome than cytokine release is not derived: the reported one stands on both sides.
    """
    pairs = {name: _grades(adtox, kind, study) for name, kind in _GRADES.items()}
    crs = adtox["PARAMCD"] == "CRS"
    general = events["AETOXGRN"] if "AETOXGRN" in events else pd.Series(np.nan, index=events.index)
    general = general.astype("float64")
    pairs["AETOXGRN"] = general, adtox["CTCHI"].astype("float64").where(crs, general)
    return tuple({name: pair[side] for name, pair in pairs.items()} for side in (0, 1))  # type: ignore[return-value]


def _grades(adtox: pd.DataFrame, kind: str, study: Study) -> tuple[pd.Series, pd.Series]:
    """Return the reported and the derived grade of one syndrome on the scale of its DLT rule; NaN for the others."""
    scale = study.dose.dlt_crs_scale if kind == "CRS" else "astct2019"
    names = {"ctcae5": ["C"], "astct2019": ["A"], "either": ["C", "A"]}[scale]
    upper = {"C": "CTCHI", "A": "ASTHI"}
    mine = adtox["PARAMCD"] == kind
    reported = adtox[[f"REPGR{name}" for name in names]].max(axis=1).astype("float64")
    derived = adtox[[upper[name] for name in names]].max(axis=1).astype("float64")
    return reported.where(mine), derived.where(mine)


def query_status(adtox: pd.DataFrame, sdtm: Sdtm | None) -> pd.Series:
    """Return whether a query on the reported event of each episode is open.

    Parameters
    ----------
    adtox : pandas.DataFrame
        Episodes: USUBJID, SRCDOM, SRCSEQ.
    sdtm : Sdtm or None
        QUERY.

    Returns
    -------
    pandas.Series of object
        Same index: query open, query closed, no query; empty where no queries were delivered.

    Raises
    ------
    None
    """
    frame, sets = (None if sdtm is None else sdtm.domain("QUERY")), words("terms")["query"]
    status = next((name for name in sets["status"] if frame is not None and name in frame), None)
    if frame is None or status is None or not {"USUBJID", "QDOMAIN", "QKEY"} <= set(frame):
        return pd.Series("", index=adtox.index, dtype=object)
    known: dict[tuple[str, ...], bool] = {}
    for key, still in _queries(frame, status, sets["closed"]):
        known[key] = known.get(key, False) or still
    places = zip(adtox["USUBJID"], adtox["SRCDOM"], adtox["SRCSEQ"], strict=True)
    found = [known.get(tuple(str(part) for part in place)) for place in places]
    texts = [NO_QUERY if still is None else OPEN if still else CLOSED for still in found]
    return pd.Series(texts, index=adtox.index, dtype=object)


def _queries(
    frame: pd.DataFrame, status: str, closed: list[str]
) -> Iterator[tuple[tuple[str, str, str], bool]]:
    """Yield participant, domain and number of the record of each query, and whether it is open."""
    for row in frame.to_dict("records"):
        number = re.search(r"(\d+)\s*$", str(row["QKEY"]))
        if number:
            yield (
                (str(row["USUBJID"]), str(row["QDOMAIN"]), number.group(1)),
                str(row[status]) not in closed,
            )
