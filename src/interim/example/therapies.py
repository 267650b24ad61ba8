"""CM, MH, DV: prior, concomitant and new therapy, medical history, protocol deviations."""

from __future__ import annotations

from collections.abc import Mapping

from interim.example.case import Case, Row
from interim.example.settings import codes, csv_file, toml_file
from interim.example.stream import choose


def medications(case: Case) -> list[Row]:
    """Write CM and SUPPCM.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Prior lines, concomitant medication, treatment of events, the next systemic therapy.

    Raises
    ------
    None
    """
    if not case.person.enrolled:
        return []
    rows = _prior_lines(case)
    if case.person.treated:
        rows += [*_concomitant(case), *_for_events(case), *_next_therapy(case)]
    return rows


def _prior_lines(case: Case) -> list[Row]:
    """Return the prior lines: partial dates, as histories have them; the last one ended before consent."""
    person, traits, rng = case.person, case.traits, case.person.rng("prior")
    courses = _line_courses(case)
    regimens = codes("regimens")[traits.tumour]
    month = person.consent - 45
    rows: list[Row] = []
    for line in range(traits.lines, 0, -1):
        length = int(rng.integers(60, 160))
        start, end = person.on(month - length)[:7], person.on(month)[:7]
        drugs = list(regimens[min(line, len(regimens)) - 1])
        if line == traits.lines and traits.checkpoint:
            drugs.append(codes("regimens")["checkpoint"])
        for drug, drug_class in drugs:
            row = _cm(drug, drug_class, "PRIOR ANTICANCER THERAPY", "SYSTEMIC", "primary disease")
            response, stop = courses[line]
            more = {"CMRSDISC": stop, "_supp": {"LINE": str(line), "BESTRESP": response}}
            rows.append(row | {"CMSTDTC": start, "CMENDTC": end} | more)
        month -= length + 30
    return rows[::-1]


def _line_courses(case: Case) -> dict[int, tuple[str, str]]:
    """Return best response and reason for the end of every prior line."""
    rng, course = case.person.rng("prior course"), toml_file("codes.toml")["prior_course"]
    drawn = [(choose(rng, course["responses"]), rng.random()) for _ in range(case.traits.lines)]
    return {
        line: (response, "TOXICITY" if response != "PD" and u < course["toxicity"] else "PROGRESSION")
        for line, (response, u) in enumerate(drawn, 1)
    }


def _cm(drug: str, drug_class: str, category: str, kind: str | None, why: str) -> Row:
    return {
        "CMTRT": drug,
        "CMDECOD": drug.upper(),
        "CMCLAS": drug_class,
        "CMCAT": category,
        "CMSCAT": kind,
        "CMINDC": why,
        "_supp": {},
    }


def _concomitant(case: Case) -> list[Row]:
    person, rng = case.person, case.person.rng("CM")
    rows = []
    for row in csv_file("medications.csv"):
        drawn, u, length = rng.random(), rng.random(), int(rng.integers(2, 25))
        if not row["share"] or drawn >= float(row["share"]):
            continue
        start = int(person.consent + 1 + u * (min(case.course.active_end, 60) - person.consent - 1))
        end = start + length
        medication = _cm(row["drug"], row["class"], "CONCOMITANT MEDICATION", None, row["indication"])
        over = person.on(end) if end < case.course.end else None
        rows.append(medication | {"CMSTDTC": person.on(start), "CMENDTC": over})
    return rows


def _for_events(case: Case) -> list[Row]:
    """Return the treatment of fever and cytokine release; one vasopressor makes it grade 3, none grade 2."""
    rows = []
    drugs = {row["key"]: row for row in csv_file("medications.csv") if row["key"]}
    for event in case.events:
        if event.group == "fever":
            rows.append(_for(case, drugs["antipyretic"], event.start, event.clock))
        if event.group == "crs":
            keys = ["antipyretic"] + (["fluid", "tocilizumab"] if event.grade >= 2 else [])
            keys += ["dexamethasone", "vasopressor"] if event.grade >= 3 else []
            rows += [_for(case, drugs[key], event.start, event.clock) for key in keys]
    return rows


