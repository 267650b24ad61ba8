"""Response: RECIST 1.1 and iRECIST from lesions, or from reported responses, to the endpoints of each participant."""

from interim.adam.response.build import ResponseData, derive_adrs, derive_adtr, derive_response

__all__ = ["ResponseData", "derive_adrs", "derive_adtr", "derive_response"]
