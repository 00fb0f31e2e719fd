"""The list of the request log: newest first, page by page, only what the scope may see."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from metering.request_log import search
from metering.request_log.search import Filters, count_requests, find_request, find_requests, read_id
from metering.scopes import Scope, Span
from tests.factories import make_key, make_stage
from tests.metering.factories import log_call

pytestmark = pytest.mark.django_db


def last_week(**filters):
    at = now()
    return Filters(Span(at - timedelta(days=7), at + timedelta(seconds=1)), **filters)


def paths(scope, **filters):
    return [line.path for line in find_requests(scope=scope, filters=last_week(**filters)).lines]


@pytest.fixture
def stage():
    return make_stage()


def test_each_sees_her_own_only(stage):
    key, _ = make_key()
    mine = log_call(stage, key=key.pk, path="/mine")
    log_call(make_stage(), path="/others")
    for scope in (Scope(provider=stage.organization_id), Scope(developer=key.organization_id)):
        assert paths(scope) == ["/mine"]
        assert find_request(scope=scope, request_id=mine).path == "/mine"
        assert count_requests(scope=scope, span=last_week().span) == 1
    foreign, _ = make_key()
    for scope in (Scope(provider=foreign.organization_id), Scope(developer=foreign.organization_id)):
        assert paths(scope) == []
        assert find_request(scope=scope, request_id=mine) is None


def test_nobody_is_everybody_by_mistake(stage):
    log_call(stage)
    with pytest.raises(ValueError, match="needs a provider or a developer"):
        paths(Scope())


def test_filters(stage):
    key, _ = make_key()
    log_call(stage, path="/ok/1", key=key.pk)
    log_call(stage, path="/ok/2", method="POST", status=201)
    log_call(stage, path="/wrong", status=404)
    log_call(stage, path="/throttled", status=429, verdict="THROTTLED")
    log_call(stage, path="/late", status=504, verdict="INTEGRATION_TIMEOUT")
    scope = Scope(provider=stage.organization_id)
    assert sorted(paths(scope, status="4xx")) == ["/throttled", "/wrong"]
    assert paths(scope, status="404") == ["/wrong"]
    assert sorted(paths(scope, outcome="answered")) == ["/ok/1", "/ok/2"]
    assert paths(scope, outcome="refused") == ["/throttled"]
    assert sorted(paths(scope, outcome="failed")) == ["/late", "/wrong"]
    assert paths(scope, method="POST") == ["/ok/2"]
    assert sorted(paths(scope, path="/ok/")) == ["/ok/1", "/ok/2"]
    assert paths(scope, path="%") == []
    assert paths(Scope(provider=stage.organization_id, key=key.pk)) == ["/ok/1"]
    for name, value in {"status": "40", "outcome": "odd"}.items():
        with pytest.raises(Refused) as refusal:
            paths(scope, **{name: value})
        assert refusal.value.field == name


def test_pages_go_on_where_the_last_one_ended(stage):
    at = now()
    for number in range(5):
        log_call(stage, path=f"/{number}", at=at - timedelta(seconds=number // 2))  # some at the same moment
    scope, seen, before = Scope(provider=stage.organization_id), [], ""
    for _ in range(3):
        page = find_requests(scope=scope, filters=last_week(), before=before, limit=2)
        seen += [line.path for line in page.lines]
        before = page.older
    assert before == ""
    assert sorted(seen[:2]) == ["/0", "/1"]
    assert sorted(seen) == [f"/{number}" for number in range(5)]


def test_a_page_looks_at_so_many_calls_and_says_how_far_it_came(stage, monkeypatch):
    monkeypatch.setattr(search, "MOST_LOOKED", 3)
    at = now()
    for number in range(5):
        log_call(stage, path=f"/{number}", at=at - timedelta(seconds=number))
    scope = Scope(provider=stage.organization_id)
    first = find_requests(scope=scope, filters=last_week(path="/4"))
    assert first.lines == []
    assert abs(first.looked_to - (at - timedelta(seconds=2))) < timedelta(milliseconds=1)
    second = find_requests(scope=scope, filters=last_week(path="/4"), before=first.older)
    assert [line.path for line in second.lines] == ["/4"]
    assert (second.older, second.looked_to) == ("", None)


def test_a_mark_that_is_none_is_refused(stage):
    with pytest.raises(Refused):
        find_requests(scope=Scope(everyone=True), filters=last_week(), before="1-nonsense")


@pytest.mark.parametrize(
    "text",
    [
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        "  3F2504E0-4F89-41D3-9A0C-0305E82C3301\n",
        "x-amzn-RequestId: 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        '"3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    ],
)
def test_an_id_is_read_as_people_paste_it(text):
    assert str(read_id(text)) == "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def test_what_is_no_id_is_none():
    assert read_id("orders") is None
