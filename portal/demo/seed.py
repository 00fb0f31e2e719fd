"""Seeds an installation at its start."""

from django.utils.timezone import now

from access.keys import create_key, parse_key
from access.models import ApiKey, Application, KeyState, Subscription, SubscriptionState, UsagePlan
from access.subscribe import sign_up_for_plan
from accounts.models import Organization, User
from portal.demo.api import publish_httpbin
from portal.demo.calls import log_some_calls
from portal.demo.money import make_money
from portal.demo.people import DEVELOPER, SHOP, Secrets, make_admin, make_home, make_person
from portal.demo.plans import make_plans
from portal.demo.product import make_client_kit


def seed(*, kept: Secrets, httpbin_url: str, demo: bool) -> None:
    """Make the administrator and, if `demo`, a published API with plans and two developers."""
    admin, provider = make_admin(kept)
    if demo:
        stage = publish_httpbin(organization=provider, actor=admin, url=httpbin_url)
        make_client_kit(version=stage.version, actor=admin)
        plans = make_plans(organization=provider, stage=stage, actor=admin)
        dana = _make_developer(
            kept, role="developer", email=DEVELOPER, name="Dana Developer", plan=plans["Pro"]
        )
        make_money(provider=provider, customer=dana, actor=admin)
        sam = _make_developer(kept, role="shop", email=SHOP, name="Sam Shop", plan=plans["Free"])
        log_some_calls(stage=stage, customers=[dana, sam], at=now())
    kept.save()


def _make_developer(kept: Secrets, *, role: str, email: str, name: str, plan: UsagePlan) -> Organization:
    """Make a developer who has a key on the plan; the first one's key is shown at every start."""
    person = make_person(email=email, name=name, password=kept.password(role, email))
    home = make_home(owner=person, name=name)
    secret = "api_key" if role == "developer" else f"{role}_api_key"
    if not _works(kept.facts.get(secret, "")):
        kept.facts[secret] = _make_key(person, home, plan)
    return home


def _works(text: str) -> bool:
    parsed = parse_key(text)
    return parsed is not None and ApiKey.objects.filter(hash=parsed.hash, state=KeyState.ACTIVE).exists()


def _make_key(person: User, home: Organization, plan: UsagePlan) -> str:
    living = Subscription.objects.filter(organization=home, plan=plan, state=SubscriptionState.ACTIVE)
    application = Application.objects.filter(subscriptions__in=living).first()
    if application is None:
        name = "First application"
        return sign_up_for_plan(organization=home, application_name=name, plan=plan, actor=person)[2]
    return create_key(application=application, name="Demo key", actor=person)[1]
