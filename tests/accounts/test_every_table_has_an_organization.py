"""Design rule 10: one organization never sees another's anything, so every table has its organization."""

import pytest
from django.apps import apps

from accounts.models import Organization

ROOMS = ("accounts", "apis", "access", "metering", "billing", "nodes")
# table -> why it has none
WITHOUT = {
    "accounts.Branding": "the look of the whole website, set by staff of the installation",
    "accounts.SitePage": "a page of the whole website, written by staff of the installation",
    "accounts.Organization": "it is the organization",
    "accounts.User": "a person may be a member of several organizations",
    "metering.UsageBatch": "what a node counted for all organizations, before it is told apart",
    "metering.UsageGap": "batches of a node that never came; only staff of the installation see it",
    "metering.UsageReconciliation": "a node's account of a day; only staff of the installation see it",
    "nodes.Installation": "one limit over everything; only staff of the installation see it",
    "nodes.ThrottleShare": "how nodes divide limits for some seconds; only nodes see it",
    "nodes.Node": "a node serves all organizations; only staff of the installation see it",
}


def tables():
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def has_organization(model):
    names = {field.name: field for field in model._meta.get_fields()}
    if "organization" in names:
        return names["organization"].related_model is Organization
    # records of usage outlive the rows they name, so they keep ids without foreign keys
    return "organization_id" in names


@pytest.mark.parametrize("model", tables(), ids=lambda model: model._meta.label)
def test_every_table_has_an_organization(model):
    assert has_organization(model) or model._meta.label in WITHOUT


def test_the_list_of_exceptions_is_no_longer_than_needed():
    labels = {model._meta.label for model in tables() if not has_organization(model)}
    assert set(WITHOUT) <= labels


def test_the_question_notices_a_table_without_one():
    assert not has_organization(apps.get_model("sessions", "Session"))
