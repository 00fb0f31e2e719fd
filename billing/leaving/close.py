"""Closing an organization: what others need for their books stays, what is its people's goes."""

from django.db import transaction

from access.keys import revoke_key
from access.queries import living_keys
from accounts.closing import end_organization
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import locked
from apis.client_tls import remove_client_certificate
from apis.domains import delete_domain
from apis.models import Visibility
from apis.products.change import change_product
from apis.publish import unmap
from apis.versions import change_api
from billing.budgets import delete_budget
from billing.leaving.obstacles import obstacles
from billing.models import BillingProfile
from billing.payments.methods import methods_of, remove_method

KEPT = (
    "Invoices, credit notes, payments and the ledger, with the names and addresses that are printed on them.",
    "The audit trail, usage records and their proofs.",
    "APIs, versions, applications and keys as what those records are about: nothing of them answers or is shown.",
)
REMOVED = (
    "Its name, address, billing address and tax ids, everywhere but on documents that were issued.",
    "All memberships and invitations. People keep their accounts.",
    "Keys and tokens are revoked; stored cards, budgets, webhooks, own domains and certificates are removed.",
    "Its APIs and products leave the catalogue.",
)


@transaction.atomic
def close_organization(*, organization: Organization, name: str, actor: User | None) -> Organization:
    """Close it for good, after its `name` was typed. There is no way back.

    Refused: field `name` if that is another one; code `in_the_way`, naming each obstacle and its way out.
    """
    organization = locked(organization)
    if organization.closed_at is not None:
        raise Refused(f"{organization} is closed already.", code="wrong_state")
    if name.strip() != organization.name:
        raise Refused(f"Type {organization.name}, as it is written here.", field="name", code="not_confirmed")
    if found := obstacles(organization):
        message = " ".join(f"{each.text} {each.way_out}" for each in found)
        raise Refused(message, code="in_the_way")
    for key in living_keys(organization):
        revoke_key(key=key, actor=actor)
    _hide(organization, actor)
    for method in methods_of(organization):
        remove_method(method=method, actor=actor)
    for budget in organization.budgets.all():
        delete_budget(budget=budget, actor=actor)
    BillingProfile.objects.filter(organization=organization).delete()
    return end_organization(organization=organization, actor=actor)


def _hide(organization: Organization, actor: User | None) -> None:
    for api in organization.apis.exclude(visibility=Visibility.PRIVATE):
        change_api(api=api, visibility=Visibility.PRIVATE, actor=actor)
    for product in organization.products.filter(published=True):
        change_product(product=product, published=False, actor=actor)
    # hosts are free for whoever owns them next, and no private key is kept
    for mapping in organization.base_path_mappings.exclude(host=""):
        unmap(mapping=mapping, actor=actor)
    for domain in organization.domains.all():
        delete_domain(domain=domain, actor=actor)
    for backend in organization.backends.exclude(client_certificate=""):
        remove_client_certificate(backend=backend, actor=actor)
