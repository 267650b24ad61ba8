"""ADAE: one row per adverse event, with dates, emergence per product, phase, relation, grades, duration and DLT flag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from interim.adam.adae_attributes import RELATIONS, event_attributes
from interim.adam.adae_dictionary import RULE as DICTIONARY
from interim.adam.adae_dictionary import coded, read_dictionary
from interim.adam.adae_emergence import EmergenceRule, emergence
from interim.adam.adae_episodes import episode_of
from interim.adam.adae_phase import days_since_infusion, phase_of, phase_starts
from interim.adam.adtox import trigger_events
from interim.adam.adtox_episodes import derived_bounds
from interim.adam.derived import Derived
from interim.adam.dlt import flag_dlt, may_lie_inside
from interim.adam.source import by_subject, date_columns, ordered, source_of, text_missing
from interim.data.dates import duration_clock, duration_days, impute_dates
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

HOURS_PER_DAY = 24
_NUMBERING = ("AESEQ", "SRCFILE", "SRCROW")
_COLLECTED = [
    "AETERM",
    "AEDECOD",
    "AEBODSYS",
    "AESEV",
    "AESER",
    "AEREL",
    "AEACN",
    "AEOUT",
    "AESDTH",
    "AESHOSP",
    "AEGRPID",
    "AESTDTC",
    "AEENDTC",
    "AERPTDTC",
]
# Flag, reason and best case of each start of treatment: first and last dose in ADSL, relation without limit.
_STARTS = (
    ("TRTEM", "TRTSDT", "TRTSDTM", "TRTEDT", "RELCELL"),
    ("TREMNK", "TRTSNK", "TRTSNKM", "TRTENK", "RELNK"),
    ("TREMCT", "TRTSCT", "TRTSCTM", "TRTECT", "RELCART"),
)
_EFFECT = ("T 14.3.1.1", "T 14.3.1.2", "T 14.2.1.2")


def derive_adae(
    sdtm: Sdtm, adsl: pd.DataFrame, *, adex: pd.DataFrame, windows: pd.DataFrame, study: Study
) -> Derived:
    """Derive the adverse events.

    Parameters
    ----------
    sdtm : Sdtm
        AE with SUPPAE.
    adsl : pandas.DataFrame
        Core of ADSL: first and last doses, NACTDT, DTHDT, DCUTDT.
    adex : pandas.DataFrame
        ADEX.
    windows : pandas.DataFrame
        As `interim.adam.dlt.dlt_windows` gives them.
    study : Study
        ``[safety]``, ``[dose]``.

    Returns
    -------
    Derived
        One row per record, key USUBJID, SRCSEQ; AEPISSEQ names the first record of the event; findings AE-PARTIAL, DOSE-DLTDIFF, AE-DICT.

    Raises
    ------
    StudyError
        If a DLT rule names a variable that ADAE does not have.
    """
    source = sdtm.with_supp("AE")
    source = source[source["USUBJID"].isin(adsl["USUBJID"])].reset_index(drop=True)
    source = without_duplicates(source, sdtm.domain("AE").columns)
    terms = read_dictionary(study)
    source, not_coded = coded(source, terms)
    frame = _dated(source, adsl, study)
    frame = frame.join(event_attributes(source, study))
    flags, phases = _at_every_start(frame, adsl, phase_starts(adex, study), study)
    frame = frame.join(_worst_and_best(flags)).join(phases[0])
    frame = _with_durations(frame, adsl, adex)
    frame, differences = flag_dlt(frame, windows, study)
    frame = frame.join(derived_bounds(sdtm, frame, study))
    frame["TRIGFL"] = trigger_events(frame, windows, study.titration_trigger)
    partial = _partial(frame, flags, phases, windows)
    frame = ordered(text_missing(frame), ["USUBJID", "ASTDT", "SRCSEQ"])
    frame["AEPISSEQ"] = episode_of(frame, join_overlap=study.safety.collapse_overlap)
    findings = tuple(sorted((*partial, *differences, *not_coded), key=lambda finding: finding.order))
    dictionary = "run" if terms is not None else "not run: the coding of the data stands"
    rules = (
        ("AE-PARTIAL", "warn", "run"),
        ("DOSE-DLTDIFF", "warn", _dlt_rule(source)),
        (DICTIONARY, "warn", dictionary),
    )
    return Derived(_without_uncollected(frame, source), findings, rules)


def without_duplicates(source: pd.DataFrame, collected: Iterable[str]) -> pd.DataFrame:
    """Return the events without exact repetitions: of records that differ by their number only the first number is kept.

    Parameters
    ----------
    source : pandas.DataFrame
        AE with its supplemental qualifiers.
    collected : iterable of str
        Columns of AE itself; number, file and row do not count.

    Returns
    -------
    pandas.DataFrame
        New index; AE-DUP of the data room lists what is left out.

    Raises
    ------
    None
    """
    compared = [name for name in collected if name not in _NUMBERING]
    by_number = source.sort_values("AESEQ", kind="stable") if "AESEQ" in source else source
    repeated = by_number.duplicated(compared).reindex(source.index)
    return source[~repeated].reset_index(drop=True)


def _dlt_rule(source: pd.DataFrame) -> str:
    return "run" if "DLTFL" in source else "not run: SUPPAE holds no reported DLTFL"


def _dated(source: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the collected columns with complete dates, and the range of a start that was collected in part."""
    frame = source[["USUBJID", *(name for name in _COLLECTED if name in source)]].join(
        source_of(source, "AE")
    )
    starts, ends = date_columns(source, "AESTDTC"), date_columns(source, "AEENDTC")
    cut, death = by_subject(frame, adsl, "DCUTDT"), by_subject(frame, adsl, "DTHDT")
    end = impute_dates(_column(source, "AEENDTC"), highest="M", rule="last", not_after=[death, cut])
    how = study.safety.ae_start_imputation
    start = impute_dates(
        _column(source, "AESTDTC"),
        highest=how.highest,
        rule=how.rule,
        not_before=[by_subject(frame, adsl, "TRTSDT")],
        not_after=[end["DT"], cut],
    )
    latest = pd.concat([starts["LAST"], end["DT"], cut], axis=1).min(axis=1)
    return frame.assign(
        ASTDT=start["DT"],
        ASTDTF=start["DTF"],
        ASTDTM=starts["DTM"],
        ASTLODT=starts["FIRST"],
        ASTHIDT=latest.where(starts["LAST"].notna()).astype("datetime64[ns]"),
        AENDT=end["DT"],
        AENDTF=end["DTF"],
        AENDTM=ends["DTM"],
    )


