"""Protocol writing: several designs over scenarios, exact or in calendar time; no data are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from interim.analysis.escalation_design import rules_by_scope
from interim.analysis.escalation_model import interval_target
from interim.analysis.escalation_state import NO_LADDER, printed
from interim.design.blrm import Blrm
from interim.design.calendar import Calendar, Timed, simulate_calendar
from interim.design.characteristics import Characteristics, scenario
from interim.design.crm import Crm
from interim.design.escalation import TitratedThreePlusThree, rule_variants
from interim.design.fixed import FixedCohorts
from interim.design.interval import Boin, I3Plus3, Keyboard, Mtpi, Mtpi2
from interim.design.operate import operating_characteristics
from interim.design.options import Cap
from interim.design.planning import Truth, planning_scenarios, truth
from interim.design.simulate import simulate
from interim.errors import DesignError
from interim.parallel import Where
from interim.result import Result, Rows
from interim.study import Study

AnyDesign: TypeAlias = TitratedThreePlusThree | FixedCohorts
BANDS = ("none", "under", "target", "over")


def study_designs(study: Study) -> dict[str, AnyDesign]:
    """Return the study's rule under every reading of the titration scope and the designs beside it, on one ladder.

    Parameters
    ----------
    study : Study
        Table ``dose``: levels, cap (six per level without one), toxicity band, whose middle is the target.

    Returns
    -------
    dict of str to design
        By printed name. CRM only where the shipped skeleton has as many levels.

    Raises
    ------
    DesignError
        If the study has no dose ladder, or a design cannot be built on it.
    """
    if study.cohort.variable is not None or not study.with_role("t"):
        raise DesignError(NO_LADDER)
    dose = study.dose
    n_max = 6 * len(dose.levels) if dose.n_max == "none" else dose.n_max
    target, _ = interval_target(study)
    common: dict[str, Any] = {"n_max": n_max, "start_level": dose.start_level}
    found: dict[str, AnyDesign] = {f"AMB-1 {name}": rule for name, rule in rules_by_scope(study).items()}
    found |= {f"3+3 {name}": rule for name, rule in rule_variants(dose.levels, cap=Cap(n_max)).items()}
    found["BOIN"] = Boin(dose.levels, target, **common)
    intervals: tuple[type[Mtpi] | type[Mtpi2] | type[Keyboard] | type[I3Plus3], ...] = (
        Mtpi,
        Mtpi2,
        Keyboard,
        I3Plus3,
    )
    for title, make in zip(("mTPI", "mTPI-2", "Keyboard", "i3+3"), intervals, strict=True):
        found[title] = make(dose.levels, target, **common)
    skeleton = printed()["crm"]["skeleton"]
    if len(skeleton) == len(dose.levels):
        found["CRM"] = Crm(tuple(skeleton), target, **common)
    found["BLRM"] = Blrm.from_study(study, n_max=n_max, dref=printed()["blrm"]["dref"])
    return found


def parse_scenarios(text: str, *, levels: int) -> dict[str, Truth]:
    """Read planning scenarios from one line of text.

    Parameters
    ----------
    text : str
        ``name: rates`` or ``name: rates / triggers``, joined by semicolons; rates of a DLT and of any trigger (DLT included) per level, separated by spaces or commas. Empty:
        the shipped scenarios.
    levels : int
        Number of dose levels.

    Returns
    -------
    dict of str to dict
        Name -> p_dlt and p_trigger_only.

    Raises
    ------
    DesignError
        If a part cannot be read, a name stands twice, or rates do not fit the levels.

    Examples
    --------
    >>> parse_scenarios("safe: 0.05, 0.1 / 0.1, 0.2", levels=2)["safe"]["p_trigger_only"]
    (0.05, 0.1)
    """
    if not text.strip():
        shipped = planning_scenarios(levels)
        if not shipped:
            raise DesignError(f"no planning scenario is shipped for {levels} levels; state some")
        return {f"{name} [P]": value for name, value in shipped.items()}
    found: dict[str, Truth] = {}
    for part in filter(str.strip, text.split(";")):
        name, colon, numbers = part.partition(":")
        pieces = numbers.split("/")
        if not colon or not name.strip() or name.strip() in found or len(pieces) > 2:
            raise DesignError(
                f"a scenario is 'name: rates' or 'name: rates / triggers', found {part.strip()!r}"
            )
        value = truth(*(_rates(piece, part) for piece in pieces))
        scenario(value["p_dlt"], value["p_trigger_only"], levels=levels)
        found[name.strip()] = value
    return found


def _rates(text: str, part: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in re.split(r"[,\s]+", text.strip()))
    except ValueError as error:
        raise DesignError(f"rates are numbers, found {part.strip()!r}") from error


def comparison(study: Study, *, scenarios: str = "") -> Result:
    """Compare the designs of `study_designs` over scenarios; every number is exact.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    scenarios : str
        As `parse_scenarios` reads them.

    Returns
    -------
    Result
        ``design_comparison.comparison``; group by scenario, variable by design; stats none, under, target, over (probability that the selected level has a true rate
        below, in or above the toxicity band), mtd1 ... (each level), n, dlt (expected), cap; variable ``truth`` with the true rate of each level (stat p1 ...).

    Raises
    ------
    DesignError
        If a scenario cannot be read or a design has too many states.
    """
    rows = Rows(
        "design_comparison.comparison",
        "Designs compared over planning scenarios",
        method="exact",
        group_var="SCENARIO",
    )
    designs = study_designs(study)
    for label, value in parse_scenarios(scenarios, levels=len(study.dose.levels)).items():
        for level, rate in enumerate(value["p_dlt"], 1):
            rows.add(f"p{level}", rate, group=label, variable="truth")
        for name, design in designs.items():
            found = operating_characteristics(design, {label: value})[label]
            for stat, number in (_bands(found, value, study) | _counts(found)).items():
                rows.add(stat, number, group=label, variable=name)
    return rows.build()


def _bands(found: Characteristics, value: Truth, study: Study) -> dict[str, float]:
    """Return the probability that the selected level lies below, in or above the toxicity band."""
    low, high = study.dose.tox_band
    shares = dict.fromkeys(BANDS, 0.0) | {"none": found.sel[0]}
    for share, rate in zip(found.sel[1:], value["p_dlt"], strict=True):
        shares["under" if rate < low else "target" if rate <= high else "over"] += share
    return shares


def _counts(found: Characteristics) -> dict[str, float]:
    levels = {f"mtd{level}": share for level, share in enumerate(found.sel) if level}
    return {**levels, "n": found.total_n, "dlt": found.total_dlt, "cap": found.p_cap}


def comparison_lines(study: Study, scenarios: Mapping[str, Truth]) -> Iterator[str]:
    """Print the exact characteristics of the designs beside the study's own.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    scenarios : mapping
        Name -> rates.

    Yields
    ------
    str
        One line per scenario and design.

    Raises
    ------
    DesignError
        If a design cannot be built, or the rates do not fit.
    """
    levels = len(study.dose.levels)
    yield _head("design", levels, ("P(none)", "P(band)", "P(over)", "E[N]", "E[DLT]"))
    for label, value in scenarios.items():
        for name, design in study_designs(study).items():
            found = operating_characteristics(design, {label: value})[label]
            bands = _bands(found, value, study)
            numbers = (*found.sel, bands["target"], bands["over"], found.total_n, found.total_dlt)
            yield _line(label, name, numbers)
    low, high = study.dose.tox_band
    yield f"exact, all paths enumerated; P(band): selected dose with a true rate in {low:g} to {high:g}; [P] proposal of this package"


def _head(kind: str, levels: int, heads: tuple[str, ...]) -> str:
    names = (heads[0], *(f"P(DL{level})" for level in range(1, levels + 1)), *heads[1:])
    return f"{'scenario':<18}{kind:<22}" + "".join(f"{name:>9}" for name in names)


def _line(label: str, name: str, numbers: tuple[float, ...]) -> str:
    return f"{label:<18}{name:<22}" + "".join(f"{number:>9.4f}" for number in numbers)


def simulated_lines(
    study: Study,
    scenarios: Mapping[str, Truth],
    *,
    n: int,
    seed: int | None,
    p_lost: float = 0.0,
    calendar: Calendar | None = None,
    executor: Where = "serial",
) -> Iterator[str]:
    """Print simulated characteristics of the study's rule, each with its Monte Carlo standard error below.

    Parameters
    ----------
    study : Study
        Table ``dose``.
    scenarios : mapping
        Name -> rates.
    n : int
        Trials.
    seed : int
        Seed of all streams.
    p_lost : float
        Probability that a participant without DLT is not evaluable and replaced.
    calendar : Calendar, optional
        Accrual, window and onset; without it all outcomes are known at once.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the blocks run; the lines are the same to the byte.

    Yields
    ------
    str
        Two lines per scenario and reading.

    Raises
    ------
    DesignError
        If the seed is missing or the rates do not fit.
    """
    levels = len(study.dose.levels)
    timed = () if calendar is None else ("days", "away")
    yield _head("reading", levels, ("P(none)", "E[N]", "treated", "E[DLT]", *timed))
    for label, value in scenarios.items():
        for name, rule in rules_by_scope(study).items():
            rates = (value["p_dlt"], value["p_trigger_only"])
            more: tuple[tuple[float, float], ...] = ()
            if calendar is None:
                found = simulate(rule, *rates, n=n, seed=seed, p_lost=p_lost, executor=executor)
            else:
                run = simulate_calendar(rule, *rates, calendar=calendar, n=n, seed=seed, executor=executor)
                found, more = run.characteristics, _timed(run)
            numbers, errors = _with_errors(found)
            yield _line(label, name, (*numbers, *(mean for mean, _ in more)))
            yield _line("", "  +- mcse", (*errors, *(error for _, error in more)))
    what = "" if calendar is None else f"; {calendar}"
    yield f"simulated, n = {n} trials per line, seed {seed}, p_lost {p_lost:g}; mcse: Monte Carlo standard error{what}"


def _timed(run: Timed) -> tuple[tuple[float, float], ...]:
    return (run.days, run.days_mcse), (run.turned_away, run.turned_away_mcse)


def _with_errors(found: Characteristics) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the numbers of a line and their errors."""
    numbers = (*found.sel, found.total_n, sum(found.EN_treated), found.total_dlt)
    error = found.mcse
    return numbers, (*error["sel"], *error["n"], *error["treated"], *error["dlt"])
