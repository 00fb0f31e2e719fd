"""How people come in, and the organization each of them starts with."""

import pytest

from accounts.errors import Refused
from accounts.models import User
from accounts.people import create_person, create_personal_organization
from tests.factories import audit_actions, make_user

pytestmark = pytest.mark.django_db


def test_a_person_is_made_with_a_verified_address_and_her_organization():
    alice = create_person(email="Alice@Example.com", password="a long password", actor=None, name="Alice")
    assert alice.email == "alice@example.com"
    assert alice.check_password("a long password")
    assert alice.emailaddress_set.get().verified
    assert [(each.organization.name, each.role) for each in alice.memberships.all()] == [("Alice", "owner")]
    assert audit_actions() == ["organization.created", "person.created"]


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("alice.smith+news@example.com", "Alice Smith"),
        ("bob_jones@example.com", "Bob Jones"),
        ("_@example.com", "My organization"),
    ],
)
def test_the_organization_is_named_after_the_address(email, name):
    user = User.objects.create_user(email)
    assert create_personal_organization(user=user).name == name


@pytest.mark.parametrize("email", ["", "alice", "alice@"])
def test_a_wrong_address_is_refused(email):
    with pytest.raises(Refused, match="not an e-mail address") as refused:
        create_person(email=email, password=None, actor=None)
    assert refused.value.field == "email"


def test_an_address_has_one_account():
    make_user("alice")
    with pytest.raises(Refused) as refused:
        create_person(email="ALICE@example.com", password=None, actor=None)
    assert (refused.value.field, refused.value.code) == ("email", "taken")
