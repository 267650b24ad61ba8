"""Conduct: maturity of the data, and the products from apheresis to infusion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import date_columns, number_column, shipped_data, text_column
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.products import enrolled_by_product, infused_by_product, product_of_column
from interim.analysis.spread import add_spread
from interim.data.model import Sdtm
from interim.result import TOTAL, Result
from interim.study import Study

_NO_RECORDS = "not available: no {}"
_NO_REASON = "not collected: reason of a manufacturing failure"
_NO_BRIDGING = "not applicable: the study plans no bridging or lymphodepletion"


def maturity(adam: Adam, study: Study) -> Result:
    """Say how long participants have been followed at the cut-off.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``conduct.maturity``; potential (spread of days from the first infusion to the cut-off), followed (level: days; of them
        at least so long ago), follow_up (spread of days from the first infusion to death, end of study or cut-off), window
        (DLT window complete), scan (an assessment after baseline), on_study. Enrolled participants without an infusion have no
        days and stay in every denominator.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("conduct.maturity", "Data maturity at cut-off", who)
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)].set_index("USUBJID")
    days = followed(adsl)
    potential = (adsl["DCUTDT"] - adsl["TRTSDT"]).dt.days if "DCUTDT" in adsl else days
    add_spread(rows, who, potential, variable="potential", unit="days")
    for limit in printed_rows()["maturity"]["days"]:
        add_counts(
            rows, who, variable="followed", level=str(limit), subjects=potential.index[potential >= limit]
        )
    add_spread(rows, who, days, variable="follow_up", unit="days")
    for variable, flag, value in (
        ("window", "DLTSTAT", "EVALUABLE"),
        ("scan", "POSTFL", "Y"),
        ("on_study", "EOSSTT", "ONGOING"),
    ):
        if flag in adsl:
            add_counts(rows, who, variable=variable, subjects=adsl.index[adsl[flag] == value])
        else:
            add_not_available(rows, who.groups, variable=variable, reason=f"not derived: {flag}")
    return rows.build()


def followed(adsl: pd.DataFrame) -> pd.Series:
    """Return the days of follow-up of each participant.

    Parameters
    ----------
    adsl : pandas.DataFrame
        Index USUBJID; TRTSDT, DTHDT, EOSDT, DCUTDT.

    Returns
    -------
    pandas.Series of float64
        Days from the first infusion to death, end of study or cut-off, whichever is first.

    Raises
    ------
    None
    """
    names = [name for name in ("DTHDT", "EOSDT", "DCUTDT") if name in adsl]
    end = adsl[names].min(axis=1)
    return (end - adsl["TRTSDT"]).dt.days.astype("float64")


def plain(text: object) -> str:
    """Return letters and digits in capitals: CAR-NK and CARNK name one product.

    Parameters
    ----------
    text : object
        Name of a product.

    Returns
    -------
    str
        Compared form.

    Raises
    ------
    None

    Examples
    --------
    >>> plain("CAR-NK"), plain(None)
    ('CARNK', '')
    """
    return "" if text is None or text != text else "".join(c for c in str(text).upper() if c.isalnum())


