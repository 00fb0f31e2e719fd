"""Bearer tokens (RFC 6750). A browser's session is not accepted here."""

from typing import TYPE_CHECKING

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.tokens import find_token
from rest.caller import Caller

if TYPE_CHECKING:
    from accounts.models import User

REALM = 'Bearer realm="gatehouse"'


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer gat_…` -> `request.user` is the token's person, `request.auth` the token.

    `request.caller` says what the two may see.
    """

    def authenticate(self, request: Request) -> "tuple[User, ApiToken] | None":
        header = get_authorization_header(request).split()
        if not header or header[0].lower() != b"bearer":
            return None
        if len(header) != 2:
            raise AuthenticationFailed("Write the header as `Authorization: Bearer gat_…`.")
        # unknown, revoked, expired, its person left: one answer, so a stranger learns nothing
        token = find_token(header[1].decode("latin-1"))
        if token is None or not token.user.is_active:
            raise AuthenticationFailed("The token is unknown, revoked or expired.")
        request.caller = Caller(token)  # type: ignore[attr-defined]
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge; with `error` only when a token was sent (RFC 6750, section 3)."""
        return f'{REALM}, error="invalid_token"' if get_authorization_header(request) else REALM
