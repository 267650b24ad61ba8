"""Reference packs of response and time to event: lesions, time points, best responses, iRECIST, endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from interim.adam.response.assessments import Assessment, BestRules, Limits, used
from interim.adam.response.best_response import (
    Best,
    best_overall_response,
    clinical_benefit,
    first_response,
)
from interim.adam.response.endpoints import response_endpoints
from interim.adam.response.irecist_best import irecist_best
from interim.adam.response.lesions import (
    MERGED,
    NOT_EVALUABLE,
    SPLIT,
    TSTM,
    Contribution,
    Measure,
    contribution,
)
from interim.adam.response.target import Roster, TargetVisit, target_course
from interim.adam.response.timepoint import overall_response
from interim.report.packs.base import Case, Given, Pack
from interim.report.packs.derivations import DERIVATIONS
from interim.report.packs.endpoints import ENDPOINTS
from interim.study.efficacy import ResponseTable

AREA = "recist"
_RECIST = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "NED", "ND")
_NO_REAPPEARANCE = ResponseTable(reappearance_is_pd=False)


def _split_table(document: Any) -> Iterator[Case]:
    for number, row in enumerate(document, 1):
        yield Case(
            f"row {number}", {k: v for k, v in row.items() if k != "overall"}, {"overall": row["overall"]}
        )


def _timepoint(given: Given) -> Mapping[str, Any]:
    judged = overall_response(given["target"], given["non_target"], given["new_lesion_unequivocal"])
    return {"overall": judged.value}


def _split_lesion_traps(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        yield Case(
            case["id"],
            {"baseline": case["baseline"], "visits": case["visits"]},
            {"expected_target": case["expected_target"]},
        )


def _lesion_traps(given: Given) -> Mapping[str, Any]:
    roster = _roster(
        {name: row["mm"] for name, row in given["baseline"].items()},
        {name: row["nodal"] for name, row in given["baseline"].items()},
    )
    course = _course(roster, given["visits"], rules=ResponseTable())
    return {"expected_target": [visit.response for visit in course]}


def _roster(baseline: Mapping[str, Any], nodal: Mapping[str, bool]) -> Roster:
    known = {name: float(mm) for name, mm in baseline.items() if mm is not None}
    nodes = frozenset(name for name, yes in nodal.items() if yes)
    return Roster(tuple(sorted(baseline)), nodes, known)


def _course(
    roster: Roster, visits: Sequence[Mapping[str, Any]], *, rules: ResponseTable
) -> list[TargetVisit]:
    seen = [{name: _contribution(value, rules) for name, value in visit.items()} for visit in visits]
    return list(target_course(roster, seen, rules=rules))


def _contribution(value: Any, rules: ResponseTable) -> Contribution:
    if value is None:
        measure = Measure(state=NOT_EVALUABLE)
    elif value == "TSTM":
        measure = Measure(state=TSTM)
    elif isinstance(value, Mapping) and "split" in value:
        measure = Measure(state=SPLIT, fragments=tuple(map(float, value["split"])))
    elif isinstance(value, Mapping):
        measure = Measure(state=MERGED)
    else:
        measure = Measure(float(value))
    return contribution(measure, rules=rules)


def _split_visits(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        visits = [{"target_mm": row["target_mm"]} for row in case["records"]]
        expected: dict[str, Any] = {
            "visits": [{k: v for k, v in row.items() if k.startswith("expected_")} for row in case["records"]]
        }
        if "expected_baseline_sum" in case:
            expected["expected_baseline_sum"] = case["expected_baseline_sum"]
        name = f"{case['subject']} {case['evaluator']}"
        yield Case(name, {"nodal": case["nodal"], "visits": visits}, expected)


def _visits(given: Given) -> Mapping[str, Any]:
    first, *later = [visit["target_mm"] for visit in given["visits"]]
    roster = _roster(first, given["nodal"])
    course = _course(roster, later, rules=_NO_REAPPEARANCE)
    return {"expected_baseline_sum": roster.total, "visits": [{}, *(_visit(visit) for visit in course)]}


def _visit(visit: TargetVisit) -> dict[str, Any]:
    return {
        "expected_sum_of_assessed": visit.total,
        "expected_sum": visit.total,
        "expected_nadir_before": visit.nadir,
        "expected_target_response": visit.response,
    }


_GIVEN_OF_VISIT = ("target_mm", "non_target_response", "new_lesion")


def _split_sequences(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        visits = [{key: row.get(key) for key in _GIVEN_OF_VISIT} for row in case["visits"]]
        expected = {
            "expected_baseline_sum": case["expected_baseline_sum"],
            "visits": [_expected_of_visit(row) for row in case["visits"]],
        }
        given = {"nodal": case["nodal"], "baseline": case["baseline_mm"], "visits": visits}
        yield Case(f"{case['subject']} {case['evaluator']}", given, expected)


def _expected_of_visit(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is compared; an overall response that is no RECIST value (a text such as CHECK) is not."""
    kept = {key: value for key, value in row.items() if key.startswith("expected_")}
    if row.get("overall_response_in_RS") in _RECIST:
        kept["overall"] = row["overall_response_in_RS"]
    return kept


