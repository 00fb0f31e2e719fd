"""Makes keys in every state by the verbs, in a running Gatehouse: `manage.py shell` runs this file's text.

Prints one JSON object: tokens of the provider, of her reader, of a stranger and of a suspended organization, and a
key's text for each case.
"""

import json
import sys
import uuid
from datetime import timedelta

from django.utils.timezone import now

from access.applications import create_application, suspend_application
from access.keys import create_key, disable_key, revoke_key, rotate_key
from access.plans import create_plan
from access.subscribe import cancel, subscribe, suspend
from accounts import organizations
from accounts.people import create_person
from accounts.tokens import create_token
from apis.backends import create_backend
from apis.publish import deploy
from apis.versions import create_api, create_version, retire

NOBODY = {"actor": None}
word = uuid.uuid4().hex[:6]


def organization(name):
    person = create_person(email=f"{name}-{word}@example.com", password=None, name=name.title(), actor=None)
    return organizations.create_organization(name=name.title(), owner=person, actor=None), person


def token(of, **more):
    group, person = of
    return create_token(organization=group, user=person, name="contract", actor=None, **more)[1]


alice, charlie, eve, mallory = (organization(name) for name in ("alice", "charlie", "eve", "mallory"))
provider, developer = alice[0], charlie[0]
backend = create_backend(organization=provider, name="none", url="http://127.0.0.1:9", **NOBODY)
api = create_api(organization=provider, name="Contract", slug=f"contract-{word}", **NOBODY)
answer = {"responses": {"200": {"description": "Fine."}}}
document = {
    "openapi": "3.0.3", "info": {"title": "Contract", "version": "1"},
    "paths": {
        "/orders/{id}": {"get": answer, "post": answer},
        "/all/{proxy+}": {"x-amazon-apigateway-any-method": answer},
    },
}  # fmt: skip


def version(name):
    made = create_version(api=api, name=name, document=document, backend=backend, **NOBODY)
    deploy(version=made, stage_name="live", **NOBODY)
    made.refresh_from_db()
    return made, made.stages.get()


(v1, live), (v2, old) = version("v1"), version("v2")


def plan(name, *stages, **more):
    return create_plan(organization=provider, name=f"{name} {word}", stages=list(stages), **more, **NOBODY)


limits = {"throttle_rate": 0.01, "throttle_burst": 3, "quota_limit": 100, "quota_period": "MONTH"}
plans = {
    "usual": plan("Usual", live, **limits),
    "asking": plan("Asking", live, requires_approval=True),
    "small": plan("Small", live, quota_limit=2, quota_period="DAY"),
    "retired": plan("Retired", old),
}
keys, subscriptions = {}, {}


def sell(case, name="usual", to=developer, **of_key):
    application = create_application(organization=to, name=f"{case} {word}", **NOBODY)
    if name:
        subscriptions[case] = subscribe(application=application, plan=plans[name], **NOBODY)
    key, keys[case] = create_key(application=application, name=f"key of {case}", **of_key, **NOBODY)
    return key


sell("VALID")
sell("consumed")
sell("authorized")
sell("small", "small")
disable_key(key=sell("DISABLED"), **NOBODY)
revoke_key(key=sell("REVOKED"), **NOBODY)
sell("EXPIRED", expires_at=now() + timedelta(seconds=1))
rotate_key(key=sell("ROTATED_OUT"), grace=timedelta(0), **NOBODY)
sell("NOT_YET_VALID", not_before=now() + timedelta(days=1), expires_at=now() + timedelta(days=2))
suspend_application(application=sell("APPLICATION_SUSPENDED").application, **NOBODY)
sell("ACCOUNT_SUSPENDED", to=eve[0])
organizations.suspend(organization=eve[0], **NOBODY)
sell("IP_NOT_ALLOWED", ips=["10.0.0.0/8"])
sell("REFERRER_NOT_ALLOWED", referrers=["*.example.com"])
sell("NOT_SUBSCRIBED", "retired")
sell("cancelled")
cancel(subscription=subscriptions["cancelled"], **NOBODY)
sell("suspended")
suspend(subscription=subscriptions["suspended"], **NOBODY)
sell("SUBSCRIPTION_PENDING", "asking")
sell("API_RETIRED", "retired")
retire(version=v2, **NOBODY)
sys.stdout.write(
    json.dumps(
        {
            "tokens": {
                "alice": token(alice), "reader": token(alice, read_only=True), "charlie": token(charlie),
                "stranger": token(mallory), "suspended": token(eve),
            },
            "keys": keys,
            "api": {"id": api.pk, "slug": api.slug, "version": v1.pk, "stage": live.pk},
        }
    )
)  # fmt: skip
