"""ADTTE: one row per participant and time-to-event endpoint."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.adam.derived import Derived, Moment
from interim.adam.response.adrs import anchor_date
from interim.adam.response.best_response import CONTROL
from interim.adam.source import date_columns, sequence_text, shipped_data, text_column, text_missing
from interim.adam.tte.derivation import Fact, Facts, Outcome, time_to_event, untruncated
from interim.adam.tte.endpoints import endpoints
from interim.adam.tte.specification import Endpoint
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

COLUMNS = [
    "USUBJID",
    "PARAMCD",
    "PARAM",
    "STARTDT",
    "ADT",
    "AVAL",
    "AVALU",
    "CNSR",
    "EVNTDESC",
    "CNSDTDSC",
    "RSNCD",
    "RSNTXT",
    "SRCDOM",
    "SRCVAR",
    "SRCSEQ",
    "RULEID",
    "UADT",
    "UCNSR",
]
RULES = (("TTE-START", "warn"), ("TTE-NEG", "stop"))
_DATES = ["TRTSDT", "TRTSCT", "ENRLDT", "RFICDT", "NACTDT", "NKSWDT", "DTHDT", "EOSDT", "LSTALVDT", "DCUTDT"]
_FROM_RESPONSES = ("PFS", "DOR", "DDC", "DSD", "TTR", "TTP")
_READ_AS = {"iCR": "CR", "iPR": "PR", "iSD": "SD", "NON-iCR/NON-iUPD": "NON-CR/NON-PD", "iCPD": "PD"}
_FLAGS = {"NK-SAF": "SAFNKFL"}
_UNION = "union"


@dataclass(frozen=True)
class _Person:
    """ADSL of one participant, and what ADRS says about it."""

    subject: str
    row: Mapping[Any, Any]
    dates: Mapping[str, Moment]
    responses: Mapping[str, Sequence[Mapping[Any, Any]]]
    clinical: Sequence[Fact]

    def fact(self, column: str) -> list[Fact]:
        day = self.dates[column]
        return [] if pd.isna(day) else [Fact(day, "", "ADSL", column)]

    def yes(self, parameter: str) -> list[Fact]:
        return [
            _fact(row)
            for row in self.responses.get(parameter, ())
            if row["AVALC"] == "Y" and not pd.isna(row["ADT"])
        ]

    def value(self, parameter: str) -> str | None:
        return next((row["AVALC"] for row in self.responses.get(parameter, ())), None)


def derive_adtte(
    adsl: pd.DataFrame,
    adrs: pd.DataFrame | None,
    *,
    study: Study,
    sdtm: Sdtm | None = None,
    names: Collection[str] | None = None,
) -> Derived:
    """Return ADTTE.

    Parameters
    ----------
    adsl : pandas.DataFrame
        USUBJID, FASFL, SAFNKFL, TRTSDT, TRTSCT, ENRLDT, RFICDT, NACTDT, NKSWDT, DTHDT, EOSDT, EOSSTT, LSTALVDT, DCUTDT; a date column
        that is absent counts as missing, a flag that is absent as Y.
    adrs : pandas.DataFrame or None
        ADRS; without it the endpoints of responses are left out.
    study : Study
        Tables ``tte`` and ``response``.
    sdtm : Sdtm, optional
        DS and AE, for symptomatic deterioration.
    names : collection of str, optional
        Only these endpoints; default all.

    Returns
    -------
    Derived
        One row per participant of the endpoint's population: STARTDT, ADT, AVAL (days, first day 1), CNSR, RSNCD, RSNTXT,
        source, RULEID, and UADT, UCNSR without any rule; findings TTE-START and TTE-NEG.

    Raises
    ------
    StudyError
        If the endpoints of the study cannot be built.

    Notes
    -----
    A participant of the population without a row has no start date, or an event before it; both are findings.
    """
    specifications = [
        e for e in endpoints(study) if (names is None or e.name in names) and _available(e, adrs)
    ]
    rows: list[dict[str, Any]] = []
    findings: list[Finding] = []
    for person in _people(adsl, adrs, study, sdtm):
        facts = {immune: _facts(person, study, immune=immune) for immune in (False, True)}
        for endpoint in specifications:
            if _belongs(endpoint, person, study):
                start = _start(endpoint, person, study)
                problem = _problem(endpoint, person, start)
                if problem is not None:
                    findings.append(problem)
                elif start is not None:
                    rows.append(_row(endpoint, person, start, facts[endpoint.name == "IPFS"]))
    return Derived(
        _frame(rows), tuple(sorted(findings, key=lambda f: f.order)), tuple((*r, "run") for r in RULES)
    )


def _available(endpoint: Endpoint, adrs: pd.DataFrame | None) -> bool:
    if endpoint.name == "IPFS":
        return adrs is not None and bool((adrs["PARAMCD"] == "IOVR").any())
    return endpoint.name not in _FROM_RESPONSES or adrs is not None


def _people(
    adsl: pd.DataFrame, adrs: pd.DataFrame | None, study: Study, sdtm: Sdtm | None
) -> Iterator[_Person]:
    responses = {} if adrs is None else _responses(adrs, study)
    clinical = {} if sdtm is None else _clinical(sdtm)
    for row in adsl.sort_values("USUBJID", kind="stable").to_dict("records"):
        subject = str(row["USUBJID"])
        dates: dict[str, Moment] = {
            name: pd.Timestamp(row[name]) if name in row else pd.NaT for name in _DATES
        }
        yield _Person(subject, row, dates, responses.get(subject, {}), clinical.get(subject, ()))


def _responses(adrs: pd.DataFrame, study: Study) -> dict[str, dict[str, list[dict[Any, Any]]]]:
    """Return the rows of the evaluator whose progression counts by participant and parameter; ``UNION`` holds any progression."""
    wanted = study.tte.pd_source
    primary = study.response.evaluator if wanted in ("auto", _UNION) else wanted
    columns = ["USUBJID", "PARAMCD", "ADT", "AVALC", "SRCDOM", "SRCSEQ"]
    mine = adrs[adrs["PARCAT2"] == primary]
    progressed = adrs[(adrs["PARAMCD"] == "OVR") & (adrs["AVALC"] == "PD")].assign(PARAMCD="UNION")
    answer: dict[str, dict[str, list[dict[Any, Any]]]] = {}
    for row in pd.concat([mine[columns], progressed[columns]]).to_dict("records"):
        answer.setdefault(str(row["USUBJID"]), {}).setdefault(str(row["PARAMCD"]), []).append(row)
    return answer


def _fact(row: Mapping[Any, Any], value: str = "") -> Fact:
    return Fact(row["ADT"], value or str(row["AVALC"]), str(row["SRCDOM"] or "ADRS"), "ADT", row["SRCSEQ"])


def _clinical(sdtm: Sdtm) -> dict[str, list[Fact]]:
    """Return the records of symptomatic deterioration in DS and AE by participant."""
    names = shipped_data("tte/sources")["clinical"]
    answer: dict[str, list[Fact]] = {}
    for domain, column, variable in (("DS", "DSDECOD", "DSSTDTC"), ("AE", "AEDECOD", "AESTDTC")):
        frame = sdtm.domain(domain)
        part = frame[text_column(frame, column).isin(names["terms"])]
        days = date_columns(part, variable)["DT"]
        numbers = part[f"{domain}SEQ"] if len(part) else pd.Series(dtype=object)
        for subject, day, number in zip(part["USUBJID"], days, numbers, strict=True):
            if not pd.isna(day):
                fact = Fact(day, "", domain, variable, sequence_text(number))
                answer.setdefault(str(subject), []).append(fact)
    return answer


def _belongs(endpoint: Endpoint, person: _Person, study: Study) -> bool:
    if person.row.get(_FLAGS.get(endpoint.population, "FASFL"), "Y") != "Y":
        return False
    confirmed = "C" if study.response.confirmation_required else ""
    best = person.value(f"{confirmed}BOR")
    return {
        "RESP": bool(person.yes(f"{confirmed}RSP")),
        "DC": best in CONTROL,
        "SD": best == "SD",
    }.get(endpoint.population, True)


def _start(endpoint: Endpoint, person: _Person, study: Study) -> Fact | None:
    if endpoint.start == "response":
        return _response(person, study)[0]
    day, column = anchor_date(person.dates, study.tte.anchor)
    return None if pd.isna(day) else Fact(day, "", "ADSL", column)


def _response(person: _Person, study: Study) -> list[Fact]:
    return person.yes("CRSP" if study.response.confirmation_required else "RSP")


def _problem(endpoint: Endpoint, person: _Person, start: Fact | None) -> Finding | None:
    if start is None:
        return _finding(
            "TTE-START", "warn", endpoint, person, "no start date (NO_ANCHOR); no row; enter the date"
        )
    death = person.dates["DTHDT"]
    if not pd.isna(death) and death < start.when:
        text = (
            f"death on {death:%Y-%m-%d} before the start {start.when:%Y-%m-%d}; no row; correct one of them"
        )
        return _finding("TTE-NEG", "stop", endpoint, person, text)
    return None


def _finding(rule: str, severity: Any, endpoint: Endpoint, person: _Person, text: str) -> Finding:
    return Finding(
        rule,
        severity,
        "ADTTE",
        f"{endpoint.name}: {text}",
        subject=person.subject,
        key=(endpoint.name,),
        variable="STARTDT",
        effect=("T 14.2.3.1",),
    )


def _facts(person: _Person, study: Study, *, immune: bool) -> Facts:
    overall = person.responses.get("IOVR" if immune else "OVR", ())
    scans = _while_alive([_fact(row, _READ_AS.get(row["AVALC"], row["AVALC"])) for row in overall], person)
    progressed = (
        _while_alive([_fact(row) for row in person.responses.get("UNION", ())], person)
        if study.tte.pd_source == _UNION
        else [fact for fact in scans if fact.value == "PD"]
    )
    death, cut = person.fact("DTHDT"), person.fact("DCUTDT")
    left = person.row.get("EOSSTT") in ("COMPLETED", "DISCONTINUED")
    contact, switch = person.fact("LSTALVDT"), person.fact("NKSWDT")
    single = {
        "cut": cut,
        "nact": person.fact("NACTDT"),
        "nksw": switch,
        "last_contact": contact,
        "death": death,
    }
    return Facts(
        events={
            "pd": progressed,
            "death": death,
            "clinical": person.clinical,
            "nact": single["nact"],
            "nksw": switch,
            "response": _response(person, study),
            "icpd": person.yes("ICPD"),
            "iupd": person.yes("IUPD"),
            "end": person.fact("EOSDT") if left and not death else [],
            "contact": [] if death else contact,
        },
        assessments=scans,
        bounds={name: single[name][0] for name in ("cut", "nact", "nksw") if single[name]},
        censoring={name: single[name][0] for name in ("last_contact", "cut", "death") if single[name]},
        ended=left or bool(death),
        assessable=person.value("ADIS") != "N",
    )


def _while_alive(scans: list[Fact], person: _Person) -> list[Fact]:
    """Return the assessments without those dated after the death: one of the two dates is wrong, neither is guessed."""
    return [scan for scan in scans if not scan.when > person.dates["DTHDT"]]


def _row(endpoint: Endpoint, person: _Person, start: Fact, facts: Facts) -> dict[str, Any]:
    found = time_to_event(endpoint, start, facts)
    free = untruncated(endpoint, start, facts)
    text = _text(found)
    return {
        "USUBJID": person.subject,
        "PARAMCD": endpoint.name,
        "PARAM": endpoint.label,
        "STARTDT": start.when,
        "ADT": found.at.when,
        "AVAL": (pd.Timestamp(found.at.when) - pd.Timestamp(start.when)).days + 1,
        "AVALU": "DAYS",
        "CNSR": found.cnsr,
        "EVNTDESC": found.text or None,
        "CNSDTDSC": None if found.cnsr == 0 else text,
        "RSNCD": found.code,
        "RSNTXT": text,
        "SRCDOM": found.at.domain,
        "SRCVAR": found.at.variable,
        "SRCSEQ": found.at.sequence,
        "RULEID": f"{endpoint.name}/{found.code}",
        "UADT": free.at.when,
        "UCNSR": free.cnsr,
    }


def _text(outcome: Outcome) -> str:
    deciding = outcome.deciding.when if outcome.deciding else outcome.at.when
    text: str = shipped_data("tte/reasons")["text"][outcome.code]
    return text.format(at=f"{outcome.at.when:%Y-%m-%d}", deciding=f"{deciding:%Y-%m-%d}")


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    frame = text_missing(pd.DataFrame(list(rows), columns=COLUMNS, dtype=object))
    for name in ("STARTDT", "ADT", "UADT"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[ns]")
    frame = frame.astype({"AVAL": "float64", "CNSR": "float64", "UCNSR": "float64"})
    return frame.sort_values(["USUBJID", "PARAMCD"], kind="stable").reset_index(drop=True)
