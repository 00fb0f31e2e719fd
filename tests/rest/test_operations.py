"""Operations and tests of backends by REST."""

import pytest

from apis.publish import deploy
from tests.apis.factories import document, imported
from tests.factories import make_backend, make_version
from tests.rest.problems import fault, problem


@pytest.fixture
def version(alice):
    made = imported(document({"/a": {"get": {}}}), organization=alice.organization)
    deploy(version=made, actor=None)
    return made


def test_operations_are_added_renamed_and_taken_out(alice, version):
    given = {"version": version.pk, "method": "POST", "path": "/orders/{id}", "summary": "Change"}
    made = alice.made("operations", given)
    assert (made["summary"], made["removed_at"], made["integration_type"]) == ("Change", None, "http_proxy")
    assert fault(alice.post("operations", given | {"path": "/orders/{key}"}), "path")
    assert (
        alice.patch(f"operations/{made['id']}", {"summary": "Change one"}).json()["summary"] == "Change one"
    )
    said = alice.get(f"versions/{version.pk}/document").json()["paths"]["/orders/{id}"]["post"]
    assert said["summary"] == "Change one"
    assert alice.get(f"versions/{version.pk}/changes").json()[0]["kind"] == "added"
    assert alice.delete(f"operations/{made['id']}").status_code == 204
    assert "/orders/{id}" not in alice.get(f"versions/{version.pk}/document").json()["paths"]
    assert alice.get(f"operations/{made['id']}").json()["removed_at"]
    assert problem(alice.delete(f"operations/{made['id']}"), 422)


def test_nobody_adds_to_a_version_of_others(alice):
    given = {"version": make_version().pk, "method": "GET", "path": "/x"}
    assert fault(alice.post("operations", given), "version")


def test_a_backend_is_tried(alice):
    found = alice.done(f"backends/{make_backend(alice.organization).pk}/probe")
    assert not found["good"]
    assert [(each["name"], each["good"]) for each in found["steps"]] == [
        ("Name", True),
        ("Connection", False),
    ]
    assert alice.post(f"backends/{make_backend().pk}/probe").status_code == 404
