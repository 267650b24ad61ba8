"""Non-compartmental analysis of any long table of samples, for ad-hoc work in a notebook: the engine of the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adpc_state import with_state
from interim.adam.adpp_windows import nca_rules
from interim.analysis.adhoc import adhoc_study
from interim.analysis.kinetic_courses import Sample, add_samples
from interim.analysis.measures import Place, add_summary
from interim.analysis.population import Population, open_rows
from interim.errors import DataError, Finding
from interim.result import TOTAL, Result
from interim.stats.answers import Flags, Floats, Integers, Texts
from interim.stats.nca import Nca, nca, sensitivity
from interim.stats.nca_profile import Profiles, profiles
from interim.study import Study

_UNIT = "AVALU"
_SHOWN = ("CMAX", "TMAX", "AUCLST", "LAMZHL", "TLST")
_MESSAGES = {
    "CK-DUP": "two values at one time; the profile has no parameters until one of them is corrected",
    "CK-LLOQ": "no limit of quantification; values below it count as 0 in areas and not in slopes",
    "CK-PREDOSE": "long before the infusion; the sample enters no profile",
    "CK-SORT": "not in the order of time; sorted",
    "CK-TIME": "no time; the sample enters no profile",
    "CK-UNIT": "the unit changes inside a profile, which has no parameters; convert or correct",
    "CK-VALUE": "cannot be read, is negative, or lies below its limit; the profile has no parameters",
}


@dataclass(frozen=True, eq=False)
class KineticProfiles:
    """What an ad-hoc analysis of kinetics gives; everything that a frame in a notebook needs.

    Attributes
    ----------
    parameters : pandas.DataFrame
        One row per profile: its keys, CMAX, TMAX, AUCLST ... (times and areas in the unit of the time column), AUC0_<end> with
        AUC0_<end>_STATUS, FLAGS, LAMZ_REASON (why there is no terminal
        slope), and REASON of a profile without any parameter.
    samples : pandas.DataFrame
        The given rows with STATE, USED (value in the analysis), DTYPE (ZERO, HALFLLOQ), CMAXFL, AUCFL, LAMZFL, EXCLRS.
    findings : tuple of Finding
        Everything odd in the data; nothing was repaired or dropped.
    study : Study
        The rules.
    keys : list of str
        Columns that make a profile.
    """

    parameters: pd.DataFrame
    samples: pd.DataFrame
    findings: tuple[Finding, ...]
    study: Study
    keys: list[str]
    _found: Nca
    _profiles: Profiles

    @cached_property
    def reasons(self) -> pd.DataFrame:
        """Why a parameter is missing: the rows and columns of ``parameters``; empty where it is a number."""
        why = self.parameters["REASON"].to_numpy(dtype=str)
        texts = {name: np.where(why == "", text, why) for name, text in self._found.reasons.items()}
        return self.parameters[self.keys].assign(**texts)

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """Every window of the terminal slope: keys, N, TFIRST, TLAST, SLOPE, R2, R2ADJ, SPAN, WHY (CHOSEN, or why not)."""
        table, rules = self._found.terminal.candidates, self._found.rules
        row, column = np.nonzero(table.exists)
        numbers = {
            "N": table.n[column],
            "TFIRST": table.first[row, column],
            "TLAST": table.last[row, column],
            "SLOPE": table.slope[row, column],
            "R2": table.r2[row, column],
            "R2ADJ": table.adj_r2[row, column],
            "SPAN": table.span[row, column],
            "WHY": table.why_not(rules.tolerance, rules.compete)[row, column],
        }
        return self.parameters[self.keys].iloc[row].reset_index(drop=True).assign(**numbers)

    def sensitivity(self) -> pd.DataFrame:
        """Return maximum and areas under every rule for samples below the limit and every area method.

        Returns
        -------
        pandas.DataFrame
            Keys, BLQRULE, METHOD, CMAX, AUCLST, AUCALL, LAMZHL; 12 rows per profile.

        Raises
        ------
        None
        """
        found = sensitivity(self._profiles, self._found.rules)
        names = ("CMAX", "AUCLST", "AUCALL", "LAMZHL")
        parts = [
            self.parameters[self.keys].assign(
                BLQRULE=rule, METHOD=method, **{name: one.values[name] for name in names}
            )
            for (rule, method), one in found.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def summary(self, by: str = "") -> Result:
        """Summarise the parameters by a column, for example the dose.

        Parameters
        ----------
        by : str
            Column that is the same in all samples of a profile; empty: all profiles together.

        Returns
        -------
        Result
            ``kinetics.adhoc``; variable = the other keys of a profile, level = parameter; areas only where evaluable.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        first, rest = self.keys[0], [key for key in self.keys[1:] if key != by]
        frame = self.parameters.assign(_GROUP=self._groups(by))
        members = {str(g): frozenset(p[first].astype(str)) for g, p in frame.groupby("_GROUP", sort=True)}
        whole = frozenset(frame[first].astype(str))
        who = Population("ALL", "All profiles", by or "COHORT", {**(members if by else {}), TOTAL: whole})
        rows = open_rows("kinetics.adhoc", "Kinetic parameters", who)
        for key, part in frame.groupby(rest, sort=True) if rest else [((), frame)]:
            name = " ".join(map(str, key)) or "parameters"
            for level in (*_SHOWN, *_areas(part)):
                usable = part[_evaluable(part, level)]
                values = {
                    str(s): float(v) for s, v in zip(usable[first], usable[level], strict=True) if v == v
                }
                place = Place(name, level, times=level in ("TMAX", "TLST", "LAMZHL"))
                add_summary(rows, who, values, place=place, study=self.study)
        return rows.build()

    def _groups(self, by: str) -> pd.Series:
        if not by:
            return pd.Series(TOTAL, index=self.parameters.index)
        firsts = self.samples.groupby("PROFILE")[by].first()
        return firsts.reindex(self.parameters.index).astype(str)

    def course(self, by: str = "") -> Result:
        """Return every sample in the form that the figure of individual profiles draws.

        Parameters
        ----------
        by : str
            As in `summary`.

        Returns
        -------
        Result
            ``kinetics.profiles``: stat conc; status FLAG with reason BLQ where below the limit (value = limit).

        Raises
        ------
        KeyError
            If there is no such column.
        """
        first, groups = self.keys[0], self._groups(by)
        who = Population(
            "ALL", "All profiles", by or "COHORT", {TOTAL: frozenset(self.parameters[first].astype(str))}
        )
        rows = open_rows("kinetics.profiles", "Individual kinetic profiles", who)
        shown = self.samples[(self.samples["EXCLRS"] == "") & (self.samples["STATE"] != "BAD")]
        items = shown.sort_values(["PROFILE", "TIME"], kind="stable").to_dict("records")
        add_samples(rows, (self._sample(item, str(groups[item["PROFILE"]])) for item in items))
        return rows.build()

    def _sample(self, item: dict[Any, Any], group: str) -> Sample:
        rest = " ".join(str(item[key]) for key in self.keys[1:]) or "Concentration"
        unit = f" ({item[_UNIT]})" if _UNIT in item else ""
        return Sample(
            group,
            f"{rest}{unit}|{item[self.keys[0]]}",
            float(item["TIME"]),
            float(item["VALUE"]),
            float(item["LIMIT"]),
            item["STATE"] != "QUANT",
        )

    def _repr_html_(self) -> str:
        rules = self._found.rules
        text = f"{len(self.parameters)} profiles, {len(self.samples)} samples; areas {rules.auc_method}, below the limit {rules.blq_rule}"
        listed = "".join(f"<li>{finding}</li>" for finding in self.findings)
        notes = (
            f"<p>{len(self.findings)} findings</p><ul>{listed}</ul>" if self.findings else "<p>no finding</p>"
        )
        return f"<p>{text}</p>{self.parameters.to_html(index=False, float_format='{:.4g}'.format, na_rep='NA')}{notes}"


