"""CP, MI, IS: flow cytometry, ligand expression, antibodies."""

from __future__ import annotations

from collections.abc import Mapping

from interim.example.case import Case, Row
from interim.example.settings import codes
from interim.example.traits import draw_ligands

CLOCK = "09:30"
FLOW_VISITS = {2, 6, 8, 9, 10, 11, 15, 17}
FLOW = {
    "CD3": ("CD3 of Lymphocytes", 62.0, 8.0),
    "CD4": ("CD4 of CD3", 48.0, 8.0),
    "CD8": ("CD8 of CD3", 42.0, 8.0),
    "NKCELL": ("CD56 of Lymphocytes", 18.0, 5.0),
    "PD1": ("PD-1 of CAR-Positive T Cells", 35.0, 9.0),
    "TIM3": ("TIM-3 of CAR-Positive T Cells", 22.0, 7.0),
}
ANTIBODY_VISITS: Mapping[float, tuple[str, ...]] = {1: ("ADA", "DSA"), 15: ("ADA",), 17: ("ADA",)}
ANTIBODIES = {"ADA": "Anti-CAR Antibody", "DSA": "Donor-Specific Antibody"}


def flow_cytometry(case: Case) -> list[Row]:
    """Write CP.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Subsets in percent at the visits with flow cytometry.

    Raises
    ------
    None
    """
    rng = case.person.rng("CP")
    rows = []
    for visit in [v for v in case.visits if v.number in FLOW_VISITS and case.person.treated]:
        for code, (name, mean, sd) in FLOW.items():
            value = round(min(max(mean + sd * float(rng.standard_normal()), 0.5), 98.0), 1)
            if code in ("PD1", "TIM3") and not visit.day > case.person.cart:
                continue
            rows.append(
                {
                    "CPTESTCD": code,
                    "CPTEST": name,
                    "CPSPEC": "BLOOD",
                    "CPORRES": f"{value:g}",
                    "CPORRESU": "%",
                    "CPSTRESC": f"{value:g}",
                    "CPSTRESN": value,
                    "CPSTRESU": "%",
                    "VISITNUM": visit.number,
                    "VISIT": visit.name,
                    "CPDTC": case.person.at(visit.day, CLOCK),
                }
            )
    return rows


def ligand_expression(case: Case) -> list[Row]:
    """Write MI.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        H-scores of the four ligands at screening, and in a second biopsy after CAR-T where one was taken; the share of positive
        cells of each.

    Raises
    ------
    None
    """
    person, rng = case.person, case.person.rng("MI")
    if not person.enrolled or not case.traits.ligands:
        return []
    rows = [_mi(case, name, value, person.screening + 1) for name, value in case.traits.ligands.items()]
    later = case.second_biopsy
    if later is not None:
        after = draw_ligands(rng)
        rows += [
            _mi(case, name, round((value + after[name]) / 2), later)
            for name, value in case.traits.ligands.items()
        ]
    return [*rows, *_positive(case, rows)]


def _positive(case: Case, scores: list[Row]) -> list[Row]:
    """Return the share of positive cells of each H-score: at least a third of it, at most all of it or all cells."""
    rng = case.person.rng("MI percent")
    rows = []
    for row in scores:
        low, high = row["MISTRESN"] / 3, min(100.0, row["MISTRESN"])
        share = round(low + (high - low) * float(rng.random()))
        text = f"{share:g}"
        more = {"MIORRES": text, "MISTRESC": text, "MISTRESN": float(share), "MIORRESU": "%", "MISTRESU": "%"}
        rows.append(row | {"MITESTCD": "PCTPOS", "MITEST": "Percent Positive Cells"} | more)
    return rows


def _mi(case: Case, name: str, value: float, day: int) -> Row:
    return {
        "MITESTCD": "HSCORE",
        "MITEST": "H-Score",
        "MITSTDTL": codes("ligand")[name],
        "MIORRES": f"{value:g}",
        "MISTRESC": f"{value:g}",
        "MISTRESN": value,
        "MISPEC": "LIVER METASTASIS",
        "MILOC": "LIVER",
        "MIMETHOD": "IMMUNOHISTOCHEMISTRY",
        "MIDTC": case.person.on(day),
    }


def antibodies(case: Case) -> list[Row]:
    """Write IS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Anti-CAR and donor-specific antibodies.

    Raises
    ------
    None
    """
    rng = case.person.rng("IS")
    rows = []
    for visit in case.visits:
        for code in ANTIBODY_VISITS.get(visit.number, ()) if case.person.treated else ():
            positive = rng.random() < 0.12 and visit.day > 0
            text = "POSITIVE" if positive else "NEGATIVE"
            rows.append(
                {
                    "ISTESTCD": code,
                    "ISTEST": ANTIBODIES[code],
                    "ISORRES": text,
                    "ISSTRESC": text,
                    "ISSPEC": "SERUM",
                    "VISITNUM": visit.number,
                    "VISIT": visit.name,
                    "ISDTC": case.person.at(visit.day, CLOCK),
                }
            )
    return rows
