"""Addresses of the provider's publishing pages, under /provider/."""

from django.urls import URLPattern, URLResolver, include, path

from portal.urls_written import invitation_pages, written_pages
from portal.views import (
    policies,
    provider_api_texts,
    provider_apis,
    provider_backends,
    register,
    responses,
    stage_acts,
    stages,
    version_acts,
    version_edit,
)

publishing_pages: list[URLPattern | URLResolver] = [
    path("apis/", provider_apis.listing, name="provider-apis"),
    path("apis/new/", register.page, name="api-register"),
    path("apis/<slug:pk>/", provider_apis.detail, name="provider-api"),
    path("apis/<slug:pk>/details/", provider_api_texts.details, name="provider-api-details"),
    path("apis/<slug:pk>/", include(written_pages("provider-api", provider_api_texts.pages))),
    path("apis/<slug:pk>/", include(invitation_pages("provider-api", provider_api_texts.guests))),
    path("backends/", provider_backends.listing, name="backends"),
    path("backends/new/", provider_backends.create, name="backend-new"),
    path("backends/<slug:pk>/", provider_backends.edit, name="backend"),
    path("operations/<slug:pk>/", policies.operation, name="operation"),
    path("operations/<slug:pk>/remove/", version_edit.remove, name="operation-remove"),
    path("versions/<slug:pk>/live/", provider_apis.live, name="version-live"),
    path("versions/<slug:pk>/operations/", version_edit.operations, name="version-operations"),
    path("versions/<slug:pk>/policies/", policies.version, name="version-policies"),
    path("versions/<slug:pk>/settings/", version_edit.settings, name="version-settings"),
    path("versions/<slug:pk>/responses/", responses.page, name="version-responses"),
    path("versions/<slug:pk>/document/", version_edit.document, name="version-document"),
    path("versions/<slug:pk>/deploy/", version_acts.deploy, name="version-deploy"),
    path("versions/<slug:pk>/deprecate/", version_acts.deprecate, name="version-deprecate"),
    path("versions/<slug:pk>/retire/", version_acts.retire, name="version-retire"),
    path("versions/<slug:pk>/reinstate/", version_acts.reinstate, name="version-reinstate"),
    path("stages/<slug:pk>/", stages.page, name="stage"),
    path("stages/<slug:pk>/settings/", stages.settings, name="stage-settings"),
    path("stages/<slug:pk>/policies/", policies.stage, name="stage-policies"),
    path("stages/<slug:pk>/flush/", stage_acts.flush, name="stage-flush"),
    path("stages/<slug:pk>/promote/", stage_acts.promote, name="stage-promote-new"),
    path("stages/<slug:pk>/promote/<slug:to>/", stage_acts.promote, name="stage-promote"),
    path("stages/<slug:pk>/roll-back/<slug:deployment>/", stage_acts.roll_back, name="stage-roll-back"),
    path("stages/<slug:pk>/canary/", stages.canary, name="stage-canary"),
    path("stages/<slug:pk>/canary/promote/", stage_acts.canary_promote, name="stage-canary-promote"),
    path("stages/<slug:pk>/canary/remove/", stage_acts.canary_remove, name="stage-canary-remove"),
]
