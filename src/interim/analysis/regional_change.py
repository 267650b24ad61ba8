"""Best change of the liver lesions against that of the lesions elsewhere, participant by participant (post-hoc, not RECIST)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.response.subsums import regions
from interim.analysis.population import open_rows, population
from interim.analysis.response import used_sums
from interim.result import Result
from interim.study import Study


def best_changes(adam: Adam, study: Study) -> Result:
    """Give each participant's best percentage change of both sub-sums.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTR, ADRS.
    study : Study
        Evaluator, whether values after progression or new therapy count.

    Returns
    -------
    Result
        ``regional_change.best_changes``; ``change`` with level = USUBJID, group = assigned cohort: stats liver and extrahepatic
        in per cent (NE with NO_COMPLETE_SUM or NO_TARGET for a participant without a value); ``summary`` with n, the
        participants who have both.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Complete sub-sums only, up to and including the first progression and before a new anticancer therapy.
    """
    who = population(adam, study, "RE")
    rows = open_rows("regional_change.best_changes", "Intrahepatic vs extrahepatic change", who)
    lacking = adam.lacks(*(f"ADTR.{region.sum}" for region in regions()))
    if lacking or not adam.has("ADTR", "ADRS"):
        reason = f"not available: {lacking or adam.missing.get('ADTR', 'no tumour measurements')}"
        rows.add("n", None, variable="summary", status="NA", reason=reason)
        return rows.build()
    best = {region.name: _lowest(adam, study, region.sum) for region in regions()}
    adtr = adam["ADTR"]
    measured = {
        region.name: frozenset(adtr.loc[adtr["PARAMCD"] == region.sum, "USUBJID"]) for region in regions()
    }
    for group, ids in list(who.members.items())[:-1]:
        for subject in sorted(ids):
            for name, values in best.items():
                place: dict[str, Any] = {"group": group, "variable": "change", "level": subject, "unit": "%"}
                if subject in values.index:
                    source = (subject, str(values.loc[subject, "SRCDOM"]), str(values.loc[subject, "SRCSEQ"]))
                    rows.add(name, float(values["PCHG"][subject]), sources=[source], **place)
                else:
                    reason = "NO_COMPLETE_SUM" if subject in measured[name] else "NO_TARGET"
                    rows.add(name, None, status="NE", reason=reason, subjects=[subject], **place)
    both = who.everyone.intersection(*(frozenset(values.index) for values in best.values()))
    rows.add("n", len(both), variable="summary", n=len(both), N=who.n(), subjects=sorted(both))
    return rows.build()


def _lowest(adam: Adam, study: Study, parameter: str) -> pd.DataFrame:
    sums = used_sums(adam, study, parameter=parameter)
    ordered = sums.sort_values(["USUBJID", "PCHG", "ADT"], kind="stable")
    return ordered.drop_duplicates("USUBJID").set_index("USUBJID")
