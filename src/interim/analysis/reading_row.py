"""One reading of the registered text: the study it makes, what is derived anew, what it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property, reduce
from importlib import import_module
from inspect import signature
from itertools import product
from typing import Any, TypeVar

import pandas as pd

from interim.adam.adtox import trigger_events
from interim.adam.dlt import derive_addlt, dlt_windows, flag_dlt
from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.adam.tte import derive_adtte
from interim.analysis.escalation_events import no_events
from interim.analysis.escalation_state import decision_text, escalation_of, printed
from interim.analysis.expansion_types import proposed_dose
from interim.data.model import Sdtm
from interim.design.escalation import EscalationRule
from interim.errors import DataError, StudyError
from interim.result import TOTAL, Result, slug
from interim.study import Study
from interim.study.ambiguity import register
from interim.study.reread import with_readings

IN_FORCE = "in force"
_TYPES, _RESPONSE = "expansion.candidates", "response.best_response"
_OWN = ("rule", "recommended", "observed", "switch")
_FLAGGED = ("window_includes_nk_phase", "window_days", "window_anchor", "dlt_rules", "partial_date_policy")
Answer = TypeVar("Answer")


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
    types : str
        Class of every tumour type; empty where they are not assessed.
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
    types: str = ""
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
            "tumour types": (self.types, base.types),
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

    @cached_property
    def adam(self) -> Adam:
        """The analysis datasets."""
        return Adam(self.datasets, self.cut)

    @cached_property
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
    try:
        study = with_readings(source.study, changed)
    except StudyError as error:
        return Outcome(reason=_unstated(changed) or "; ".join(problem.message for problem in error.problems))
    missing = _missing(source, study)
    if missing:
        return Outcome(reason=missing)
    adam = rederived(source, study)
    try:
        return _summary(source, adam, study)
    except DataError as error:
        first = error.findings[0]
        return Outcome(reason=f"{first.rule} {first.subject or ''}: {first.message}")


def _unstated(changed: Mapping[str, str]) -> str:
    """Return in words what the study would have to state for the readings; empty if the register has none."""
    entries = register()
    said = (entries[amb].get(letter, {}).get("unstated", "") for amb, letter in changed.items())
    return "; ".join(text for text in said if text)


def _missing(source: Source, study: Study) -> str:
    """Return which data a reading needs and the snapshot does not have; empty if it can be evaluated."""
    adam = source.adam
    if _moves_events(source, study) and no_events(adam, study):
        return "adverse events with grade, relation and phase are not available"
    sources = adam["ADSL"].get("NKSRC")
    if _moves_switch(source, study) and (sources is None or sources.isna().all()):
        return "the source of the NK cells is not recorded (item SOURCE of the infusions)"
    return ""


def _moves_events(source: Source, study: Study) -> bool:
    return (study.dose, study.titration_trigger) != (source.study.dose, source.study.titration_trigger)


def _moves_switch(source: Source, study: Study) -> bool:
    return study.estimand != source.study.estimand


def rederived(source: Source, study: Study) -> Adam:
    """Derive anew what the readings move: DLT window, DLT and trigger flags, DLT facts; responses and times after a switch of the NK source.

    Parameters
    ----------
    source : Source
        The snapshot.
    study : Study
        The study under the readings.

    Returns
    -------
    Adam
        The given datasets where nothing is moved.

    Raises
    ------
    None
    """
    adam = _on_other_source(source, study) if _moves_switch(source, study) else source.adam
    if not _moves_events(source, study):
        return adam
    windows, adae = _flagged(source, adam, study)
    adae = adae.assign(TRIGFL=trigger_events(adae, windows, study.titration_trigger))
    table = ("min_infusions", "dose_unit_basis", "levels")
    key = (
        "facts",
        *(getattr(study.dose, name) for name in table),
        _content(windows, *windows.columns),
        _content(adae, "DLTFL", "TRIGFL"),
    )
    if key not in source.known:
        source.known[key] = derive_addlt(
            without_facts(adam), adae, windows=windows, adex=adam["ADEX"], study=study
        )
    addlt = source.known[key]
    adsl = _with_facts(adam["ADSL"], addlt)
    return Adam({**adam.datasets, "ADAE": adae, "ADDLT": addlt, "ADSL": adsl}, adam.cut)


def _flagged(source: Source, adam: Adam, study: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the DLT windows and the events with their DLT flags; readings that move neither share them."""
    key = ("windows", *(repr(getattr(study.dose, name)) for name in _FLAGGED))
    if key not in source.known:
        windows = dlt_windows(source.sdtm, adam["ADSL"], adex=adam["ADEX"], study=study)
        source.known[key] = windows, flag_dlt(adam["ADAE"], windows, study)[0]
    found: tuple[pd.DataFrame, pd.DataFrame] = source.known[key]
    return found


