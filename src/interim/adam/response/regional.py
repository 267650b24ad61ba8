"""Responses of the sub-sums in ADRS: per time point and best, by the rules of the target lesions alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interim.adam.response.adrs import Participant, Point, best_row, point_endpoints, target_text
from interim.adam.response.assessments import BestRules
from interim.adam.response.chains import Chain
from interim.adam.response.subsums import SubSum, sub_sums
from interim.study import Study

CRITERIA = "SUB-SUM, NOT RECIST"


def regional_rows(who: Participant, chain: Chain | None, study: Study) -> Iterator[dict[str, Any]]:
    """Yield the rows of the sub-sums of one participant by one evaluator.

    Parameters
    ----------
    who : Participant
        Dates.
    chain : Chain or None
        Lesion route; without it there is nothing.
    study : Study
        Table ``response``.

    Yields
    ------
    dict
        Rows of ADRS with PARCAT3 ``SUB-SUM, NOT RECIST``.

    Raises
    ------
    None
    """
    if chain is None:
        return
    base = {"USUBJID": who.subject, "PARCAT2": chain.evaluator, "PARCAT3": CRITERIA}
    for part in sub_sums(chain, rules=study.response):
        points = _points(chain, part)
        result = point_endpoints(who, points, study)
        used = {scan.key for scan in result.used}
        for place, (point, visit) in enumerate(zip(points, part.visits, strict=True)):
            yield {
                **base,
                "PARAMCD": part.region.response,
                "ADT": point.date,
                "AVISITN": point.visitnum,
                "AVISIT": point.visit,
                "AVALC": point.value,
                "ANL01FL": "Y" if place in used else None,
                "RSNCD": visit.code,
                "RSNTXT": target_text(visit, part.roster.total, study),
                "SRCDOM": point.domain,
                "SRCSEQ": point.sequence,
            }
        rules = BestRules.of(study.response)
        for name, endpoint in ((part.region.best, "BOR"), (part.region.confirmed, "CBOR")):
            yield best_row(base, name, result.values[endpoint], points=points, who=who, rules=rules)


def _points(chain: Chain, part: SubSum) -> list[Point]:
    return [
        Point(
            point.date,
            point.scan.visitnum,
            point.scan.visit,
            visit.response,
            (visit.code,),
            "TR",
            point.scan.sources(part.roster.lesions),
        )
        for point, visit in zip(chain.timepoints, part.visits, strict=True)
    ]
