"""The services that come with Gatehouse: PostgreSQL and Valkey from their wheels, started by our own hand.

The wheels' own start functions are not used: they leave servers running when their parent is killed.
"""