def without_facts(adam: Adam) -> pd.DataFrame:
    """Return ADSL without the DLT facts.

    Parameters
    ----------
    adam : Adam
        ADSL.

    Returns
    -------
    pandas.DataFrame
        What the facts are derived from.

    Raises
    ------
    None
    """
    facts = ["DLTWSDT", "DLTWEDT", "DLTSTAT", "DLTSTRS", "DLTFL"]
    return adam["ADSL"].drop(columns=facts, errors="ignore")


def _on_other_source(source: Source, study: Study) -> Adam:
    """Return the responses and times under another strategy for the switch; without a switch they are the given ones."""
    adam = source.adam
    if adam["ADSL"]["NKSWDT"].isna().all():
        return adam
    response = derive_response(source.sdtm, adam["ADSL"], study=study)
    adtte = derive_adtte(adam["ADSL"], response.adrs, study=study, sdtm=source.sdtm).frame
    made = {"ADTR": response.adtr, "ADRS": response.adrs, "ADTTE": adtte}
    kept = {name: frame for name, frame in made.items() if frame is not None and adam.has(name)}
    return Adam({**adam.datasets, **kept}, adam.cut)


def _with_facts(adsl: pd.DataFrame, addlt: pd.DataFrame) -> pd.DataFrame:
    """Return ADSL with the DLT facts of other readings."""
    names = ["DLTWSDT", "DLTWEDT", "DLTFL", "DLTEVFL", "DLTEVRS"]
    facts = {row["USUBJID"]: row for row in addlt.to_dict("records")}
    rows = adsl[["USUBJID", "SAFCTFL", *names]].to_dict("records")
    for row in rows:
        if (found := facts.get(row["USUBJID"])) is None:
            continue
        evaluable = found["DLTSTAT"] == "EVALUABLE" and row["SAFCTFL"] == "Y"
        row |= {name: found[name] for name in names[:3]}
        row |= {"DLTEVFL": "Y" if evaluable else "N", "DLTEVRS": None if evaluable else found["DLTSTRS"]}
    columns = {name: [row[name] for row in rows] for name in names}
    return adsl.assign(**{name: pd.Series(columns[name], adsl.index, adsl[name].dtype) for name in names})


def _summary(source: Source, adam: Adam, study: Study) -> Outcome:
    """Summarise what the datasets say under the study; each part is computed once for equal facts and equal parameters."""
    answers = _Answers(source, adam, study)
    return Outcome(
        **answers.once(("rule",), _escalation),
        **_rates(answers),
        types=_types(answers),
        changed=_changed(answers),
    )


