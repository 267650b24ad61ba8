"""All response endpoints of one participant by one evaluator, from dated overall responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from interim.adam.response.assessments import PD, Assessment, BestRules, Limits, used
from interim.adam.response.best_response import (
    Best,
    best_is_response,
    best_overall_response,
    clinical_benefit,
    disease_control,
    first_of,
    first_response,
    pending,
)

PENDING = "C-PENDING"
ENDPOINTS = ("BOR", "CBOR", "RSP", "CRSP", "DCR", "CDCR", "CBR", "CCBR", "BCP", "CBCP", "PD", "LSTA")


@dataclass(frozen=True)
class ResponseEndpoints:
    """The endpoints of one participant.

    Attributes
    ----------
    used : tuple of Assessment
        Assessments that count for the best response.
    values : mapping of str to Best
        PARAMCD -> value; the names are ``ENDPOINTS``.
    """

    used: tuple[Assessment, ...]
    values: Mapping[str, Best]


def response_endpoints(
    assessments: Sequence[Assessment],
    *,
    rules: BestRules,
    limits: Limits,
    early_death: bool = False,
    closed: bool = False,
) -> ResponseEndpoints:
    """Return every response endpoint.

    Parameters
    ----------
    assessments : sequence of Assessment
        Overall responses after baseline, in any order.
    rules : BestRules
        Rules of the best response.
    limits : Limits
        Days between which assessments count.
    early_death : bool
        Whether the participant died; counts if there is no assessment.
    closed : bool
        Whether no further assessment can confirm a response.

    Returns
    -------
    ResponseEndpoints
        Assessments used, and one value per endpoint.

    Raises
    ------
    None
    """
    counted = used(assessments, rules=rules, limits=limits)
    whole = replace(rules, stop_at_pd=False)
    every = used(assessments, rules=whole, limits=limits)
    progression = first_of(every, PD)
    values: dict[str, Best] = {
        "PD": first_of(used(assessments, rules=whole, limits=replace(limits, before=None)), PD),
        "LSTA": Best(every[-1].response, every[-1].day, (), every[-1].key) if every else Best("", None),
    }
    for prefix, confirmed in (("", False), ("C", True)):
        best = best_overall_response(counted, rules=rules, confirmed=confirmed, early_death=early_death)
        response = first_response(counted, rules=rules, confirmed=confirmed)
        values[f"{prefix}BOR"], values[f"{prefix}RSP"] = best, response
        values[f"{prefix}DCR"], values[f"{prefix}BCP"] = disease_control(best), best_is_response(best)
        values["CCBR" if confirmed else "CBR"] = clinical_benefit(
            every, rules=rules, response=response, progression=progression.day
        )
    if pending(counted, rules=rules, closed=closed):
        values["CBOR"] = replace(values["CBOR"], codes=(*values["CBOR"].codes, PENDING))
    return ResponseEndpoints(counted, values)
