-- CORS preflights: answered by the gate, before IP-bound or keyed checks of the operation they ask about. They need no
-- key, take from no limit and are never billed.

local cors = require "cors"
local guard = require "guard"
local route = require "route"

local var = ngx.var
local ROUTE = require("hot").ROUTE

local preflight = {}

-- Answers an OPTIONS call that is a preflight for an operation with CORS; returns when it is not.
function preflight.answer(stage, path, from)
    local method = cors.asked_method()
    local operation = method and route.operation(stage, path, from, method)
    local policy = operation and operation.policy
    if not policy or not policy.cors then
        return
    end
    var.gatehouse_route = operation[ROUTE]
    guard.origin(policy, stage, path)
    var.gatehouse_verdict = "CORS_PREFLIGHT"
    if stage.log_format then
        return ngx.exec("/./refused") -- there is a log phase
    end
    return cors.answer_preflight(policy.cors, method)
end

return preflight
