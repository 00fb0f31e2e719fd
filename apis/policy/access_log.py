"""The format of a stage's access log, in AWS's $context variables."""

import re
from typing import Any

from apis.policy.reading import CONTROL, PolicyError

MAX_BYTES = 3_072
REFERENCE = re.compile(r"\$context\.([A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z])|\$(\S{0,30})")
NEEDED = ("requestId", "extendedRequestId")

# what Amazon API Gateway's access logs know (REST and HTTP APIs)
_NAMES = """
    accountId apiId awsEndpointRequestId awsEndpointRequestId2 dataProcessed deploymentId domainName
    domainPrefix endpointType extendedRequestId httpMethod isCanaryRequest path protocol requestId requestTime
    requestTimeEpoch resourceId resourcePath routeKey stage tlsVersion cipherSuite wafResponseCode webaclArn
    xrayTraceId status responseLength responseLatency integrationErrorMessage integrationLatency
    integrationStatus integration.error integration.integrationStatus integration.latency
    integration.requestId integration.status integration.responseTransferMode
    customDomain.basePathMatched customDomain.routingRuleIdMatched
    error.message error.messageString error.responseType error.validationErrorString
    identity.accessKey identity.accountId identity.apiKey identity.apiKeyId identity.caller
    identity.cognitoAuthenticationProvider identity.cognitoAuthenticationType identity.cognitoIdentityId
    identity.cognitoIdentityPoolId identity.principalOrgId identity.sourceIp identity.user identity.userAgent
    identity.userArn identity.vpcId identity.vpceId
    identity.clientCert.clientCertPem identity.clientCert.subjectDN identity.clientCert.issuerDN
    identity.clientCert.serialNumber identity.clientCert.validity.notBefore
    identity.clientCert.validity.notAfter
    authorizer.principalId authorizer.error authorizer.integrationLatency authorizer.integrationStatus
    authorizer.latency authorizer.requestId authorizer.status authenticate.error authenticate.latency
    authenticate.status authorize.error authorize.latency authorize.status waf.error waf.latency waf.status
"""
VARIABLES = frozenset(_NAMES.split())
OPEN = ("authorizer.", "authorizer.claims.")

PRESETS = {
    "CLF": "$context.identity.sourceIp $context.identity.caller $context.identity.user [$context.requestTime] "
    '"$context.httpMethod $context.resourcePath $context.protocol" $context.status $context.responseLength '
    "$context.requestId",
    "JSON": '{"requestId":"$context.requestId","ip":"$context.identity.sourceIp",'
    '"requestTime":"$context.requestTime","httpMethod":"$context.httpMethod",'
    '"resourcePath":"$context.resourcePath","path":"$context.path","status":"$context.status",'
    '"protocol":"$context.protocol","responseLength":"$context.responseLength",'
    '"apiKeyId":"$context.identity.apiKeyId","responseLatency":"$context.responseLatency"}',
    "XML": '<request id="$context.requestId"><ip>$context.identity.sourceIp</ip>'
    "<requestTime>$context.requestTime</requestTime><httpMethod>$context.httpMethod</httpMethod>"
    "<resourcePath>$context.resourcePath</resourcePath><status>$context.status</status>"
    "<responseLength>$context.responseLength</responseLength></request>",
    "CSV": "$context.identity.sourceIp,$context.identity.caller,$context.identity.user,$context.requestTime,"
    "$context.httpMethod,$context.resourcePath,$context.protocol,$context.status,$context.responseLength,"
    "$context.requestId",
}


def read_access_log(raw: Any, at: str) -> str:
    """Read a format; '' and null = no access log. Raises PolicyError for a variable that is not known."""
    if raw is None or raw == "":
        return ""
    if not isinstance(raw, str):
        raise PolicyError("Give a text with $context variables.", at)
    text = raw.strip()
    if CONTROL.search(text):
        raise PolicyError("The format is one line: take out line breaks and control characters.", at)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise PolicyError(f"The format has at most {MAX_BYTES:,} bytes.", at)
    names = []
    for found in REFERENCE.finditer(text):
        if found[1] is None:
            shown = f"${found[2]}"
            raise PolicyError(f"{shown!r} is no variable; they begin with $context.", at)
        names.append(found[1])
    for name in names:
        if name not in VARIABLES and not name.startswith(OPEN):
            raise PolicyError(f"There is no variable $context.{name[:60]}.", at)
    if not any(name in NEEDED for name in names):
        raise PolicyError("The format must hold $context.requestId or $context.extendedRequestId.", at)
    return text
