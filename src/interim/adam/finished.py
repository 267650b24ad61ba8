"""Finished analysis datasets: a study that enters with them skips the derivations; what was not delivered says so."""

from __future__ import annotations

import pandas as pd

from interim.adam.adlb import base_types, first_base_type
from interim.adam.adsl import arranged
from interim.adam.adsub import derive_adsub
from interim.adam.model import Adam
from interim.adam.response.contradictions import RULES
from interim.adam.source import date_columns, ordered, sequence_text, text_missing
from interim.data.model import ORIGIN, Sdtm
from interim.data.spec import Domain, domain, domain_names
from interim.study import Study

NOT_DELIVERED = "not delivered"
NO_SOURCE = "the study enters with finished analysis datasets, without source records"
_DERIVED = (
    "ADEX",
    "ADAE",
    "ADDLT",
    "ADTOX",
    "ADLB",
    "ADVS",
    "ADTR",
    "ADRS",
    "ADTTE",
    "ADPC",
    "ADPP",
    "ADCY",
    "ADBM",
)
_COMPLETED = ("ADSL", "ADRS", "ADTTE", "ADTR", "ADLB")
_LABORATORY = {
    "ATOXGR": ("ATOXGRL", "ATOXGRH"),
    "ONTRTFL": ("ONTRTFL",),
    "ANRHI": ("ANRHI",),
    "AVISIT": ("AVISIT",),
}
_RESPONSES = ("BOR", "CBOR", "RSP", "CRSP", "DCR", "CDCR", "CBR", "OVR")
_TIMES = ("PFS", "OS", "DOR", "TTR")
_FOLLOWS = {"RSP": ("CR", "PR"), "DCR": ("CR", "PR", "SD", "NON-CR/NON-PD")}
_SETS = ("ENRL", "SAFNK", "SAFCT", "DLTEV", "FAS", "RES", "RESP")
_NO_SET, _NO_MEMBER, _NO_RESPONSE = "NOT-DELIVERED", "NOT-IN-SET", "NO-RESPONSE"
_NOT_STATED = "not stated"
_NUMBERS = ("NINFREF", "NINFNK", "NINFCT")


def finished_adam(sdtm: Sdtm, study: Study) -> Adam:
    """Return the analysis datasets that a study was delivered with.

    Parameters
    ----------
    sdtm : Sdtm
        Checked datasets by name, as `interim.data.open_data` returns them at ``data.stage = "adam"``.
    study : Study
        Cohort variable, evaluator, subgroups.

    Returns
    -------
    Adam
        ADSL, ADRS and ADTTE with all their variables, those that were not delivered missing; the others as delivered. ADSUB
        if the study has subgroups. What was not delivered is in ``missing`` with the reason: datasets, source records
        (``SDTM``), variables of ADSL, parameters of ADRS and ADTTE.

    Raises
    ------
    StudyError
        If a subgroup names a variable that ADSL does not have.

    Notes
    -----
    SAFFL stands for SAFNKFL. A set without a flag has no members, reason NOT-DELIVERED; the responders follow from ADRS. COHORT
    is the cohort variable of the study, COHORTA that of the members of the safety set. Response and disease control
    follow from the best response where they were not delivered. The only base type of ADLB, whatever its name, is that of the
    first product; rows of ADLB without a parameter type are collected ones. A row without a source record names itself.
    """
    found = {name: _dataset(name, sdtm) for name in domain_names("adam") if sdtm.has(name)}
    if "ADRS" in found:
        found["ADRS"] = _responses(found["ADRS"])
    if "ADLB" in found:
        found["ADLB"] = _laboratory(found["ADLB"], study)
    if "ADTTE" in found:
        found["ADTTE"] = _reasons(found["ADTTE"])
    found["ADSL"] = _participants(found["ADSL"], _responders(found.get("ADRS"), study), sdtm, study=study)
    findings, rules = (
        sdtm.findings,
        [(rule, str(severity), f"not run: {NO_SOURCE}") for rule, severity in RULES],
    )
    missing = _missing(found, sdtm, study)
    if study.subgroups:
        made = derive_adsub(found["ADSL"], study)
        found["ADSUB"], findings, rules = made.frame, (*findings, *made.findings), [*rules, *made.rules]
    return Adam(found, sdtm.cut, tuple(sorted(findings, key=lambda f: f.order)), missing, tuple(rules))


