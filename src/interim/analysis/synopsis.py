"""What a committee is asked: the dose reached, the dose and the cohorts proposed for Phase IB."""

from __future__ import annotations

from interim.adam.model import Adam
from interim.analysis.benefit_risk_rationale import candidate
from interim.analysis.population import population
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import NK_ONLY, Study, dose_text

NO_COHORTS = "not available: the study names no cohorts of Phase IB"


def asked(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """State the dose reached and what is asked for Phase IB.

    Parameters
    ----------
    adam : Adam
        ADSL, ADDLT.
    study : Study
        Dose levels, tumour types of Phase IB.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``synopsis.asked``; variables dose_reached, dose, dose_source, dose_cells (cells per kg), cohorts with a text each, enrolment_max (stat n: enrolled and
        all cohorts at full size), and cohort (level: tumour
        type) with the label; NA with the reason in a study without dose levels or without cohorts.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    rows = Rows("synopsis.asked", "What is asked", population="No participant data", group_var="")
    if study.cohort.variable is not None:
        for name in ("dose_reached", "dose", "dose_source", "dose_cells"):
            rows.add(
                "text",
                None,
                variable=name,
                status="NA",
                reason="not available: the columns are no dose levels",
            )
    else:
        _doses(rows, adam, study, sdtm)
    labels = [entry.label for entry in study.expansion.type]
    if labels:
        rows.add("text", len(labels), text=", ".join(labels), variable="cohorts", n=len(labels))
        enrolled = population(adam, study, "ENR").n()
        rows.add("n", enrolled + len(labels) * study.expansion.n_max, variable="enrolment_max")
    else:
        rows.add("text", None, variable="cohorts", status="NA", reason=NO_COHORTS)
        rows.add("n", None, variable="enrolment_max", status="NA", reason=NO_COHORTS)
    for entry in study.expansion.type:
        rows.add("text", None, text=entry.label, variable="cohort", level=entry.id)
    return rows.build()


def _doses(rows: Rows, adam: Adam, study: Study, sdtm: Sdtm) -> None:
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    given = [code for code in study.cohorts() if code != NK_ONLY and who.n(code)]
    if given:
        highest = given[-1]
        subjects = sorted(who.members[highest])
        rows.add(
            "text",
            None,
            text=study.cohorts()[highest],
            variable="dose_reached",
            n=len(subjects),
            subjects=subjects,
        )
    else:
        rows.add(
            "text", None, variable="dose_reached", status="NA", reason="not available: no dose was given"
        )
    chosen = candidate(adam, study, sdtm)
    rows.add("text", None, text=study.cohorts().get(chosen.dose or "", "none stated"), variable="dose")
    rows.add("text", None, text=chosen.source, variable="dose_source")
    codes = [code for code in study.cohorts() if code != NK_ONLY]
    if chosen.dose in codes:
        cells = study.dose.levels[codes.index(chosen.dose)]
        rows.add("text", cells, text=dose_text(cells), variable="dose_cells")
    else:
        rows.add(
            "text", None, variable="dose_cells", status="NA", reason="not available: no dose is asked for"
        )
