"""Reference packs of time-to-event endpoints: simulated participants and generic derivations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from interim.adam.response.assessments import Assessment, BestRules, Limits, used
from interim.adam.response.best_response import first_response
from interim.adam.tte.derivation import Fact, Facts, Outcome, time_to_event
from interim.adam.tte.endpoints import endpoints
from interim.adam.tte.specification import Endpoint, EventRule
from interim.report.packs.base import Case, Given, Pack
from interim.study import Study
from interim.study.efficacy import ResponseTable, TteTable
from interim.study.tables import DataTable, StudyTable

_GAP_DAYS = 98


def _study(**tte: Any) -> Study:
    return Study(
        study=StudyTable(id="PACK"),
        data=DataTable(path="none", cut_date=date(2100, 1, 1)),
        tte=TteTable(**tte),
    )


def _endpoint(name: str, **tte: Any) -> Endpoint:
    return next(endpoint for endpoint in endpoints(_study(**tte)) if endpoint.name == name)


def _specifications() -> dict[str, Endpoint]:
    return {
        "OS": _endpoint("OS"),
        "PFS": _endpoint("PFS", new_therapy="ignore"),
        "PFSNACT": _endpoint("PFS", new_therapy="censor"),
        "DOR": _endpoint("DOR", new_therapy="ignore"),
        "PFS_missed2_gap98": _endpoint("PFS", new_therapy="ignore", gap_rule="days", gap_days=_GAP_DAYS),
    }


def _split_participants(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        given = {key: value for key, value in case.items() if key != "id" and not key.startswith("expected")}
        expected = {**case["expected"], **case.get("expected_own", {})}
        yield Case(case["id"], given, {name: _without_label(row) for name, row in expected.items()})


def _without_label(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != "reason"}


def _participant(given: Given) -> Mapping[str, Any]:
    facts = _facts(given)
    start = Fact(date.fromisoformat(given["treatment_start"]))
    answers = {}
    for name, endpoint in _specifications().items():
        at = _first_response(given, start.when) if endpoint.start == "response" else start
        if at is not None:
            answers[name] = _row(at, time_to_event(endpoint, at, facts))
    return answers


def _facts(given: Given) -> Facts:
    scans = [Fact(date.fromisoformat(row["date"]), row["response"]) for row in given["assessments"]]
    single = {
        name: [Fact(date.fromisoformat(given[key]))]
        for name, key in (
            ("death", "death"),
            ("nact", "new_anticancer_therapy"),
            ("cut", "data_cut"),
            ("last_contact", "last_alive"),
        )
        if given.get(key)
    }
    return Facts(
        events={"pd": [f for f in scans if f.value == "PD"], "death": single.get("death", [])},
        assessments=scans,
        bounds={name: single[name][0] for name in ("cut", "nact") if name in single},
        censoring={"last_contact": single["last_contact"][0]} if "last_contact" in single else {},
    )


def _first_response(given: Given, start: date) -> Fact | None:
    scans = [
        Assessment((date.fromisoformat(row["date"]) - start).days, row["response"])
        for row in given["assessments"]
    ]
    rules = BestRules.of(ResponseTable())
    best = first_response(used(scans, rules=rules, limits=Limits()), rules=rules, confirmed=False)
    return None if best.day is None else Fact(start + timedelta(days=best.day))


def _row(start: Fact, outcome: Outcome) -> dict[str, Any]:
    return {
        "start": start.when.isoformat(),
        "date": outcome.at.when.isoformat(),
        "censored": outcome.cnsr > 0,
        "days_plus1": (outcome.at.when - start.when).days + 1,
    }


_COMPARED = (
    "USUBJID",
    "PARAMCD",
    "CNSR",
    "ADT",
    "ADTM",
    "STARTDT",
    "STARTDTM",
    "SRCSEQ",
    "EVENTDESC",
    "EVNTDESC",
)
_EVENT_SOURCES = ("pd", "death", "clinical")


def _split_generic(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        rows = [row for row in case["expected"] if row.get("CNSR") is not None]
        rows = [{key: row[key] for key in _COMPARED if key in row} for row in rows]
        yield Case(case["test"], case["args"], {"rows": rows})


def _generic(given: Given) -> Mapping[str, Any]:
    """Recompute a generic derivation: the participants of each group, by the one derivation of every endpoint."""
    with_time = bool(given.get("create_datetime", {}).get("value"))
    groups: Sequence[str | None] = _groups(given) or [None]
    people = sorted(given["dataset_adsl"]["data"], key=lambda row: str(row["USUBJID"]))
    rows = [
        _generic_row(given, person, (number, group), with_time=with_time)
        for number, group in enumerate(groups, 1)
        for person in people
    ]
    return {"rows": rows}


def _by_variable(given: Given) -> str | None:
    found = re.search(r"exprs\((\w+)\)", given.get("by_vars", {}).get("expr", ""))
    return found[1] if found else None


def _groups(given: Given) -> list[str]:
    name = _by_variable(given)
    datasets = given["source_datasets"]["datasets"]
    return sorted({row[name] for rows in datasets.values() for row in rows if row.get(name)}) if name else []


def _generic_row(
    given: Given, person: Mapping[str, Any], place: tuple[int, str | None], *, with_time: bool
) -> dict[str, Any]:
    number, group = place
    rules = given["event_conditions"]["source"]
    found = [_records(given, rule, person, group, with_time=with_time) for rule in rules]
    texts = [_set_value(rule, "EV[E]?NTDESC") or "" for rule in rules]
    names = _EVENT_SOURCES[: len(rules)]
    endpoint = Endpoint(
        name="TTE",
        label="generic",
        population="ALL",
        start="anchor",
        events=tuple(EventRule(name, f"E-{name}", text) for name, text in zip(names, texts, strict=True)),
        censor_at="last_contact",
        censor_code="K-OTHER",
    )
    censoring = [
        fact
        for rule in given["censor_conditions"]["source"]
        for fact in _records(given, rule, person, None, with_time=with_time)
    ]
    start = Fact(_moment(person[given["start_date"]["expr"]], with_time=with_time))
    # The package lets an event on an earlier day than the start count, and reports a start after it as the start.
    latest = [max(censoring, key=lambda fact: fact.when)] if censoring else []
    facts = Facts(
        events=dict(zip(names, found, strict=True)),
        censoring={"last_contact": latest[0]} if latest else {},
    )
    return _generic_answer(given, (person, number), (start, time_to_event(endpoint, start, facts)), endpoint)


def _generic_answer(
    given: Given, who: tuple[Mapping[str, Any], int], found: tuple[Fact, Outcome], endpoint: Endpoint
) -> dict[str, Any]:
    person, number = who
    start, outcome = found
    suffix = "DTM" if given.get("create_datetime", {}).get("value") else "DT"
    event = next((rule for rule in endpoint.events if rule.code == outcome.code), None)
    text = event.text if event else outcome.at.value
    code = re.search(r'PARAMCD = (?:"(\w+)"|paste0\("(\w+)")', given["set_values_to"]["expr"])
    name = "" if code is None else code[1] or f"{code[2]}{number}"
    return {
        "USUBJID": person["USUBJID"],
        "PARAMCD": name,
        "CNSR": 0 if outcome.cnsr == 0 else 1,
        f"A{suffix}": outcome.at.when.isoformat(),
        f"START{suffix}": start.when.isoformat(),
        "SRCSEQ": None if outcome.at.sequence is None else int(outcome.at.sequence),
        "EVENTDESC": text,
        "EVNTDESC": text,
    }


def _set_value(rule: Mapping[str, Any], name: str) -> str | None:
    found = re.search(rf'{name} = "([^"]*)"', rule["set_values_to"])
    return found[1] if found else None


def _records(
    given: Given, rule: Mapping[str, Any], person: Mapping[str, Any], group: str | None, *, with_time: bool
) -> list[Fact]:
    rows = [
        row
        for row in given["source_datasets"]["datasets"][rule["dataset_name"]]
        if row["USUBJID"] == person["USUBJID"] and _holds(rule["filter"], row)
    ]
    if group is not None:
        rows = [row for row in rows if row.get(str(_by_variable(given))) == group]
    sequence = re.search(r"SRCSEQ = (\w+)", rule["set_values_to"])
    text = _set_value(rule, "EV[E]?NTDESC") or ""
    facts = []
    for row in rows:
        when = _evaluate(rule["date"], row, with_time=with_time)
        if when is not None:
            number = f"{row[sequence[1]]:06d}" if sequence else None
            facts.append(Fact(when, text, sequence=number))
    return facts


def _holds(condition: str, row: Mapping[str, Any]) -> bool:
    if condition == "NULL":
        return True
    name, value = (text.strip().strip('"') for text in condition.split("=="))
    return row.get(name) == value


def _evaluate(expression: str, row: Mapping[str, Any], *, with_time: bool) -> date | None:
    """Return a date given as a column, ``column + days(n)``, or ``pmin(...)`` of such."""
    inner = re.fullmatch(r"pmin\((.*)\)", expression)
    parts = re.split(r",\s*", inner[1]) if inner else [expression]
    days = []
    for part in parts:
        found = re.fullmatch(r"(\w+)(?:\s*\+\s*days\((\d+)\))?", part.strip())
        if found and row.get(found[1]):
            days.append(_moment(row[found[1]], with_time=with_time) + timedelta(days=int(found[2] or 0)))
    return min(days) if days else None


def _moment(text: str, *, with_time: bool) -> date:
    if not with_time:
        return date.fromisoformat(text[:10])
    return datetime.fromisoformat(text) if "T" in text else datetime.combine(date.fromisoformat(text), time())


ENDPOINTS = (
    Pack("recist", "tte_random_admiral.json", 0.0, _split_participants, _participant),
    Pack("recist", "tte_admiral_tests.json", 0.0, _split_generic, _generic),
)
