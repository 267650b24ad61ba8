"""Building the analysis datasets: the one place where the order of derivations is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from interim.adam.adae import derive_adae
from interim.adam.adex import RULES as EXPOSURE_RULES
from interim.adam.adex import derive_adex
from interim.adam.adlb import derive_adlb
from interim.adam.adsl import Dated, arranged, derive_core
from interim.adam.adsl_response import response_columns
from interim.adam.adsub import derive_adsub
from interim.adam.adtox_consensus import ConsensusInputs, syndrome_events, with_consensus
from interim.adam.adtox_episodes import derive_adtox, episode_events
from interim.adam.advs import DOMAINS as SIGN_DOMAINS
from interim.adam.advs import UNIT as SIGN_UNIT
from interim.adam.advs import derive_advs
from interim.adam.baseline import Sources, derive_baseline
from interim.adam.biopsies import derive_biopsies
from interim.adam.catheter import derive_catheter
from interim.adam.derived import Derived
from interim.adam.dlt import derive_addlt, dlt_windows, has_dose_ladder
from interim.adam.finished import finished_adam
from interim.adam.kinetic_datasets import NAMES as KINETIC_NAMES
from interim.adam.kinetic_datasets import KineticData, kinetic_datasets
from interim.adam.model import Adam
from interim.adam.nk_switch import derive_nk_switch
from interim.adam.response import ResponseData, derive_response
from interim.adam.sets import RULES as SET_RULES
from interim.adam.sets import flag_sets
from interim.adam.tte import derive_adtte, derive_death, derive_lstalvdt, derive_nactdt
from interim.data.followup import answers, followed
from interim.data.model import Sdtm
from interim.errors import DataError, Finding
from interim.recall import Recall, called
from interim.study import Study

_EARLY_SETS = ("ENRLFL", "SAFNKFL", "SAFCTFL", "FASFL")
_ORDER = (
    "ADSL",
    "ADEX",
    "ADAE",
    "ADDLT",
    "ADTOX",
    "ADLB",
    "ADVS",
    "ADTR",
    "ADRS",
    "ADTTE",
    "ADSUB",
    *KINETIC_NAMES,
)
_SYNDROMES: tuple[str, ...] = ("ADLB", "ADRS", "ADTOX")
_NO_CELLS = "the study has no cell product"
_NOT_ASKED = "not asked for"
_NO_LADDER = "the study has no dose levels of a T-cell product"
_NO_EVENTS = tuple((rule, "warn", "not run: no AE") for rule in ("AE-PARTIAL", "DOSE-DLTDIFF", "AE-DICT"))
_NO_RESULTS = (("LB-FACTOR", "warn", "not run: no LB"), ("SUB-RATIO", "warn", "not run: no LB"))


@dataclass
class _Record:
    """What has been derived so far, with what was found on the way."""

    datasets: dict[str, pd.DataFrame] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    asked: frozenset[str] | None = None
    recall: Recall = called

    def wants(self, name: str) -> bool:
        """Tell whether a dataset that no other one needs is made; if not, its absence is noted."""
        if self.asked is None or name in self.asked:
            return True
        self.missing[name] = _NOT_ASKED
        return False

    def note(self, findings: Iterable[Finding], rules: Iterable[tuple[str, str, str]] = ()) -> None:
        self.findings.extend(findings)
        self.rules.extend(rules)

    def keep(self, name: str, derived: Derived) -> pd.DataFrame:
        self.note(derived.findings, derived.rules)
        self.datasets[name] = derived.frame
        return derived.frame


def build_adam(
    sdtm: Sdtm, study: Study, *, asked: Collection[str] | None = None, recall: Recall = called
) -> Adam:
    """Derive all analysis datasets from checked source data.

    Parameters
    ----------
    sdtm : Sdtm
        Source data, cut and checked.
    study : Study
        Parameters.
    asked : collection of str, optional
        Those of ADTOX, ADVS, ADSUB and ADPP (with all of the kinetics) that the caller reads; default all. No other dataset
        needs them.
    recall : callable
        Calls each derivation; it may give what was derived from equal arguments before.

    Returns
    -------
    Adam
        The datasets; a dataset whose source is absent is in ``missing`` with the reason. Findings of the data room and of
        the derivations, sorted; every derivation check with what became of it.

    Raises
    ------
    DataError
        If a finding is a stop and ``data.on_stop`` is halt; it carries all findings.
    DerivationError
        If DM is absent or holds a participant twice.
    StudyError
        If a parameter names a variable that does not exist.

    Notes
    -----
    Order: ADEX; death, new therapy, last date alive; core of ADSL; DLT windows, ADAE, ADTOX, ADDLT; ADLB, ADVS; ADTR and ADRS; the other syndromes of ADTOX; baseline
    variables; analysis sets; ADTTE; ADSUB; kinetics, cytokines, biomarkers and the kinetic sets. Nothing is derived for a study
    that enters with finished datasets (``data.stage = "adam"``).
    """
    if study.data.stage == "adam":
        return finished_adam(sdtm, study)
    record = _Record(asked=None if asked is None else frozenset(asked), recall=recall)
    core, adex = _core(sdtm, study, record)
    core = _safety(sdtm, core, adex, study=study, record=record)
    adlb = _laboratory(sdtm, core, study, record)
    _signs(sdtm, core, study, record)
    response = recall(derive_response, sdtm, core, study=study)
    _keep_response(response, sdtm, record)
    _consensus(sdtm, core, adex, study=study, record=record)
    adsl = _complete(core, response, Sources(sdtm, core, adlb, response.adtr, study), record)
    record.datasets["ADSL"] = adsl
    record.keep("ADTTE", recall(derive_adtte, adsl, response.adrs, study=study, sdtm=sdtm))
    _subgroups(adsl, study, record)
    if record.wants("ADPP"):
        made = kinetic_datasets(sdtm, adsl, adex=adex, adlb=adlb, study=study, recall=recall)
        _kinetics(made, record)
    return _finished(sdtm, study, record)


def _core(sdtm: Sdtm, study: Study, record: _Record) -> tuple[pd.DataFrame, pd.DataFrame]:
    recall = record.recall
    adex, found = recall(derive_adex, sdtm, study)
    if sdtm.has("EX"):
        record.datasets["ADEX"] = adex
    else:
        record.missing["ADEX"] = "no EX"
    death, therapy, alive = (
        recall(derive_death, sdtm, study),
        recall(derive_nactdt, sdtm, study),
        recall(derive_lstalvdt, sdtm, study),
    )
    for part in (death, therapy, alive):
        record.note(part.findings, part.rules)
    dated = Dated(death.frame, therapy.frame, alive.frame)
    core, off_level = recall(derive_core, sdtm, adex, dated, study=study)
    record.note(
        [*found, *off_level], [(rule, severity, _ran(sdtm, "EX")) for rule, severity in EXPOSURE_RULES]
    )
    for made in (recall(derive_nk_switch, sdtm, study), recall(derive_catheter, sdtm)):
        core = core.merge(made, on="USUBJID", how="left", validate="1:1")
    return recall(flag_sets, core, study, flags=_EARLY_SETS)[0], adex


def _ran(sdtm: Sdtm, domain: str) -> str:
    return "run" if sdtm.has(domain) else f"not run: no {domain}"


def _safety(
    sdtm: Sdtm, core: pd.DataFrame, adex: pd.DataFrame, *, study: Study, record: _Record
) -> pd.DataFrame:
    """Add ADAE and ADDLT, and return the core with the DLT facts."""
    recall = record.recall
    windows = recall(dlt_windows, sdtm, core, adex=adex, study=study)
    events = recall(derive_adae, sdtm, core, adex=adex, windows=windows, study=study)
    if sdtm.has("AE"):
        record.keep("ADAE", events)
        if not record.wants("ADTOX"):
            pass
        elif study.with_role("nk") or study.with_role("t"):
            reported = episode_events(events.frame)
            episodes = recall(derive_adtox, sdtm, core, adae=reported, adex=adex, study=study)
            record.keep("ADTOX", episodes)
        else:
            record.missing["ADTOX"] = _NO_CELLS
    else:
        record.missing |= {"ADAE": "no AE", "ADTOX": "no AE"}
        record.note((), _NO_EVENTS)
    columns = ["DLTWSDT", "DLTWEDT", "DLTSTAT", "DLTSTRS", "DLTFL"]
    if not has_dose_ladder(study):
        record.missing["ADDLT"] = _NO_LADDER
        never = pd.Series(pd.NaT, index=core.index, dtype="datetime64[ns]")
        reason = "NOT-APPLICABLE"
        return core.assign(DLTWSDT=never, DLTWEDT=never, DLTSTAT=None, DLTSTRS=reason, DLTFL="N")
    addlt = recall(derive_addlt, core, events.frame, windows=windows, adex=adex, study=study)
    record.datasets["ADDLT"] = addlt
    joined = core.merge(addlt[["USUBJID", *columns]], on="USUBJID", how="left", validate="1:1")
    filled = {"DLTFL": "N", "DLTSTAT": "NOT EVALUABLE"}
    for name in columns[2:]:
        joined[name] = joined[name].astype(object).where(joined[name].notna(), filled.get(name))
    untreated = ~joined["USUBJID"].isin(addlt["USUBJID"])
    return joined.assign(DLTSTRS=joined["DLTSTRS"].where(~untreated, "NO-CART"))


def _laboratory(sdtm: Sdtm, core: pd.DataFrame, study: Study, record: _Record) -> pd.DataFrame | None:
    if not sdtm.has("LB"):
        record.missing["ADLB"] = "no LB"
        record.note((), _NO_RESULTS)
        return None
    adex = record.datasets.get("ADEX")
    return record.keep("ADLB", record.recall(derive_adlb, sdtm, core, study=study, adex=adex))


def _signs(sdtm: Sdtm, core: pd.DataFrame, study: Study, record: _Record) -> None:
    if not record.wants("ADVS"):
        return
    if any(sdtm.has(domain) for domain in SIGN_DOMAINS):
        adex = record.datasets.get("ADEX")
        record.keep("ADVS", record.recall(derive_advs, sdtm, core, study=study, adex=adex))
    else:
        record.missing["ADVS"] = f"no {', '.join(SIGN_DOMAINS)}"
        record.note((), ((SIGN_UNIT, "warn", f"not run: no {', '.join(SIGN_DOMAINS)}"),))


def _keep_response(response: ResponseData, sdtm: Sdtm, record: _Record) -> None:
    record.note(response.findings, response.rules)
    for name, frame, needs in (("ADTR", response.adtr, "TR"), ("ADRS", response.adrs, "TR and no RS")):
        if frame is None:
            record.missing[name] = f"no {needs}"
        else:
            record.datasets[name] = frame


def _consensus(sdtm: Sdtm, core: pd.DataFrame, adex: pd.DataFrame, *, study: Study, record: _Record) -> None:
    """Add to ADTOX what needs laboratory results and the date of progression."""
    made = record.datasets
    if "ADTOX" in made:
        needed = {name: made[name] for name in _SYNDROMES if name in made}
        needed["ADAE"] = syndrome_events(made["ADAE"])
        made["ADTOX"] = record.recall(_syndromes, sdtm, core, adex, made=needed, study=study)


def _syndromes(
    sdtm: Sdtm, core: pd.DataFrame, adex: pd.DataFrame, *, made: Mapping[str, pd.DataFrame], study: Study
) -> pd.DataFrame:
    inputs = ConsensusInputs(
        sdtm, core, adex, made["ADAE"], made.get("ADLB"), made.get("ADRS"), made["ADTOX"], study
    )
    return with_consensus(made["ADTOX"], inputs)


def _complete(core: pd.DataFrame, response: ResponseData, sources: Sources, record: _Record) -> pd.DataFrame:
    """Return ADSL with baseline variables, response facts and all analysis sets."""
    recall = record.recall
    baseline = recall(_baseline, sources.sdtm, sources.adsl, sources.adlb, sources.adtr, study=sources.study)
    record.note(baseline.findings, baseline.rules)
    facts = recall(response_columns, core, response.adrs, sdtm=sources.sdtm, study=sources.study)
    adsl = core.merge(facts, on="USUBJID", how="left", validate="1:1")
    for part in (baseline.frame, recall(derive_biopsies, sources.sdtm, core)):
        adsl = adsl.merge(part, on="USUBJID", how="left", validate="1:1")
    adsl, found = recall(flag_sets, adsl, sources.study)
    record.note(found, [(rule, severity, "run") for rule, severity in SET_RULES])
    return arranged(adsl)


def _baseline(
    sdtm: Sdtm, core: pd.DataFrame, adlb: pd.DataFrame | None, adtr: pd.DataFrame | None, *, study: Study
) -> Derived:
    return derive_baseline(Sources(sdtm, core, adlb, adtr, study))


def _subgroups(adsl: pd.DataFrame, study: Study, record: _Record) -> None:
    if not record.wants("ADSUB"):
        return
    if study.subgroups:
        record.keep("ADSUB", record.recall(derive_adsub, adsl, study))
    else:
        record.missing["ADSUB"] = "the study has no [[subgroups]]"


def _kinetics(made: KineticData, record: _Record) -> None:
    record.datasets.update({"ADSL": made.adsl, **made.datasets})
    record.missing.update(made.missing)
    record.note(made.findings, made.rules)


def _finished(sdtm: Sdtm, study: Study, record: _Record) -> Adam:
    """Return the datasets; what the data room has already found for a participant is not found a second time."""
    known = {(finding.rule, finding.subject) for finding in sdtm.findings}
    derived = [finding for finding in record.findings if (finding.rule, finding.subject) not in known]
    findings = tuple(sorted([*sdtm.findings, *derived], key=lambda finding: finding.order))
    if study.data.on_stop == "halt" and any(finding.severity == "stop" for finding in findings):
        raise DataError(findings)
    findings = followed(findings, answers(sdtm))
    rules = tuple(sorted(set(record.rules)))
    datasets = {name: record.datasets[name] for name in _ORDER if name in record.datasets}
    return Adam(datasets, sdtm.cut, findings, record.missing, rules)
