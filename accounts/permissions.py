"""Who may do what in an organization: the one place that decides. Superusers may do everything.

| role    | read | manage | administer | see bills |
|---------|------|--------|------------|-----------|
| owner   | yes  | yes    | yes        | yes       |
| admin   | yes  | yes    | yes        | yes       |
| member  | yes  | yes    |            |           |
| billing | yes  |        |            | yes       |
| limited |      |        |            |           |

Who is limited sees and changes only the APIs that she was given (`apis/grants.py`), and nothing else.
Staff who are not superusers have no rights here: the admin console asks Django's own permissions.
Who sees bills may pay them. A suspended organization can be read and its bills seen and paid; nothing else in it
can be changed.
"""

from django.contrib.auth.models import AnonymousUser

from accounts.models import Member, Organization, Role, User

Person = User | AnonymousUser

_KNOWN = "_gatehouse_memberships"

_READ = frozenset(Role) - {Role.LIMITED}
_MANAGE = frozenset({Role.OWNER, Role.ADMIN, Role.MEMBER})
_ADMINISTER = frozenset({Role.OWNER, Role.ADMIN})
_SEE_BILLS = frozenset({Role.OWNER, Role.ADMIN, Role.BILLING})


def membership(user: Person, organization: Organization) -> Member | None:
    """Return the person's place in the organization, or None."""
    if not user.is_authenticated:
        return None
    known: dict[str, Member | None] = getattr(user, _KNOWN, {})
    if organization.pk not in known:
        known[organization.pk] = Member.objects.filter(user=user, organization=organization).first()
    return known[organization.pk]


def remember_memberships(user: User) -> None:
    """Have each of the person's memberships looked up once, from now on: for one request that only reads them."""
    setattr(user, _KNOWN, {})


def belongs(user: Person, organization: Organization) -> bool:
    """Be a member, in whatever role: to leave, for example."""
    return _may(user, organization, frozenset(Role))


def is_limited(user: Person, organization: Organization) -> bool:
    """Whether she is a member who sees only chosen APIs."""
    if user.is_superuser:
        return False
    member = membership(user, organization)
    return member is not None and member.role == Role.LIMITED


def can_read(user: Person, organization: Organization) -> bool:
    """See the organization's things."""
    return _may(user, organization, _READ)


def can_manage(user: Person, organization: Organization) -> bool:
    """Change APIs, plans, applications, subscriptions and keys."""
    return _may(user, organization, _MANAGE, changes=True)


def can_administer(user: Person, organization: Organization) -> bool:
    """Change the organization itself, its members, everybody's tokens, and prices."""
    return _may(user, organization, _ADMINISTER, changes=True)


def can_see_bills(user: Person, organization: Organization) -> bool:
    """See estimates and invoices."""
    return _may(user, organization, _SEE_BILLS)


def can_pay(user: Person, organization: Organization) -> bool:
    """Pay invoices, buy credits, leave a card. Also when it is suspended: paying may be the way out."""
    return _may(user, organization, _SEE_BILLS)


def can_give_role(user: Person, organization: Organization, role: str) -> bool:
    """Give or take a role: those who administer; only owners (and superusers) where the role is owner."""
    needed = frozenset({Role.OWNER}) if role == Role.OWNER else _ADMINISTER
    return _may(user, organization, needed, changes=True)


def can_join_billing(user: Person, organization: Organization) -> bool:
    """Ask another organization to pay this one's bills, pay another's, and end either: owners only."""
    return _may(user, organization, frozenset({Role.OWNER}), changes=True)


def can_hand_over(user: Person, organization: Organization) -> bool:
    """Offer the organization to another owner, and close it: owners only."""
    return _may(user, organization, frozenset({Role.OWNER}), changes=True)


def _may(user: Person, organization: Organization, roles: frozenset[Role], *, changes: bool = False) -> bool:
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    if changes and organization.suspended_at is not None:
        return False
    member = membership(user, organization)
    return member is not None and member.role in roles
