"""Rows for tests, as plain functions: each makes one row, and what it stands on if that is not given.

They write rows directly (no verb, no audit line, no signal), so a test of one room does not run the others.
The cast: alice owns, bob helps, charlie sees nothing. A room may keep more in `tests/<room>/factories.py`.
"""

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils.timezone import now

from access.models import ApiKey, Application, PlanStage, Subscription, UsagePlan
from accounts.models import ApiToken, AuditEvent, Member, Organization, Role, User
from accounts.secret_text import hash_of, new_secret, prefix_of
from apis.models import (
    LIVE,
    Api,
    ApiVersion,
    Backend,
    BasePathMapping,
    Deployment,
    DomainName,
    Operation,
    Stage,
    VersionState,
)

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_user(name: str = "", *, password: str = "", **fields: Any) -> User:
    """`make_user("alice")` is alice@example.com, address verified; give a password to sign in by form."""
    name = name or f"person{next(_numbers)}"
    user = User(email=f"{name}@example.com", **({"name": name.title()} | fields))
    user.set_password(password or None)
    user.save()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return user


def make_staff(name: str = "", **fields: Any) -> User:
    """A superuser: staff of the installation."""
    return make_user(name or f"staff{next(_numbers)}", is_staff=True, is_superuser=True, **fields)


def make_organization(owner: User | None = None, **fields: Any) -> Organization:
    """An organization with its owner (made when not given; see `owner_of`)."""
    number = next(_numbers)
    defaults = {"name": f"Organization {number}", "slug": f"organization-{number}"}
    organization = Organization.objects.create(**(defaults | fields))
    make_member(organization, owner or make_user(), Role.OWNER)
    return organization


def make_member(organization: Organization, user: User | None = None, role: str = Role.MEMBER) -> Member:
    return Member.objects.create(organization=organization, user=user or make_user(), role=role)


def owner_of(organization: Organization) -> User:
    return organization.members.filter(role=Role.OWNER).first().user


def make_token(organization: Organization, user: User | None = None, **fields: Any) -> tuple[ApiToken, str]:
    """A bearer token for `/api/v1/` and its text."""
    text = new_secret("gat")
    defaults = {"name": f"Token {next(_numbers)}", "user": user or owner_of(organization)}
    stored = {"prefix": prefix_of(text), "hash": hash_of(text)}
    return ApiToken.objects.create(organization=organization, **(defaults | stored | fields)), text


def make_backend(organization: Organization | None = None, **fields: Any) -> Backend:
    defaults = {"name": f"Backend {next(_numbers)}", "url": "http://127.0.0.1:9"}
    return Backend.objects.create(organization=organization or make_organization(), **(defaults | fields))


def make_api(organization: Organization | None = None, **fields: Any) -> Api:
    number = next(_numbers)
    defaults = {"name": f"API {number}", "slug": f"api-{number}"}
    return Api.objects.create(organization=organization or make_organization(), **(defaults | fields))


def make_document(*paths: str) -> dict[str, Any]:
    """A small OpenAPI 3.0 document with GET on each path (default `/get`)."""
    answer = {"responses": {"200": {"description": "Fine."}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Small", "version": "1"},
        "paths": {path: {"get": answer} for path in paths or ("/get",)},
    }


def make_version(api: Api | None = None, **fields: Any) -> ApiVersion:
    """A published version; its document has GET /get. Operations' rows are made by `make_operation`."""
    api = api or make_api()
    defaults = {
        "name": f"v{next(_numbers)}",
        "document": make_document(),
        "state": VersionState.PUBLISHED,
    }
    return ApiVersion.objects.create(organization=api.organization, api=api, **(defaults | fields))


def make_operation(version: ApiVersion | None = None, **fields: Any) -> Operation:
    version = version or make_version()
    defaults = {
        "method": "GET",
        "path": f"/path{next(_numbers)}",
        "key_required": True,
        "integration_type": "http_proxy",
    }
    return Operation.objects.create(organization=version.organization, version=version, **(defaults | fields))


def make_deployment(version: ApiVersion | None = None, **fields: Any) -> Deployment:
    """A deployment that holds no operation; give `compiled` when the test needs them."""
    version = version or make_version()
    defaults = {
        "number": version.deployments.count() + 1,
        "compiled": {"operations": [], "trie": {}},
        "document": version.document,
    }
    return Deployment.objects.create(
        organization=version.organization, version=version, **(defaults | fields)
    )


def make_stage(version: ApiVersion | None = None, name: str = LIVE, **fields: Any) -> Stage:
    """A stage with a deployment (pass `deployment=None` for one that was never deployed)."""
    version = version or make_version()
    if "deployment" not in fields:
        fields["deployment"] = make_deployment(version)
    return Stage.objects.create(organization=version.organization, version=version, name=name, **fields)


def make_mapping(stage: Stage | None = None, **fields: Any) -> BasePathMapping:
    """Where a stage answers; by default on any host at /{api}/{version}."""
    stage = stage or make_stage()
    defaults = {"base_path": f"{stage.version.api.slug}/{stage.version.name}"}
    return BasePathMapping.objects.create(organization=stage.organization, stage=stage, **(defaults | fields))


def make_domain(organization: Organization | None = None, **fields: Any) -> DomainName:
    """A custom domain whose certificate is no real one."""
    defaults = {"host": f"d{next(_numbers)}.example.com", "certificate": "PEM", "sealed_key": "sealed"}
    defaults |= {"expires_at": now() + timedelta(days=90), "fingerprint": "0" * 64}
    return DomainName.objects.create(organization=organization or make_organization(), **(defaults | fields))


def make_plan(*stages: Stage, **fields: Any) -> UsagePlan:
    """A public plan without limits that opens the stages (one is made when none is given)."""
    stages = stages or (make_stage(),)
    organization = fields.pop("organization", stages[0].organization)
    plan = UsagePlan.objects.create(
        organization=organization, **({"name": f"Plan {next(_numbers)}"} | fields)
    )
    for stage in stages:
        PlanStage.objects.create(organization=organization, plan=plan, stage=stage)
    return plan


def make_application(organization: Organization | None = None, **fields: Any) -> Application:
    defaults = {"name": f"Application {next(_numbers)}"}
    return Application.objects.create(organization=organization or make_organization(), **(defaults | fields))


def make_subscription(
    application: Application | None = None, plan: UsagePlan | None = None, **fields: Any
) -> Subscription:
    """An active subscription of the application to the plan."""
    application = application or make_application()
    plan = plan or make_plan()
    return Subscription.objects.create(
        organization=application.organization,
        provider=plan.organization,
        application=application,
        plan=plan,
        **fields,
    )


def make_key(application: Application | None = None, **fields: Any) -> tuple[ApiKey, str]:
    """An active key of the application and its text."""
    application = application or make_application()
    text = new_secret(f"gh_{fields.get('environment', 'live')}")
    stored = {"prefix": prefix_of(text), "hash": hash_of(text)}
    key = ApiKey.objects.create(
        organization=application.organization,
        application=application,
        **({"name": f"Key {next(_numbers)}"} | stored | fields),
    )
    return key, text


def audit_actions() -> list[str]:
    """The audit trail's actions, oldest first: what the verbs of a test did."""
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
