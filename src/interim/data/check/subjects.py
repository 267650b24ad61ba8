"""Participants: consent, eligibility, sex, death and its cause, last contact, end of the study."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from interim.data.check.context import Context, beside
from interim.data.check.dates import surely_before
from interim.data.check.records import Hit, Records, each, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_OS = ("T 14.2.3.2", "T 14.3.2.1")


@rule("DM-CONSENT", severity="stop", needs={"DM": ("RFICDTC",), "EX": ("EXSTDTC",)}, effect=("T 14.1.2.1",))
def _consent_first(context: Context) -> Iterator[Hit]:
    """Consent is dated after the first infusion."""
    dm = context.records("DM")
    first = (
        context.infusions.sort_values("START", kind="stable").drop_duplicates("USUBJID").set_index("USUBJID")
    )
    dose = pd.DataFrame({name: beside(dm, first[name]) for name in ("DTM", "FIRST", "LAST")})
    late = surely_before(dose, dm.dates("RFICDTC"))
    message = "informed consent after the first infusion; correct the date or report the breach"
    yield from hits(dm, late, variable="RFICDTC", expected="before the first infusion", message=message)


@rule("DM-ELIG", severity="warn", needs={"DM": ("AGE",)}, effect=("T 14.1.2.1", "L 16.2.2.2"))
def _eligible_age(context: Context) -> Iterator[Hit]:
    """An enrolled participant's age is outside the limits of the protocol."""
    dm, (low, high) = context.records("DM"), context.study.eligibility.age
    age, unit = dm.number("AGE"), dm.code("AGEU").fillna("YEARS")
    outside = (unit == "YEARS") & ((age < low) | (age >= high + 1)) & ~dm.subjects().isin(context.failures)
    message = "age outside the eligibility limits; correct it or record a deviation"
    yield from hits(dm, outside, variable="AGE", expected=f"{low:g} to {high:g} years", message=message)


@rule("XD-SEX", severity="warn", needs={"DM": ("SEX",)}, effect=("T 14.1.3.1",))
def _sex_and_term(context: Context) -> Iterator[Hit]:
    """A term that belongs to one sex is recorded for the other."""
    sets = words("terms")["sex"]
    wrong = {"F": re.compile(sets["male_only"]), "M": re.compile(sets["female_only"])}
    for domain, names in sets["variables"].items():
        records = context.records(domain)
        sex = beside(records, context.participants["SEX"])
        seen = records.none()
        for name in names:
            texts = records.text(name)
            for code, pattern in wrong.items():
                bad = [text for text in records.distinct(name) if pattern.search(text)]
                new = texts.isin(bad) & (sex == code) & ~seen
                seen |= new
                message = f"term does not belong to sex {code} of DM; check identity, sex and term"
                yield from hits(records, new, variable=name, message=message)


@rule("DM-DTH", severity="stop", needs={"DM": ("DTHFL", "DTHDTC")}, effect=_OS)
def _death_flag(context: Context) -> Iterator[Hit]:
    """Death flag without date of death, or date without flag."""
    dm = context.records("DM")
    flag, dated = dm.code("DTHFL") == "Y", dm.code("DTHDTC").notna()
    yield from hits(
        dm, flag & ~dated, variable="DTHDTC", message="DTHFL is Y but DTHDTC is blank; complete it"
    )
    yield from hits(
        dm, dated & ~flag, variable="DTHFL", expected="Y", message="DTHDTC is given but DTHFL is not Y"
    )


