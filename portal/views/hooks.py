"""Where payment processors leave their messages."""

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from billing.models import Processor
from billing.payments.base import BadSignature
from billing.payments.events import receive

logger = logging.getLogger(__name__)
MAX_BYTES = 1_000_000


@csrf_exempt
@require_POST
def payments(request: HttpRequest, processor: str) -> HttpResponse:
    """Take a message of `processor`. 400 = not signed by it; another error makes it deliver again."""
    if processor not in Processor.values:
        return JsonResponse({"error": "no such processor"}, status=404)
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        return JsonResponse({"error": "too large"}, status=413)
    try:
        new = receive(kind=processor, body=request.body, headers=request.headers)
    except BadSignature as error:
        logger.warning("a message that says it is from %s was refused: %s", processor, error)
        return JsonResponse({"error": "the signature does not match"}, status=400)
    return JsonResponse({"received": True, "new": new})
