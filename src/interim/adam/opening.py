"""From a study to its source data and analysis datasets; a stop in the data hides no contradiction of the derivations."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from interim.adam.build import build_adam
from interim.adam.model import Adam
from interim.adam.response import derive_response
from interim.data import open_data
from interim.data.dates import parse_dates
from interim.data.model import Sdtm
from interim.errors import DataError, Finding
from interim.recall import Recall, called
from interim.study import Study

# Findings that end the run in a draft too: no count of participants would be right.
_NO_DRAFT = frozenset({"DM-UNIQ"})


class Opened(NamedTuple):
    """A study with its data.

    Attributes
    ----------
    sdtm : Sdtm
        Checked source data at the cut-off.
    adam : Adam
        Analysis datasets.
    """

    sdtm: Sdtm
    adam: Adam


def open_adam(
    study: Study,
    *,
    change: Callable[[Sdtm], Sdtm] | None = None,
    keep: Callable[[Sdtm, Study], Recall] | None = None,
) -> Opened:
    """Read the data of a study, check them, cut them and derive the analysis datasets.

    Parameters
    ----------
    study : Study
        Parameters.
    change : callable, optional
        Applied to the checked source data at the cut-off before anything is derived from them: other ids, fewer participants.
    keep : callable, optional
        Gives, for the data as changed, what calls the derivations.

    Returns
    -------
    Opened
        Source data and analysis datasets, with every finding.

    Raises
    ------
    DataError
        If a finding is a stop and ``data.on_stop`` is halt, or a participant stands twice in DM; it carries every finding of
        the data, and of reported responses against their lesions.
    StudyError
        If a mapping file is wrong.
    """
    patient = study.data.model_copy(update={"on_stop": "draft"})
    sdtm = open_data(study.model_copy(update={"data": patient}))
    stops = {finding.rule for finding in sdtm.findings if finding.severity == "stop"}
    if stops & _NO_DRAFT or (stops and study.data.on_stop == "halt"):
        raise DataError((*sdtm.findings, *response_findings(sdtm, study)))
    changed = sdtm if change is None else change(sdtm)
    recall = called if keep is None else keep(changed, study)
    return Opened(changed, build_adam(changed, study, recall=recall))


def response_findings(sdtm: Sdtm, study: Study) -> tuple[Finding, ...]:
    """Return what the derivation of responses finds in data whatever else is wrong with them.

    Parameters
    ----------
    sdtm : Sdtm
        Source data; TU, TR, RS and the dates of EX count.
    study : Study
        Tables ``response`` and ``irecist``.

    Returns
    -------
    tuple of Finding
        RS-DERIV, RS-NEW and the other findings of the derivation, sorted.

    Raises
    ------
    None
    """
    ex = sdtm.domain("EX")
    start = ex["EXSTDTC"] if "EXSTDTC" in ex else pd.Series(None, index=ex.index, dtype=object)
    day = parse_dates(start)["DT"]
    first = pd.DataFrame({"USUBJID": ex["USUBJID"], "TRTSDT": day}).dropna()
    return derive_response(sdtm, first.groupby("USUBJID", as_index=False).min(), study=study).findings
