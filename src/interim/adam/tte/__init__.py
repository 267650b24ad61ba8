"""Time to event: one specification object, one derivation, and the dates it needs."""

from interim.adam.tte.adtte import derive_adtte
from interim.adam.tte.alive import derive_lstalvdt
from interim.adam.tte.death import derive_death
from interim.adam.tte.endpoints import endpoints
from interim.adam.tte.specification import Endpoint
from interim.adam.tte.therapy import derive_nactdt

__all__ = ["Endpoint", "derive_adtte", "derive_death", "derive_lstalvdt", "derive_nactdt", "endpoints"]
