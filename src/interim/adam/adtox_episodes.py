"""ADTOX: one row per reported or unreported episode of CRS and ICANS, reported grade beside the derived ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adae_phase import phase_of, phase_starts
from interim.adam.derived import Derived
from interim.adam.source import by_subject, ordered, shipped_data, text_column, text_missing
from interim.adam.toxicity.assessments import CONSIST, crs_assessments, icans_assessments, signs_of
from interim.adam.toxicity.records import RULES, drug_spans
from interim.adam.toxicity.support import (
    during,
    intensive_care_spans,
    number_of_doses,
    oxygen_flag,
    steroid_use,
)
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

UNREPORTED, DISCORD, TOCI = "TOX-UNREPORTED", "TOX-DISCORD", "TOX-TOCI"
NO_ASSESSMENT, UNLINKED, CHILD_SCALE = "NO_ASSESSMENT", "UNLINKED", "CHILD_SCALE"
BOUNDS = ("ASTLO", "ASTHI", "CTCLO", "CTCHI")
_EFFECT = ("T 14.3.1.10", "T 14.2.1.4", "T 14.2.1.1")
_TERMS = {"CRS": "Cytokine release syndrome", "ICANS": "Neurotoxicity (ICANS)"}
_FATAL = "FATAL"
COLUMNS = [
    "USUBJID",
    "PARAMCD",
    "PARAM",
    "ASEQ",
    "REPFL",
    "APHASE",
    "ASTDT",
    "ASTDTM",
    "AENDT",
    "ADURN",
    "AONSDY",
    "AONSINF",
    "LINKSEQ",
    "LINKRS",
    "REPGRC",
    "REPGRA",
    "DERGRC",
    "DERGRA",
    *BOUNDS,
    "DRIVERC",
    "DRIVERA",
    "DIRC",
    "DIRA",
    "REASON",
    "MISSINP",
    "MINICE",
    "TOCIFL",
    "STERFL",
    "VASOFL",
    "OXYFL",
    "ICUFL",
    "TOCIN",
    "STERDY",
    "DEXEQ",
    "SCREEN",
    "FLAGS",
    "QUERYKEY",
    "SRCDOM",
    "SRCSEQ",
]


def derive_adtox(
    sdtm: Sdtm, adsl: pd.DataFrame, *, adae: pd.DataFrame, adex: pd.DataFrame, study: Study
) -> Derived:
    """Derive the episodes of cytokine release and neurotoxicity.

    Parameters
    ----------
    sdtm : Sdtm
        VS, CE, QS, CM.
    adsl : pandas.DataFrame
        Core of ADSL: first infusion.
    adae : pandas.DataFrame
        ADAE, or `episode_events` of it: reported events with grades on both scales.
    adex : pandas.DataFrame
        ADEX.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    Derived
        One row per reported event, and one per run of signs that no event covers (REPFL N); key USUBJID, PARAMCD, ASEQ.
        REPGRC, REPGRA: reported grade by CTCAE and ASTCT; DERGRC, DERGRA: derived; the bounds; DIRC, DIRA: AGREE, LOWER
        (reported below derived), HIGHER, UNREPORTED, UNDOCUMENTED. Findings TOX-*.

    Raises
    ------
    None
    """
    rows, findings = [], []
    for kind in _TERMS:
        part, found = _episodes(sdtm, adae, kind, study)
        rows.append(part)
        findings += found
    frame = completed(pd.concat(rows, ignore_index=True), adsl, adex=adex, sdtm=sdtm, study=study)
    findings += [_disagreement(row) for _, row in frame.iterrows() if _disagrees(row)]
    findings += _tocilizumab(frame, sdtm)
    rules = tuple(
        (rule, severity, "run")
        for rule, severity in (
            *RULES,
            (CONSIST, "warn"),
            (UNREPORTED, "warn"),
            (DISCORD, "warn"),
            (TOCI, "warn"),
        )
    )
    ordered_findings = tuple(sorted(set(findings), key=lambda finding: finding.order))
    return Derived(frame, ordered_findings, rules)


def completed(
    rows: pd.DataFrame, adsl: pd.DataFrame, *, adex: pd.DataFrame, sdtm: Sdtm, study: Study
) -> pd.DataFrame:
    """Complete episodes with phase, link to the infusion, treatment, direction of the difference and number.

    Parameters
    ----------
    rows : pandas.DataFrame
        Episodes: dates, reported grades, bounds of the derived ones.
    adsl, adex : pandas.DataFrame
        Core of ADSL, ADEX.
    sdtm : Sdtm
        CM.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    pandas.DataFrame
        Columns of ADTOX, sorted.

    Raises
    ------
    None
    """
    frame = _linked(rows, adsl, adex, study)
    children = _children(frame, adsl)
    frame.loc[children, list(BOUNDS)] = np.nan
    frame = _directions(_with_treatment(frame, sdtm))
    frame.loc[children, "REASON"] = CHILD_SCALE
    frame = ordered(frame, ["USUBJID", "PARAMCD", "ASTDT", "ASTDTM", "SRCSEQ"])
    frame["ASEQ"] = frame.groupby(["USUBJID", "PARAMCD"]).cumcount() + 1.0
    absent: dict[str, Any] = {"MINICE": np.nan, "SCREEN": None, "FLAGS": None}
    frame = frame.assign(**{name: value for name, value in absent.items() if name not in frame})
    return text_missing(frame[COLUMNS])


def _children(frame: pd.DataFrame, adsl: pd.DataFrame) -> pd.Series:
    """Tell which rows are neurotoxicity of a child, for whom the scale of adults does not hold."""
    age = by_subject(frame, adsl, "AGE") if "AGE" in adsl else pd.Series(np.nan, index=frame.index)
    adult_from = float(shipped_data("toxicity")["icans"]["adult_from"])
    return (frame["PARAMCD"] == "ICANS") & (age < adult_from)


def derived_bounds(sdtm: Sdtm, adae: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the bounds of the derived grade of each event of cytokine release.

    Parameters
    ----------
    sdtm : Sdtm
        VS, CE, CM.
    adae : pandas.DataFrame
        Events with CRSFL and dates.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    pandas.DataFrame
        Same index: ASTLO, ASTHI, CTCLO, CTCHI; NaN without assessment.

    Raises
    ------
    None
    """
    events = _reported(adae, "CRS")
    if events.empty:
        return pd.DataFrame(np.nan, index=adae.index, columns=list(BOUNDS))
    assessments, _ = crs_assessments(signs_of(sdtm, events), events, study)
    table = _of_events(_attached(assessments, events, pd.Timedelta(study.toxicity.crs_gap_h, unit="h")))
    keys = pd.MultiIndex.from_frame(adae[["USUBJID", "SRCSEQ"]])
    bounds = table.set_index(["USUBJID", "EVENT"])[list(BOUNDS)].reindex(keys)
    return bounds.set_axis(adae.index).where(adae["CRSFL"] == "Y")


