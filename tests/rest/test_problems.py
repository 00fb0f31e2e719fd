"""Errors have one shape, whatever went wrong."""

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from rest.problem_types import ProblemType
from rest.views import apis
from tests.rest.problems import fault, problem


def test_an_unknown_path_is_a_problem_too(stranger):
    for path in ("nonsense", "apis/x/y/z", "apis/UPPER", "apis/%00", "keys/abc/def/"):
        problem(stranger.get(path), 404)
    problem(stranger.post("nonsense", {}), 404)


def test_without_a_token_the_answer_is_401_with_the_scheme(stranger):
    response = stranger.get("apis")
    problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="gatehouse"'


def test_a_method_that_is_not_there_is_405_with_allow(alice):
    response = alice.send("PUT", "apis", {})
    problem(response, 405)
    assert response["Allow"] == "GET, POST, HEAD"
    problem(alice.send("OPTIONS", "apis"), 405)


def test_a_body_that_is_not_json_is_400_with_the_place(alice):
    response = alice.client.post("/api/v1/apis", '{"name": "x",}', content_type="application/json")
    assert "line 1, column" in problem(response, 400)["detail"]
    for body in (b'{"name": NaN}', b"\xff", b"[" * 100_000):
        problem(alice.client.post("/api/v1/apis", body, content_type="application/json"), 400)


def test_a_body_that_is_no_object_is_422(alice):
    assert "dictionary" in fault(alice.post("apis", ["x"]), "")


def test_another_media_type_is_415(alice):
    problem(
        alice.client.post("/api/v1/apis", "name=x", content_type="application/x-www-form-urlencoded"), 415
    )
    problem(alice.client.post("/api/v1/apis", {"name": "x"}), 415)


def test_a_body_that_is_too_long_is_413(alice):
    response = alice.client.post(
        "/api/v1/apis", b"x" * (10 * 1024 * 1024 + 1), content_type="application/json"
    )
    problem(response, 413)


def test_an_unknown_field_is_named_with_its_near_match(alice):
    message = fault(
        alice.post("apis", {"name": "Weather", "visibilty": "private"}), "visibilty", "unknown_field"
    )
    assert "Did you mean `visibility`?" in message


def test_a_field_that_only_gatehouse_sets_is_refused(alice):
    fault(alice.post("apis", {"name": "Weather", "id": "abc"}), "id", "unknown_field")


def test_all_faults_are_told_at_once(alice):
    found = problem(alice.post("apis", {"visibility": "secret", "nmae": "Weather"}), 422)
    # unknown fields first: the one that is missing may be the one that is misspelled
    assert [each["field"] for each in found["errors"]] == ["nmae"]
    found = problem(alice.post("apis", {"visibility": "secret"}), 422)
    assert {each["field"] for each in found["errors"]} == {"visibility", "name"}


def test_an_unknown_query_parameter_is_refused(alice):
    message = fault(alice.get("apis", vsibility="public"), "vsibility", "unknown_parameter")
    assert "Did you mean `visibility`?" in message
    assert "None are taken here" in fault(alice.get("apis/abcdefghij", x=1), "x")


def test_what_a_verb_refuses_is_422_with_field_and_code(alice):
    alice.made("apis", {"name": "Weather", "slug": "weather"})
    response = alice.post("apis", {"name": "Weather", "slug": "weather"})
    assert problem(response, 422)["type"] == ProblemType.REFUSED.uri
    fault(response, "slug")


@pytest.mark.parametrize(
    ("exception", "status"),
    [(IntegrityError("duplicate key"), 409), (OperationalError("gone"), 503)],
)
def test_trouble_of_the_database_is_told_without_its_words(alice, monkeypatch, exception, status):
    def raising(**_):
        raise exception

    monkeypatch.setattr(apis.versions, "create_api", raising)
    found = problem(alice.post("apis", {"name": "Weather"}), status)
    assert str(exception) not in found["detail"]


def test_a_mistake_of_ours_is_500_without_its_words(alice, monkeypatch, caplog):
    def broken(**_):
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(apis.versions, "create_api", broken)
    alice.client.raise_request_exception = False
    response = alice.post("apis", {"name": "Weather"})
    problem(response, 500)
    assert b"swordfish" not in response.content
    assert "POST /api/v1/apis failed" in caplog.text


def test_the_clients_request_id_is_kept_if_it_is_sane(alice):
    response = alice.client.get("/api/v1/apis", headers={"X-Request-Id": "trace-12345678"})
    assert response["X-Request-Id"] == "trace-12345678"
    response = alice.client.get("/api/v1/apis", headers={"X-Request-Id": "bad\tid <script>"})
    assert response["X-Request-Id"].startswith("req_")


def test_each_problem_is_explained_where_its_type_points(stranger):
    for kind in ProblemType:
        found = stranger.client.get(kind.uri).json()
        assert found == {
            "type": kind.uri,
            "status": kind.status,
            "title": kind.title,
            "meaning": kind.meaning,
        }
    assert len(stranger.get("problems").json()) == len(ProblemType)
    problem(stranger.get("problems/unheard-of"), 404)


def test_a_browsers_session_is_not_a_token(alice):
    client = Client()
    client.force_login(alice.organization.members.get().user)
    problem(client.get("/api/v1/apis"), 401)