def manufacture(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the manufacturing steps of each product, with the time from apheresis to infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX.
    study : Study
        Products; ``study.planned_therapies``.
    sdtm : Sdtm
        BE, CM, PR.

    Returns
    -------
    Result
        ``conduct.manufacture``; columns by product, NK cells by source; participants with apheresis, started, released, failed,
        out_of_specification, repeated (started more than once), given, released_not_given; failure_reason (NA); spread of
        vein_to_vein (days from the last apheresis to the first infusion); bridging (a planned therapy between both).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = enrolled_by_product(adam, study)
    rows = open_rows("conduct.manufacture", "Cell manufacturing and vein-to-vein outcomes", who)
    if not sdtm.has("BE"):
        add_not_available(rows, who.groups, variable="released", reason=_NO_RECORDS.format("BE"))
        return rows.build()
    records = step_records(sdtm)
    given = adam["ADEX"] if adam.has("ADEX") else pd.DataFrame(columns=["USUBJID", "PRODUCT", "ASTDT"])
    first = given.groupby([given["PRODUCT"].map(plain), "USUBJID"])["ASTDT"].min()
    done = _steps(records, first)
    for variable in (*shipped_data("exposure")["manufacturing"], "repeated", "given", "released_not_given"):
        for group in who.groups:
            product = None if group == TOTAL else plain(product_of_column(group))
            hit = sorted(_subjects(done, variable, product) & who.members[group])
            rows.add("n", len(hit), group=group, variable=variable, unit="participants", n=len(hit),
                     N=who.n(group), subjects=hit)  # fmt: skip
        if variable == "failed":
            add_not_available(rows, who.groups, variable="failure_reason", reason=_NO_REASON)
    last = _drawn(records)
    _vein_to_vein(rows, who, last, first)
    _bridging(rows, who, sdtm, study=study, between=(last, first))
    return rows.build()


def step_records(sdtm: Sdtm) -> pd.DataFrame:
    """Return the recorded steps of manufacturing.

    Parameters
    ----------
    sdtm : Sdtm
        BE.

    Returns
    -------
    pandas.DataFrame
        USUBJID, PRODUCT (letters and digits of the name), STEP (text as coded), AT (date).

    Raises
    ------
    None
    """
    source = sdtm.domain("BE")
    return pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PRODUCT": text_column(source, "BECAT").map(plain),
            "STEP": text_column(source, "BEDECOD").fillna(text_column(source, "BETERM")),
            "AT": date_columns(source, "BESTDTC")["DT"],
        }
    )


def _steps(records: pd.DataFrame, first: pd.Series) -> dict[tuple[str, str], set[str]]:
    """Return (step, product) -> participants."""
    found: dict[tuple[str, str], set[str]] = {}
    for step, texts in shipped_data("exposure")["manufacturing"].items():
        for product, part in records[records["STEP"].isin(list(texts))].groupby("PRODUCT"):
            found[step, str(product)] = set(part["USUBJID"])
    starts = records[records["STEP"].isin(list(shipped_data("exposure")["manufacturing"]["started"]))]
    again = starts[starts.duplicated(["PRODUCT", "USUBJID"])]
    for step, pairs in (
        ("repeated", again),
        ("given", first.rename_axis(["PRODUCT", "USUBJID"]).reset_index()),
    ):
        for product, part in pairs.groupby("PRODUCT"):
            found[step, str(product)] = set(part["USUBJID"])
    for step, product in [key for key in found if key[0] == "released"]:
        found["released_not_given", product] = found[step, product] - found.get(("given", product), set())
    return found


def _subjects(done: Mapping[tuple[str, str], set[str]], step: str, product: str | None) -> set[str]:
    parts: Iterable[set[str]] = (
        s for (name, owner), s in done.items() if name == step and product in (None, owner)
    )
    return set().union(*parts)


def _drawn(records: pd.DataFrame) -> pd.Series:
    """Return the day of the last apheresis, by product and participant."""
    drawn = records[records["STEP"].isin(list(shipped_data("exposure")["manufacturing"]["apheresis"]))]
    return drawn.groupby(["PRODUCT", "USUBJID"])["AT"].max()


