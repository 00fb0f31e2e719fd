"""What the provider's publishing pages are made of: reading a document, registering an API, comparing a canary.

Owns: putting the verbs of several rooms together for one click, and what pages show. Does not own: any rule.
"""
