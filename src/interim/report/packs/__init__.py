"""Runners of reference packs: how a file of independent numbers is split into cases and recomputed."""

from __future__ import annotations

from interim.report.packs.base import Case, Pack
from interim.report.packs.basket import BASKET
from interim.report.packs.clinical import CLINICAL
from interim.report.packs.dose import DOSE
from interim.report.packs.kinetics import KINETICS
from interim.report.packs.recist import RECIST
from interim.report.packs.safety import SAFETY
from interim.report.packs.stats import STATS
from interim.report.packs.stats_groups import STATS_GROUPS
from interim.report.packs.stats_models import STATS_MODELS
from interim.report.packs.stats_ranks import STATS_RANKS
from interim.report.packs.stats_tables import STATS_TABLES
from interim.report.packs.toxicity import TOXICITY

_STATS = (*STATS, *STATS_TABLES, *STATS_RANKS, *STATS_MODELS, *STATS_GROUPS)
PACKS: tuple[Pack, ...] = (*_STATS, *RECIST, *SAFETY, *TOXICITY, *DOSE, *CLINICAL, *KINETICS, *BASKET)
CONTEXT = (("kinetics", "external_examples.csv"),)
"""Files that hold published context and nothing to recompute."""

__all__ = ["CONTEXT", "PACKS", "Case", "Pack"]
