"""Billing groups ("consolidated billing"): one organization, the parent, pays for others, its children.

An owner of the child asks, an owner of the parent accepts. There is one level: a parent has no parent, and a child no
children. Usage of the whole group adds up before price tiers apply; the invoice goes to the parent, who learns of the
child what stands on it and nothing else. Who is the parent when a month ends pays for that month.
"""

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import BillingMembership, Organization, User


@transaction.atomic
def ask_to_join(*, child: Organization, parent: Organization, actor: User | None) -> Organization:
    """Ask the parent to pay for the child, in place of what was asked before. Returns the child."""
    child, parent = _locked(child, parent)
    _check(child, parent)
    child.asked_billing_parent = parent
    child.save(update_fields=["asked_billing_parent"])
    _record(child, parent, actor, "asked", f"{child} asks {parent} to pay its bills.")
    return child


@transaction.atomic
def accept_child(*, child: Organization, parent: Organization, actor: User | None) -> Organization:
    """Take in a child that asked. Returns the child."""
    child, parent = _locked(child, parent)
    if child.asked_billing_parent_id != parent.pk:
        raise Refused("This organization does not ask you to pay its bills.", field="child")
    return join_billing(child=child, parent=parent, actor=actor)


@transaction.atomic
def join_billing(*, child: Organization, parent: Organization, actor: User | None) -> Organization:
    """Let the parent pay for the child from the running month on, unasked: for staff. Returns the child."""
    child, parent = _locked(child, parent)
    _check(child, parent)
    child.billing_parent, child.asked_billing_parent = parent, None
    child.save(update_fields=["billing_parent", "asked_billing_parent"])
    BillingMembership.objects.create(organization=child, parent=parent)
    _record(child, parent, actor, "joined", f"{parent} pays the bills of {child}.")
    return child


@transaction.atomic
def leave_billing(*, child: Organization, actor: User | None) -> Organization:
    """End it, from the running month on: the child pays for itself. Or take back what it asked. Returns the child."""
    parent = child.billing_parent or child.asked_billing_parent
    if parent is None:
        raise Refused(f"Nobody else pays the bills of {child}.", code="wrong_state")
    child, parent = _locked(child, parent)
    if parent.pk not in (child.billing_parent_id, child.asked_billing_parent_id):
        raise Refused(f"The billing of {child} has just changed; try again.", code="wrong_state")
    left = child.billing_parent_id is not None
    child.billing_parent = child.asked_billing_parent = None
    child.save(update_fields=["billing_parent", "asked_billing_parent"])
    child.billing_memberships.filter(left_at=None).update(left_at=now())
    if left:
        _record(child, parent, actor, "left", f"{parent} no longer pays the bills of {child}.")
    else:
        _record(child, parent, actor, "not_joined", f"{child} no longer asks {parent} to pay its bills.")
    return child


@transaction.atomic
def refuse_child(*, child: Organization, parent: Organization, actor: User | None) -> Organization:
    """Decline a child that asked, or pay no longer for one (the parent). Returns the child."""
    child, parent = _locked(child, parent)
    if parent.pk not in (child.billing_parent_id, child.asked_billing_parent_id):
        raise Refused("This organization is not in your billing group, and does not ask.", field="child")
    return leave_billing(child=child, actor=actor)


def _locked(child: Organization, parent: Organization) -> tuple[Organization, Organization]:
    """Both rows in the order of their ids, so that two calls at once cannot make a chain, nor wait for each other."""
    ids = {child.pk, parent.pk}
    rows = {row.pk: row for row in Organization.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    return rows[child.pk], rows[parent.pk]


def _check(child: Organization, parent: Organization) -> None:
    if child.pk == parent.pk:
        raise Refused("An organization pays its own bills anyway; name another one.", field="parent")
    if child.billing_parent_id is not None:
        raise Refused(
            f"{child.billing_parent} pays the bills of {child}. Leave that group first.",
            field="parent",
            code="wrong_state",
        )
    if parent.billing_parent_id is not None:
        raise Refused(
            "Somebody else pays this organization's bills; name that one.", field="parent", code="nested"
        )
    if child.billing_children.exists():
        raise Refused(
            f"{child} pays the bills of others; a group has one level. End that first.",
            field="parent",
            code="nested",
        )


def _record(child: Organization, parent: Organization, actor: User | None, what: str, summary: str) -> None:
    for organization in (child, parent):
        record(
            organization=organization,
            actor=actor,
            action=f"billing_group.{what}",
            target=child,
            summary=summary,
            changes={"parent": [None, parent.pk] if what in ("asked", "joined") else [parent.pk, None]},
        )
