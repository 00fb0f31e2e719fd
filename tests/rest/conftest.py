"""Programs that call `/api/v1/` with a token."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from tests.factories import make_organization, make_staff, make_token, make_user


class Program:
    """A program with a bearer token; paths are below `/api/v1/`."""

    def __init__(self, token: str = "", organization: Organization | None = None) -> None:
        self.token = token
        self.organization = organization
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, /, **parameters: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", parameters)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        text = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(method, f"/api/v1/{path}", text, "application/json")

    def post(self, path: str, body: Any = None) -> Any:
        return self.send("POST", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def made(self, path: str, body: Any = None) -> dict[str, Any]:
        """POST what must be made, and return it."""
        response = self.post(path, body)
        assert response.status_code == 201, response.content
        return response.json()

    def done(self, path: str, body: Any = None) -> dict[str, Any]:
        """POST an action that must succeed, and return the thing."""
        response = self.post(path, body)
        assert response.status_code == 200, response.content
        return response.json()


def make_program(organization: Organization, user: User | None = None, **fields: Any) -> Program:
    """Make a program with a token of its own: `make_program(organization, user, read_only=True)`."""
    return Program(make_token(organization, user, **fields)[1], organization)


@pytest.fixture
def program(db: None) -> Callable[..., Program]:
    """Make programs: `program(organization, user, read_only=True)`."""
    return make_program


@pytest.fixture
def alice(program: Callable[..., Program]) -> Program:
    """Owns an organization."""
    return program(make_organization(make_user("alice"), name="Alice's", slug="alices"))


@pytest.fixture
def charlie(program: Callable[..., Program]) -> Program:
    """Owns another one."""
    return program(make_organization(make_user("charlie"), name="Charlie's", slug="charlies"))


@pytest.fixture
def staff(program: Callable[..., Program]) -> Program:
    """A superuser's program: full rights."""
    person = make_staff("sam")
    return program(make_organization(person, name="House", slug="house"))


@pytest.fixture
def stranger(db: None) -> Program:
    """Has no token."""
    return Program()
