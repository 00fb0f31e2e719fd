"""The agent of a gateway node: brings entries and leases down to nginx, and usage up to the control plane.

Run it with `python -m gateway.agent`. It needs no Django and no database: a folder, two sockets, one URL.
"""
