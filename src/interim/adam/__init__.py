"""The analysis datasets: ADSL, ADEX, ADAE, ADDLT, ADLB, ADTR, ADRS, ADTTE, ADSUB."""

from interim.adam.build import build_adam
from interim.adam.model import Adam
from interim.adam.opening import Opened, open_adam

__all__ = ["Adam", "Opened", "build_adam", "open_adam"]
