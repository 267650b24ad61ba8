"""Reference packs of immune toxicity: grades of cytokine release syndrome and neurotoxicity from enumerated findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from interim.adam.toxicity.crs import CrsSigns, astct_crs
from interim.adam.toxicity.icans import UNAROUSABLE, IcansSigns, icans_grade
from interim.report.packs.base import Case, Given, Pack

_HYPOTENSION: dict[str, tuple[bool, int]] = {
    "none": (False, 0),
    "no_vasopressor": (True, 0),
    "one_vasopressor": (True, 1),
    "multiple_vasopressors_excl_vasopressin": (True, 2),
}
_OXYGEN = {
    "none": ("NONE",),
    "low_flow_nc_or_blowby": ("NASAL", "BLOWBY"),
    "hfnc_mask_nrb_venturi": ("HFNC", "FACEMASK", "NRB", "VENTURI"),
    "positive_pressure": ("CPAP", "BIPAP", "VENT"),
}
_CODES = {
    "normal": "NORMAL",
    "awakens_spontaneously": "SPONTANEOUS",
    "awakens_to_voice": "VOICE",
    "awakens_to_tactile": "TOUCH",
    "unarousable": "UNAROUSABLE",
    "none": "NONE",
    "brief_or_eeg_resolves": "BRIEF",
    "prolonged_gt5min_or_repetitive": "PROLONGED",
    "focal_edema": "FOCAL",
    "diffuse_edema_or_signs": "DIFFUSE",
}
_LOW_FLOW = 2.0


def _splitter(grade: str) -> Callable[[Any], Iterator[Case]]:
    def split(rows: Any) -> Iterator[Case]:
        for number, row in enumerate(rows, 1):
            given = {name: value for name, value in row.items() if name != grade}
            yield Case(f"row {number}", given, {"grade": int(row[grade])})

    return split


def _crs(given: Given) -> Mapping[str, Any]:
    """Grade with each device that the category stands for; they must agree."""
    hypotension, vasopressors = _HYPOTENSION[given["hypotension"]]
    grades = {
        astct_crs(
            CrsSigns(
                fever=given["temp_ge_38"] == "1",
                established=given["established_and_treated"] == "1",
                hypotension=hypotension,
                vasopressors=vasopressors,
                device=device,
                flow=_LOW_FLOW,
                fatal=given["death"] == "1",
            )
        ).grade
        for device in _OXYGEN[given["hypoxia"]]
    }
    return {"grade": grades.pop() if len(grades) == 1 else None}


def _icans(given: Given) -> Mapping[str, Any]:
    score = given["ice_score"]
    signs = IcansSigns(
        ice=UNAROUSABLE if score == "unarousable" else int(score),
        consciousness=_CODES[given["consciousness"]],
        seizure=_CODES[given["seizure"]],
        motor=given["deep_focal_motor_weakness"] == "1",
        pressure=_CODES[given["icp_edema"]],
    )
    return {"grade": icans_grade(signs).grade}


TOXICITY = (
    Pack("kinetics", "truth_crs.csv", 0.0, _splitter("crs_grade"), _crs),
    Pack("kinetics", "truth_icans.csv", 0.0, _splitter("icans_grade"), _icans),
)
