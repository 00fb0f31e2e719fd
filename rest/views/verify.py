"""`POST keys/verify`: is this key valid?"""

from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from rest.permissions import Need
from rest.serializers.verify import VerdictSerializer, VerifyInput
from rest.verify import answer, judge
from rest.views.base import Guarded


class VerifyView(Guarded):
    """Key verification for gateways and backends that ask themselves."""

    tag = "keys"
    http_method_names = ["post"]
    # it changes nothing, so every member's token may ask, a read-only one too
    changes_nothing = True
    write_need = Need.READ

    @extend_schema(operation_id="keys_verify", request=VerifyInput, responses=VerdictSerializer)
    @sensitive_variables()
    def post(self, request: Request) -> Response:
        """Judge a key for a stage of an API that you provide; answers 200 whatever the verdict.

        The key is judged in the order existence, state, expiry, scope. Nothing is consumed: `limits`
        tells what is left. Keys of strangers, and stages that are not yours, are NOT_FOUND.
        """
        reader = VerifyInput(data=request.data, context={"request": request})
        reader.is_valid(raise_exception=True)
        asked = reader.validated_data
        request_id: str = request.request_id  # type: ignore[attr-defined]
        verdict = answer(judge(self.caller, asked, now()), asked, request_id)
        return Response(VerdictSerializer(verdict).data)
