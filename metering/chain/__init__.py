"""Records of usage as a chain of hashes: one for each developer organization, so that a changed record is found.

Sealed by the hour are calls (hour records) and what other meters counted. See docs/proof.md. `marks` says which hours
changed, `seal` writes them into the chain, `verify` compares.
"""
