"""What every problem document must be."""

from typing import Any


def problem(response: Any, status: int) -> dict[str, Any]:
    """Check that the answer is a whole problem document with this status, and return it."""
    assert response.status_code == status, (response.status_code, response.content)
    assert response["Content-Type"] == "application/problem+json"
    found = response.json()
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= found.keys()
    assert found["status"] == status
    assert found["request_id"] == response["X-Request-Id"]
    assert found["type"].startswith("/api/v1/problems/")
    return found


def fault(response: Any, field: str, code: str = "", status: int = 422) -> str:
    """Check that one input is named as the fault, and return what is said of it."""
    faults = {each["field"]: each for each in problem(response, status)["errors"]}
    assert field in faults, faults
    if code:
        assert faults[field]["code"] == code, faults
    return faults[field]["message"]