def _missing(found: dict[str, pd.DataFrame], sdtm: Sdtm, study: Study) -> dict[str, str]:
    """Return everything that was not delivered, with the reason."""
    gone = [name for name in _DERIVED if name not in found]
    gone += [f"ADSL.{name}" for name in found["ADSL"].columns if found["ADSL"][name].isna().all()]
    gone += [f"ADSL.{code}FL" for code in _SETS if (found["ADSL"][f"{code}RS"] == _NO_SET).any()]
    missing = dict.fromkeys(gone, NOT_DELIVERED) | {"SDTM": NO_SOURCE}
    if "ADLB" in found:
        missing |= _laboratory_lacks(found["ADLB"], study)
    if not study.subgroups:
        missing["ADSUB"] = "the study has no [[subgroups]]"
    for name, parameters in (("ADRS", _RESPONSES), ("ADTTE", _TIMES)):
        held = _held(found[name], study) if name in found else set(parameters)
        missing |= {f"{name}.{p}": f"{name} holds no {p}" for p in parameters if p not in held}
    return missing


def _held(frame: pd.DataFrame, study: Study) -> set[str]:
    """Return the parameters of a dataset, of ADRS those of the primary evaluator."""
    mine = frame["PARCAT2"] == study.response.evaluator if "PARCAT2" in frame else frame["PARAMCD"].notna()
    return set(frame.loc[mine, "PARAMCD"])


def _dataset(name: str, sdtm: Sdtm) -> pd.DataFrame:
    """Return one dataset with dates as dates, in the order of its key, each row with its source; what repeats ADSL stays there."""
    frame, known = sdtm.domain(name), domain(name)
    assert known is not None
    wanted = [v for v in known.variables if v in frame or name in _COMPLETED]
    repeated = set() if name == "ADSL" else (set(sdtm.domain("ADSL").columns) | _adsl_names()) - {"USUBJID"}
    left = {*wanted, *ORIGIN, *(repeated - set(known.variables))}
    further = [c for c in frame.columns if c not in left]
    columns = {v: _column(frame, known, v) for v in wanted} | {c: frame[c] for c in further}
    whole = pd.DataFrame(columns, index=frame.index)
    if "SRCDOM" in known.variables:
        whole = _sourced(whole, name, frame[ORIGIN[1]].map(sequence_text))
    return text_missing(ordered(whole, [key for key in known.key if key in whole]))


def _adsl_names() -> set[str]:
    known = domain("ADSL")
    assert known is not None
    return set(known.variables)


def _column(frame: pd.DataFrame, known: Domain, name: str) -> pd.Series:
    variable = known.variables[name]
    if variable.kind == "dtc":
        return date_columns(frame, name)["DTM" if name.endswith("DTM") else "DT"].astype("datetime64[ns]")
    if name in frame:
        return frame[name]
    blank, kind = (float("nan"), float) if variable.numeric else (None, object)
    return pd.Series(blank, index=frame.index, dtype=kind)


def _sourced(frame: pd.DataFrame, name: str, lines: pd.Series) -> pd.DataFrame:
    """Name the row itself as the source where the delivery names none."""
    own = {"SRCDOM": pd.Series(name, index=frame.index, dtype=object), "SRCSEQ": lines}
    if "SRCDOM" not in frame:
        return frame.assign(**own)
    stated = frame["SRCDOM"].notna()
    return frame.assign(**{c: frame[c].where(stated, v) if c in frame else v for c, v in own.items()})


