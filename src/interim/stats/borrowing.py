"""Borrowing between baskets: the models, each of which answers with a `BasketFit`."""

from __future__ import annotations

from interim.stats.borrowing_compare import multisource, power_prior
from interim.stats.borrowing_covariates import CovariateFit, Slope, covariate_fit
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_joint import exnex, hierarchical
from interim.stats.borrowing_outcomes import OutcomeTable, compile_outcomes
from interim.stats.borrowing_partition import independent, partition_average
from interim.stats.borrowing_priors import ExnexPrior, Grid, HierarchicalPrior, PartitionPrior

__all__ = [
    "BasketFit",
    "CovariateFit",
    "ExnexPrior",
    "Grid",
    "HierarchicalPrior",
    "OutcomeTable",
    "PartitionPrior",
    "Slope",
    "compile_outcomes",
    "covariate_fit",
    "exnex",
    "hierarchical",
    "independent",
    "multisource",
    "partition_average",
    "power_prior",
]