def deaths(context: Context) -> pd.DataFrame:
    """Return every record that says that a participant died.

    Parameters
    ----------
    context : Context
        The delivered domains.

    Returns
    -------
    pandas.DataFrame
        USUBJID, SOURCE (DM, DS, AE, SS), PLACE, FIRST, LAST (possible days of death; NaT if not dated).

    Raises
    ------
    None
    """
    sets = words("terms")
    dm, ds, ae, ss = (context.records(name) for name in ("DM", "DS", "AE", "SS"))
    fatal = (
        ae.code("AEOUT").isin(sets["death"]["fatal"])
        | (ae.code("AESDTH") == "Y")
        | ae.code("AEDTHDTC").notna()
    )
    dead = ss.code("SSSTRESC").isin(["DEAD"]) & ss.code("SSTESTCD").isin(["SURVSTAT"])
    parts = [
        _dead(dm, (dm.code("DTHFL") == "Y") | dm.code("DTHDTC").notna(), "DTHDTC"),
        _dead(ds, ds.code("DSDECOD").isin(sets["death"]["disposition"]), "DSSTDTC"),
        _dead(ae, fatal, "AEDTHDTC"),
        _dead(ss, dead, ""),
    ]
    return pd.concat(parts, ignore_index=True)


def _dead(records: Records, where: pd.Series, dated: str) -> pd.DataFrame:
    dates = records.dates(dated)
    table = pd.DataFrame(
        {"USUBJID": records.subjects(), "SOURCE": records.name, "PLACE": np.arange(len(records))}
    )
    table = table.join(dates[["FIRST", "LAST"]])[where.to_numpy(dtype=bool)]
    return table.dropna(subset=["USUBJID"])


@rule("DS-DEATH", severity="stop", needs={"DM": ("USUBJID",)}, effect=_OS)
def _death_everywhere(context: Context) -> Iterator[Hit]:
    """A death is recorded in one domain but not in DM and DS."""
    found = deaths(context)
    sources = found.groupby("USUBJID")["SOURCE"].agg(set).to_dict()
    wanted = [name for name in ("DM", "DS") if context.has(name)]
    for row in each(found.drop_duplicates("USUBJID").sort_values("USUBJID")):
        absent = [name for name in wanted if name not in sources[row.USUBJID]]
        if absent:
            said = ", ".join(sorted(sources[row.USUBJID]))
            message = f"death in {said} but not in {' and '.join(absent)}; complete or correct it"
            yield Hit(row.SOURCE, row.PLACE, message, expected=f"death also in {', '.join(absent)}", key=())


@rule("DS-MULTIDTH", severity="stop", needs={"DM": ("USUBJID",)}, effect=_OS)
def _one_death_date(context: Context) -> Iterator[Hit]:
    """The dates of death of DM, DS, AE and SS differ."""
    found = deaths(context).dropna(subset=["FIRST"])
    table = found.groupby("USUBJID").agg(FIRST=("FIRST", "max"), LAST=("LAST", "min"))
    differ = set(table.index[table["FIRST"] > table["LAST"]])
    for who, rows in found[found["USUBJID"].isin(differ)].groupby("USUBJID"):
        said = ", ".join(f"{r.SOURCE} {r.FIRST:%Y-%m-%d}" for r in each(rows))
        head = rows.iloc[0]
        yield Hit(
            head["SOURCE"],
            int(head["PLACE"]),
            f"dates of death differ: {said}; correct them",
            key=(),
            subject=str(who),
        )


@rule("DS-CAUSE", severity="warn", needs={"DM": ("USUBJID",)}, any_of=("AE", "DS"), effect=("T 14.3.2.1",))
def _cause_of_death(context: Context) -> Iterator[Hit]:
    """No cause of death is recorded."""
    ae, ds, dm = context.records("AE"), context.records("DS"), context.records("DM")
    fatal = set(ae.subjects()[ae.code("AEOUT").isin(words("terms")["death"]["fatal"])])
    decod, term = ds.code("DSDECOD"), ds.code("DSTERM")
    plain_terms = {*words("terms")["death"]["disposition"]}
    named = decod.isin(plain_terms) & term.notna() & ~term.isin(plain_terms)
    stated = fatal | set(ds.subjects()[named]) | set(dm.subjects()[context.supp("DM", "DTHCAUS").notna()])
    dead = ((dm.code("DTHFL") == "Y") | dm.code("DTHDTC").notna()) & ~dm.subjects().isin(stated)
    message = "no cause of death in AE, DS or SUPPDM (DTHCAUS); complete it"
    yield from hits(dm, dead, variable="DTHDTC", message=message)