def _bridging(
    rows: Any, who: Population, sdtm: Sdtm, *, study: Study, between: tuple[pd.Series, pd.Series]
) -> None:
    """Count who had a planned therapy from the last apheresis to the first infusion of a product, or to now without one."""
    planned = {term.upper() for term in study.study.planned_therapies}
    if not planned:
        add_not_available(rows, who.groups, variable="bridging", reason=_NO_BRIDGING)
        return
    last, first = (days.rename_axis(["PRODUCT", "USUBJID"]) for days in between)
    spans = pd.DataFrame({"START": last, "END": first.reindex(last.index)}).reset_index()
    given = pd.concat([_therapies(sdtm, "CM"), _therapies(sdtm, "PR")], ignore_index=True)
    found = spans.merge(given[given["TERM"].isin(planned)], on="USUBJID", validate="m:m")
    inside = found[(found["AT"] >= found["START"]) & ~(found["AT"] > found["END"])]
    for group in who.groups:
        of_product = inside["PRODUCT"] == plain(product_of_column(group))
        hit = sorted(set(inside.loc[of_product | (group == TOTAL), "USUBJID"]) & who.members[group])
        rows.add("n", len(hit), group=group, variable="bridging", unit="participants", n=len(hit),
                 N=who.n(group), subjects=hit)  # fmt: skip


def _therapies(sdtm: Sdtm, domain: str) -> pd.DataFrame:
    source = sdtm.domain(domain)
    term = text_column(source, f"{domain}DECOD").fillna(text_column(source, f"{domain}TRT"))
    return pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "TERM": term.str.upper(),
            "AT": date_columns(source, f"{domain}STDTC")["DT"],
        }
    )


def _vein_to_vein(rows: Any, who: Population, last: pd.Series, first: pd.Series) -> None:
    days = (first.rename_axis(["PRODUCT", "USUBJID"]) - last).dt.days.astype("float64").dropna()
    for group in who.groups:
        mine = days.index.get_level_values(0) == plain(product_of_column(group))
        inside = days if group == TOTAL else days[mine]
        single = Population(who.code, who.label, who.column, {group: who.members[group]})
        add_spread(rows, single, inside.droplevel(0), variable="vein_to_vein", unit="days")


def attributes(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Summarise the attributes of the products that were infused.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Products.
    sdtm : Sdtm
        BS.

    Returns
    -------
    Result
        ``conduct.attributes``; columns by product: NK cells by source, T cells by dose; variable = test, spread of its results;
        the planned tests (``rows.toml``) without a result are NA.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = infused_by_product(adam, study)
    rows = open_rows("conduct.attributes", "Infused product attributes", who)
    if not sdtm.has("BS"):
        add_not_available(rows, who.groups, variable="VIABIL", reason=_NO_RECORDS.format("BS"))
        return rows.build()
    source = sdtm.domain("BS")
    source = source.sort_values([name for name in ("USUBJID", "BSSEQ") if name in source], kind="stable")
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "PRODUCT": text_column(source, "BSCAT").map(plain),
            "TEST": text_column(source, "BSTESTCD"),
            "UNIT": source.get("BSSTRESU", ""),
            "VALUE": number_column(source, "BSSTRESN"),
        }
    )
    planned = printed_rows()["attributes"]["planned"]
    for test in dict.fromkeys((*planned, *frame["TEST"].dropna())):
        part = frame[frame["TEST"] == test]
        if part.empty:
            add_not_available(rows, who.groups, variable=test, reason="not collected")
            continue
        for group in who.groups:
            mine = part["PRODUCT"] == plain(product_of_column(group))
            values = part[mine].set_index("USUBJID")["VALUE"]
            single = Population(who.code, who.label, who.column, {group: who.members[group]})
            add_spread(rows, single, values, variable=str(test), unit=str(part["UNIT"].iloc[0] or ""))
    return rows.build()


def treatment_ends(sdtm: Sdtm) -> pd.DataFrame:
    """Return how the study treatment of each participant ended, as DS says.

    Parameters
    ----------
    sdtm : Sdtm
        DS.

    Returns
    -------
    pandas.DataFrame
        USUBJID, HOW (DSDECOD of the last such record), DONE (the treatment was completed), DATE; empty without such records.

    Raises
    ------
    None
    """
    terms = shipped_data("disposition")
    source = sdtm.domain("DS")
    ends = (text_column(source, "DSCAT") == terms["event_category"]) & (
        text_column(source, "DSSCAT") == terms["treatment_subcategory"]
    )
    frame = pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "HOW": text_column(source, "DSDECOD").fillna("Missing"),
            "DATE": date_columns(source, "DSSTDTC")["FIRST"],
        }
    )
    last = frame[ends].sort_values(["USUBJID", "DATE"], kind="stable").drop_duplicates("USUBJID", keep="last")
    done = last["HOW"].isin(list(terms["completed"]))
    return pd.DataFrame({"USUBJID": last["USUBJID"], "HOW": last["HOW"], "DONE": done, "DATE": last["DATE"]})


