"""Quota alerts: once for each part and window, from what was used, not from what nodes hold."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import connection, connections

from accounts.branding.shown import shown_branding
from accounts.errors import Refused
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from nodes.leases import lease
from nodes.models import QuotaAlert, QuotaWindow
from nodes.quota_alerts import LOCK, alert_quotas, rule_of, set_quota_alerts
from tests.billing.factories import use
from tests.factories import make_key, make_organization, make_plan, make_subscription
from tests.nodes.factories import make_node
from tests.nodes.test_leases import NOON, drain, make_limited

pytestmark = pytest.mark.django_db
MONTH = datetime(2026, 11, 1, tzinfo=UTC)


def told():
    return list(QuotaAlert.objects.order_by("pk").values_list("percent", flat=True))


@pytest.fixture
def node():
    return make_node()[0]


def test_what_nodes_hold_is_not_used_yet(node):
    subscription = make_limited(100)
    drain(subscription, node, want=10)
    assert alert_quotas(at=NOON) == []
    use(subscription, NOON, 49)
    assert alert_quotas(at=NOON) == []
    use(subscription, NOON, 1)
    assert [each.percent for each in alert_quotas(at=NOON)] == [50]
    assert alert_quotas(at=NOON) == []


def test_it_is_told_by_webhook_and_one_mail_says_the_highest(node, django_capture_on_commit_callbacks):
    subscription = make_limited(100)
    create_endpoint(organization=subscription.organization, url="http://127.0.0.1:9/", actor=None)
    drain(subscription, node)
    use(subscription, NOON, 85)
    with django_capture_on_commit_callbacks() as callbacks:
        alert_quotas(at=NOON)
    assert [each.data["percent"] for each in WebhookEvent.objects.order_by("pk")] in ([50, 80], [80, 50])
    assert WebhookEvent.objects.filter(data__percent=80).get().data == {
        "subscription": subscription.pk, "application": subscription.application_id,
        "plan": subscription.plan_id, "key": None, "percent": 80, "used": 85, "limit": 100,
        "starts_at": "2026-11-01T00:00:00+00:00", "ends_at": "2026-12-01T00:00:00+00:00",
    }  # fmt: skip
    for callback in callbacks:
        callback()
    assert [each.subject for each in mail.outbox] == [
        f"[Gatehouse] 80 % of the quota of {subscription} is used"
    ]


def test_a_new_window_is_told_anew(node):
    subscription = make_limited(100)
    for month in (11, 12):
        at = NOON.replace(month=month)
        drain(subscription, node, at=at)
        use(subscription, at, 60)
        alert_quotas(at=at)
    assert told() == [50, 50]
    assert QuotaAlert.objects.values("window").distinct().count() == 2


def test_all_of_it_can_be_used(node):
    subscription = make_limited(10)
    drain(subscription, node)
    assert lease(node=node, subscription_id=subscription.pk, want=1, at=NOON).granted == 0
    use(subscription, NOON, 10)
    alert_quotas(at=NOON)
    assert told() == [50, 80, 100]


def test_the_offset_and_what_was_set_by_hand_are_in_the_limit(node):
    subscription = make_limited(100, quota_offset=60)
    subscription.started_at = MONTH
    subscription.save()
    drain(subscription, node)
    use(subscription, NOON, 20)
    alert_quotas(at=NOON)
    assert told() == [50]
    QuotaWindow.objects.update(extra=-15)
    alert_quotas(at=NOON)
    assert told() == [50, 80]


def test_each_key_with_a_quota_of_its_own_is_told_apart(node):
    subscription = make_subscription(plan=make_plan(quota_limit=100, quota_scope="key"))
    first, second = (make_key(subscription.application)[0] for _ in range(2))
    for key, want in ((first, 60), (second, 10)):
        for _ in range(want):
            lease(node=node, subscription_id=subscription.pk, key_id=key.pk, want=1, at=NOON)
    assert [(each.window.key_id, each.percent) for each in alert_quotas(at=NOON)] == [(first.pk, 50)]


def test_an_organization_chooses_its_parts(node):
    subscription = make_limited(100)
    organization = subscription.organization
    assert rule_of(organization).percents == [50, 80, 100]
    set_quota_alerts(organization=organization, percents=[30, 10], mails=False, actor=None)
    assert rule_of(organization).percents == [10, 30]
    drain(subscription, node)
    use(subscription, NOON, 60)
    alert_quotas(at=NOON)
    assert told() == [10, 30]
    set_quota_alerts(organization=organization, percents=[], mails=True, actor=None)
    use(subscription, NOON, 40)
    assert alert_quotas(at=NOON) == []
    with pytest.raises(Refused) as refused:
        set_quota_alerts(organization=organization, percents=[101], mails=True, actor=None)
    assert refused.value.field == "percents"


def test_many_windows_cost_as_many_queries_as_one(node, django_assert_max_num_queries):
    def asked():
        with django_assert_max_num_queries(15) as captured:
            alert_quotas(at=NOON)
        return len(captured.captured_queries)

    def make(number):
        for _ in range(number):
            subscription = make_limited(10)
            drain(subscription, node)
            use(subscription, NOON, 6)

    shown_branding()  # mails name the site; what it is called is kept
    make(1)
    one = asked()
    make(6)
    assert asked() == one
    assert told() == [50] * 7


def test_another_worker_at_the_same_moment_passes(node):
    subscription = make_limited(100)
    drain(subscription, node)
    use(subscription, NOON, 60)
    other = connections.create_connection("default")
    other.settings_dict = connection.settings_dict
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            assert alert_quotas(at=NOON) == []
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    finally:
        other.close()
    assert len(alert_quotas(at=NOON + timedelta(minutes=1))) == 1


def test_foreign_organizations_hear_nothing(node):
    subscription = make_limited(100)
    foreign = make_organization()
    create_endpoint(organization=foreign, url="http://127.0.0.1:9/", actor=None)
    drain(subscription, node)
    use(subscription, NOON, 60)
    alert_quotas(at=NOON)
    assert not WebhookEvent.objects.filter(organization=foreign).exists()
    assert QuotaAlert.objects.get().organization == subscription.organization
