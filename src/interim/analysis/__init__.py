"""Questions to the analysis datasets: each function takes (adam, study) and returns a Result with one row per number."""