def adhoc(
    data: pd.DataFrame | str | Path,
    *,
    subject: str = "USUBJID",
    time: str = "ATIME",
    value: str = "AVALC",
    lloq: str | float | None = "LLOQ",
    by: Sequence[str] = (),
    study: Study | None = None,
) -> KineticProfiles:
    """Analyse the kinetics of a long table: one row per sample in, one row per profile out.

    Parameters
    ----------
    data : pandas.DataFrame, str or Path
        Samples, or a CSV file with them; time 0 is the infusion. A column AVALU is read as the unit.
    subject, time, value : str
        Columns of participant, time and result: a number (missing = below the limit), or the collected text (``120``, ``<50``,
        ``ND``, ``NOT DONE``).
    lloq : str, float or None
        Column of the limit of quantification, one limit for all, or none.
    by : sequence of str
        Further columns that make a profile: assay, specimen, cycle. Different assays are never pooled.
    study : Study, optional
        Rules of the table ``kinetics``; default: those of the package.

    Returns
    -------
    KineticProfiles
        Parameters with flags and reasons, samples with their use, findings.

    Raises
    ------
    DataError
        If a column does not exist or a number column holds no numbers; all problems at once.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> frame = pd.DataFrame({"USUBJID": "01", "ATIME": range(5), "AVALC": ["<1", "8", "4", "2", "1"], "LLOQ": 1})
    >>> made = adhoc(frame)
    >>> made.parameters[["CMAX", "LAMZHL"]].round(6).values.tolist(), made.findings
    ([[8.0, 1.0]], ())
    """
    settings = study or adhoc_study()
    frame = _read(data) if isinstance(data, (str, Path)) else data
    keys = [subject, *by]
    _refuse(frame, [*keys, time, value, *([lloq] if isinstance(lloq, str) else [])], number=[time])
    named, profile = _numbered(frame, keys)
    rows = _samples(frame, profile, time=time, value=value, lloq=lloq, study=settings)
    table, why = _refused(frame, rows, settings)
    samples = _profiles(rows, why)
    found = nca(samples, nca_rules(settings))
    return KineticProfiles(
        _table(
            {key: frame[key].to_numpy()[named] for key in keys},
            found,
            why=why,
            marks=_marks(rows, table, size=len(why)),
            study=settings,
        ),
        _used(frame, rows, found),
        tuple(_findings(frame, table, subject=subject, value=value)),
        settings,
        keys,
        found,
        samples,
    )


