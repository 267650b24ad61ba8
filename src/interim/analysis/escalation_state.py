"""The dose escalation as the questions see it: history, rule, recorded decisions, replay."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.dlt import has_dose_ladder, history_frame
from interim.adam.model import Adam
from interim.data.model import Sdtm
from interim.design.decision import Decision
from interim.design.escalation import TitratedThreePlusThree
from interim.design.history import STOP_KINDS, History, Record, Stop
from interim.design.outcome import RecommendedDose, recommended_dose
from interim.design.replay import Replay, ReplayRow, replay
from interim.design.wording import texts
from interim.result import Rows
from interim.study import Study

_LAST: dict[str, tuple[tuple[Adam, Study, Sdtm], Escalation]] = {}
"""The last escalation that was opened: several questions ask for the same one."""
NO_LADDER = "not applicable: the study has no dose ladder of a T-cell product"


@cache
def printed() -> dict[str, Any]:
    """Return the content of ``escalation.toml``.

    Returns
    -------
    dict
        Tables escalation, blrm, trigger, stop, readings, open_point.

    Raises
    ------
    None
    """
    return tomllib.loads(files("interim.analysis").joinpath("escalation.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Escalation:
    """The dose escalation of a study at the cut-off.

    Attributes
    ----------
    study : Study
        Parameters.
    history : History
        Participants with a dose level, in order of assignment.
    rule : TitratedThreePlusThree
        The rule of the study.
    decisions : pandas.DataFrame
        Recorded decisions up to the cut-off, by date; columns as `recorded_decisions` gives them.
    """

    study: Study
    history: History
    rule: TitratedThreePlusThree
    decisions: pd.DataFrame

    @cached_property
    def doses(self) -> pd.DataFrame:
        """Recorded decisions about a dose level, as the replay reads them."""
        return self.decisions[self.decisions["kind"] == "dose"]

    @cached_property
    def first_day(self) -> pd.Timestamp:
        """Day of the first assignment."""
        days = [subject.assigned for subject in self.history.subjects if subject.assigned is not None]
        return min(days)

    def record_of(self, row: ReplayRow) -> Mapping[str, Any] | None:
        """Return the recorded decision that an assignment follows.

        Parameters
        ----------
        row : ReplayRow
            The assignment.

        Returns
        -------
        mapping or None
            The latest decision for its level up to that day; None without a record.

        Raises
        ------
        None
        """
        fits = [
            record
            for record in self.recorded("dose")
            if record["date"] <= row.assigned and record["level"] == row.level
        ]
        return fits[-1] if fits else None

    def recorded(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the recorded decisions of a kind, by date.

        Parameters
        ----------
        kind : str
            For example dose or safety_halt.

        Returns
        -------
        list of mapping
            Column of ``decisions`` -> value.

        Raises
        ------
        None
        """
        return [record for record in self._records if record["kind"] == kind]

    @cached_property
    def _records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.decisions.to_dict("records")  # type: ignore[assignment]
        return found

    @cached_property
    def stop(self) -> Stop | None:
        """The recorded decision that ended the escalation, the last if there are several."""
        ends = self.decisions[self.decisions["kind"].isin(STOP_KINDS)]
        if ends.empty:
            return None
        row = ends.iloc[-1]
        return Stop(
            date=f"{row['date']:%Y-%m-%d}",
            role=row["role"],
            name=row["name"],
            level=None if pd.isna(row["level"]) else int(row["level"]),
            rationale=row["reason"],
            evidence=row["evidence"],
            kind=row["kind"],
        )

    @cached_property
    def by_rule(self) -> Decision:
        """What the rule says at the cut-off, whatever was recorded."""
        return self.rule.decide(self.history)

    @cached_property
    def present(self) -> Decision:
        """What holds at the cut-off: the recorded stop, else what the rule says."""
        if self.stop is None:
            return self.by_rule
        return self.rule.decide(replace(self.history, record=Record(stop=self.stop)))

    @cached_property
    def recommended(self) -> RecommendedDose:
        """The recommended dose: that of the rule, or the last recorded one where ``dose.rp2d_rule`` says so."""
        named = self.decisions[(self.decisions["kind"] == "rp2d") & self.decisions["level"].notna()]
        recorded = None if named.empty else int(named["level"].iloc[-1])
        return recommended_dose(self.by_rule, self.history, rule=self.study.dose.rp2d_rule, recorded=recorded)

    @cached_property
    def replayed(self) -> Replay:
        """All assignments beside the rule."""
        return replay(
            self.rule,
            self.history,
            decisions=self.doses if len(self.doses) else None,
            dose_deviation=self.study.dose.dose_deviation_flag,
            min_treated=printed()["escalation"]["registered_minimum"],
        )


