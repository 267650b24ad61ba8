"""Trace: from a result or an endpoint of a participant back to the records of the files, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.response.reason_text import reason_text
from interim.adam.source import sequence_text
from interim.adam.tte.endpoints import endpoints
from interim.analysis.trace_dlt import dlt_lines
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.result import Result, slug
from interim.study import Study

DLT = "DLT"
_PARTS = (("TRGRESP", "target"), ("NTRGRESP", "non-target"), ("NEWLPROG", "new lesion"))
_IMMUNE_ENDPOINTS = ("IPFS",)
_STEP = "  "


@dataclass(frozen=True)
class Traced:
    """What a trace reads.

    Attributes
    ----------
    adam : Adam
        Analysis datasets.
    sdtm : Sdtm
        Source records with file and row.
    study : Study
        Parameters.
    """

    adam: Adam
    sdtm: Sdtm
    study: Study


def trace(data: Traced, *, subject: str, parameter: str) -> tuple[str, ...]:
    """Return how one endpoint of one participant follows from the records.

    Parameters
    ----------
    data : Traced
        Datasets, source records, parameters.
    subject : str
        USUBJID, or the end of it if only one participant has that end.
    parameter : str
        PARAMCD of ADRS or ADTTE (BOR, CBOR, PFS, OS, DOR ...), or DLT.

    Returns
    -------
    tuple of str
        Lines: every step with its rule, the numbers compared and a sentence, records with file and row.

    Raises
    ------
    DerivationError
        If the participant or the parameter does not exist.
    """
    who = _participant(data.adam, subject)
    name = parameter.upper()
    if name == DLT:
        return tuple(dlt_lines(data.adam, who, records=lambda *a: _records(data.sdtm, who, *a)))
    if name in _known(data.adam, "ADTTE"):
        return tuple(_time_lines(data, who, name))
    if name in _known(data.adam, "ADRS"):
        return tuple(_response_lines(data, who, name))
    known = sorted({DLT, *_known(data.adam, "ADTTE"), *_known(data.adam, "ADRS")})
    raise DerivationError(f"no parameter {parameter!r}; parameters are {', '.join(known)}")


def _known(adam: Adam, dataset: str) -> set[str]:
    return set(adam[dataset]["PARAMCD"]) if adam.has(dataset) else set()


def _participant(adam: Adam, subject: str) -> str:
    everyone = sorted(map(str, adam["ADSL"]["USUBJID"]))
    found = [s for s in everyone if s == subject] or [s for s in everyone if s.endswith(subject)]
    if len(found) != 1:
        what = "no participant" if not found else f"{len(found)} participants"
        raise DerivationError(f"{what} {subject!r}; participants are {', '.join(everyone)}")
    return found[0]


def _records(sdtm: Sdtm, subject: str, domain: object, sequences: object) -> list[Mapping[str, Any]]:
    """Return the source records that a domain and a list of sequence numbers name."""
    if not isinstance(domain, str) or not isinstance(sequences, str) or not sdtm.has(domain):
        return []
    wanted = set(sequences.split(";"))
    frame = sdtm.domain(domain)
    mine = frame[frame["USUBJID"] == subject]
    keep = mine[f"{domain}SEQ"].map(sequence_text).isin(wanted)
    rows: list[Mapping[str, Any]] = mine[keep].to_dict("records")  # type: ignore[assignment]
    return rows


def _where(record: Mapping[str, Any]) -> str:
    return f"{record['SRCFILE']} row {record['SRCROW']}"


def _places(data: Traced, subject: str, row: Mapping[Any, Any]) -> str:
    found = _records(data.sdtm, subject, row["SRCDOM"], row["SRCSEQ"])
    return "; ".join(_where(record) for record in found) or f"{row['SRCDOM'] or 'derived'}"


def _day(value: Any) -> str:
    return "no date" if pd.isna(value) else f"{value:%Y-%m-%d}"


def _number(value: Any) -> str:
    return "unknown" if pd.isna(value) else f"{value:g}"


def _response_lines(data: Traced, subject: str, name: str) -> Iterator[str]:
    adrs = data.adam["ADRS"]
    mine = adrs[(adrs["USUBJID"] == subject) & (adrs["PARCAT2"] == data.study.response.evaluator)]
    yield f"{name} of {subject}, {data.study.response.evaluator}"
    immune = bool((mine.loc[mine["PARAMCD"] == name, "PARCAT3"] == "iRECIST").any())
    yield from _chain_lines(data, subject, mine, immune=immune)
    yield "Endpoint"
    rows = mine[mine["PARAMCD"] == name]
    if rows.empty:
        yield f"{_STEP}{name}: no value (the participant is not in the enrolled set)"
    for row in rows.to_dict("records"):
        yield f"{_STEP}{_value_line(data, subject, row)}"


def _value_line(data: Traced, subject: str, row: Mapping[Any, Any]) -> str:
    code = f" [{row['RSNCD']}]" if row["RSNCD"] else ""
    text = f": {row['RSNTXT']}" if row["RSNTXT"] else ""
    places = f" <- {_places(data, subject, row)}" if row["SRCDOM"] else ""
    when = "" if pd.isna(row["ADT"]) else f" on {_day(row['ADT'])}"
    return f"{row['PARAMCD']} {row['AVALC']}{when}{code}{text}{places}"


def _chain_lines(data: Traced, subject: str, adrs: pd.DataFrame, *, immune: bool) -> Iterator[str]:
    """Yield baseline and every time point: records, sum, target, non-target, new lesion, overall response."""
    adtr = data.adam["ADTR"] if data.adam.has("ADTR") else None
    mine = None
    if adtr is not None:
        mine = adtr[(adtr["USUBJID"] == subject) & (adtr["PARCAT2"] == data.study.response.evaluator)]
        base = mine[mine["ABLFL"] == "Y"]
        if len(base):
            yield f"Baseline {_day(base['ADT'].iloc[0])} {base['AVISIT'].iloc[0] or ''}".rstrip()
            yield from _measurement_lines(data, subject, base)
    overall = adrs[adrs["PARAMCD"] == "OVR"].sort_values(["ADT", "AVISITN"], kind="stable")
    if overall.empty:
        yield "Time points: none"
    for number, point in enumerate(overall.to_dict("records"), 1):
        yield f"Time point {number}, {_day(point['ADT'])} {point['AVISIT'] or ''}".rstrip()
        if mine is not None:
            yield from _measurement_lines(data, subject, _same(mine[mine["ABLFL"] != "Y"], point))
        yield from _part_lines(data, subject, _same(adrs, point), immune=immune)


def _same(rows: pd.DataFrame, point: Mapping[Any, Any]) -> pd.DataFrame:
    """Return the rows of the date and visit of a time point."""
    visit = rows["AVISITN"].isna() if pd.isna(point["AVISITN"]) else rows["AVISITN"] == point["AVISITN"]
    found: pd.DataFrame = rows[(rows["ADT"] == point["ADT"]) & visit]
    return found


def _measurement_lines(data: Traced, subject: str, rows: pd.DataFrame) -> Iterator[str]:
    for row in rows[rows["PARAMCD"] == "LDIAM"].to_dict("records"):
        adds = "nothing" if pd.isna(row["AVAL"]) else f"{row['AVAL']:g} mm"
        why = reason_text([row["RSNCD"]]) if row["RSNCD"] else ""
        records = _records(data.sdtm, subject, row["SRCDOM"], row["SRCSEQ"])
        read = "; ".join(
            f"{_where(r)}: {r.get('TRTESTCD')} {r.get('TRORRES') or r.get('TRSTRESC')}" for r in records
        )
        yield f"{_STEP}lesion {row['TRLNKID']} adds {adds} [{row['RSNCD']}]: {why} <- {read or 'no record'}"
    for row in rows[rows["PARAMCD"] == "SDIAM"].to_dict("records"):
        partial = ", a lesion is missing" if row["DTYPE"] == "PARTIAL" else ""
        numbers = f"baseline {_number(row['BASE'])} mm"
        if row["ABLFL"] != "Y":
            numbers += (
                f" ({_number(row['PCHG'])}%), nadir {_number(row['NADIR'])} mm ({_number(row['PCHGNAD'])}%)"
            )
        yield f"{_STEP}sum {_number(row['AVAL'])} mm{partial}; {numbers}"


def _part_lines(data: Traced, subject: str, rows: pd.DataFrame, *, immune: bool) -> Iterator[str]:
    for parameter, text in _PARTS:
        for row in rows[rows["PARAMCD"] == parameter].to_dict("records"):
            places = f" <- {_places(data, subject, row)}" if row["SRCSEQ"] else ""
            yield f"{_STEP}{text} {row['AVALC']} [{row['RSNCD']}]: {row['RSNTXT']}{places}"
    for parameter in ("OVR", *(("IOVR",) if immune else ())):
        for row in rows[rows["PARAMCD"] == parameter].to_dict("records"):
            used = "" if row["ANL01FL"] == "Y" else " (not used for the best response)"
            source = f" <- {_places(data, subject, row)}" if row["SRCDOM"] == "RS" else ""
            name = "overall" if parameter == "OVR" else "iRECIST"
            yield f"{_STEP}{name} {row['AVALC']} [{row['RSNCD']}]: {row['RSNTXT']}{used}{source}"


def _time_lines(data: Traced, subject: str, name: str) -> Iterator[str]:
    adtte = data.adam["ADTTE"]
    rows = adtte[(adtte["USUBJID"] == subject) & (adtte["PARAMCD"] == name)]
    yield f"{name} of {subject}"
    specification = next(e for e in endpoints(data.study) if e.name == name)
    yield f"Definition: {specification.prose()}"
    if specification.adequate and data.adam.has("ADRS"):
        adrs = data.adam["ADRS"]
        mine = adrs[(adrs["USUBJID"] == subject) & (adrs["PARCAT2"] == data.study.response.evaluator)]
        yield from _chain_lines(data, subject, mine, immune=name in _IMMUNE_ENDPOINTS)
    yield from _date_lines(data, subject)
    yield "Endpoint"
    if rows.empty:
        yield f"{_STEP}no row: not in the population of the endpoint, or no start date"
        return
    row = rows.iloc[0].to_dict()
    what = "event" if row["CNSR"] == 0 else f"censored (CNSR {row['CNSR']:g})"
    yield f"{_STEP}start {_day(row['STARTDT'])}"
    yield (
        f"{_STEP}{what} on {_day(row['ADT'])}, day {row['AVAL']:g} [{row['RULEID']}]: {row['RSNTXT']}"
        f" <- {_places(data, subject, row)} ({row['SRCDOM']}.{row['SRCVAR']})"
    )
    free = "event" if row["UCNSR"] == 0 else f"censored (CNSR {row['UCNSR']:g})"
    yield f"{_STEP}without any rule but the cut-off: {free} on {_day(row['UADT'])}"


def _date_lines(data: Traced, subject: str) -> Iterator[str]:
    """Yield the dates of ADSL that time to event rests on, with the records that gave them."""
    adsl = data.adam["ADSL"]
    row = adsl[adsl["USUBJID"] == subject].iloc[0].to_dict()
    yield "Dates"
    sources = (
        ("first infusion", "TRTSDT", ""),
        ("new anticancer therapy", "NACTDT", "NACT"),
        ("death", "DTHDT", "DTH"),
        ("last known alive", "LSTALVDT", "LSTAL"),
        ("end of study", "EOSDT", ""),
        ("data cut-off", "DCUTDT", ""),
    )
    for text, column, stem in sources:
        if pd.isna(row.get(column)):
            continue
        found = _records(data.sdtm, subject, row.get(f"{stem}DOM"), row.get(f"{stem}SEQ")) if stem else []
        places = f" <- {'; '.join(map(_where, found))}" if found else ""
        yield f"{_STEP}{text} {_day(row[column])} (ADSL.{column}){places}"


def trace_result(data: Traced, result_id: str) -> tuple[str, ...]:
    """Return the participants and records behind one printed number.

    Parameters
    ----------
    data : Traced
        Datasets, source records, parameters.
    result_id : str
        Full id, for example ``response.best_response/Total/orr//rate``.

    Returns
    -------
    tuple of str
        The number, then every participant with what decided, then records with file and row.

    Raises
    ------
    DerivationError
        If the question or the number does not exist.

    Notes
    -----
    An id as printed in a sentence (capitals, empty parts) is accepted.
    """
    full = "/".join(slug(part) or "-" for part in result_id.split("/"))
    result = _answer(data, full.split("/", 1)[0])
    try:
        row = result.get(full)
    except KeyError as error:
        raise DerivationError(str(error.args[0])) from None
    return tuple(_result_lines(data, result, row))


def _answer(data: Traced, name: str) -> Result:
    module, _, function = name.partition(".")
    try:
        question = getattr(import_module(f"interim.analysis.{module}"), function)
    except (ImportError, AttributeError, ValueError):
        raise DerivationError(
            f"no question {name!r}; a result id begins with one, for example response.best_response"
        ) from None
    more = (data.sdtm,) if "sdtm" in signature(question).parameters else ()
    result: Result = question(data.adam, data.study, *more)
    return result


def _result_lines(data: Traced, result: Result, row: Mapping[str, Any]) -> Iterator[str]:
    yield f"{row['result_id']}: {result.title} ({result.population})"
    number = row["text"] if row["text"] is not None else _number(row["value"])
    counts = "" if pd.isna(row["n"]) else f", n = {row['n']}"
    counts += "" if pd.isna(row["N"]) else f", N = {row['N']}"
    reason = "" if row["status"] == "OK" else f", {row['status']}: {row['reason']}"
    yield f"{_STEP}{row['stat']} = {number} {row['unit']}".rstrip() + counts + reason
    if row["method"]:
        yield f"{_STEP}method: {row['method']}"
    links = result.links[result.links["result_id"] == row["result_id"]]
    if links.empty:
        yield f"{_STEP}no participant behind it"
    for subject, part in links.groupby("USUBJID", sort=True):
        yield f"Participant {subject}"
        yield from _link_lines(data, str(subject), part)
        yield from _deciding_lines(data, str(subject), result, row)


def _link_lines(data: Traced, subject: str, links: pd.DataFrame) -> Iterator[str]:
    for link in links.dropna(subset=["SRCDOM"]).to_dict("records"):
        for record in _records(data.sdtm, subject, link["SRCDOM"], link["SRCSEQ"]):
            yield f"{_STEP}{_where(record)}"


def _deciding_lines(data: Traced, subject: str, result: Result, row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the row of ADRS or ADTTE that decided, where the number is about response or time to event."""
    family = result.analysis_id.split(".")[0]
    if family in ("survival", "censoring", "duration", "follow_up"):
        dataset, names = "ADTTE", [str(row["variable"]).split(" ")[0]]
    elif family in ("response", "response_criteria", "response_sets", "subgroups"):
        prefix = "C" if data.study.response.confirmation_required else ""
        if "unconfirmed" in str(row["variable"]):
            prefix = ""
        dataset, names = "ADRS", [f"I{prefix}BOR" if row["variable"] == "ibor" else f"{prefix}BOR"]
    else:
        return
    yield from _rows_of(data, subject, dataset, names)


def _rows_of(data: Traced, subject: str, dataset: str, names: Iterable[str]) -> Iterator[str]:
    if not data.adam.has(dataset):
        return
    frame = data.adam[dataset]
    keep = (frame["USUBJID"] == subject) & frame["PARAMCD"].isin(list(names))
    if dataset == "ADRS":
        keep &= frame["PARCAT2"] == data.study.response.evaluator
    for found in frame[keep].to_dict("records"):
        if dataset == "ADRS":
            yield f"{_STEP}{_value_line(data, subject, found)}"
        else:
            text = f"day {found['AVAL']:g} [{found['RULEID']}]: {found['RSNTXT']}"
            yield f"{_STEP}{found['PARAMCD']} {text} <- {_places(data, subject, found)}"
