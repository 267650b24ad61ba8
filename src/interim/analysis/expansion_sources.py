"""Where the rates of Phase IB come from, what the priors say, which laws were checked, and what all this cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from interim.adam.model import Adam
from interim.analysis.expansion_models import model_priors
from interim.analysis.expansion_types import Types, add_reason, count_types, in_scope, not_run, printed
from interim.analysis.population import efficacy_set, open_rows, population
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.stats.borrowing_checks import LIMITS, model_checks
from interim.study import Study
from interim.study.expansion import OTHER_TYPE

_STATUS = {"confirmed": "confirmed only", "any": "confirmed or not"}
COUNTED = {
    "no": "Phase IB participants only",
    "rp2d": "Phase IA participants at the recommended dose as the first of the cohort",
}


def sources(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """State sources, priors in words, checks of the models, and limitations.

    Parameters
    ----------
    adam : Adam
        ADSL, ADRS.
    study : Study
        Table ``expansion``.
    sdtm : Sdtm
        Recorded decisions on dose.

    Returns
    -------
    Result
        ``expansion_sources.sources``; variables ``source`` (level = id of the type and p0 or p1; value, text), ``prior`` (level =
        model; text), ``check`` (level = law; deviation), ``limitation`` (level = id; text).

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    ArithmeticError
        If the models break one of their laws at these data.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("expansion_sources.sources", "Candidate tumour types: sources, priors, limitations", who)
    reason = not_run(adam, study)
    if reason:
        return add_reason(rows, reason, variable="sources").build()
    confirmed = study.expansion.response_status == "confirmed"
    types = count_types(adam, study, confirmed=confirmed, keep=in_scope(adam, study, sdtm))
    for entry in types.types:
        for name, rate, text in (("p0", entry.p0, entry.p0_source), ("p1", entry.p1, entry.p1_source)):
            rows.add(
                "rate", rate, variable="source", level=f"{entry.id} {name}", text=f"{entry.label}: {text}"
            )
    for model, text in _priors(study).items():
        rows.add("text", None, variable="prior", level=model, text=text)
    _add_checks(rows, types, study)
    for name, text in _limitations(types, study):
        rows.add("text", None, variable="limitation", level=name, text=text)
    return rows.build()


def _add_checks(rows: Rows, types: Types, study: Study) -> None:
    shared, mixed = model_priors(types.types, study.expansion.prior)
    found = model_checks(types.r, types.n, p0=[entry.p0 for entry in types.types], shared=shared, mixed=mixed)
    for name, deviation in found.items():
        rows.add("deviation", deviation, variable="check", level=name, text=f"limit {LIMITS[name]:g}")


def _priors(study: Study) -> Mapping[str, str]:
    prior, types = study.expansion.prior, study.expansion.type
    weights = ", ".join(f"{entry.label} {entry.weight:g}" for entry in types)
    return {
        "independent": "one participant's worth of data at the type's own null rate: Beta(p0, 1 - p0)",
        "hierarchical": f"distances from the null rate on the logit scale are normal around a common mean N({prior.mu_mean:g}, "
        f"{prior.mu_sd:g}^2), spread half-normal with scale {prior.tau_scale:g}",
        "exnex": f"each type is exchangeable with the others with prior probability {weights}; else its distance from the "
        f"null rate has a prior of its own, N(0, {prior.nex_sd:g}^2)",
        "partition": f"types in one block have one rate; Beta({prior.block_a:g}, {prior.block_b:g}) per block, a partition "
        f"weighs (number of blocks)^{prior.block_power:g}",
    }


def _limitations(types: Types, study: Study) -> Iterator[tuple[str, str]]:
    facts = _facts(types, study)
    for item in printed()["limitation"]:
        if "when" not in item or facts[item["when"]]:
            yield item["id"], item["text"].format(**facts)


def _facts(types: Types, study: Study) -> Mapping[str, object]:
    table = study.expansion
    other = [entry.weight for entry in types.types if entry.id == OTHER_TYPE]
    return {
        "sizes": ", ".join(f"{e.label} {n}" for e, n in zip(types.types, types.n, strict=True)),
        "count": len(types.types),
        "tau": f"{table.prior.tau_scale:g}",
        "scales": ", ".join(f"{scale:g}" for scale in table.prior.tau_sensitivity),
        "has_other": bool(other),
        "other_weight": f"{other[0]:g}" if other else "",
        "p0_differ": len({entry.p0 for entry in types.types}) > 1,
        "nulls": ", ".join(f"{entry.label} {100 * entry.p0:g}%" for entry in types.types),
        "status": _STATUS[table.response_status],
        "counted": COUNTED[table.count_phase_ia],
    }
