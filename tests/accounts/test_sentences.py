"""A sentence that ends in "S.A." ends in one dot, wherever it is said."""

import pytest
from django.contrib.messages import get_messages
from django.test import RequestFactory
from django.urls import reverse
from django.utils.safestring import SafeData, mark_safe

from access.customers import suspend_customer
from accounts.audit import record
from accounts.errors import Refused
from accounts.sentences import ended, one_dot
from portal.message_storage import SentenceStorage
from tests.factories import make_api, make_organization, make_user
from tests.portal.factories import signed_in


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Suspended Acme S.A..", "Suspended Acme S.A."),
        ("Left Acme Inc.. It is gone.", "Left Acme Inc. It is gone."),
        ("Wait...", "Wait..."),
        ("Not /a/../b or 1..2.", "Not /a/../b or 1..2."),
        ("Plain.", "Plain."),
    ],
)
def test_one_dot_ends_a_sentence(said, meant):
    assert one_dot(said) == meant


def test_safe_html_stays_safe_and_nothing_else_becomes_it():
    assert isinstance(one_dot(mark_safe("<b>S.A.</b>.. Go")), SafeData)
    assert not isinstance(one_dot("<b>S.A..</b>"), SafeData)
    assert (ended("Acme S.A."), ended("Acme")) == ("Acme S.A.", "Acme.")


@pytest.mark.django_db
def test_refusals_audit_lines_messages_and_pages_say_it():
    acme = make_organization(make_user("alice"), name="Acme S.A.")
    with pytest.raises(Refused, match=r"no customer of Acme S\.A\.$"):
        suspend_customer(provider=acme, customer=make_organization(name="Bob"), reason="Late", actor=None)
    line = record(
        organization=acme, actor=None, action="organization.resumed", target=acme, summary=f"Resumed {acme}."
    )
    assert line.summary == "Resumed Acme S.A."
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = SentenceStorage(request)
    request._messages.add(20, "You left Acme S.A..")
    assert [str(each) for each in get_messages(request)] == ["You left Acme S.A."]
    make_api(acme)
    page = signed_in(acme.members.get().user).get(reverse("backends")).content.decode()
    assert "behind the APIs of Acme S.A. Changes hold" in page