def _responses(adrs: pd.DataFrame) -> pd.DataFrame:
    """Add response and disease control where only the best response was delivered."""
    parts = [adrs]
    for prefix in ("", "C"):
        best = adrs[adrs["PARAMCD"] == f"{prefix}BOR"]
        for parameter, values in _FOLLOWS.items():
            known = adrs.loc[adrs["PARAMCD"] == f"{prefix}{parameter}", ["USUBJID", "PARCAT2"]]
            new = best[
                ~pd.MultiIndex.from_frame(best[["USUBJID", "PARCAT2"]]).isin(pd.MultiIndex.from_frame(known))
            ]
            flag = new["AVALC"].isin(values).map({True: "Y", False: "N"}).astype(object)
            parts.append(
                new.assign(PARAMCD=f"{prefix}{parameter}", PARAM=None, AVALC=flag, AVAL=float("nan"))
            )
    kept = [part for part in parts if len(part)] or parts[:1]
    return text_missing(
        ordered(pd.concat(kept, ignore_index=True), ["USUBJID", "PARCAT2", "PARAMCD", "ADT", "AVISITN"])
    )


def _laboratory(adlb: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Name the only base type as the tables read it, and dates as date-times without a time."""
    named = adlb["BASETYPE"].dropna().unique()
    if len(named) > 1 or set(named) & set(base_types(study).values()):
        return adlb
    return adlb.assign(BASETYPE=first_base_type(study))


def _laboratory_lacks(adlb: pd.DataFrame, study: Study) -> dict[str, str]:
    """Return which variables of ADLB no record has, of the base type of the first product."""
    mine = adlb[adlb["BASETYPE"] == first_base_type(study)]
    if mine.empty:
        return {"ADLB.BASETYPE": f"ADLB holds no record of the base type {first_base_type(study)}"}
    return {
        f"ADLB.{name}": f"ADLB holds no {' and no '.join(columns)}"
        for name, columns in _LABORATORY.items()
        if mine[list(columns)].isna().all(axis=None)
    }


def _reasons(adtte: pd.DataFrame) -> pd.DataFrame:
    """Take the description of an event or a censoring as its reason where no code was delivered."""
    censored = adtte["CNSDTDSC"].where(adtte["CNSDTDSC"].notna(), adtte["EVNTDESC"])
    words = adtte["EVNTDESC"].where(adtte["CNSR"] == 0, censored).fillna(_NOT_STATED)
    return adtte.assign(RSNCD=adtte["RSNCD"].where(adtte["RSNCD"].notna(), words))


def _responders(adrs: pd.DataFrame | None, study: Study) -> set[str] | None:
    """Return who responded by the primary definition; None if that was not delivered."""
    parameter = "CRSP" if study.response.confirmation_required else "RSP"
    if adrs is None or parameter not in _held(adrs, study):
        return None
    mine = (adrs["PARAMCD"] == parameter) & (adrs["PARCAT2"] == study.response.evaluator)
    return set(adrs.loc[mine & (adrs["AVALC"] == "Y"), "USUBJID"])


def _participants(
    adsl: pd.DataFrame, responders: set[str] | None, sdtm: Sdtm, *, study: Study
) -> pd.DataFrame:
    frame = adsl.assign(SAFNKFL=adsl["SAFNKFL"].where(adsl["SAFNKFL"].notna(), adsl["SAFFL"]))
    if responders is not None:
        hit = frame["USUBJID"].isin(responders) & (frame["FASFL"] == "Y")
        frame["RESPFL"] = hit.map({True: "Y", False: "N"}).astype(object)
        frame["RESPRS"] = frame["RESPRS"].where(hit | frame["RESPRS"].notna(), _NO_RESPONSE)
    for code in _SETS:
        flag, reason = f"{code}FL", f"{code}RS"
        none = _NO_SET if frame[flag].isna().all() else _NO_MEMBER
        frame[flag] = frame[flag].where(frame[flag] == "Y", "N")
        frame[reason] = frame[reason].where(frame[reason].notna(), none).where(frame[flag] != "Y", None)
    name = study.cohort.variable or "COHORT"
    cohort = frame[name if name in frame else "COHORT"].where(frame["ENRLFL"] == "Y", None)
    actual = frame["COHORTA"].where(frame["COHORTA"].notna(), cohort.where(frame["SAFNKFL"] == "Y", None))
    last = pd.Series(pd.Timestamp(sdtm.cut).normalize(), index=frame.index, dtype="datetime64[ns]")
    numbers = {name: frame[name].fillna(0.0) for name in _NUMBERS}
    frame = frame.assign(COHORT=cohort, COHORTA=actual, DCUTDT=frame["DCUTDT"].fillna(last), **numbers)
    return text_missing(arranged(frame))
