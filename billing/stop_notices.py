"""Telling of calls that are refused for money, and of those that are let in again: by webhook, caps by mail, too."""

from collections import defaultdict
from collections.abc import Mapping

from access.allowances import Moved
from access.models import Subscription
from accounts.mail import mail_organization
from accounts.models import Organization
from accounts.portal_address import portal_url
from accounts.webhooks.emit import emit_many
from billing.alerts import BudgetState, event_data, shown


def tell_of_stops(
    moved: Moved, subscriptions: Mapping[str, Subscription], states: Mapping[str, BudgetState | None]
) -> None:
    """Tell of what was stopped and let go on. `states`: subscription's id -> the cap that binds it, None = credit.

    Of a cap of a whole group, its organization is told all; a member that it pays for, which of its subscriptions
    were stopped, and no money of the group's.
    """
    stopped: dict[str, list[str]] = defaultdict(list)
    caps: dict[str, BudgetState] = {}
    members: dict[tuple[str, str], list[str]] = defaultdict(list)
    credit: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pk in moved.stopped:
        state, subscription = states[pk], subscriptions[pk]
        if state is None:
            credit[subscription.organization_id, subscription.provider_id].append(pk)
            continue
        stopped[state.budget.pk].append(pk)
        caps[state.budget.pk] = state
        if subscription.organization_id != state.budget.organization_id:
            members[subscription.organization_id, state.budget.pk].append(pk)
    resumed: dict[str, list[str]] = defaultdict(list)
    for pk in moved.resumed:
        resumed[subscriptions[pk].organization_id].append(pk)
    emit_many(
        [
            (
                state.budget.organization_id,
                "spend_cap.reached",
                event_data(state.budget, state.period, state.spent) | {"stopped": sorted(stopped[pk])},
            )
            for pk, state in caps.items()
        ]
        + [
            (member, "spend_cap.reached", _of_group(caps[pk]) | {"stopped": sorted(ids)})
            for (member, pk), ids in members.items()
        ]
        + [
            (customer, "credit.used_up", {"provider": provider, "stopped": sorted(ids)})
            for (customer, provider), ids in credit.items()
        ]
        + [(pk, "spend_cap.lifted", {"resumed": sorted(ids)}) for pk, ids in resumed.items()]
    )
    for pk, state in caps.items():
        if state.budget.mails:
            _mail(state, len(stopped[pk]))
    for (_, pk), ids in members.items():
        if caps[pk].budget.mails:
            _mail_member(subscriptions[ids[0]].organization, caps[pk], len(ids))


def _of_group(state: BudgetState) -> dict[str, object]:
    """What a member learns of its payer's cap."""
    nothing = dict.fromkeys(("budget", "name", "application", "subscription", "amount", "spent"))
    return nothing | {"scope": "group", "period": state.period, "currency": state.budget.currency}


def _mail(state: BudgetState, number: int) -> None:
    budget = state.budget
    amount, spent = shown(budget.amount, budget.currency), shown(state.spent, budget.currency)
    mail_organization(
        budget.organization,
        subject=f"The spend cap {budget} is reached: calls are refused",
        text=f"In {state.period}, {spent} of {amount} {budget.currency} is spent. The calls of "
        f"{_subscriptions(number)} are refused (429) until the month is over.\n\n"
        f"Raise the cap to let them in again: {portal_url()}/console/budgets/{budget.pk}/\n",
    )


def _mail_member(member: Organization, state: BudgetState, number: int) -> None:
    payer = state.budget.organization
    mail_organization(
        member,
        subject=f"A spend cap of {payer} is reached: calls are refused",
        text=f"{payer} pays for {member}, and its spend cap for {state.period} is reached. The calls of "
        f"{_subscriptions(number)} are refused (429) until the month is over, or until {payer} raises the cap.\n\n"
        f"Budgets: {portal_url()}/console/budgets/\n",
    )


def _subscriptions(number: int) -> str:
    return f"{number} subscription{'' if number == 1 else 's'}"
