"""The study: everything configurable stands in one TOML file, typed and checked here."""

from __future__ import annotations

from interim.study.ambiguity import Reading
from interim.study.dosing import DltRule
from interim.study.efficacy import Imputation
from interim.study.expansion import TumourType
from interim.study.model import NK_ONLY, Study, dose_text
from interim.study.read import read_study, restore_study
from interim.study.statistics import AD_HOC, SubgroupEntry
from interim.study.tables import Condition, Product

__all__ = [
    "AD_HOC",
    "NK_ONLY",
    "Condition",
    "DltRule",
    "Imputation",
    "Product",
    "Reading",
    "Study",
    "SubgroupEntry",
    "TumourType",
    "dose_text",
    "read_study",
    "restore_study",
]
