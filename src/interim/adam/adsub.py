"""ADSUB: one row per participant and subgroup entry, with value, level, cut and flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from interim.adam.baseline import known_variables
from interim.adam.derived import Derived
from interim.adam.levels import cut_level, cut_levels
from interim.errors import Finding, Problem, StudyError
from interim.study import Study, SubgroupEntry

COLUMNS = ["USUBJID", "ENTRY", "DIMENSION", "VARIABLE", "AVAL", "AVALC", "AVALN", "CUT", "TIMING", "FLAGS"]
RULES = (("SUB-ROW", "stop"), ("SUB-LEVEL", "warn"))
_CUT_AT_LLOQ, _NOT_COLLECTED = "CUT_AT_LLOQ", "NOT_COLLECTED"


def derive_adsub(adsl: pd.DataFrame, study: Study) -> Derived:
    """Derive the subgroup levels.

    Parameters
    ----------
    adsl : pandas.DataFrame
        ADSL with sets and baseline variables.
    study : Study
        ``[[subgroups]]``.

    Returns
    -------
    Derived
        One row per enrolled participant and entry, key USUBJID, ENTRY: AVAL (number), AVALC (level), AVALN (rank of the
        level, from 1), CUT (the cut-point where there is one), TIMING, FLAGS (codes separated by semicolons); a participant
        without a value has a row without a level. Findings SUB-LEVEL (text that is no level of the entry), SUB-ROW.

    Raises
    ------
    StudyError
        If an entry names a variable that ADSL does not have and the package cannot derive.

    Notes
    -----
    A median cut is the median of the non-missing values of the full analysis set, unless ``cut_frozen`` states it.
    """
    people = adsl[adsl["ENRLFL"] == "Y"].sort_values("USUBJID", kind="stable")
    parts, findings = [], []
    for place, entry in enumerate(study.subgroups):
        if entry.variable not in adsl and entry.variable not in known_variables():
            text = f"{entry.variable} is no variable of ADSL: {', '.join(sorted(adsl.columns))}"
            raise StudyError([Problem(f"subgroups[{place}].variable", text)])
        part, wrong = _entry(people, entry)
        parts.append(part)
        findings += wrong
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    frame = frame.astype({"AVAL": "float64", "AVALN": "float64", "CUT": "float64"})
    frame = frame.sort_values(["USUBJID", "ENTRY"], kind="stable").reset_index(drop=True)
    findings += missing_rows(adsl, frame)
    return Derived(
        frame[COLUMNS], tuple(findings), tuple((rule, severity, "run") for rule, severity in RULES)
    )


def missing_rows(adsl: pd.DataFrame, adsub: pd.DataFrame) -> list[Finding]:
    """List the members of the full analysis set who have no row.

    Parameters
    ----------
    adsl : pandas.DataFrame
        USUBJID, FASFL.
    adsub : pandas.DataFrame
        ADSUB.

    Returns
    -------
    list of Finding
        SUB-ROW (stop).

    Raises
    ------
    None
    """
    if adsub.empty:
        return []
    absent = sorted(set(adsl.loc[adsl["FASFL"] == "Y", "USUBJID"]) - set(adsub["USUBJID"]))
    text = "is in the full analysis set but has no subgroup row; the set must lie within the enrolled"
    return [
        Finding("SUB-ROW", "stop", "ADSUB", text, subject=subject, effect=("T 14.2.4.1",))
        for subject in absent
    ]


def _entry(people: pd.DataFrame, entry: SubgroupEntry) -> tuple[pd.DataFrame, list[Finding]]:
    collected = entry.variable in people
    values = people[entry.variable] if collected else pd.Series(np.nan, index=people.index)
    flags = (
        people[f"{entry.variable}F"]
        if f"{entry.variable}F" in people
        else pd.Series(None, index=people.index, dtype=object)
    )
    cuts = _cuts(people, values, entry)
    numeric = entry.kind in ("continuous", "ordinal")
    numbers = pd.to_numeric(values).astype("float64") if numeric else pd.Series(np.nan, index=people.index)
    texts = _cut_texts(numbers, cuts, entry) if numeric else values.astype(object)
    order = _order(texts, cuts, entry)
    wrong = texts.notna() & ~texts.isin(order)
    findings = [
        _unknown(subject, text, entry)
        for subject, text in zip(people["USUBJID"][wrong], texts[wrong], strict=True)
    ]
    texts = texts.where(texts.notna() & ~wrong, None)
    frame = pd.DataFrame(
        {
            "USUBJID": people["USUBJID"],
            "ENTRY": entry.id,
            "DIMENSION": entry.dimension,
            "VARIABLE": entry.variable,
            "AVAL": numbers,
            "AVALC": texts,
            "AVALN": texts.map({level: rank for rank, level in enumerate(order, 1)}).astype("float64"),
            "CUT": cuts[0] if len(cuts) == 1 else np.nan,
            "TIMING": entry.timing,
            "FLAGS": _flags(numbers, flags, cuts, entry) if collected else _NOT_COLLECTED,
        }
    )
    return frame.reset_index(drop=True), findings


def _cuts(people: pd.DataFrame, values: pd.Series, entry: SubgroupEntry) -> tuple[float, ...]:
    if isinstance(entry.cuts, tuple):
        return entry.cuts
    if entry.cuts is None:
        return ()
    if entry.cut_frozen is not None:
        return (entry.cut_frozen,)
    known = pd.to_numeric(values[people["FASFL"] == "Y"]).dropna()
    return (float(known.median()),) if len(known) else ()


def _cut_texts(numbers: pd.Series, cuts: Sequence[float], entry: SubgroupEntry) -> pd.Series:
    """Return the level texts; a value that its scale cannot take has none."""
    usable = numbers.notna() & ((numbers > 0) if entry.scale == "log2" else True)
    if entry.cuts is not None and not cuts:
        return pd.Series(None, index=numbers.index, dtype=object)

    def text(value: float) -> str:
        return cut_level(value, cuts, closed=entry.closed) if cuts else f"{value:g}"

    levels = {place: text(float(numbers[place])) for place in numbers.index[usable]}
    return pd.Series(levels, dtype=object).reindex(numbers.index).astype(object)


def _order(texts: pd.Series, cuts: Sequence[float], entry: SubgroupEntry) -> list[str]:
    if cuts:
        return cut_levels(cuts, closed=entry.closed)
    if entry.levels is not None:
        return list(entry.levels)
    found = sorted({str(text) for text in texts.dropna()})
    return sorted(found, key=float) if entry.kind == "ordinal" else found


def _flags(numbers: pd.Series, flags: pd.Series, cuts: Sequence[float], entry: SubgroupEntry) -> pd.Series:
    """Add CUT_AT_LLOQ where the level of a value below the limit of quantification depends on its half."""
    below = flags.map(lambda text: isinstance(text, str) and "LLOQ" in text.split("; ")).astype(bool)
    crosses = [
        hit
        and any(
            cut_level(value, cuts, closed=entry.closed) != cut_level(end, cuts, closed=entry.closed)
            for end in (0.0, 2 * value)
        )
        if cuts
        else False
        for hit, value in zip(below, numbers, strict=True)
    ]
    marked = flags.map(lambda text: f"{text}; {_CUT_AT_LLOQ}" if isinstance(text, str) else None)
    joined = flags.where(~pd.Series(crosses, index=flags.index, dtype=bool), marked)
    return joined.astype(object).where(joined.notna(), None)


def _unknown(subject: str, text: object, entry: SubgroupEntry) -> Finding:
    levels: Mapping[str, str] = {"levels": ", ".join(entry.levels or ())}
    return Finding(
        "SUB-LEVEL",
        "warn",
        "ADSUB",
        f"{entry.variable} = {text!r} is no level of {entry.id} ({levels['levels']}); the participant counts as missing",
        subject=subject,
        key=(entry.id,),
        variable=entry.variable,
        value=str(text),
        expected=levels["levels"],
        effect=("T 14.2.4.1",),
    )