def escalation_of(adam: Adam, study: Study, sdtm: Sdtm) -> Escalation:
    """Return the dose escalation of a study at the cut-off.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        Table ``dose``.
    sdtm : Sdtm
        DECISIONS.

    Returns
    -------
    Escalation
        History, rule and record.

    Raises
    ------
    DataError
        If the rows of the history cannot be used.
    DesignError
        If the options of the rule contradict each other.
    """
    kept = _LAST.get("state")
    if kept is not None and all(old is new for old, new in zip(kept[0], (adam, study, sdtm), strict=True)):
        return kept[1]
    levels = len(study.dose.levels)
    history = History.from_frame(history_frame(adam["ADDLT"]), levels=levels)
    rule = TitratedThreePlusThree.from_study(study)
    same = kept is not None and kept[0][2] is sdtm and len(kept[1].study.dose.levels) == levels
    decisions = kept[1].decisions if kept is not None and same else recorded_decisions(sdtm, study)
    state = Escalation(study, history, rule, decisions)
    _LAST["state"] = ((adam, study, sdtm), state)
    return state


def recorded_decisions(sdtm: Sdtm, study: Study) -> pd.DataFrame:
    """Return the recorded decisions about dose levels.

    Parameters
    ----------
    sdtm : Sdtm
        DECISIONS at the cut-off.
    study : Study
        Dose levels.

    Returns
    -------
    pandas.DataFrame
        Columns date, kind, level (1-based), n, role, name, reason, evidence; by date.

    Raises
    ------
    None
    """
    source = sdtm.domain("DECISIONS")
    levels = {f"DL{place}": float(place) for place in range(1, len(study.dose.levels) + 1)}

    def column(name: str) -> pd.Series:
        return source[name] if name in source else pd.Series(None, index=source.index, dtype=object)

    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(column("date").astype(object), format="ISO8601"),
            "kind": column("kind"),
            "level": column("level").map(levels).astype("float64"),
            "n": pd.to_numeric(column("n")).astype("float64"),
            "role": _texts(column("role")),
            "name": _texts(column("name")),
            "reason": _texts(column("rationale")),
            "evidence": _texts(column("references")),
        }
    )
    return frame.sort_values(["date", "level", "kind"], kind="stable").reset_index(drop=True)


def _texts(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), "")


def no_escalation(adam: Adam, study: Study) -> str:
    """Return why there is no dose escalation to look at.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    study : Study
        Products and cohorts.

    Returns
    -------
    str
        Empty if there is one.

    Raises
    ------
    None
    """
    if not has_dose_ladder(study):
        return NO_LADDER
    if not adam.has("ADDLT"):
        return f"not derived: {adam.missing.get('ADDLT', 'no ADDLT')}"
    return "" if adam["ADDLT"]["LEVEL"].notna().any() else "no participant has been assigned to a dose level"


def ended(kind: str) -> str:
    """Return what ended Phase IA in words.

    Parameters
    ----------
    kind : str
        Kind of a recorded stop, or name of a trigger.

    Returns
    -------
    str
        For example "safety halt".

    Raises
    ------
    KeyError
        If it is none.
    """
    return str(printed()["ended"][kind])


def source_of_dose(rule: str) -> str:
    """Return where the recommended dose comes from, in words.

    Parameters
    ----------
    rule : {"mtd", "recorded"}
        ``dose.rp2d_rule``.

    Returns
    -------
    str
        For example "the MTD".

    Raises
    ------
    KeyError
        If there is no such rule.
    """
    return str(printed()["source_of_dose"][rule])


def decision_text(decision: Decision) -> str:
    """Return a decision of the rule in words.

    Parameters
    ----------
    decision : Decision
        What the rule says.

    Returns
    -------
    str
        For example "enrol 3 at DL4".

    Raises
    ------
    None
    """
    if decision.action == "ENROL":
        return f"enrol {decision.n_to_enrol} at DL{decision.level}"
    if decision.action == "WAIT":
        return "wait for open outcomes"
    dose = "no MTD" if decision.mtd is None else f"MTD DL{decision.mtd}"
    return f"stop, {dose} ({texts()['mtd_status'][decision.mtd_status]})"


def add_absent(rows: Rows, reason: str, *, variable: str, also: Sequence[tuple[str, str]] = ()) -> Rows:
    """Add the rows of a question that has no answer.

    Parameters
    ----------
    rows : Rows
        The rows so far.
    reason : str
        Why.
    variable : str
        Variable of the rows that are not there.
    also : sequence of (str, str)
        Variable and stat of further rows that sentences refer to.

    Returns
    -------
    Rows
        The same, for chaining.

    Raises
    ------
    None
    """
    for name, stat in ((variable, "n"), *also):
        rows.add(stat, None, variable=name, status="NA", reason=reason)
    return rows


def add_texts(rows: Rows, place: Mapping[str, Any], texts: Mapping[str, str], **more: Any) -> None:
    """Add one row per text of a listed item.

    Parameters
    ----------
    rows : Rows
        The rows so far.
    place : mapping
        group, variable, level.
    texts : mapping of str to str
        stat -> text; an empty text becomes a dash.
    **more : object
        As in `interim.result.Rows.add`.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    for stat, text in texts.items():
        rows.add(stat, None, text=text or "–", **place, **more)