def episode_events(adae: pd.DataFrame) -> pd.DataFrame:
    """Return the reported events of cytokine release and neurotoxicity: all that `derive_adtox` reads of ADAE.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE.

    Returns
    -------
    pandas.DataFrame
        Some of its rows, index kept.

    Raises
    ------
    None
    """
    return adae[(adae[[f"{kind}FL" for kind in _TERMS]] == "Y").any(axis=1)]


def _reported(adae: pd.DataFrame, kind: str) -> pd.DataFrame:
    events = adae[adae[f"{kind}FL"] == "Y"]
    fatal = (text_column(events, "AEOUT") == _FATAL) | (events.get("AETOXGRN", pd.Series(dtype=float)) == 5)
    return events.assign(FATAL=fatal.reindex(events.index, fill_value=False).astype(bool))


def _episodes(sdtm: Sdtm, adae: pd.DataFrame, kind: str, study: Study) -> tuple[pd.DataFrame, list[Finding]]:
    """Return reported events with the bounds of their assessments, and runs of signs that no event covers."""
    events = _reported(adae, kind)
    derive = crs_assessments if kind == "CRS" else icans_assessments
    assessments, findings = derive(sdtm, events, study)
    hours = study.toxicity.crs_gap_h if kind == "CRS" else study.toxicity.icans_gap_h
    assessments = _attached(assessments, events, pd.Timedelta(hours, unit="h"))
    reported = pd.DataFrame(
        {
            "USUBJID": events["USUBJID"],
            "SRCSEQ": events["SRCSEQ"],
            "ASTDT": events["ASTDT"],
            "ASTDTM": events["ASTDTM"],
            "AENDT": events["AENDT"],
            "REPGRC": events.get("AETOXGRN", np.nan),
            "REPGRA": events["ASTCTGRN"],
            "REPFL": "Y",
            "SRCDOM": "AE",
        }
    )
    of_events = _of_events(assessments).rename(columns={"EVENT": "SRCSEQ"})
    known = reported.merge(of_events, on=["USUBJID", "SRCSEQ"], how="left", validate="m:1")
    lonely = _unreported(assessments, pd.Timedelta(hours, unit="h"))
    frame = pd.concat([known, lonely], ignore_index=True) if len(lonely) else known
    frame = frame.assign(PARAMCD=kind, PARAM=_TERMS[kind])
    return frame, [*findings, *(_lonely(row, kind) for _, row in lonely.iterrows())]


