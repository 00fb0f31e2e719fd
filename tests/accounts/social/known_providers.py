"""Google, GitHub, GitLab and Microsoft on loopback: the endpoints that a sign-in asks, in the words of each."""

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt

CLIENT_ID, CLIENT_SECRET = "gatehouse", "s3cret-of-the-client"
# provider -> (where the browser goes, where codes are exchanged, what is asked for)
PLACES = {
    "google": ("/o/oauth2/v2/auth", "/token", {"openid", "profile", "email"}),
    "github": ("/login/oauth/authorize", "/login/oauth/access_token", {"read:user", "user:email"}),
    "gitlab": ("/oauth/authorize", "/oauth/token", {"read_user"}),
    "microsoft": ("/common/oauth2/v2.0/authorize", "/common/oauth2/v2.0/token", {"User.Read"}),
}


@dataclass
class Person:
    """Who is signed in at the provider. `others`: more addresses, of which only GitHub tells -> verified there?"""

    uid: str = "4711"
    email: str = "dora@example.com"
    verified: bool = True
    others: dict[str, bool] = field(default_factory=dict)


class KnownProvider:
    """One of them. A code works once, for the client and the address that it was made for."""

    def __init__(self, name: str) -> None:
        self.name, self.person, self.denies = name, Person(), False
        self.codes: dict[str, str] = {}
        self.challenge = ""
        self.tokens: dict[str, Person] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def authorize(self, query: dict[str, str]) -> str:
        """Where the browser goes next: back to the client with a code, or without her consent."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        assert set(query["scope"].split()) == PLACES[self.name][2]
        if self.denies:
            told = {"error": "access_denied", "state": query["state"]}
        else:
            told = {"code": secrets.token_urlsafe(16), "state": query["state"]}
            self.codes[told["code"]] = query["redirect_uri"]
            if self.name == "google":
                assert query["code_challenge_method"] == "S256"
                self.challenge = query["code_challenge"]
        return f"{query['redirect_uri']}?{urlencode(told)}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Exchange a code: status and answer."""
        to = self.codes.pop(form.get("code", ""), "")
        if (form.get("client_id"), form.get("client_secret"), form.get("redirect_uri")) != (
            CLIENT_ID,
            CLIENT_SECRET,
            to,
        ):
            # GitHub says so with 200
            return (200 if self.name == "github" else 400), {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        self.tokens[access] = self.person
        answer: dict[str, Any] = {"access_token": access, "token_type": "Bearer"}
        if self.name == "google":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
            answer["id_token"] = self._id_token()
        return 200, answer

    def told(self, path: str, query: dict[str, str], bearer: str) -> Any:
        """What an address of its API answers; KeyError without a good token."""
        person = self.tokens[query.get("access_token") or bearer.rsplit(maxsplit=1)[-1]]
        if (self.name, path) == ("github", "/user/emails"):
            given = {person.email: person.verified} | person.others
            return [
                {"email": email, "verified": verified, "primary": email == person.email, "visibility": None}
                for email, verified in given.items()
            ]
        return {
            ("github", "/user"): {"id": int(person.uid), "login": "dora", "name": "Dora D", "email": None},
            ("gitlab", "/api/v4/user"): {
                "id": int(person.uid),
                "username": "dora",
                "name": "Dora D",
                "email": person.email,
                "confirmed_at": "2026-01-01T00:00:00Z" if person.verified else None,
            },
            ("microsoft", "/v1.0/me"): {
                "id": person.uid,
                "displayName": "Dora D",
                "givenName": "Dora",
                "surname": "D",
                "mail": person.email,
                "userPrincipalName": "dora@tenant.example",
            },
        }[self.name, path]

    def _id_token(self) -> str:
        """Signed with a key that nobody knows: it comes from Google itself over TLS (OpenID Connect Core 3.1.3.7)."""
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "sub": self.person.uid,
            "email": self.person.email,
            "email_verified": self.person.verified,
            "name": "Dora D",
            "given_name": "Dora",
            "family_name": "D",
        }
        return jwt.encode(claims, secrets.token_hex(32), algorithm="HS256")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query))
                if parts.path == PLACES[provider.name][0]:
                    self._answer(302, b"", Location=provider.authorize(query))
                    return
                told = provider.told(parts.path, query, self.headers.get("Authorization", "x"))
                self._answer(200, json.dumps(told).encode(), **{"Content-Type": "application/json"})

            def do_POST(self) -> None:
                assert self.path == PLACES[provider.name][1]
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, told = provider.token({name: values[0] for name, values in parse_qs(body).items()})
                if provider.name == "github":  # it answers as forms do, unless asked for JSON
                    kind = "application/x-www-form-urlencoded; charset=utf-8"
                    self._answer(status, urlencode(told).encode(), **{"Content-Type": kind})
                else:
                    kind = "application/json; charset=utf-8"
                    self._answer(status, json.dumps(told).encode(), **{"Content-Type": kind})

            def _answer(self, status: int, body: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler
