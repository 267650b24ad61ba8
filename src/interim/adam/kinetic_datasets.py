"""The datasets of cellular kinetics, cytokines and biomarkers, and what is missing of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from interim.adam.adbm import derive_adbm
from interim.adam.adckcm import derive_adckcm
from interim.adam.adcy import derive_adcy
from interim.adam.adpc import derive_adpc
from interim.adam.adpc_findings import RULES
from interim.adam.adpp import derive_adpp
from interim.adam.kinetic_sets import kinetic_sets
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.recall import Recall, called
from interim.study import Study

NAMES = ("ADPC", "ADPP", "ADPPLZ", "ADPCUSE", "ADCKCM", "ADCY", "ADCYPP", "ADBM")


@dataclass(frozen=True)
class KineticData:
    """Datasets that belong to kinetics, cytokines and biomarkers.

    Attributes
    ----------
    adsl : pandas.DataFrame
        ADSL with the kinetic sets.
    datasets : dict of str to pandas.DataFrame
        Of `NAMES`, those whose source exists.
    missing : dict of str to str
        The others, with the reason.
    findings : tuple of Finding
        CK-*.
    rules : tuple of (str, str, str)
        The checks CK-*, with what became of them.
    """

    adsl: pd.DataFrame
    datasets: dict[str, pd.DataFrame] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    rules: tuple[tuple[str, str, str], ...] = ()


def kinetic_datasets(
    sdtm: Sdtm,
    adsl: pd.DataFrame,
    *,
    adex: pd.DataFrame,
    adlb: pd.DataFrame | None,
    study: Study,
    recall: Recall = called,
) -> KineticData:
    """Derive the datasets of kinetics, cytokines and biomarkers.

    Parameters
    ----------
    sdtm : Sdtm
        PC, CM, CP, LB, MI, IS.
    adsl, adex : pandas.DataFrame
        Complete ADSL; infusions.
    adlb : pandas.DataFrame or None
        Laboratory results.
    study : Study
        Parameters.
    recall : callable
        Calls each derivation.

    Returns
    -------
    KineticData
        What could be derived.

    Raises
    ------
    DerivationError
        If a parameter is missing without a reason.
    """
    cm = sdtm.domain("CM") if sdtm.has("CM") else None
    datasets: dict[str, pd.DataFrame] = {}
    missing: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()
    rules = tuple((rule, str(severity), "not run: no PC") for rule, severity in RULES)
    adpc = None
    if sdtm.has("PC"):
        samples = recall(derive_adpc, sdtm, adsl, adex=adex, study=study)
        made = recall(derive_adpp, samples.frame, adex, study=study, cm=cm)
        adpc, findings, rules = made.adpc, samples.findings, samples.rules
        datasets |= {
            "ADPC": made.adpc,
            "ADPP": made.adpp,
            "ADPPLZ": made.candidates,
            "ADPCUSE": made.use,
            "ADCKCM": derive_adckcm(cm),
        }
    else:
        missing |= dict.fromkeys(("ADPC", "ADPP", "ADPPLZ", "ADPCUSE", "ADCKCM"), "no PC")
    if adlb is None:
        missing |= dict.fromkeys(("ADCY", "ADCYPP"), "no LB")
    else:
        courses = recall(derive_adcy, adlb, adsl, cm=cm)
        if len(courses.values):
            datasets |= {"ADCY": courses.values, "ADCYPP": courses.parameters}
        else:
            missing |= dict.fromkeys(("ADCY", "ADCYPP"), "no cytokine results in LB")
    markers = recall(derive_adbm, sdtm, adsl)
    if len(markers):
        datasets["ADBM"] = markers
    else:
        missing["ADBM"] = "no CP, MI, IS and no tumour marker in LB"
    return KineticData(kinetic_sets(adsl, adpc, study), datasets, missing, findings, rules)
