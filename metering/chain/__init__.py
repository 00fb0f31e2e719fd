"""Hour records as a chain of hashes: one for each developer organization, so that a changed record is found.

See docs/proof.md. `marks` says which hours changed, `seal` writes them into the chain, `verify` compares.
"""
