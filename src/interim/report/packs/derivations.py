"""Reference pack of general derivations: partial dates, study day, durations, flags, baseline, cause of death, last alive."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from interim.adam.on_treatment import flag_on_treatment
from interim.adam.tte.death import CauseSource, cause_of_death
from interim.data.dates import duration_clock, duration_days, impute_date, study_day, weeks
from interim.report.packs.base import Case, Given, Pack, plain

_NOT_SCORED = "derive_extreme_event"
Row = dict[str, Any]


def _split(document: Any) -> Iterator[Case]:
    for number, case in enumerate(document["cases"], 1):
        call = case["calls"][0]
        if call["fun"] == _NOT_SCORED:
            continue
        given = {"fun": call["fun"], "args": call["args"], "sources": case.get("sources", [])}
        expected = {"rows": case["expected"]} if "expected" in case else {"value": case["expected_value"]}
        yield Case(f"{number}: {case['test']}", given, expected)


def _compute(given: Given) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = plain(_FUNCTIONS[given["fun"]](given["args"], given))
    return answer


def _value(args: Given, name: str, default: Any = None) -> Any:
    return args[name].get("value", args[name].get("expr")) if name in args else default


def _rows(args: Given) -> list[Row]:
    return [dict(row) for row in args["dataset"]["data"]]


def _frame(args: Given) -> pd.DataFrame:
    frame = pd.DataFrame(_rows(args), dtype=object)
    return frame.where(frame.notna(), None)


def _moments(frame: pd.DataFrame, name: str | None) -> pd.Series | None:
    if name is None:
        return None
    return pd.to_datetime(frame[name], format="ISO8601").astype("datetime64[ns]")


def _with(frame: pd.DataFrame, **columns: Any) -> Mapping[str, Any]:
    wide = frame.assign(**columns).astype(object)
    return {"rows": wide.where(wide.notna(), None).to_dict("records")}


def _on_treatment(args: Given, _given: Given) -> Mapping[str, Any]:
    frame = _frame(args)
    dates = {
        name: _moments(frame, _value(args, name))
        for name in ("start_date", "end_date", "ref_start_date", "ref_end_date")
    }
    start, begin = dates["start_date"], dates["ref_start_date"]
    if start is None or begin is None:
        raise KeyError("start_date and ref_start_date are needed")
    flag = flag_on_treatment(
        start,
        begin,
        end=dates["end_date"],
        treatment_end=dates["ref_end_date"],
        window_days=_value(args, "ref_end_window", 0),
        with_time=not _value(args, "ignore_time_for_ref_end_date", True),
    )
    return _with(frame, **{_value(args, "new_var"): flag})


def _duration(args: Given, _given: Given) -> Mapping[str, Any]:
    frame = _frame(args)
    start, end = (_moments(frame, _value(args, name)) for name in ("start_date", "end_date"))
    if start is None or end is None:
        raise KeyError("start_date and end_date are needed")
    unit = _value(args, "out_unit", "days")
    length = duration_days(start, end) if unit == "days" else duration_clock(start, end, unit)
    columns = {_value(args, "new_var"): length.astype(object).where(length.notna(), None)}
    label = _value(args, "new_var_unit")
    if label is not None:
        columns[label] = pd.Series(unit.upper(), index=frame.index, dtype=object).where(length.notna(), None)
    return _with(frame, **columns)


def _single_duration(args: Given, _given: Given) -> Mapping[str, Any]:
    start, end = (pd.Timestamp(_value(args, name)).normalize() for name in ("start_date", "end_date"))
    days = float((end - start).days + (1 if _value(args, "add_one", True) else 0))
    return {"value": weeks(days) if _value(args, "out_unit") == "weeks" else days}


def _bounds(args: Given, name: str, row: Row, place: int) -> list[Any]:
    """Return the bounds of one row: columns named in an expression, or lists of values."""
    if name not in args:
        return []
    given = args[name]
    if "expr" in given:
        return [pd.Timestamp(row[c]).date() for c in _variables(given["expr"]) if row.get(c)]
    return [pd.Timestamp(values[place]).date() for values in given["value"]]


def _variables(expression: str) -> list[str]:
    inner = re.fullmatch(r"exprs\((.*)\)", expression)
    return [part.strip() for part in (inner[1] if inner else expression).split(",")]


def _impute(args: Given, dtc: Any, row: Row, place: int) -> tuple[Any, str | None]:
    return impute_date(
        None if dtc is None else re.sub(r"-+$", "", dtc),
        highest={"n": "none"}.get(
            _value(args, "highest_imputation", "none"), _value(args, "highest_imputation", "none")
        ),
        rule=_value(args, "date_imputation", "first"),
        not_before=_bounds(args, "min_dates", row, place),
        not_after=_bounds(args, "max_dates", row, place),
    )


def _imputed_values(args: Given, _given: Given) -> Mapping[str, Any]:
    texts = _value(args, "dtc")
    days = [_impute(args, text, {}, place)[0] for place, text in enumerate(texts)]
    return {"value": [None if day is None else day.isoformat() for day in days]}


def _imputed_columns(args: Given, _given: Given) -> Mapping[str, Any]:
    prefix, column = _value(args, "new_vars_prefix"), _value(args, "dtc")
    rows = _rows(args)
    for place, row in enumerate(rows):
        day, flag = _impute(args, row.get(column), row, place)
        row[f"{prefix}DT"] = None if day is None else day.isoformat()
        row[f"{prefix}DTF"] = flag
    return {"rows": rows}


def _baseline(args: Given, _given: Given) -> Mapping[str, Any]:
    rows = _rows(args)
    keys, source = _variables(args["by_vars"]["expr"]), _value(args, "source_var", "AVAL")
    known = {tuple(row[k] for k in keys): row[source] for row in rows if row.get("ABLFL") == "Y"}
    return {
        "rows": [{**row, _value(args, "new_var"): known.get(tuple(row[k] for k in keys))} for row in rows]
    }


def _study_days(args: Given, _given: Given) -> Mapping[str, Any]:
    frame = _frame(args)
    reference = _moments(frame, _value(args, "reference_date"))
    columns = {}
    for item in _variables(args["source_vars"]["expr"]):
        name, _, source = (part.strip() for part in item.partition("="))
        dates = _moments(frame, source or name)
        if dates is None or reference is None:
            raise KeyError("source_vars and reference_date are needed")
        columns[name if source else re.sub(r"DTM?$", "DY", name)] = study_day(dates, reference)
    return _with(frame, **columns)


def _records(given: Given, source: Mapping[str, Any], subject: str) -> list[Row]:
    rows = given["args"]["source_datasets"]["datasets"][source["dataset"]]
    return [row for row in rows if row["USUBJID"] == subject and _holds(source.get("filter"), row)]


def _holds(condition: str | None, row: Row) -> bool:
    """Tell whether a row meets ``COLUMN == 'value'`` and ``'value' in COLUMN``, joined by ``and``."""
    for part in condition.split(" and ") if condition else []:
        inside = re.fullmatch(r"'(.*)' in (\w+)", part.strip())
        equal = re.fullmatch(r"(\w+) == '(.*)'", part.strip())
        if inside and inside[1] not in (row.get(inside[2]) or ""):
            return False
        if equal and row.get(equal[1]) != equal[2]:
            return False
    return True


def _column(text: str) -> str:
    """Return the column that a description of a date or value names: ``date of X``, ``date part of X``, ``upper(X)``, ``X``."""
    return re.split(r"[ (]", text.rstrip(")"))[-1]


def _causes(args: Given, given: Given) -> Mapping[str, Any]:
    rows = _rows(args)
    for row in rows:
        sources = [_cause_source(given, source, row["USUBJID"]) for source in given["sources"]]
        found = cause_of_death(sources)
        row["DTHCAUS"], row["DTHDOM"], row["DTHSEQ"] = found or (None, None, None)
    return {"rows": rows}


def _cause_source(given: Given, source: Mapping[str, Any], subject: str) -> CauseSource:
    records = []
    domain = str(source["dataset"]).upper()
    for row in _ordered(_records(given, source, subject), source.get("order", ())):
        when = row.get(_column(source["date"]))
        records.append(
            {
                "date": pd.Timestamp(when).date() if when else None,
                "cause": _cause_text(source["cause"], row),
                "sequence": row.get(f"{domain}SEQ"),
            }
        )
    return CauseSource(domain, records, source.get("mode", "first"))


def _ordered(rows: list[Row], order: Sequence[str]) -> list[Row]:
    return sorted(rows, key=lambda row: tuple(row[name] for name in order))


def _cause_text(description: str, row: Row) -> str:
    if description.startswith("literal: "):
        return description.removeprefix("literal: ")
    text = str(row[_column(description)])
    return text.upper() if description.startswith("upper(") else text


def _extreme(args: Given, given: Given) -> Mapping[str, Any]:
    pick: Callable[[list[str]], str] = max if _value(args, "mode") == "last" else min
    rows = _rows(args)
    for row in rows:
        days = [
            record[_column(source["date"])][:10]
            for source in given["sources"]
            for record in _records(given, source, row["USUBJID"])
            if record.get(_column(source["date"]))
        ]
        row[_value(args, "new_var")] = pick(days) if days else None
    return {"rows": rows}


_FUNCTIONS: Mapping[str, Callable[[Given, Given], Mapping[str, Any]]] = {
    "derive_var_ontrtfl": _on_treatment,
    "derive_vars_duration": _duration,
    "compute_duration": _single_duration,
    "impute_dtc_dt": _imputed_values,
    "derive_vars_dt": _imputed_columns,
    "derive_var_base": _baseline,
    "derive_vars_dy": _study_days,
    "derive_var_dthcaus": _causes,
    "derive_var_extreme_dt": _extreme,
}

DERIVATIONS = (Pack("recist", "adam_derivations_admiral_tests.json", 1e-12, _split, _compute),)
