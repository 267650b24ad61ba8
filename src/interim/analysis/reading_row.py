"""One reading of the registered text: the study it makes, what is derived anew, what it leads to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import import_module
from inspect import signature
from itertools import product
from typing import Any

import pandas as pd

from interim.adam.adtox import trigger_events
from interim.adam.dlt import derive_addlt, dlt_windows, flag_dlt
from interim.adam.model import Adam
from interim.analysis.escalation_events import no_events
from interim.analysis.escalation_state import decision_text, escalation_of, printed
from interim.analysis.response import best_response
from interim.data.model import Sdtm
from interim.errors import DataError, StudyError
from interim.result import TOTAL, Result
from interim.study import Study
from interim.study.ambiguity import register
from interim.study.reread import with_readings

IN_FORCE = "in force"


@dataclass(frozen=True)
class Bundle:
    """Readings that are looked at together.

    Attributes
    ----------
    name : str
        ``in force``, ``AMB-3 B`` or ``AMB-1 A, AMB-2 B``.
    chosen : tuple of (str, str)
        AMB id and reading; those not named stay as they are.
    text, settings : str
        What the readings say, and the parameters that they set.
    is_default : bool
        True if every reading named is the default one.
    """

    name: str
    chosen: tuple[tuple[str, str], ...]
    text: str
    settings: str
    is_default: bool


@dataclass(frozen=True)
class Outcome:
    """What a bundle of readings leads to; all as printed.

    Attributes
    ----------
    cohorts, triggers : str
        DLT / evaluable by level, and triggers by level.
    next_action, mtd, concordance, orr, dcr : str
        Next action or MTD of the rule, concordance of the replay, response and disease control x/n.
    changed : int
        Cells that differ from those under the readings in force.
    reason : str
        Why it cannot be evaluated; empty if it can.
    """

    cohorts: str = ""
    triggers: str = ""
    next_action: str = ""
    mtd: str = ""
    concordance: str = ""
    orr: str = ""
    dcr: str = ""
    changed: int = 0
    reason: str = ""

    def flips_from(self, base: Outcome) -> str:
        """Return which conclusions are others than those of another outcome.

        Parameters
        ----------
        base : Outcome
            Usually that of the readings in force.

        Returns
        -------
        str
            Empty for none, also if one of the two cannot be evaluated.

        Raises
        ------
        None
        """
        if self.reason or base.reason:
            return ""
        pairs = {
            "MTD": (self.mtd, base.mtd),
            "next action": (self.next_action, base.next_action),
            "DLT / evaluable": (self.cohorts, base.cohorts),
        }
        return "; ".join(f"{name} {new} instead of {old}" for name, (new, old) in pairs.items() if new != old)


@dataclass(frozen=True)
class Source:
    """The snapshot that every reading is run on; plain, so that it can be sent to another process.

    Attributes
    ----------
    datasets, domains : dict of str to pandas.DataFrame
        Analysis datasets and source domains.
    cut : datetime.datetime
        Data cut-off.
    study : Study
        Readings in force.
    known : dict
        What has been computed already: readings that lead to the same facts are summarised once.
    """

    datasets: Mapping[str, pd.DataFrame] = field(repr=False)
    cut: datetime
    domains: Mapping[str, pd.DataFrame] = field(repr=False)
    study: Study = field(repr=False)
    known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def adam(self) -> Adam:
        """The analysis datasets."""
        return Adam(self.datasets, self.cut)

    @property
    def sdtm(self) -> Sdtm:
        """The source data."""
        return Sdtm(self.domains, self.cut)


def bundles(study: Study) -> list[Bundle]:
    """Return the readings of the tipping table.

    Parameters
    ----------
    study : Study
        ``tipping.mode`` and ``tipping.joint``, and the readings in force.

    Returns
    -------
    list of Bundle
        one_at_a_time: those in force, then each other reading alone; dose_grid: the combinations of the joint readings, those in force first.

    Raises
    ------
    StudyError
        If a joint ambiguity is unknown.
    """
    used = {reading.amb: reading.reading for reading in study.readings}
    if study.tipping.mode == "dose_grid":
        joint = study.tipping.joint
        grid = [tuple(zip(joint, letters, strict=True)) for letters in product(*map(_letters, joint))]
        here = tuple((amb, used[amb]) for amb in joint)
        return [_bundle(IN_FORCE, here), *(_bundle("", row) for row in grid if row != here)]
    others = [(amb, letter) for amb in used for letter in _letters(amb) if letter != used[amb]]
    return [_bundle(IN_FORCE, tuple(used.items())), *(_bundle("", (pair,)) for pair in others)]


def _letters(amb: str) -> tuple[str, ...]:
    if amb not in register():
        raise StudyError(f"tipping.joint names {amb!r}; permitted: {', '.join(register())}")
    return tuple(letter for letter, entry in register()[amb].items() if isinstance(entry, Mapping))


def _bundle(name: str, chosen: tuple[tuple[str, str], ...]) -> Bundle:
    entries = register()
    named = [(amb, letter) for amb, letter in chosen if letter in entries[amb]]
    settings = {k: v for amb, letter in named for k, v in entries[amb][letter]["settings"].items()}
    texts = [f"{amb} {letter}: {entries[amb][letter]['text']}" for amb, letter in named]
    return Bundle(
        name or ", ".join(f"{amb} {letter}" for amb, letter in chosen),
        chosen,
        "readings of the study" if name and len(chosen) == len(entries) else "; ".join(texts),
        "; ".join(f"{path} = {_plain(value)}" for path, value in settings.items()),
        all(entries[amb]["default"] == letter for amb, letter in chosen),
    )


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def outcome_of(source: Source, bundle: Bundle) -> Outcome:
    """Run one bundle of readings.

    Parameters
    ----------
    source : Source
        The snapshot.
    bundle : Bundle
        The readings.

    Returns
    -------
    Outcome
        What they lead to; with the reason if they cannot be evaluated.

    Raises
    ------
    None
    """
    used = {reading.amb: reading.reading for reading in source.study.readings}
    changed = {amb: letter for amb, letter in bundle.chosen if used[amb] != letter}
    unread = _unread(changed, used)
    if unread:
        return Outcome(reason=f"no derivation of this version reads {unread}")
    try:
        study = with_readings(source.study, changed)
    except StudyError as error:
        return Outcome(reason="; ".join(problem.message for problem in error.problems))
    adam = rederived(source, study) if changed else source.adam
    if adam is None:
        return Outcome(reason="adverse events with grade, relation and phase are not available")
    try:
        return _summary(source, adam, study)
    except DataError as error:
        first = error.findings[0]
        return Outcome(reason=f"{first.rule} {first.subject or ''}: {first.message}")


def _unread(changed: Mapping[str, str], used: Mapping[str, str]) -> str:
    """Return the parameter that a reading sets anew and no derivation reads; empty if it sets another one too."""
    for amb, letter in changed.items():
        entries = register()[amb]
        before = entries[used[amb]]["settings"] if used[amb] in entries else {}
        new = [path for path, value in entries[letter]["settings"].items() if before.get(path) != value]
        if new and all(path in printed()["readings"]["unread"] for path in new):
            return ", ".join(new)
    return ""


def rederived(source: Source, study: Study) -> Adam | None:
    """Derive anew what the readings move: DLT window, DLT and trigger flags, DLT facts.

    Parameters
    ----------
    source : Source
        The snapshot.
    study : Study
        The study under the readings.

    Returns
    -------
    Adam or None
        The given datasets where neither window nor trigger is moved; None if the events for it are not available.

    Raises
    ------
    None
    """
    adam = source.adam
    if (study.dose, study.titration_trigger) == (source.study.dose, source.study.titration_trigger):
        return adam
    if no_events(adam, study):
        return None
    windows = dlt_windows(source.sdtm, adam["ADSL"], adex=adam["ADEX"], study=study)
    adae = flag_dlt(adam["ADAE"], windows, study)[0]
    adae = adae.assign(TRIGFL=trigger_events(adae, windows, study.titration_trigger))
    core = adam["ADSL"].drop(columns=["DLTWSDT", "DLTWEDT", "DLTSTAT", "DLTSTRS", "DLTFL"], errors="ignore")
    addlt = derive_addlt(core, adae, windows=windows, adex=adam["ADEX"], study=study)
    adsl = _with_facts(adam["ADSL"], addlt)
    return Adam({**adam.datasets, "ADAE": adae, "ADDLT": addlt, "ADSL": adsl}, adam.cut)


def _with_facts(adsl: pd.DataFrame, addlt: pd.DataFrame) -> pd.DataFrame:
    """Return ADSL with the DLT facts of other readings."""
    facts = addlt.set_index("USUBJID")
    known = adsl["USUBJID"].isin(facts.index)

    def column(name: str, old: pd.Series) -> pd.Series:
        return adsl["USUBJID"].map(facts[name]).astype(old.dtype).where(known, old)

    evaluable = adsl["USUBJID"].map(facts["DLTSTAT"]).eq("EVALUABLE") & (adsl["SAFCTFL"] == "Y")
    flag = evaluable.map({True: "Y", False: "N"}).astype(object)
    return adsl.assign(
        DLTWSDT=column("DLTWSDT", adsl["DLTWSDT"]),
        DLTWEDT=column("DLTWEDT", adsl["DLTWEDT"]),
        DLTFL=column("DLTFL", adsl["DLTFL"]),
        DLTEVFL=flag.where(known, adsl["DLTEVFL"]),
        DLTEVRS=column("DLTSTRS", adsl["DLTEVRS"]).where(~evaluable, None),
    )


def _summary(source: Source, adam: Adam, study: Study) -> Outcome:
    """Summarise what the datasets say under the study; equal facts and equal rules are summarised once."""
    state = escalation_of(adam, study, source.sdtm)
    table = study.therapeutic_index
    key = (_facts(adam), state.rule, study.sets.efficacy_default, table)
    if key not in source.known:
        cohorts, replayed, decision = state.history.cohorts(), state.replayed, state.by_rule
        orr, dcr = _rates(adam, study)
        source.known[key] = Outcome(
            cohorts=", ".join(f"DL{cohort.level} {cohort.n_dlt}/{cohort.n}" for cohort in cohorts),
            triggers=", ".join(f"DL{cohort.level} {cohort.n_trigger}" for cohort in cohorts),
            next_action=decision_text(decision),
            mtd="none" if decision.mtd is None else f"DL{decision.mtd}",
            concordance=f"{replayed.concordant}/{replayed.n_decisions}",
            orr=orr,
            dcr=dcr,
            changed=changed_cells(source, adam, study),
        )
    found: Outcome = source.known[key]
    return found


def _facts(adam: Adam) -> tuple[Any, ...]:
    """Return what the questions read of the datasets that a reading can move."""
    addlt = adam["ADDLT"]
    facts = tuple(map(tuple, addlt.astype(str).to_numpy()))
    flags = adam["ADAE"][["DLTFL", "TRIGFL"]].astype(str) if adam.has("ADAE") else addlt.head(0)
    return facts, tuple(map(tuple, flags.to_numpy()))


def _rates(adam: Adam, study: Study) -> tuple[str, str]:
    frame = best_response(adam, study).frame
    rows = frame[(frame["stat"] == "rate") & (frame["group"] == TOTAL) & (frame["level"] == "")]
    found: dict[str, dict[str, Any]] = {str(row["variable"]): row for row in rows.to_dict("records")}  # type: ignore[misc]

    def pair(name: str) -> str:
        row = found.get(name)
        if row is None or row["status"] not in ("OK", "FLAG"):
            return "not available"
        return f"{int(row['n'])}/{int(row['N'])}"

    return pair("orr"), pair("dcr")


def changed_cells(source: Source, adam: Adam, study: Study) -> int:
    """Count the numbers of the body tables that differ from those under the readings in force.

    Parameters
    ----------
    source : Source
        The snapshot, readings in force.
    adam : Adam
        Datasets under the readings.
    study : Study
        The study under the readings.

    Returns
    -------
    int
        Rows of the Results that were changed, added or removed.

    Raises
    ------
    None
    """
    if "before" not in source.known:
        source.known["before"] = _all_cells(source.adam, source.study, source.sdtm)
    before, after = source.known["before"], _all_cells(adam, study, source.sdtm)
    return sum(before.get(key) != after.get(key) for key in {**before, **after})


def _all_cells(adam: Adam, study: Study, sdtm: Sdtm) -> dict[str, tuple[str, ...]]:
    questions = printed()["readings"]["questions"]
    return {key: cell for name in questions for key, cell in _cells(answered(name, adam, study, sdtm=sdtm))}


def _cells(result: Result) -> Iterator[tuple[str, tuple[str, ...]]]:
    columns = ["value", "text", "n", "N", "status"]
    for row in result.frame[["result_id", *columns]].to_dict("records"):
        yield str(row["result_id"]), tuple(str(row[name]) for name in columns)


@cache
def _question(name: str) -> tuple[object, bool]:
    module, _, function = name.partition(".")
    found = getattr(import_module(f"interim.analysis.{module}"), function)
    return found, "sdtm" in signature(found).parameters


def answered(name: str, adam: Adam, study: Study, *, sdtm: Sdtm) -> Result:
    """Answer a question by its name.

    Parameters
    ----------
    name : str
        ``module.function`` of `interim.analysis`.
    adam, study, sdtm : Adam, Study, Sdtm
        Its arguments; ``sdtm`` only if it takes one.

    Returns
    -------
    Result
        The answer.

    Raises
    ------
    None
    """
    question, takes_source = _question(name)
    data = (sdtm,) if takes_source else ()
    result: Result = question(adam, study, *data)  # type: ignore[operator]
    return result
