"""The generated client of a version: made when first asked for, then kept for a while."""

from functools import lru_cache
from threading import BoundedSemaphore

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.errors import Refused
from apis.clients import make_python_client
from apis.reference import Operation
from portal.reference import deployed_reference
from portal.views.reference import published

KEPT_CLIENTS = 16  # of some 50 kB each
# the generator is a process of its own, with a core's worth of work
_ONE = BoundedSemaphore(1)
WAIT_SECONDS = 20


def python(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """A zip with a Python package; the reference with the reason, if none can be made."""
    found, stage, reference = published(request, slug, version)
    name = f"{found.api.slug}-{found.name}"
    try:
        if not _ONE.acquire(timeout=WAIT_SECONDS):
            raise Refused("Other clients are being made just now. Try again in a minute.")
        try:
            packed = _made(stage.deployment_id or "", reference.address, name)
        finally:
            _ONE.release()
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("reference", found.api.slug, found.name)
    headers = {"Content-Disposition": f'attachment; filename="{name}-python.zip"'}
    return HttpResponse(packed, content_type="application/zip", headers=headers)


@lru_cache(maxsize=KEPT_CLIENTS)
def _made(deployment_id: str, address: str, name: str) -> bytes:
    reference = deployed_reference(deployment_id, address)
    read = [found[1] for line in reference.lines if (found := reference.operation(line.slug))]
    keyed = next((each for each in read if each.key), None)
    return make_python_client(
        reference.data,
        name=name,
        address=address,
        credential=keyed.key if keyed else None,
        example=next((each for each in read if _is_simple(each)), None),
    )


def _is_simple(operation: Operation) -> bool:
    """Whether it can be called with nothing but a key."""
    must = [each for each in operation.parameters if each.required]
    return operation.method == "GET" and not operation.unserved and not must
