"""Who may call an operation, as the document says it.

A scheme `apiKey` in a header is Gatehouse's key. A scheme with `x-amazon-apigateway-authorizer` or
`-authtype` asks the gateway itself to check. It asks Lambda authorizers (`authorizers.py`); with others (Cognito,
JWT, IAM) the operation must not be served, since serving it would leave it open. Plain schemes (bearer, OAuth 2,
a key in the query) are the backend's own business: the gateway passes them on, as Amazon API Gateway does.
"""

from dataclasses import dataclass
from typing import Any

from apis.openapi.authorizers import AUTHORIZER, AUTHTYPE, Authorizers
from apis.openapi.document import Document, follow
from apis.openapi.findings import INFO, WARNING, Finding, pointer
from apis.openapi.security_schemes import schemes_of

KEY_HEADER = "x-api-key"
KEY_EXTENSION = "x-gatehouse-key-required"
AUTH = "x-amazon-apigateway-auth"

API_KEY, GATEWAY, BACKEND, NONE, UNKNOWN = "api_key", "gateway", "backend", "none", "unknown"


@dataclass(frozen=True, slots=True)
class Access:
    """What an operation asks for. `key_required` None = the document does not say; `authorizer` '' = none."""

    key_required: bool | None
    unserved_reason: str = ""
    authorizer: str = ""


def kind_of(name: str, scheme: Any) -> str:
    """Say who checks a scheme: API_KEY, GATEWAY, BACKEND, NONE or UNKNOWN."""
    if not isinstance(scheme, dict):
        return NONE if name.upper() == "NONE" else UNKNOWN
    if AUTHORIZER in scheme or AUTHTYPE in scheme:
        return GATEWAY
    if scheme.get("type") == "apiKey":
        return API_KEY if scheme.get("in") == "header" else BACKEND
    return BACKEND


def is_like(scheme: Any, wanted: dict[str, str]) -> bool:
    """Tell whether a scheme says the same as `wanted`, and asks for nothing besides."""
    if not isinstance(scheme, dict) or AUTHORIZER in scheme or AUTHTYPE in scheme:
        return False
    return all(str(scheme.get(name, "")).lower() == text.lower() for name, text in wanted.items())


class Security:
    """Reads the security of one document's operations, and collects findings."""

    def __init__(
        self,
        document: Document,
        unserved_reason: str = "",
        key_source: dict[str, str] | None = None,
        authorizers: Authorizers | None = None,
    ) -> None:
        """`unserved_reason` is why no operation of the document may be served.

        `key_source` is where keys are (None = the header x-api-key): a scheme that says so is ours.
        """
        data = document.data
        self.findings: list[Finding] = []
        self._schemes = schemes_of(data)
        self._authorizers = authorizers or Authorizers()
        self._kinds = {
            name: kind_of(name, self._resolved(data, each)) for name, each in self._schemes.items()
        }
        self._key_header = KEY_HEADER
        if key_source and key_source["place"] == "header":
            self._key_header = key_source["name"]
        if key_source and key_source["place"] == "query":
            wanted = {"type": "apiKey", "name": key_source["name"], "in": "query"}
            ours = [name for name, each in self._schemes.items() if is_like(each, wanted)]
            self._kinds |= dict.fromkeys(ours, API_KEY)
        self._root = data.get("security")
        self._unserved_reason = unserved_reason
        self._look_at_document(data)

    def access(self, operation: dict[str, Any], *where: str) -> Access:
        """Return what this operation asks for; `where` are the pointer's parts."""
        said = operation.get(KEY_EXTENSION)
        at_operation = isinstance(operation.get("security"), list)
        requirements = operation["security"] if at_operation else self._root
        names = _names(requirements)
        kinds = {name: self._kinds.get(name) or kind_of(name, None) for name in names}
        reason = self._reason(operation, kinds, pointer(*where))
        if isinstance(said, bool):
            key: bool | None = said
        elif API_KEY in kinds.values():
            key = True
        elif isinstance(requirements, list) and (not requirements or set(kinds.values()) == {NONE}):
            key = False
        else:
            key = None
        authorizers = [name for name in kinds if name in self._authorizers.served]
        return Access(key, reason, authorizers[0] if authorizers else "")

    def _reason(self, operation: dict[str, Any], kinds: dict[str, str], at: str) -> str:
        reason = self._unserved_reason
        auth = operation.get(AUTH)
        if isinstance(auth, dict) and str(auth.get("type", "NONE")).upper() != "NONE":
            reason = f"It asks for the authorization {str(auth['type'])[:40]}, which is not enforced yet."
        if len([name for name in kinds if name in self._authorizers.served]) > 1:
            reason = "It asks for several authorizers; it may have one."
        for name, kind in kinds.items():
            if kind == GATEWAY and name not in self._authorizers.served:
                why = self._authorizers.reasons.get(name, "is not enforced yet.")
                reason = f"Its authorizer {name[:80]!r} {why}"
            elif kind == UNKNOWN:
                reason = f"It asks for the security scheme {name[:80]!r}, which the document does not define."
        if reason:
            message = f"Not served by this gateway yet, since it would be open: {reason}"
            self.findings.append(Finding(WARNING, at, message))
        return reason

    def _look_at_document(self, data: dict[str, Any]) -> None:
        if isinstance(self._root, list) and self._root:
            message = (
                "Security at the root holds for all operations without their own. "
                "Amazon API Gateway's importer ignores it."
            )
            self.findings.append(Finding(INFO, "/security", message))
        for name, scheme in self._schemes.items():
            self._look_at_scheme(name, scheme, data)

    def _look_at_scheme(self, name: str, scheme: Any, data: dict[str, Any]) -> None:
        old = data.get("securityDefinitions")
        in_old_place = isinstance(old, dict) and name in old
        at = (
            pointer("securityDefinitions", name)
            if in_old_place
            else pointer("components", "securitySchemes", name)
        )
        kind = self._kinds[name]
        if name in self._authorizers.remarks:
            self.findings.append(Finding(INFO, at, self._authorizers.remarks[name]))
        elif kind == GATEWAY and name not in self._authorizers.served:
            why = self._authorizers.reasons.get(name, "is not enforced yet.")
            message = f"This authorizer {why} Operations that ask for it are not served."
            self.findings.append(Finding(WARNING, at, message))
        elif kind == BACKEND:
            message = "This scheme is passed on to the backend; the gateway does not check it."
            self.findings.append(Finding(INFO, at, message))
        elif kind == API_KEY and self._is_elsewhere(scheme):
            message = (
                f"The gateway reads API keys from the header {self._key_header}, whatever this scheme names."
            )
            self.findings.append(Finding(INFO, at, message))

    def _is_elsewhere(self, scheme: dict[str, Any]) -> bool:
        return scheme.get("in") == "header" and str(scheme.get("name", "")).lower() != self._key_header

    @staticmethod
    def _resolved(data: dict[str, Any], scheme: Any) -> Any:
        return follow(data, scheme)[0]


def _names(requirements: Any) -> list[str]:
    if not isinstance(requirements, list):
        return []
    return [name for each in requirements if isinstance(each, dict) for name in each]
