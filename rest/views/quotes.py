"""`quotes`: what would it cost?"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.quote import quote, total_of
from rest.serializers.quotes import QuoteInput, QuoteSerializer
from rest.views.base import Guarded


class QuoteView(Guarded):
    """Prices and quantities in, the lines of a bill out. Nothing is stored, so read-only tokens may ask, too."""

    tag = "quotes"
    http_method_names = ["post"]
    changes_nothing = True

    @extend_schema(operation_id="quotes_make", request=QuoteInput, responses=QuoteSerializer)
    def post(self, request: Request) -> Response:
        """Work out a bill for quantities that you name; the code is that of invoices.

        `rate_card` is the id of a rate card (your organization's, or one of a plan that you are offered or
        subscribed to), or a whole one inline. The lines are those of one month, tier by tier, each rounded once,
        before tax and without discounts of your own.
        """
        reader = QuoteInput(data=request.data, context={"request": request})
        reader.is_valid(raise_exception=True)
        asked = reader.validated_data
        terms, subscriptions = asked["rate_card"].terms, asked["subscriptions"]
        lines = quote(terms=terms, quantities=asked["quantities"], subscriptions=subscriptions)
        answer = {
            "rate_card": asked["rate_card"].rate_card,
            "currency": terms.currency,
            "subscriptions": subscriptions,
            "lines": lines,
            "total": total_of(lines),
        }
        return Response(QuoteSerializer(answer).data)
