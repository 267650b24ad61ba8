"""Response inside and outside the liver: the rules of the target lesions on sub-sums (post-hoc, not RECIST)."""

from __future__ import annotations

from interim.adam.model import Adam
from interim.adam.response.subsums import regions
from interim.analysis.population import (
    add_counts,
    add_not_available,
    add_rates,
    add_sizes,
    by_value,
    efficacy_set,
    open_rows,
    population,
)
from interim.analysis.response import chosen
from interim.result import Result
from interim.study import Study

RESPONSE = ("CR", "PR")
CONTROL = ("CR", "PR", "SD")


def responses(adam: Adam, study: Study) -> Result:
    """Give the response and disease control rates of the liver lesions and of those elsewhere.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Efficacy set, evaluator, whether confirmation is required, interval.

    Returns
    -------
    Result
        ``regional.responses``; by assigned cohort, in participants with a target lesion of the region: ``population_<region>``,
        ``<region>_orr``, ``<region>_dcr`` (rate, lower, upper); ``both`` (lesions in both regions), ``discordant_response``
        (response in one only), ``discordant_progression`` (best value PD in one, control in the other).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Post-hoc and not RECIST: no non-target lesion, no new lesion, no limit to two lesions per organ beyond that of the
    whole sum.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("regional.responses", "Intrahepatic and extrahepatic response", who)
    found: dict[str, dict[str, frozenset[str]]] = {}
    for region in regions():
        best = region.confirmed if study.response.confirmation_required else region.best
        rows_of = chosen(adam, study, best) if adam.has("ADRS") else None
        if rows_of is None or rows_of.empty:
            reason = f"not available: no sub-sum of {region.name} lesions"
            add_not_available(rows, who.groups, variable=f"{region.name}_orr", stat="rate", reason=reason)
            continue
        found[region.name] = values = by_value(rows_of, "AVALC")
        here = who.narrow(rows_of["USUBJID"])
        add_sizes(rows, here, variable=f"population_{region.name}")
        for name, wanted in (("orr", RESPONSE), ("dcr", CONTROL)):
            ids = _any(values, wanted)
            add_rates(rows, here, study=study, variable=f"{region.name}_{name}", subjects=ids)
    if len(found) == len(regions()):
        one, two = found.values()
        both = _any(one, tuple(one)) & _any(two, tuple(two))
        add_counts(rows, who, variable="both", subjects=both)
        apart = (_any(one, RESPONSE) ^ _any(two, RESPONSE)) & both
        base = who.narrow(both)
        add_counts(rows, base, variable="discordant_response", subjects=apart)
        opposed = (_any(one, ("PD",)) & _any(two, CONTROL)) | (_any(two, ("PD",)) & _any(one, CONTROL))
        add_counts(rows, base, variable="discordant_progression", subjects=opposed)
    return rows.build()


def _any(values: dict[str, frozenset[str]], wanted: tuple[str, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(values.get(value, frozenset()) for value in wanted))