def _signs(assessments: pd.DataFrame) -> pd.Series:
    return (assessments["ASTLO"] > 0) | (assessments["CTCLO"] > 0)


def _attached(assessments: pd.DataFrame, events: pd.DataFrame, gap: pd.Timedelta) -> pd.DataFrame:
    """Give signs that lie within the gap before or after a reported event to that event."""
    free = assessments.index[assessments["EVENT"].isna() & _signs(assessments)]
    if not len(free) or events.empty:
        return assessments
    near = pd.DataFrame(
        {
            "USUBJID": events["USUBJID"],
            "FROM": events["ASTDTM"].fillna(events["ASTDT"]) - gap,
            "TO": events["AENDTM"].fillna(events["AENDT"] + pd.Timedelta(1, unit="D")) + gap,
            "NEAR": events["SRCSEQ"],
        }
    )
    rows = assessments.loc[free, ["USUBJID", "AT"]].rename_axis("ROW").reset_index()
    pairs = rows.merge(near, on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[(pairs["FROM"] <= pairs["AT"]) & ~(pairs["TO"] < pairs["AT"])].drop_duplicates("ROW")
    answer = assessments.copy()
    answer.loc[pairs["ROW"], "EVENT"] = pairs["NEAR"].to_numpy()
    return answer


def _of_events(assessments: pd.DataFrame) -> pd.DataFrame:
    """Return the highest bounds of the assessments of each reported event."""
    return _highest(assessments[assessments["EVENT"].notna()], ["USUBJID", "EVENT"])


def _highest(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    names = ["DRIVERA", "DRIVERC", "MISSINP"]
    if rows.empty:
        empty = pd.DataFrame({name: pd.Series(dtype="float64") for name in (*BOUNDS, "MINICE")})
        return empty.assign(**{name: pd.Series(dtype=object) for name in (*keys, *names)})
    group = rows.groupby(list(keys), sort=True)
    answer = group[list(BOUNDS)].max()
    for name, bound in (("DRIVERA", "ASTHI"), ("DRIVERC", "CTCHI")):
        top = rows.sort_values(bound, ascending=False, kind="stable", na_position="last")
        answer[name] = top.drop_duplicates(list(keys)).set_index(list(keys))[name]
    answer["MISSINP"] = group["MISSINP"].agg(_joined)
    answer["MINICE"] = group["ICE"].min() if "ICE" in rows else np.nan
    return answer.reset_index()


def _joined(texts: pd.Series) -> str:
    return ";".join(sorted({part for text in texts for part in text.split(";") if part}))


def _unreported(assessments: pd.DataFrame, gap: pd.Timedelta) -> pd.DataFrame:
    """Return runs of signs that no reported event covers."""
    rows = assessments[assessments["EVENT"].isna() & _signs(assessments)]
    if rows.empty:
        return pd.DataFrame()
    rows = rows.sort_values(["USUBJID", "AT"], kind="stable")
    new = rows.groupby("USUBJID")["AT"].diff() > gap
    rows = rows.assign(RUN=new.groupby(rows["USUBJID"]).cumsum())
    frame = _highest(rows, ["USUBJID", "RUN"])
    spans = rows.groupby(["USUBJID", "RUN"])["AT"].agg(["min", "max"]).reset_index()
    return (
        frame.merge(spans, on=["USUBJID", "RUN"], how="left", validate="1:1")
        .assign(
            ASTDTM=lambda f: f["min"],
            ASTDT=lambda f: f["min"].dt.normalize(),
            AENDT=lambda f: f["max"].dt.normalize(),
            REPFL="N",
            SRCDOM=None,
            SRCSEQ=None,
        )
        .drop(columns=["RUN", "min", "max"])
    )


def _linked(frame: pd.DataFrame, adsl: pd.DataFrame, adex: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Add phase, days of onset and the infusion that the onset is linked to."""
    rows = frame.astype({"ASTDT": "datetime64[ns]", "ASTDTM": "datetime64[ns]", "AENDT": "datetime64[ns]"})
    phase = phase_of(rows, phase_starts(adex, study), same_day=study.toxicity.same_day_phase)["APHASE"]
    given = adex[["USUBJID", "ASTDT", "ASTDTM", "SRCSEQ"]].rename(
        columns={"ASTDT": "GIVEN", "ASTDTM": "GIVENM", "SRCSEQ": "LINKSEQ"}
    )
    onset = rows[["USUBJID", "ASTDT", "ASTDTM"]].rename_axis("ROW").reset_index()
    pairs = onset.merge(given, on="USUBJID", how="inner", validate="m:m")
    timed = pairs["ASTDTM"].notna() & pairs["GIVENM"].notna()
    before = (pairs["GIVENM"] <= pairs["ASTDTM"]).where(timed, pairs["GIVEN"] <= pairs["ASTDT"])
    last = (
        pairs[before.astype(bool)]
        .sort_values(["GIVEN", "GIVENM"], kind="stable")
        .drop_duplicates("ROW", keep="last")
        .set_index("ROW")
        .reindex(rows.index)
    )
    days = (rows["ASTDT"] - last["GIVEN"]).dt.days.astype("float64")
    linked = days <= study.toxicity.crs_link_days
    first = by_subject(rows, adsl, "TRTSDT")
    return rows.assign(
        APHASE=phase,
        AONSDY=(rows["ASTDT"] - first).dt.days.astype("float64") + 1,
        AONSINF=days.where(linked),
        LINKSEQ=last["LINKSEQ"].astype(object).where(linked, None),
        LINKRS=pd.Series(None, index=rows.index, dtype=object).where(linked, UNLINKED),
        ADURN=(rows["AENDT"] - rows["ASTDT"]).dt.days.astype("float64") + 1,
    )


def _with_treatment(frame: pd.DataFrame, sdtm: Sdtm) -> pd.DataFrame:
    """Flag what was given during the episode, and add the doses of tocilizumab and of steroids."""
    data = shipped_data("toxicity")["records"]
    tocilizumab = drug_spans(sdtm, data["tocilizumab"])
    given = {
        "TOCIFL": tocilizumab,
        "STERFL": drug_spans(sdtm, data["steroids"]),
        "VASOFL": drug_spans(sdtm, (*data["vasopressors"], *data["vasopressin"])),
        "ICUFL": intensive_care_spans(sdtm),
    }
    flags: dict[str, Any] = {
        name: None if part is None else during(frame, part) for name, part in given.items()
    }
    steroids = steroid_use(frame, sdtm)
    doses = np.nan if tocilizumab is None else number_of_doses(frame, tocilizumab)
    amounts = {name: np.nan if steroids is None else steroids[name] for name in ("STERDY", "DEXEQ")}
    return frame.assign(**flags, OXYFL=oxygen_flag(frame, sdtm), TOCIN=doses, **amounts)


def _directions(frame: pd.DataFrame) -> pd.DataFrame:
    answer = frame.copy()
    for letter, low, high in (("C", "CTCLO", "CTCHI"), ("A", "ASTLO", "ASTHI")):
        equal = frame[low] == frame[high]
        answer[f"DERGR{letter}"] = frame[low].where(equal)
        answer[f"DIR{letter}"] = _direction(frame[f"REPGR{letter}"], frame[low], frame[high], frame["REPFL"])
    answer.loc[frame["PARAMCD"] != "CRS", "DIRC"] = None
    none = frame[["ASTLO", "CTCLO"]].isna().all(axis=1)
    unsure = ~none & (frame["ASTLO"] != frame["ASTHI"])
    reason = pd.Series(None, index=frame.index, dtype=object)
    reason[none], reason[unsure] = NO_ASSESSMENT, "INPUT_MISSING"
    start = frame["ASTDT"].dt.strftime("%Y-%m-%d").fillna("")
    key = [
        "/".join(str(part) for part in parts)
        for parts in zip(frame["USUBJID"], frame["PARAMCD"], frame["SRCSEQ"].fillna(start), strict=True)
    ]
    return answer.assign(REASON=reason, QUERYKEY=pd.Series(key, index=frame.index, dtype=object))


def _direction(reported: pd.Series, low: pd.Series, high: pd.Series, known: pd.Series) -> pd.Series:
    answer = pd.Series("AGREE", index=reported.index, dtype=object)
    answer[reported < low] = "LOWER"
    answer[reported > high] = "HIGHER"
    answer[reported.isna() | low.isna()] = None
    answer[(known == "Y") & reported.notna() & low.isna()] = "UNDOCUMENTED"
    answer[(known == "N") & (low > 0)] = "UNREPORTED"
    return answer


def _disagrees(row: pd.Series) -> bool:
    return row["DIRC"] in ("LOWER", "HIGHER") or row["DIRA"] in ("LOWER", "HIGHER")


def _disagreement(row: pd.Series) -> Finding:
    scale, letter, low, high = ("CTCAE", "C", "CTCLO", "CTCHI")
    if row["DIRC"] not in ("LOWER", "HIGHER"):
        scale, letter, low, high = ("ASTCT", "A", "ASTLO", "ASTHI")
    bounds = f"{row[low]:g}" if row[low] == row[high] else f"{row[low]:g} to {row[high]:g}"
    return Finding(
        DISCORD,
        "warn",
        "AE",
        f"{row['PARAMCD']} reported with {scale} grade {row[f'REPGR{letter}']:g}, signs and treatment give {bounds} "
        f"(by {row[f'DRIVER{letter}'] or 'no sign'}); check the grade or the records",
        subject=str(row["USUBJID"]),
        key=(str(row["SRCSEQ"]),),
        variable="AETOXGR" if letter == "C" else "ASTCTGR",
        value=f"{row[f'REPGR{letter}']:g}",
        expected=bounds,
        effect=_EFFECT,
    )


def _lonely(row: pd.Series, kind: str) -> Finding:
    grade = np.nanmax([row["ASTLO"], row["CTCLO"]])
    return Finding(
        UNREPORTED,
        "warn",
        "AE",
        f"signs of {kind} of grade {grade:g} from {row['ASTDTM']:%Y-%m-%d %H:%M} without a reported event; report it, or "
        "record the other cause",
        subject=str(row["USUBJID"]),
        key=(f"{row['ASTDTM']:%Y-%m-%dT%H:%M}",),
        variable="AEDECOD",
        expected=_TERMS[kind],
        effect=_EFFECT,
    )


def _tocilizumab(frame: pd.DataFrame, sdtm: Sdtm) -> list[Finding]:
    """List those who received tocilizumab and have no cytokine release syndrome."""
    given = drug_spans(sdtm, shipped_data("toxicity")["records"]["tocilizumab"])
    if given is None:
        return []
    with_event = set(frame.loc[frame["PARAMCD"] == "CRS", "USUBJID"])
    return [
        Finding(
            TOCI,
            "warn",
            "CM",
            "tocilizumab without a cytokine release syndrome; report the event or correct the medication",
            subject=str(subject),
            variable="CMDECOD",
            value="TOCILIZUMAB",
            effect=_EFFECT,
        )
        for subject in sorted(set(given["USUBJID"]) - with_event)
    ]