def _sequences(given: Given) -> Mapping[str, Any]:
    roster = _roster(given["baseline"], given["nodal"])
    course = _course(roster, [visit["target_mm"] for visit in given["visits"]], rules=_NO_REAPPEARANCE)
    answers = []
    for visit, row in zip(course, given["visits"], strict=True):
        new = "Y" if row["new_lesion"] == "UNEQUIVOCAL" else "N"
        overall = overall_response(visit.response, row["non_target_response"] or "NONE", new)
        answers.append({**_visit(visit), "overall": overall.value})
    return {"expected_baseline_sum": roster.total, "visits": answers}


def _rules(parameters: Mapping[str, Any]) -> BestRules:
    """Return the rules with the parameters of a case; the names of other packages are understood."""
    names = {
        "ref_start_window": "sd_min_day",
        "ref_confirm": "confirm_min_days",
        "max_nr_ne": "max_ne_between",
        "accept_sd": "accept_one_sd_for_pr",
        "clinben_vals": "cbr_values",
        "truncate_at_first_pd": "stop_at_pd",
    }
    known = set(BestRules.__dataclass_fields__)
    changed = {
        names.get(key, key): value for key, value in parameters.items() if names.get(key, key) in known
    }
    if "sd_min_day" in changed:
        changed["cbr_min_day"] = changed["sd_min_day"]
    if "cbr_values" in changed:
        changed["cbr_values"] = tuple(changed["cbr_values"])
    return replace(BestRules.of(ResponseTable()), **changed)


def _days(rows: Sequence[Mapping[str, Any]]) -> list[Assessment]:
    return [Assessment(row["day"], row["response"], key=place) for place, row in enumerate(rows)]


