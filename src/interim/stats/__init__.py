"""Numbers from arrays: intervals, tests, curves and models that hold for very small trials.

The public names are loaded on first use, so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.stats.answers import Interval, Intervals, TestResult
    from interim.stats.association import (
        OddsRatio,
        chance_of_gap,
        conditional_odds_ratio,
        fisher_test,
        smallest_p,
    )
    from interim.stats.binomial import (
        BINOMIAL_INTERVALS,
        BetaPosterior,
        beta_posterior,
        binomial_interval,
        binomial_test,
    )
    from interim.stats.competing import CumulativeIncidence, cumulative_incidence
    from interim.stats.contrasts import RestrictedContrast, rmst_contrast
    from interim.stats.curve_limits import CURVE_INTERVALS
    from interim.stats.cutpoint import CutPath, maximally_selected
    from interim.stats.differences import difference_interval, ratio_interval
    from interim.stats.firth import FirthFit, firth_cox, firth_logistic, separation
    from interim.stats.interval_censored import Turnbull, turnbull
    from interim.stats.isotonic import isotonic_fit
    from interim.stats.logranks import LogRank, logrank, logrank_permutation, logrank_scores
    from interim.stats.multiplicity import adjust_p
    from interim.stats.permutation import Adjusted, LinearStatistics, PermutationPlan, max_t, min_p
    from interim.stats.posterior import beta_mass, beta_tail
    from interim.stats.proportional import CoxFit, Separation, cox, monotone_likelihood
    from interim.stats.quadrature import gauss_legendre, gauss_legendre_pieces
    from interim.stats.ranks import (
        Correlation,
        Shift,
        hodges_lehmann,
        kendall,
        kruskal_wallis,
        pearson,
        spearman,
        wilcoxon,
        wilcoxon_asymptotic,
    )
    from interim.stats.shrinkage import Shrunken, shrink_binomial, shrink_normal
    from interim.stats.sums import linear_exact
    from interim.stats.survival import CurveQuantile, CurveValue, KaplanMeier, RestrictedMean, kaplan_meier
    from interim.stats.tables import chi_square, freeman_halton, unconditional_test
    from interim.stats.trend import cochran_armitage, jonckheere

_MODULES = {
    "answers": (
        "Interval",
        "Intervals",
        "TestResult",
    ),
    "association": (
        "OddsRatio",
        "chance_of_gap",
        "conditional_odds_ratio",
        "fisher_test",
        "smallest_p",
    ),
    "binomial": (
        "BINOMIAL_INTERVALS",
        "BetaPosterior",
        "beta_posterior",
        "binomial_interval",
        "binomial_test",
    ),
    "competing": (
        "CumulativeIncidence",
        "cumulative_incidence",
    ),
    "contrasts": (
        "RestrictedContrast",
        "rmst_contrast",
    ),
    "proportional": (
        "CoxFit",
        "Separation",
        "cox",
        "monotone_likelihood",
    ),
    "curve_limits": ("CURVE_INTERVALS",),
    "cutpoint": (
        "CutPath",
        "maximally_selected",
    ),
    "differences": (
        "difference_interval",
        "ratio_interval",
    ),
    "firth": (
        "FirthFit",
        "firth_cox",
        "firth_logistic",
        "separation",
    ),
    "isotonic": ("isotonic_fit",),
    "logranks": (
        "LogRank",
        "logrank",
        "logrank_permutation",
        "logrank_scores",
    ),
    "multiplicity": ("adjust_p",),
    "permutation": (
        "Adjusted",
        "LinearStatistics",
        "PermutationPlan",
        "max_t",
        "min_p",
    ),
    "posterior": (
        "beta_mass",
        "beta_tail",
    ),
    "quadrature": (
        "gauss_legendre",
        "gauss_legendre_pieces",
    ),
    "ranks": (
        "Correlation",
        "Shift",
        "hodges_lehmann",
        "kendall",
        "kruskal_wallis",
        "pearson",
        "spearman",
        "wilcoxon",
        "wilcoxon_asymptotic",
    ),
    "shrinkage": (
        "Shrunken",
        "shrink_binomial",
        "shrink_normal",
    ),
    "sums": ("linear_exact",),
    "survival": (
        "CurveQuantile",
        "CurveValue",
        "KaplanMeier",
        "RestrictedMean",
        "kaplan_meier",
    ),
    "tables": (
        "chi_square",
        "freeman_halton",
        "unconditional_test",
    ),
    "trend": (
        "cochran_armitage",
        "jonckheere",
    ),
    "interval_censored": (
        "Turnbull",
        "turnbull",
    ),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BINOMIAL_INTERVALS",
    "CURVE_INTERVALS",
    "Adjusted",
    "BetaPosterior",
    "Correlation",
    "CoxFit",
    "CumulativeIncidence",
    "CurveQuantile",
    "CurveValue",
    "CutPath",
    "FirthFit",
    "Interval",
    "Intervals",
    "KaplanMeier",
    "LinearStatistics",
    "LogRank",
    "OddsRatio",
    "PermutationPlan",
    "RestrictedContrast",
    "RestrictedMean",
    "Separation",
    "Shift",
    "Shrunken",
    "TestResult",
    "Turnbull",
    "adjust_p",
    "beta_mass",
    "beta_posterior",
    "beta_tail",
    "binomial_interval",
    "binomial_test",
    "chance_of_gap",
    "chi_square",
    "cochran_armitage",
    "conditional_odds_ratio",
    "cox",
    "cumulative_incidence",
    "difference_interval",
    "firth_cox",
    "firth_logistic",
    "fisher_test",
    "freeman_halton",
    "gauss_legendre",
    "gauss_legendre_pieces",
    "hodges_lehmann",
    "isotonic_fit",
    "jonckheere",
    "kaplan_meier",
    "kendall",
    "kruskal_wallis",
    "linear_exact",
    "logrank",
    "logrank_permutation",
    "logrank_scores",
    "max_t",
    "maximally_selected",
    "min_p",
    "monotone_likelihood",
    "pearson",
    "ratio_interval",
    "rmst_contrast",
    "separation",
    "shrink_binomial",
    "shrink_normal",
    "smallest_p",
    "spearman",
    "turnbull",
    "unconditional_test",
    "wilcoxon",
    "wilcoxon_asymptotic",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module that owns it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'interim.stats' has no attribute {name!r}")
    return getattr(import_module(f"interim.stats.{_HOMES[name]}"), name)