def delays(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count planned infusions that were not given or changed, and why CAR-T cells were not given.

    Parameters
    ----------
    adam : Adam
        ADSL and ADEX.
    study : Study
        Products; ``dose.dose_deviation_bands``.
    sdtm : Sdtm
        EX: EXOCCUR and EXADJ.

    Returns
    -------
    Result
        ``conduct.delays``; no_cart (level: reason), missed (level: phase; fewer infusions than the phase plans), not_done
        (level: reason as recorded in EX), ended (level: why DS says that the treatment ended early), adjusted (level: reason), outside (level: band; an infusion outside the band).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    title = "Infusion delays, reductions, omissions and NK-to-CAR-T decisions"
    rows = open_rows("conduct.delays", title, who)
    adsl = adam["ADSL"].loc[lambda frame: frame["USUBJID"].isin(who.everyone)]
    if "NOCTRS" in adsl and study.with_role("t"):
        without = adsl[adsl["SAFCTFL"] != "Y"].fillna({"NOCTRS": "Missing"})
        add_counts(rows, who, variable="no_cart", subjects=without["USUBJID"])
        for reason, part in without.groupby("NOCTRS", sort=True):
            add_counts(rows, who, variable="no_cart", level=str(reason), subjects=part["USUBJID"])
    if not adam.has("ADEX") or "PLANDOSE" not in adam["ADEX"]:
        add_not_available(rows, who.groups, variable="missed", reason="not available: planned infusions")
        return rows.build()
    adex = adam["ADEX"]
    planned = printed_rows()["infusions"]["planned"]
    for phase, number in planned.items():
        counts = adex[adex["APHASE"] == phase].groupby("USUBJID").size()
        add_counts(rows, who, variable="missed", level=phase, subjects=counts.index[counts < number])
    early = treatment_ends(sdtm).loc[lambda frame: ~frame["DONE"]]
    add_counts(rows, who, variable="ended", subjects=early["USUBJID"])
    for reason, part in early.groupby("HOW", sort=True):
        add_counts(rows, who, variable="ended", level=str(reason), subjects=part["USUBJID"])
    _recorded(rows, who, sdtm)
    ratio = (adex["ADOSE"] / adex["PLANDOSE"].where(adex["PLANDOSE"] > 0) - 1).abs().round(12)
    for band in study.dose.dose_deviation_bands:
        add_counts(
            rows, who, variable="outside", level=f"{band:g}", subjects=adex.loc[ratio > band, "USUBJID"]
        )
    return rows.build()


def _recorded(rows: Any, who: Population, sdtm: Sdtm) -> None:
    """Count what EX says about infusions that were not given or changed."""
    source = (
        sdtm.domain("EX").loc[lambda f: f["USUBJID"].isin(who.everyone)]
        if sdtm.has("EX")
        else sdtm.domain("EX")
    )
    reason = text_column(source, "EXADJ")
    missed = text_column(source, "EXOCCUR") == "N"
    for variable, chosen in (("not_done", missed), ("adjusted", ~missed & reason.notna())):
        part = source[chosen].assign(WHY=reason[chosen].fillna("MISSING"))
        add_counts(rows, who, variable=variable, subjects=part["USUBJID"] if len(part) else ())
        for why, inside in part.groupby("WHY", sort=True):
            add_counts(rows, who, variable=variable, level=str(why), subjects=inside["USUBJID"])