def _for(case: Case, row: Mapping[str, str], day: int, clock: str | None) -> Row:
    hour = f"{int((clock or '12:00')[:2]) + 1:02d}:00"
    medication = _cm(row["drug"], row["class"], "CONCOMITANT MEDICATION", None, row["indication"])
    return medication | {"CMSTDTC": case.person.at(day, hour), "CMENDTC": case.person.at(day + 1, hour)}


def _next_therapy(case: Case) -> list[Row]:
    therapy = case.course.therapy
    if therapy is None or therapy[0] != "SYSTEMIC":
        return []
    options = codes("regimens")["after_progression"]
    drug, drug_class = options[case.person.number % len(options)]
    row = _cm(drug, drug_class, "NEW ANTICANCER THERAPY", "SYSTEMIC", "disease progression")
    return [row | {"CMSTDTC": case.person.on(therapy[1]), "CMENDTC": None}]


def medical_history(case: Case) -> list[Row]:
    """Write MH.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        The tumour, and other diseases.

    Raises
    ------
    None
    """
    person, rng = case.person, case.person.rng("MH")
    first = person.consent - 400 - int(rng.integers(0, 900))
    rows = [_mh(codes("primary")[case.traits.tumour], "PRIMARY DIAGNOSIS", person.on(first)[:7])]
    for disease, share in toml_file("codes.toml")["history"].items():
        drawn, years = rng.random(), int(rng.integers(1, 20))
        if drawn < share:
            kind, state = toml_file("codes.toml")["history_class"][disease]
            row = _mh(disease, "GENERAL", person.on(-365 * years)[:4])
            rows.append(row | {"MHBODSYS": kind, "MHENRTPT": state, "MHENTPT": "SCREENING"})
    return rows


def _mh(term: str, category: str, start: str) -> Row:
    return {"MHTERM": term, "MHDECOD": term, "MHCAT": category, "MHSTDTC": start}


def deviations(case: Case) -> list[Row]:
    """Write DV.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Scans that were not done, which is important, and minor deviations.

    Raises
    ------
    None
    """
    if not case.person.treated:
        return []
    rng = case.person.rng("DV")
    missed = [reading.scan.visit for reading in case.imaging.readings if not reading.done]
    missed_scan = "Tumour assessment not done"
    rows = [_dv(case, missed_scan, "IMAGING WINDOW", visit.day, importance="IMPORTANT") for visit in missed]
    for term, category in toml_file("codes.toml")["deviations"].items():
        drawn, u = rng.random(), rng.random()
        if drawn < 0.35:
            rows.append(_dv(case, term, category, case.visits[int(u * len(case.visits))].day))
    return rows


def _dv(case: Case, term: str, category: str, day: int, *, importance: str = "MINOR") -> Row:
    return {
        "DVTERM": term,
        "DVDECOD": term.upper(),
        "DVCAT": importance,
        "DVSCAT": category,
        "DVSTDTC": case.person.on(day),
    }


def queries(case: Case) -> list[Row]:
    """Write QUERY.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Data queries; none on primary data is open.

    Raises
    ------
    None
    """
    if not case.person.treated:
        return []
    rng = case.person.rng("QUERY")
    rows = []
    for row in csv_file("queries.csv"):
        drawn, u, days = rng.random(), rng.random(), int(rng.integers(3, 20))
        opened = case.visits[int(u * len(case.visits))].day
        closed = opened + days
        answered = closed <= case.course.end
        if drawn < float(row["share"]) and (answered or row["may_stay_open"] == "1"):
            rows.append(
                {
                    "QDOMAIN": row["domain"],
                    "QKEY": f"{row['domain']}SEQ=1",
                    "QFIELD": row["field"],
                    "QSTATUS": "CLOSED" if answered else "OPEN",
                    "QTEXT": row["text"],
                    "QSTDTC": case.person.on(opened),
                    "QENDTC": case.person.on(closed) if answered else None,
                }
            )
    return rows
