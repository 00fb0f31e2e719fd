"""Where a key may be used from: what is taken, what is refused, and what is let in."""

import pytest

from access.keys import change_key, create_key, rotate_key
from access.models import ApiKey
from access.origins import (
    MOST_IPS,
    ip_allowed,
    networks,
    referrer_allowed,
    referrers,
)
from accounts.errors import Refused
from tests.factories import make_application, make_key


def test_networks_get_one_form_and_each_counts_once() -> None:
    given = [" 203.0.113.7 ", "203.0.113.7/32", "10.0.0.0/8", "2001:DB8::/32", ""]
    assert networks(given) == ["203.0.113.7/32", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("203.0.113.7/24", "did you mean 203.0.113.0/24"),
        ("203.0.113.0/33", "is no network"),
        ("localhost", "is no network"),
        ("1.2.3", "is no network"),
        ("fe80::1%eth0", "names a zone"),
    ],
)
def test_what_is_no_network_is_refused_with_a_way_out(text: str, hint: str) -> None:
    with pytest.raises(Refused, match=hint) as refused:
        networks([text])
    assert refused.value.field == "ips"


def test_too_many_networks_are_refused() -> None:
    with pytest.raises(Refused, match=str(MOST_IPS)):
        networks(f"10.0.{number}.0/24" for number in range(MOST_IPS + 1))


def test_hosts_get_one_form_and_each_counts_once() -> None:
    given = ["App.Example.com.", "app.example.com", "*.example.com", "bücher.example"]
    assert referrers(given) == ["app.example.com", "*.example.com", "xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "example.com/x",
        "example.com:8080",
        "*",
        "*.*.com",
        "a b",
        "-a.example",
        "x\n.com",
    ],
)
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        referrers([text])
    assert refused.value.field == "referrers"


@pytest.mark.parametrize("given", ["203.0.113.7", 5, [5], None])
def test_only_lists_of_texts_are_taken(given: object) -> None:
    with pytest.raises(Refused, match="list"):
        networks(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("203.0.113.0", True),
        ("203.0.113.255", True),
        ("203.0.114.0", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_an_address_must_lie_in_one_of_the_networks(address: str, allowed: bool) -> None:
    assert ip_allowed(["203.0.113.0/24", "2001:db8::/32"], address) is allowed
    assert ip_allowed([], address) is True


@pytest.mark.parametrize(
    ("referrer", "allowed"),
    [
        ("https://app.example.com/page?x=1", True),
        ("https://APP.example.com:8443/", True),
        ("app.example.com", True),
        ("https://deep.below.example.org/", True),
        ("https://example.org/", False),
        ("https://evilexample.org/", False),
        ("https://app.example.com.evil.test/", False),
        ("https://evil.test/?app.example.com", False),
        ("https://evil.test\\@app.example.com/", False),
        ("https://user@app.example.com/", True),
        ("", False),
        ("null", False),
    ],
)
def test_a_page_must_be_of_one_of_the_hosts(referrer: str, allowed: bool) -> None:
    assert referrer_allowed(["app.example.com", "*.example.org"], referrer) is allowed
    assert referrer_allowed([], referrer) is True


@pytest.mark.django_db
def test_a_key_keeps_its_places_and_its_successor_takes_them_over(heard: list[tuple[str, list[str]]]) -> None:
    key, _ = create_key(
        application=make_application(),
        name="web",
        actor=None,
        ips=["10.0.0.0/8"],
        referrers=["*.example.com"],
    )
    new, _ = rotate_key(key=key, actor=None)
    again, _ = rotate_key(key=new, actor=None)
    assert (again.ips, again.referrers) == (["10.0.0.0/8"], ["*.example.com"])
    assert (new.origin, again.origin) == (key, key), "a quota for each key counts its rotations as one"
    change_key(key=again, actor=None, ips=[])
    assert (ApiKey.objects.get(pk=again.pk).ips, ApiKey.objects.get(pk=key.pk).ips) == ([], ["10.0.0.0/8"])
    assert heard[-1] == ("keys", [again.pk])


@pytest.mark.django_db
def test_a_senseless_place_changes_nothing(heard: list[tuple[str, list[str]]]) -> None:
    key, _ = make_key()
    with pytest.raises(Refused):
        change_key(key=key, actor=None, name="other", ips=["10.0.0.1/8"])
    key.refresh_from_db()
    assert (key.ips, heard) == ([], [])