@dataclass(frozen=True)
class _Answers:
    """What is asked of a reading; what was answered already for equal facts and equal parameters is not asked again."""

    source: Source
    adam: Adam
    study: Study
    parts: dict[str, object] = field(default_factory=dict)

    @cached_property
    def rule(self) -> tuple[Any, ...]:
        """The rule of the escalation with the facts on DLT and triggers that it reads."""
        addlt = self.adam["ADDLT"]
        return EscalationRule.from_study(self.study), _content(addlt, *addlt.columns)

    @cached_property
    def switch(self) -> str:
        """The strategy for a switch of the NK source; without a switch all are the same."""
        dates = self.adam["ADSL"].get("NKSWDT")
        switched = dates is not None and dates.notna().any()
        return self.study.estimand.nk_source_switch if switched else ""

    @cached_property
    def recommended(self) -> str:
        """The recommended dose: what Phase IB takes from the escalation."""
        return self.once(("rule",), _dose)

    @cached_property
    def observed(self) -> str:
        """What counts by tumour type read of the study: no ratio, and without null rates no design of Phase IB."""
        table = self.study.expansion
        entries = [entry for entry in self.study.subgroups if entry.dimension != "ratio"]
        return repr((table if table.type else table.model_copy(update={"design": None}), entries))

    def part(self, name: str) -> object:
        """Return what a question reads, as a key: a property of this class, a column of a dataset, a table of the study or a value in it."""
        if name not in self.parts:
            head, _, key = name.partition(".")
            if head in _OWN:
                found = getattr(self, head)
            elif head.isupper():
                found = _content(self.adam.datasets.get(head), key)
            else:
                found = repr(reduce(getattr, name.split("."), self.study))
            self.parts[name] = found
        return self.parts[name]

    def once(self, parts: Sequence[str], ask: Callable[[_Answers], Answer], *, name: str = "") -> Answer:
        """Return the answer to a question that reads some parts: those that `part` names."""
        key = (name or ask.__name__, *map(self.part, parts))
        if key not in self.source.known:
            self.source.known[key] = ask(self)
        answer: Answer = self.source.known[key]
        return answer

    def cells(self, parts: Sequence[str], name: str) -> Mapping[str, tuple[str, ...]]:
        """Return the cells of a question that reads some parts."""

        def ask(at: _Answers) -> Mapping[str, tuple[str, ...]]:
            return dict(_cells(answered(name, at.adam, at.study, sdtm=at.source.sdtm)))

        return self.once(parts, ask, name=name)


def _content(frame: pd.DataFrame | None, *columns: str) -> str:
    """Return the values of some columns as a key; a missing value equals a missing value."""
    found = (
        {} if frame is None else {name: frame[name].to_numpy().tolist() for name in columns if name in frame}
    )
    return repr(found)


def _escalation(answers: _Answers) -> dict[str, str]:
    state = escalation_of(answers.adam, answers.study, answers.source.sdtm)
    cohorts, replayed, decision = state.history.cohorts(), state.replayed, state.by_rule
    return {
        "cohorts": ", ".join(f"DL{cohort.level} {cohort.n_dlt}/{cohort.n}" for cohort in cohorts),
        "triggers": ", ".join(f"DL{cohort.level} {cohort.n_trigger}" for cohort in cohorts),
        "next_action": decision_text(decision),
        "mtd": "none" if decision.mtd is None else f"DL{decision.mtd}",
        "concordance": f"{replayed.concordant}/{replayed.n_decisions}",
    }


def _dose(answers: _Answers) -> str:
    return proposed_dose(answers.adam, answers.study, answers.source.sdtm)


def _types(answers: _Answers) -> str:
    """Return the class of every tumour type; empty where the types are not assessed."""
    cells = answers.cells(_reads(_TYPES), _TYPES)
    return ", ".join(text for key, (_, text, *_) in cells.items() if key.endswith("/decision/-/class"))


def _rates(answers: _Answers) -> dict[str, str]:
    cells = answers.cells(_reads(_RESPONSE), _RESPONSE)

    def pair(name: str) -> str:
        _, _, x, n, status = cells.get(f"{_RESPONSE}/{slug(TOTAL)}/{name}/-/rate", ("",) * 5)
        return f"{x}/{n}" if status in ("OK", "FLAG") else "not available"

    return {"orr": pair("orr"), "dcr": pair("dcr")}


@cache
def _reads(question: str) -> tuple[str, ...]:
    """Return the parts that a question reads."""
    parts = printed()["readings"]["part"]
    return next(tuple(part["reads"]) for part in parts if question in part["questions"])


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
    return _changed(_Answers(source, adam, study))


def _changed(answers: _Answers) -> int:
    source = answers.source
    if "before" not in source.known:
        source.known["before"] = _all_cells(_Answers(source, source.adam, source.study))
    pairs = zip(source.known["before"], _all_cells(answers), strict=True)
    return sum(
        first.get(key) != second.get(key)
        for first, second in pairs
        if first is not second
        for key in {**first, **second}
    )


def _all_cells(answers: _Answers) -> list[Mapping[str, tuple[str, ...]]]:
    """Return the cells of every question, a question at a time."""
    parts = printed()["readings"]["part"]
    return [answers.cells(part["reads"], name) for part in parts for name in part["questions"]]


def _cells(result: Result) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = ("result_id", "value", "text", "n", "N", "status")
    ids, *columns = (map(str, result.frame[name].tolist()) for name in names)
    yield from zip(ids, zip(*columns, strict=True), strict=True)


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
