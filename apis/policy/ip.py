"""IP rules: networks that are let in or kept out."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from apis.policy.reading import PolicyError, fields_of, path, texts

Rules = dict[str, list[str]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
NOBODY: Rules = {"allow": [], "deny": ["0.0.0.0/0", "::/0"]}


def read_ip(raw: Any, at: str) -> Rules:
    """Read {allow, deny}: lists of addresses and networks (CIDR), IPv4 and IPv6. Denied wins."""
    given = fields_of(raw, at, known=("allow", "deny"))
    return {name: texts(given.get(name) or [], path(at, name), network) for name in ("allow", "deny")}


def network(raw: Any, at: str) -> str:
    """Return an address or network in its usual spelling, such as 10.0.0.0/8."""
    try:
        return str(ipaddress.ip_network(raw if isinstance(raw, str) else ""))
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(raw if isinstance(raw, str) else "", strict=False)
    except ValueError as error:
        shown = str(raw)[:60]
        raise PolicyError(
            f"{shown!r} is no address or network; write 192.0.2.7 or 10.0.0.0/8.", at
        ) from error
    raise PolicyError(f"{raw} is an address inside a network; write {meant}, or the address alone.", at)


def both(one: Rules, other: Rules) -> Rules:
    """Return rules that let in only whom both let in."""
    deny = list(dict.fromkeys([*one["deny"], *other["deny"]]))
    if not one["allow"] or not other["allow"]:
        return {"allow": one["allow"] or other["allow"], "deny": deny}
    allow = common(one["allow"], other["allow"])
    return {"allow": allow, "deny": deny} if allow else NOBODY


def common(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """Return the networks that lie in a network of both lists."""
    found: dict[str, None] = {}
    for mine in map(ipaddress.ip_network, one):
        for theirs in map(ipaddress.ip_network, other):
            if _within(mine, theirs):
                found[str(mine)] = None
            elif _within(theirs, mine):
                found[str(theirs)] = None
    return list(found)


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]