def _column(source: pd.DataFrame, name: str) -> pd.Series:
    return source[name] if name in source else pd.Series(None, index=source.index, dtype=object)


def _at_every_start(
    frame: pd.DataFrame, adsl: pd.DataFrame, starts: pd.DataFrame, study: Study
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Return flags and phase with the imputed start, and with both ends of the range of a partial one."""
    exact = frame["ASTDTF"].isna()
    flags, phases = [], []
    for name in ("ASTDT", "ASTLODT", "ASTHIDT"):
        moved = frame.assign(
            ASTDT=frame["ASTDT"].where(exact, frame[name]), ASTDTM=frame["ASTDTM"].where(exact, pd.NaT)
        )
        flags.append(_emergence(moved, adsl, study))
        phases.append(phase_of(moved, starts, same_day=study.toxicity.same_day_phase))
    return flags, phases


def _emergence(frame: pd.DataFrame, adsl: pd.DataFrame, study: Study) -> pd.DataFrame:
    rule = EmergenceRule.of(study)
    answer = pd.DataFrame(index=frame.index)
    for name, first, moment, last, related in _STARTS:
        events = pd.DataFrame(
            {
                "SUBJECT": frame["USUBJID"],
                "START": frame["ASTDT"],
                "STARTM": frame["ASTDTM"],
                "END": frame["AENDT"],
                "ENDM": frame["AENDTM"],
                "T0": by_subject(frame, adsl, first),
                "T0M": by_subject(frame, adsl, moment),
                "T1": by_subject(frame, adsl, last),
                "NACT": by_subject(frame, adsl, "NACTDT"),
                "RELATED": frame[related],
                "GRADE": frame["AETOXGRN"],
                "GRADE0": frame["AEITOXGN"],
                "EVENT": frame.get("AEGRPID", None),
            }
        )
        decided = emergence(events, rule)
        answer[f"{name}FL"], answer[f"{name}RS"] = decided["FLAG"], decided["REASON"]
    return answer


def _worst_and_best(flags: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the flags of the worst case with their reason, and the best case beside them."""
    imputed = flags[0]
    answer = pd.DataFrame(index=imputed.index)
    for name, *_ in _STARTS:
        flag, reason = imputed[f"{name}FL"], imputed[f"{name}RS"]
        best = flag
        for other in flags[1:]:
            counts = (flag == "N") & (other[f"{name}FL"] == "Y")
            flag, reason = flag.where(~counts, "Y"), reason.where(~counts, other[f"{name}RS"])
            best = best.where(other[f"{name}FL"] == "Y", "N")
        answer[f"{name}FL"], answer[f"{name}RS"], answer[f"{name}BFL"] = flag, reason, best
    return answer


def _with_durations(frame: pd.DataFrame, adsl: pd.DataFrame, adex: pd.DataFrame) -> pd.DataFrame:
    """Add duration (an ongoing event lasts until death or the cut-off) and days to onset."""
    ongoing = frame["AENDT"].isna()
    limit = pd.concat([by_subject(frame, adsl, "DCUTDT"), by_subject(frame, adsl, "DTHDT")], axis=1).min(
        axis=1
    )
    days = duration_days(frame["ASTDT"], frame["AENDT"].fillna(limit))
    timed = frame["ASTDTM"].notna() & frame["AENDTM"].notna()
    hours = duration_clock(frame["ASTDTM"], frame["AENDTM"], "hours")
    return frame.assign(
        AONGOFL=ongoing.map({True: "Y", False: "N"}).astype(object),
        ADURN=days,
        ADURH=hours.where(timed, days * HOURS_PER_DAY),
        AONSDY=duration_days(by_subject(frame, adsl, "TRTSDT"), frame["ASTDT"]),
        AONSINF=days_since_infusion(frame, adex),
    )


def _partial(
    frame: pd.DataFrame,
    flags: Sequence[pd.DataFrame],
    phases: Sequence[pd.DataFrame],
    windows: pd.DataFrame,
) -> list[Finding]:
    """List the events whose flag, phase or place in the DLT window depends on the part of the date that is missing."""
    inside, certain = may_lie_inside(frame, windows)
    changes: dict[str, pd.Series] = {
        "treatment emergence": _differs([item[[f"{n}FL" for n, *_ in _STARTS]] for item in flags]),
        "phase": _differs([item[["APHASE"]].fillna("") for item in phases]),
        "DLT window": inside & ~certain,
    }
    partial = frame["ASTDTF"].notna()
    findings = []
    for place in frame.index[partial & pd.concat(changes, axis=1).any(axis=1)]:
        what = [name for name, differs in changes.items() if differs[place]]
        findings.append(_partial_finding(frame.loc[place], what))
    return findings


def _differs(frames: Sequence[pd.DataFrame]) -> pd.Series:
    unequal: Callable[[pd.DataFrame], pd.Series] = lambda other: (other != frames[0]).any(axis=1)  # noqa: E731
    return pd.concat([unequal(other) for other in frames[1:]], axis=1).any(axis=1)


def _partial_finding(row: pd.Series, what: Sequence[str]) -> Finding:
    return Finding(
        "AE-PARTIAL",
        "warn",
        "AE",
        f"start {row['AESTDTC']} can mean {row['ASTLODT']:%Y-%m-%d} to {row['ASTHIDT']:%Y-%m-%d}, which decides: "
        f"{', '.join(what)}; the worst case is used, complete the date",
        subject=str(row["USUBJID"]),
        key=(row["SRCSEQ"] or "",),
        variable="AESTDTC",
        value=str(row["AESTDTC"]),
        expected="a complete date",
        effect=_EFFECT,
    )


def _without_uncollected(frame: pd.DataFrame, source: pd.DataFrame) -> pd.DataFrame:
    """Drop what was derived for the rules from a variable that was not collected."""
    drop = [] if "AETOXGR" in source else ["AETOXGRN"]
    drop += [] if "AEREL" in source else [*RELATIONS, "RELCELL", "RELIMPFL", "RELMISFL"]
    return frame.drop(columns=drop)
