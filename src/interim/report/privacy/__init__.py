"""Privacy: pseudo-ids, copies, masking, the scan for identifiers, uniqueness, withdrawal from data use."""