def _split_random(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        yield Case(
            case["id"],
            {"parameters": case["parameters"], "assessments": case["assessments"]},
            case["expected"],
        )


def _random(given: Given) -> Mapping[str, Any]:
    answers = _best_endpoints(_days(given["assessments"]), _rules(given["parameters"]), Limits(first=None))
    return {name: {"value": best.value, "day": best.day} for name, best in answers.items()}


def _best_endpoints(
    assessments: Sequence[Assessment], rules: BestRules, limits: Limits
) -> Mapping[str, Best]:
    return response_endpoints(assessments, rules=rules, limits=limits).values


def _split_best_traps(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        expected = {key: value for key, value in case.items() if key.startswith("expected_")}
        yield Case(
            case["id"], {"parameters": case["parameters"], "assessments": case["assessments"]}, expected
        )


def _best_traps(given: Given) -> Mapping[str, Any]:
    answers = _best_endpoints(_days(given["assessments"]), _rules(given["parameters"]), Limits())
    return {f"expected_{name}": answers[name].value for name in ("BOR", "CBOR")}


def _split_package_tests(document: Any) -> Iterator[Case]:
    for number, case in enumerate(document["cases"], 1):
        given = {
            key: value
            for key, value in case.items()
            if not key.startswith("expected") and key not in ("reproduced", "test", "subject")
        }
        expected = {"rows": case["expected_rows"]} if "expected_rows" in case else case["expected"]
        yield Case(f"{number}: {case['test']} {case.get('subject', '')}".strip(), given, expected)


def _package_tests(given: Given) -> Mapping[str, Any]:
    if given["function"] == "filter_pd":
        return {"rows": _up_to_progression(given)}
    origin = date.fromisoformat(
        given["reference_dates"].get(given["parameters"].get("reference_date"), "2000-01-01")
    )
    dated = [row for row in given["records"] if row.get("ADT")]
    progression = _dates_of(dated, given["parameters"].get("source_pd"))
    last = (min(progression) - origin).days if progression else None
    overall = [row for row in dated if row["PARAMCD"] == "OVR"]
    scans = [
        Assessment((date.fromisoformat(row["ADT"]) - origin).days, row.get("AVALC") or "NE")
        for row in overall
    ]
    rules = replace(_rules(given["parameters"]), stop_at_pd=False, not_done="keep")
    best = _package_answer(given, scans, rules, last=last, origin=origin)
    return {"value": best.value, "date": _back(origin, best.day)}


def _package_answer(
    given: Given, scans: Sequence[Assessment], rules: BestRules, *, last: int | None, origin: date
) -> Best:
    counted = used(scans, rules=rules, limits=Limits(first=None, last=last))
    function = given["function"]
    if function == "derive_param_clinbenefit":
        responses = _dates_of(
            [row for row in given["records"] if row.get("ADT")], given["parameters"]["source_resp"]
        )
        first = min(((day - origin).days for day in responses), default=None)
        response = Best("N", None) if first is None else Best("Y", first)
        every = used(scans, rules=rules, limits=Limits(first=None))
        return clinical_benefit(every, rules=rules, response=response, progression=last)
    if function in ("derive_param_response", "derive_param_confirmed_resp"):
        return first_response(counted, rules=rules, confirmed=function.endswith("confirmed_resp"))
    return best_overall_response(counted, rules=rules, confirmed=function == "derive_param_confirmed_bor")


def _dates_of(rows: Sequence[Mapping[str, Any]], source: Mapping[str, Any] | None) -> list[date]:
    """Return the dates of the rows that a source names; its filter joins ``COLUMN == "value"`` with ``&``."""
    if source is None:
        return []
    return [date.fromisoformat(row[source["date"]]) for row in rows if _holds(source["filter"], row)]


def _holds(condition: str, row: Mapping[str, Any]) -> bool:
    for part in condition.split("&"):
        name, value = (text.strip().strip('"') for text in part.split("=="))
        if row.get(name) != value:
            return False
    return True


def _up_to_progression(given: Given) -> list[Mapping[str, Any]]:
    parameters = given["parameters"]
    source = parameters["source_pd"]
    kept = []
    for row in given["input"]:
        same = [
            other
            for other in given["source_datasets"][source["dataset_name"]]
            if other["USUBJID"] == row["USUBJID"]
        ]
        ends = _dates_of(same, source)
        if _holds(parameters["filter"], row) and (not ends or date.fromisoformat(row["ADT"]) <= min(ends)):
            kept.append(row)
    return kept


def _back(origin: date, day: int | None) -> str | None:
    return None if day is None else (origin + timedelta(days=day)).isoformat()


def _split_workflow(document: Any) -> Iterator[Case]:
    for case in document["cases"]:
        rows = [{"date": row["date"], "response": row["response"]} for row in case["assessments"]]
        yield Case(case["subject"], {"reference": case["RANDDT"], "assessments": rows}, case["expected"])


def _dated(given: Given) -> tuple[date, list[Assessment]]:
    origin = date.fromisoformat(given["reference"])
    return origin, [
        Assessment((date.fromisoformat(row["date"]) - origin).days, row["response"], key=place)
        for place, row in enumerate(given["assessments"])
    ]


_WORKFLOW = {"sd_min_day": 42, "confirm_min_days": 21}
_IMMUNE_WORKFLOW = {"sd_min_day": 42, "confirm_min_days": 28}


def _workflow(given: Given) -> Mapping[str, Any]:
    origin, scans = _dated(given)
    rules = _rules(_WORKFLOW)
    answers = dict(_best_endpoints(scans, rules, Limits()))
    answers |= {"CB": answers["CBR"], "CCB": answers["CCBR"]}
    answers["A1BOR"] = _best_endpoints(scans, replace(rules, accept_ned=True), Limits())["BOR"]
    answers["ACCB"] = _best_endpoints(scans, replace(rules, cbr_pd_after_window=True), Limits())["CCBR"]
    found: dict[str, Any] = {
        name: {"value": best.value or None, "date": _back(origin, best.day)} for name, best in answers.items()
    }
    return found


def _split_workflow_11(document: Any) -> Iterator[Case]:
    """Leave out what dated responses cannot give: measurable disease at baseline and death."""
    for case in _split_workflow(document):
        kept = {name: value for name, value in case.expected.items() if name not in ("MDIS", "DEATH")}
        yield Case(case.id, case.given, kept)


def _immune_workflow(given: Given) -> Mapping[str, Any]:
    origin, scans = _dated(given)
    answer = irecist_best(scans, rules=_rules(_IMMUNE_WORKFLOW))
    names = ("ibor", "icbor", "irsp", "icrsp", "icb", "iccb", "icpd", "iupd")
    return {
        name.upper(): {"value": best.value, "date": _back(origin, best.day)}
        for name in names
        for best in [getattr(answer, name)]
    }


RECIST = (
    Pack(AREA, "recist11_timepoint_table.csv", 0.0, _split_table, _timepoint),
    Pack(AREA, "tl_traps_own.json", 0.0, _split_lesion_traps, _lesion_traps),
    Pack(AREA, "tl_recist_sdtm.json", 1e-9, _split_visits, _visits, absolute=True),
    Pack(AREA, "tl_sdtm_consistent_sequences.json", 1e-9, _split_sequences, _sequences, absolute=True),
    Pack(AREA, "bor_random_admiralonco.json", 0.0, _split_random, _random),
    Pack(AREA, "bor_admiralonco_tests.json", 0.0, _split_package_tests, _package_tests),
    Pack(AREA, "bor_traps_own.json", 0.0, _split_best_traps, _best_traps),
    Pack(AREA, "adrs_workflow_recist11.json", 0.0, _split_workflow_11, _workflow),
    Pack(AREA, "adrs_workflow_irecist.json", 0.0, _split_workflow, _immune_workflow),
    *ENDPOINTS,
    *DERIVATIONS,
)
