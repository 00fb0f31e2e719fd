"""Announcements: who gets them, how they are sent, and what happens when that fails."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils.timezone import now

from access.announcements import send as sending
from access.announcements.audience import audience_of
from access.announcements.letter import read_unsubscribe, unsubscribe_address
from access.announcements.models import Announcement
from access.announcements.news import opt_in, opt_out
from access.announcements.queue import stuck
from access.announcements.send import send_chunk
from access.announcements.write import (
    change_announcement,
    create_announcement,
    queue_announcement,
    retry_failed,
    send_test,
)
from access.models import UsagePlan
from accounts.errors import Refused
from accounts.models import Organization
from tests.factories import (
    audit_actions,
    make_application,
    make_member,
    make_organization,
    make_plan,
    make_subscription,
    make_user,
)

pytestmark = pytest.mark.django_db
REFUSED, BROKEN = "bounce@example.com", "broken@example.com"


class Server(EmailBackend):
    """Refuses one address, and breaks off at another."""

    def send_messages(self, messages):
        for message in messages:
            if message.to == [REFUSED]:
                raise SMTPRecipientsRefused({REFUSED: (550, b"no such\nuser")})
            if message.to == [BROKEN]:
                raise SMTPServerDisconnected("gone")
        return super().send_messages(messages)


@pytest.fixture(autouse=True)
def server(settings):
    settings.EMAIL_BACKEND = "tests.access.test_announcements.Server"


@pytest.fixture
def plan() -> UsagePlan:
    return make_plan()


def customer(plan: UsagePlan, owner: str, **fields) -> Organization:
    organization = make_organization(make_user(owner))
    make_subscription(make_application(organization), plan, **fields)
    return organization


def draft(of: UsagePlan, **fields) -> Announcement:
    given = {"subject": "Hello", "text": "v2 is here."} | fields
    return create_announcement(organization=of.organization, actor=None, **given)


def reached(announcement: Announcement) -> list[str]:
    return [person.email.partition("@")[0] for person in audience_of(announcement)]


def test_everybody_are_those_who_develop_each_once(plan):
    shop = customer(plan, "alice")
    make_member(shop, make_user("bob"))
    make_member(shop, make_user("clerk"), "billing")
    make_member(customer(plan, "dora"), make_user("gone", is_active=False))
    make_subscription(make_application(shop), make_plan(organization=plan.organization))
    customer(plan, "former", state="cancelled")
    customer(make_plan(), "foreign")
    assert reached(draft(plan)) == ["alice", "bob", "dora"]


def test_an_api_and_a_plan_have_their_own(plan):
    other = make_plan(organization=plan.organization)
    customer(plan, "alice")
    customer(other, "bob")
    api = plan.stages.get().version.api
    assert reached(draft(plan, audience="api", api=api)) == ["alice"]
    assert reached(draft(plan, audience="plan", plan=other)) == ["bob"]


@pytest.mark.parametrize("audience", ["api", "plan"])
def test_what_it_is_about_must_be_the_providers(plan, audience):
    foreign = make_plan()
    about = {"api": foreign.stages.get().version.api, "plan": foreign}[audience]
    for value in (None, about):
        with pytest.raises(Refused) as refused:
            draft(plan, audience=audience, **{audience: value})
        assert refused.value.field == audience


def test_it_is_sent_with_its_foot_and_stands_in_the_trail(plan, django_capture_on_commit_callbacks):
    customer(plan, "alice")
    made = draft(plan)
    with django_capture_on_commit_callbacks(execute=True):
        queue_announcement(announcement=made, actor=None)
    made.refresh_from_db()
    assert made.state == "sent"
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["alice@example.com"], "Hello")
    assert message.body.startswith("v2 is here.\n\n-- \nYou get this because")
    assert "cannot be unsubscribed" in message.body
    assert "List-Unsubscribe" not in message.extra_headers
    assert audit_actions() == ["announcement.created", "announcement.queued"]


def test_news_can_be_unsubscribed_and_subscribed_again(plan):
    alice = customer(plan, "alice").members.get().user
    made = draft(plan, kind="news")
    opt_out(person=alice, provider=plan.organization)
    assert reached(made) == []
    assert reached(draft(plan)) == ["alice"], "what is about the service still comes"
    opt_in(person=alice, provider=plan.organization)
    assert reached(made) == ["alice"]


def test_the_link_in_news_is_signed_and_is_one_click(plan):
    alice = customer(plan, "alice").members.get().user
    made = draft(plan, kind="news")
    queue_announcement(announcement=made, actor=None)
    send_chunk(made.pk)
    link = unsubscribe_address(alice, plan.organization)
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe"] == f"<{link}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in mail.outbox[0].body
    signed = link.rstrip("/").rpartition("/")[2]
    assert read_unsubscribe(signed) == (alice, plan.organization)
    assert read_unsubscribe(signed[:-1]) is None


def test_who_unsubscribes_while_it_is_sent_gets_it_no_more(plan):
    alice = customer(plan, "alice").members.get().user
    made = draft(plan, kind="news")
    queue_announcement(announcement=made, actor=None)
    opt_out(person=alice, provider=plan.organization)
    send_chunk(made.pk)
    assert mail.outbox == []
    assert made.recipients.get().error == "Unsubscribed meanwhile."


def test_it_goes_out_in_chunks_and_each_copy_once(plan, monkeypatch):
    monkeypatch.setattr(sending, "CHUNK", 2)
    for name in ("one", "two", "three"):
        customer(plan, name)
    made = draft(plan)
    queue_announcement(announcement=made, actor=None)
    assert [send_chunk(made.pk) for _ in range(3)] == [True, True, False]
    assert len(mail.outbox) == 3
    assert send_chunk(made.pk) is False
    assert len(mail.outbox) == 3


def test_an_address_that_fails_holds_up_nobody_and_is_tried_again_by_hand(plan):
    customer(plan, "bounce")
    customer(plan, "alice")
    made = draft(plan)
    queue_announcement(announcement=made, actor=None)
    send_chunk(made.pk)
    states = dict(made.recipients.values_list("address", "state"))
    assert states == {REFUSED: "failed", "alice@example.com": "sent"}
    assert made.recipients.get(address=REFUSED).error == "The mail server says 550: no such user"
    send_chunk(made.pk)
    assert retry_failed(announcement=made, actor=None) == 1
    made.refresh_from_db()
    assert made.state == "sending"


def test_a_server_that_breaks_off_is_tried_again_and_then_given_up(plan):
    customer(plan, "broken")
    customer(plan, "alice")
    made = draft(plan)
    queue_announcement(announcement=made, actor=None)
    for _ in range(sending.MOST_TRIES - 1):
        assert send_chunk(made.pk) is False
        assert mail.outbox == []
    assert send_chunk(made.pk) is True
    assert "broke off" in made.recipients.get(address=BROKEN).error
    assert mail.outbox[0].to == ["alice@example.com"]


def test_one_that_lost_its_worker_is_found(plan):
    customer(plan, "alice")
    made = draft(plan)
    queue_announcement(announcement=made, actor=None)
    assert stuck() == []
    assert stuck(now() + timedelta(minutes=2)) == [made.pk]


def test_nobody_to_reach_and_a_second_time_are_refused(plan):
    made = draft(plan)
    with pytest.raises(Refused) as refused:
        queue_announcement(announcement=made, actor=None)
    assert refused.value.field == "audience"
    customer(plan, "alice")
    queue_announcement(announcement=made, actor=None)
    for verb in (queue_announcement, change_announcement):
        with pytest.raises(Refused) as refused:
            verb(announcement=made, actor=None)
        assert refused.value.code == "wrong_state"


def test_a_test_goes_to_the_writer_only(plan, django_capture_on_commit_callbacks):
    customer(plan, "alice")
    with django_capture_on_commit_callbacks(execute=True):
        send_test(announcement=draft(plan, kind="news"), actor=make_user("writer"))
    assert [message.to for message in mail.outbox] == [["writer@example.com"]]
    assert mail.outbox[0].subject == "[Gatehouse] Test: Hello"
