"""Pages of a version in the admin console for what its document says: policies, keys, gateway responses."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.html import format_html
from unfold.decorators import action

from accounts.verb_admin import person
from apis.admin.pages import form_page, list_page, table
from apis.document_forms import KeysForm, ResponseForm, keys_initial, response_initial
from apis.document_settings import change_document_settings, document_settings
from apis.models import ApiVersion
from apis.policy import TYPES
from apis.policy_forms import PolicyForm, initial_of

NEXT_DEPLOY = "It is written into the document and goes live with the next deploy."


def _version(object_id: str) -> ApiVersion:
    return get_object_or_404(ApiVersion.objects.select_related("api"), pk=object_id)


def _data(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


class DocumentPages:
    """Mixed into the admin page of versions."""

    @action(description="Policies", url_path="policies", permissions=["change"], icon="tune")
    def policies_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = _version(object_id)
        form = PolicyForm(_data(request), initial=initial_of(document_settings(version).policy))

        def verb(_: dict[str, Any]) -> str:
            change_document_settings(version=version, policy=form.policy(), actor=person(request))
            return f"Changed the policies of {version}. Deploy it to make them live."

        return form_page(
            request,
            row=version,
            form=form,
            title=f"Policies of {version}",
            submit="Save",
            verb=verb,
            intro=f"For every operation on every stage where nobody says anything else. {NEXT_DEPLOY}",
        )

    @action(description="Keys and compression", url_path="keys", permissions=["change"], icon="key")
    def keys_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = _version(object_id)
        form = KeysForm(_data(request), initial=keys_initial(document_settings(version)))

        def verb(_: dict[str, Any]) -> str:
            change_document_settings(version=version, actor=person(request), **form.settings())
            return f"Changed the settings of {version}. Deploy it to make them live."

        title = f"Keys and compression of {version}"
        return form_page(
            request, row=version, form=form, title=title, submit="Save", verb=verb, intro=NEXT_DEPLOY
        )

    @action(description="Gateway responses", url_path="responses", permissions=["change"], icon="block")
    def responses_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = _version(object_id)
        known = document_settings(version).responses
        kind = request.GET.get("type")
        if kind is None:
            return list_page(
                request,
                row=version,
                title=f"Gateway responses of {version}",
                intro="How refusals look. What DEFAULT_4XX and DEFAULT_5XX say holds for the types of their class "
                "that say nothing themselves.",
                rows=_response_table(known),
            )
        if kind not in TYPES:
            raise Http404
        before = known.get(kind, {})
        form = ResponseForm(_data(request), initial=response_initial(before))

        def verb(_: dict[str, Any]) -> str:
            made = {} if request.POST.get("do") == "reset" else form.response(before)
            rest = {name: each for name, each in known.items() if name != kind}
            responses = rest | ({kind: made} if made else {})
            change_document_settings(version=version, responses=responses, actor=person(request))
            return f"Changed {kind} of {version}. Deploy it to make it live."

        return form_page(
            request,
            row=version,
            form=form,
            title=f"{kind} of {version}",
            submit="Save",
            verb=verb,
            intro=NEXT_DEPLOY,
            buttons=[("reset", "As built in")] if before else (),
            back=request.path,
        )


def _response_table(known: dict[str, Any]) -> Any:
    cells = []
    for kind in TYPES:
        response = known.get(kind, {})
        said = ", ".join(
            f"status {value}" if name == "status" else f"{len(value)} {name}"
            for name, value in response.items()
        )
        name = format_html('<a class="text-primary-600 underline" href="?type={}">{}</a>', kind, kind)
        cells.append((name, said or "as built in"))
    return table(("Type", "Looks"), cells, "")
