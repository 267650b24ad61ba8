"""The analysis datasets: ADSL, ADEX, ADAE, ADDLT, ADLB, ADTR, ADRS, ADTTE, ADSUB."""

from interim.adam.build import build_adam
from interim.adam.model import Adam

__all__ = ["Adam", "build_adam"]
