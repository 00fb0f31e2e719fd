"""Calls Lambda functions by AWS's Invoke API, signed (Signature Version 4) with the operator's credentials."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from yarl import URL

SECONDS = 10.0  # AWS's for authorizers
AT_ONCE = 1024  # calls of functions at the same time by one node; more wait
OF_ONE = 64  # of these, calls of one function: a slow one must not keep the others waiting
LONGEST = 65536  # bytes of an answer that are read
FUNCTION = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):lambda:(?P<region>[a-z0-9-]{1,40}):(?P<account>[0-9]{12})"
    r":function:[A-Za-z0-9_-]{1,140}(:[A-Za-z0-9_$-]{1,128})?"
)


class Unanswered(Exception):
    """The function gave no answer: `thrown` is its own error message, '' when it is not known."""

    def __init__(self, reason: str, *, thrown: str = "") -> None:
        super().__init__(reason)
        self.thrown = thrown


class NotInvokable(Exception):
    """The function cannot be called at all: no credentials, no permission, not there, nobody at the endpoint."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a function returned."""

    body: bytes
    function_error: str


class Functions:
    """A client of Lambda's API. `endpoint` '' = AWS's own, in the region of each function."""

    def __init__(self, endpoint: str, environment: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._environment = environment
        self._session: aiohttp.ClientSession | None = None
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def invoke(self, function: str, payload: bytes) -> Result:
        """Call a function and wait for its result; raises Unanswered and NotInvokable."""
        if not FUNCTION.fullmatch(function):
            raise NotInvokable("the function's ARN is not one")
        turn = self._turns.setdefault(function, asyncio.Semaphore(OF_ONE))
        try:
            async with asyncio.timeout(SECONDS), turn:
                try:
                    return await self._invoke(function, payload)
                except aiohttp.ServerDisconnectedError:  # a kept connection had just been given up
                    return await self._invoke(function, payload)
        except TimeoutError as late:
            raise Unanswered(f"no answer within {SECONDS:.0f} s") from late
        except aiohttp.ClientConnectorError as away:
            raise NotInvokable("Lambda's API cannot be reached") from away
        except aiohttp.ClientError as cut:
            raise Unanswered(f"the connection failed ({type(cut).__name__})") from cut

    async def _invoke(self, function: str, payload: bytes) -> Result:
        url, headers = self._request(function, payload)
        async with self._client().post(
            URL(url, encoded=True), data=payload, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.content.read(LONGEST)
            while len(body) < LONGEST and (more := await answer.content.read(LONGEST - len(body))):
                body += more
            status, error = answer.status, answer.headers.get("X-Amz-Function-Error", "")
        if status in (429, 500, 502, 503, 504):
            raise Unanswered(f"Lambda's API answered {status}")
        if status != 200:
            raise NotInvokable(f"Lambda's API answered {status}")
        return Result(body, error)

    def _request(self, function: str, payload: bytes) -> tuple[str, dict[str, str]]:
        named = FUNCTION.fullmatch(function)
        assert named is not None
        region = named["region"]
        suffix = "amazonaws.com.cn" if named["partition"] == "aws-cn" else "amazonaws.com"
        endpoint = self._endpoint or f"https://lambda.{region}.{suffix}"
        url = f"{endpoint}/2015-03-31/functions/{quote(function, safe='')}/invocations"
        request = AWSRequest("POST", url, headers={"Content-Type": "application/json"}, data=payload)
        SigV4Auth(self._credentials(), "lambda", region).add_auth(request)
        return url, dict(request.headers.items())

    def _credentials(self) -> Credentials:
        given = {
            name: self._environment.get(f"AWS_{name}", "") for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
        }
        if not all(given.values()):
            raise NotInvokable("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set on this node")
        token = self._environment.get("AWS_SESSION_TOKEN") or None
        return Credentials(given["ACCESS_KEY_ID"], given["SECRET_ACCESS_KEY"], token)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)
