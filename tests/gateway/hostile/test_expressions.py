"""A provider's regular expression and a caller's text together keep no worker busy."""

import time

import pytest

from gateway.entries import Authorizer
from tests.gateway.world import operation

LAMBDA = "arn:aws:lambda:eu-central-1:123456789012:function:guard"


@pytest.mark.parametrize(
    "expression", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "(x+x+)+y", "(.*a){20}$", "^([a-z]+)*!$"]
)
def test_an_expression_that_backtracks_without_end_is_given_up(hostile, expression):
    authorizers = {"a": Authorizer("token", LAMBDA, ["method.request.header.Authorization"], expression)}
    operations = {"op": operation("GET", "/x", authorizer="a")}
    hostile.world.publish("guarded", operations, authorizers=authorizers)
    for letter in "ax":
        started = time.monotonic()
        for _ in range(5):
            answer = hostile.node.call("GET", "/guarded/x", headers={"Authorization": letter * 4000 + "?"})
            assert answer.status in (401, 500)
        assert (time.monotonic() - started) / 5 < 0.1