@rule("DS-LASTALIVE", severity="warn", needs={"DS": ("DSDECOD", "DSSTDTC")}, effect=("T 14.2.3.2",))
def _last_alive(context: Context) -> Iterator[Hit]:
    """The reported last contact lies before other evidence of life."""
    ds = context.records("DS")
    contact = ds.code("DSDECOD").isin(words("terms")["contact"]["decod"])
    day = ds.dates("DSSTDTC")["LAST"]
    latest = day.where(contact).groupby(ds.subjects()).transform("max")
    proof = beside(ds, _evidence(context))
    early = contact & (day == latest) & (proof > day)
    expected = proof.dt.strftime("%Y-%m-%d")
    message = "last contact before other evidence of life, which is used instead; update it"
    yield from hits(ds, early, variable="DSSTDTC", expected=expected, message=message)


def _evidence(context: Context) -> pd.Series:
    """Return the latest day that proves life by USUBJID, not after the cut-off."""
    parts = [pd.DataFrame({"USUBJID": pd.Series(dtype=object), "DAY": pd.Series(dtype="datetime64[ns]")})]
    for domain, name in words("terms")["alive"]["evidence"]:
        records = context.records(domain)
        left_out = records.equal(f"{domain}STAT", "NOT DONE") | records.equal(f"{domain}OCCUR", "N")
        days, (who, subjects) = records.dates(name)["FIRST"], records.coded("USUBJID", kind="normal")
        counts = ~left_out & (days <= pd.Timestamp(context.study.cut)) & (who >= 0)
        latest = days[counts].groupby(who[counts.to_numpy()]).max()
        parts.append(pd.DataFrame({"USUBJID": subjects[latest.index], "DAY": latest.to_numpy()}))
    return pd.concat(parts, ignore_index=True).groupby("USUBJID")["DAY"].max()


@rule(
    "DS-AFTER",
    severity="warn",
    needs={"DS": ("DSCAT", "DSSCAT", "DSSTDTC"), "EX": ("EXSTDTC",)},
    effect=("T 14.1.1.2",),
)
def _dosed_after_end(context: Context) -> Iterator[Hit]:
    """An infusion is dated after the end of the study."""
    ds, ex = context.records("DS"), context.records("EX")
    ended = (ds.code("DSCAT") == "DISPOSITION EVENT") & (ds.code("DSSCAT") == "STUDY")
    days = pd.DataFrame({"USUBJID": ds.subjects(), "DAY": ds.dates("DSSTDTC")["LAST"]})[ended].dropna()
    end = beside(ex, days.groupby("USUBJID")["DAY"].max())
    late = (ex.code("EXOCCUR") != "N") & (ex.dates("EXSTDTC")["FIRST"] > end)
    message = "infusion after the participant's end of study; correct one of the two dates"
    yield from hits(ex, late, variable="EXSTDTC", message=message)


@rule(
    "DS-AECOD",
    severity="warn",
    needs={"DS": ("DSDECOD",), "AE": ("AEACN",)},
    effect=("T 14.1.1.2", "T 14.3.1.6"),
)
def _withdrawn_for_event(context: Context) -> Iterator[Hit]:
    """Treatment was withdrawn for an adverse event, but DS does not say so, or the reverse."""
    ds, ae = context.records("DS"), context.records("AE")
    if ae.code("AEACN").isna().all():
        return
    withdrawn = ae.code("AEACN").isin(words("terms")["event"]["withdrawn"])
    stopped = (ds.code("DSDECOD") == "ADVERSE EVENT") & (ds.code("DSCAT") == "DISPOSITION EVENT")
    in_ae, in_ds = set(ae.subjects()[withdrawn]), set(ds.subjects()[stopped])
    message = "treatment withdrawn for this event, but DS names no adverse event as reason; correct one"
    yield from hits(ae, withdrawn & ~ae.subjects().isin(in_ds), variable="AEACN", message=message)
    message = "stopped for an adverse event, but no event has the action DRUG WITHDRAWN; correct one"
    yield from hits(ds, stopped & ~ds.subjects().isin(in_ae), variable="DSDECOD", message=message)