def _read(path: str | Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=None, na_values=[""], keep_default_na=False, encoding="utf-8-sig")


def _refuse(frame: pd.DataFrame, names: list[str], *, number: list[str]) -> None:
    text = f"no such column; the table has: {', '.join(map(str, frame.columns))}"
    absent = [
        Finding("CK-COLUMN", "stop", "frame", text, variable=name) for name in names if name not in frame
    ]
    absent += [
        Finding(
            "CK-COLUMN", "stop", "frame", "must be a number", variable=name, value=str(frame[name].iloc[0])
        )
        for name in number
        if name in frame and len(frame) and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    if absent:
        raise DataError(absent)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The samples, row by row of the given table."""

    profile: Integers
    time: Floats
    value: Floats
    limit: Floats
    state: Texts
    excluded: Texts
    no_limit: Flags

    @property
    def used(self) -> Flags:
        answer: Flags = self.excluded == ""
        return answer


def _numbered(frame: pd.DataFrame, keys: list[str]) -> tuple[Integers, Integers]:
    """Return the first row of each profile, in the order of the keys, and the profile of each row."""
    if len(keys) == 1:
        code, _ = pd.factorize(frame[keys[0]], sort=True, use_na_sentinel=False)
    else:
        code = np.asarray(frame.groupby(keys, sort=True, dropna=False).ngroup())
    code = code.astype(np.int64)
    _, first = np.unique(code, return_index=True)
    return first, code


def _samples(
    frame: pd.DataFrame,
    profile: Integers,
    *,
    time: str,
    value: str,
    lloq: str | float | None,
    study: Study,
) -> _Rows:
    """Return the samples; a time shortly before the infusion is 0."""
    number = frame[lloq] if isinstance(lloq, str) else np.nan if lloq is None else lloq
    limit = np.broadcast_to(
        np.asarray(pd.to_numeric(number, errors="coerce"), dtype=np.float64), profile.shape
    )
    moment = frame[time].to_numpy(dtype=np.float64)
    zero = (moment < 0) & (moment >= -study.kinetics.predose_zero_h / 24.0)
    moment = np.where(zero, 0.0, moment)
    read = _numbers if pd.api.types.is_numeric_dtype(frame[value]) else _collected
    kept, limits, state = read(frame[value], limit)
    tests = [state == "NOT DONE", np.isnan(moment), moment < 0]
    why = np.select(tests, ["NOT_DONE", "NO_TIME", "PREDOSE_EARLY"], "")
    return _Rows(profile, moment, kept, limits, state, why, np.isnan(limit) & (state != "NOT DONE"))


def _numbers(values: pd.Series, limit: Floats) -> tuple[Floats, Floats, Texts]:
    number = values.to_numpy(dtype=np.float64)
    bad = (number < 0) | np.isinf(number) | ((number < limit) & (number > 0))
    state = np.where(bad, "BAD", np.where(np.isnan(number) | (number == 0), "BLQ", "QUANT"))
    return np.where(state == "QUANT", number, np.nan), limit, state


def _collected(values: pd.Series, limit: Floats) -> tuple[Floats, Floats, Texts]:
    texts = values.astype(object).where(values.notna(), None).reset_index(drop=True)
    plain = {"LLOD": np.nan, "AULOQ": np.nan, "DILUTED": False, "NUMBER": np.nan}
    given = pd.DataFrame({"AVALC": texts, "ALLOQ": limit, **plain})
    missing = texts.map(lambda text: text is None or str(text).strip().upper() == "NOT DONE").astype(bool)
    read = with_state(given.assign(NOTDONE=missing))
    state = read["STATE"].to_numpy(dtype=str)
    return read["AVAL"].to_numpy(dtype=np.float64), read["ALLOQ"].to_numpy(dtype=np.float64), state


def _refused(frame: pd.DataFrame, rows: _Rows, study: Study) -> tuple[dict[str, Flags], Texts]:
    """Return the rows that each rule names, and why a profile has no parameters."""
    profile, used, time = rows.profile, rows.used, rows.time
    order = np.lexsort((time, profile, ~used))
    behind, ahead = order[1:], order[:-1]
    same, back = np.zeros((2, len(profile)), dtype=bool)
    same[behind] = (profile[behind] == profile[ahead]) & (time[behind] == time[ahead]) & used[behind]
    back[1:] = (profile[1:] == profile[:-1]) & (time[1:] < time[:-1])
    mixed = used & _other_unit(frame, profile)
    table = {
        "CK-DUP": same,
        "CK-LLOQ": rows.no_limit & used,
        "CK-PREDOSE": rows.excluded == "PREDOSE_EARLY",
        "CK-SORT": back,
        "CK-TIME": rows.excluded == "NO_TIME",
        "CK-UNIT": mixed,
        "CK-VALUE": used & (rows.state == "BAD"),
    }
    stops = {"UNIT_MIXED": mixed, "BAD_INPUT": table["CK-VALUE"], "DUPLICATE": same}
    size = int(profile.max(initial=-1)) + 1
    tests = [np.bincount(profile[flag], minlength=size) > 0 for flag in stops.values()]
    return table, np.select(tests, list(stops), "")


def _other_unit(frame: pd.DataFrame, profile: Integers) -> Flags:
    """Tell the rows whose unit is another one than that of the first row of their profile."""
    if _UNIT not in frame:
        return np.zeros(len(profile), dtype=bool)
    code, _ = pd.factorize(frame[_UNIT])
    _, first = np.unique(profile, return_index=True)
    answer: Flags = code != code[first][profile]
    return answer


def _profiles(rows: _Rows, why: Texts) -> Profiles:
    place = np.flatnonzero(rows.used & (why == "")[rows.profile])
    state = rows.state[place]
    made = profiles(
        rows.profile[place],
        rows.time[place],
        value=rows.value[place],
        lloq=rows.limit[place],
        detected=(state == "QUANT") | (state == "DNQ"),
        size=len(why),
    )
    return replace(made, place=np.append(place, -1)[made.place])


def _marks(rows: _Rows, table: Mapping[str, Flags], *, size: int) -> dict[str, Flags]:
    """Return what a reader should know of each profile beside its parameters."""
    early = (rows.state == "QUANT") & rows.used & (rows.time <= 0) & ~(rows.value <= rows.limit)
    marks = {
        "BASELINE_ABOVE_LLOQ": early,
        "LLOQ_MISSING": table["CK-LLOQ"],
        "SAMPLE_EXCLUDED": table["CK-PREDOSE"] | table["CK-TIME"],
    }
    return {name: np.bincount(rows.profile[flag], minlength=size) > 0 for name, flag in marks.items()}


def _table(
    columns: dict[str, Any], found: Nca, *, why: Texts, marks: Mapping[str, Flags], study: Study
) -> pd.DataFrame:
    """Return the wide table of the parameters."""
    columns |= found.values
    for end in study.kinetics.windows.cart_product:
        area, _ = found.partial(end)
        columns[f"AUC0_{end:g}"] = area.area
        columns[f"AUC0_{end:g}_STATUS"] = np.where(why == "", area.status, "").astype(object)
    slope = np.where(why == "", found.reasons["LAMZ"], why)
    columns |= {
        "FLAGS": _joined({**found.flags, **marks}),
        "LAMZ_REASON": slope.astype(object),
        "REASON": why.astype(object),
    }
    return pd.DataFrame(columns)


def _joined(marks: Mapping[str, Flags]) -> Any:
    """Return the names of the flags of each profile, joined; each combination is written once."""
    names = sorted(marks)
    code = sum((marks[name].astype(np.int64) << place for place, name in enumerate(names)), np.int64(0))
    known, where = np.unique(code, return_inverse=True)
    texts = [";".join(n for place, n in enumerate(names) if c >> place & 1) for c in known.tolist()]
    return np.array(texts, dtype=object)[where]


def _used(frame: pd.DataFrame, rows: _Rows, found: Nca) -> pd.DataFrame:
    """Return the given rows with what became of them."""
    series, size, audit = found.series, len(rows.profile), found.audit()
    cells = series.place >= 0
    place, origin = series.place[cells], series.origin[cells]
    used, kind = np.full(size, np.nan), np.full(size, "", dtype=object)
    used[place] = series.conc[cells]
    kind[place] = np.array(["", "ZERO", "HALFLLOQ", ""], dtype=object)[origin]
    columns: dict[str, Any] = {
        "PROFILE": rows.profile,
        "TIME": rows.time,
        "VALUE": rows.value,
        "LIMIT": rows.limit,
        "STATE": rows.state.astype(object),
        "EXCLRS": rows.excluded.astype(object),
        "USED": used,
        "DTYPE": kind,
    }
    for name, short in (("CMAX", "CMAXFL"), ("AUCLST", "AUCFL"), ("LAMZ", "LAMZFL")):
        flag = np.full(size, "", dtype=object)
        flag[place[audit[name][cells]]] = "Y"
        columns[short] = flag
    given = {str(name): frame[name].to_numpy() for name in frame}
    return pd.DataFrame({**given, **columns})


def _areas(frame: pd.DataFrame) -> list[str]:
    return [name.removesuffix("_STATUS") for name in map(str, frame) if name.endswith("_STATUS")]


def _evaluable(frame: pd.DataFrame, name: str) -> Any:
    if f"{name}_STATUS" not in frame:
        return frame[name].notna()
    return frame[f"{name}_STATUS"].isin(["COMPLETE", "CLEARED", "SHORT_TAIL"])


def _findings(frame: pd.DataFrame, table: dict[str, Flags], *, subject: str, value: str) -> Iterator[Finding]:
    for rule, flags in table.items():
        for place in np.flatnonzero(flags):
            yield Finding(
                rule,
                "info" if rule == "CK-SORT" else "warn",
                "frame",
                _MESSAGES[rule],
                subject=str(frame[subject].iloc[place]),
                variable=value,
                value=str(frame[value].iloc[place]),
                row=int(place) + 1,
            )
