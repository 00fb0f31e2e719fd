-- From an entry's data to what a call needs, done once per worker and change: limits with the names of their
-- buckets, sets instead of lists, headers as text. `null` becomes nil.

local cjson = require "cjson.safe"
local peer = require "peer"

local null = cjson.null
local ceil, min, huge = math.ceil, math.min, math.huge

local prepare = {
    KINDS = {
        "mapping", "stage", "backend", "plan", "subscription", "key", "caller", "certificate", "installation", "address",
    },
}

local function given(value)
    if value ~= null then
        return value
    end
end

local function bucket(name, throttle)
    throttle = given(throttle)
    return throttle and { name = name, rate = throttle.rate, burst = throttle.burst }
end

function prepare.mapping(_, data)
    return data
end

function prepare.stage(id, data)
    data.id = id
    data.open = data.state ~= "retired" and not data.suspended
    data.bucket = bucket("s:" .. id, data.throttle)
    data.policy = given(data.policy)
    data.nowhere = id .. " -"
    return data
end

-- Operations are prepared one by one at their first call: a stage may have ten thousand.
function prepare.operation(stage, id)
    local operation = stage.operations[id]
    if operation.route then
        return operation
    end
    local integration = operation.integration
    operation.policy = given(operation.policy) or stage.policy
    operation.bucket = bucket("o:" .. stage.id .. ":" .. id, operation.throttle)
    operation.served = integration.type == "http_proxy"
    operation.backend = given(integration.backend) ~= "" and given(integration.backend) or nil
    operation.path = integration.path
    operation.query = given(integration.query) ~= "" and given(integration.query) or nil
    operation.method = given(integration.method) ~= "" and given(integration.method) or nil
    if operation.served and not operation.backend then
        local timeout = given(integration.timeout_ms) or peer.LONGEST_MS
        operation.peer = peer.make(integration.target, timeout, timeout)
    end
    operation.route = stage.id .. " " .. id
    return operation
end

function prepare.backend(_, data)
    return peer.make(data.target, data.connect_timeout_ms, data.timeout_ms)
end

function prepare.plan(_, data)
    local plan = { opens = {}, throttle = given(data.throttle), quota = given(data.quota) }
    for _, stage in ipairs(data.stages) do
        plan.opens[stage] = true
    end
    local throttle = plan.throttle
    if throttle then
        local seconds = throttle.rate > 0 and ceil(throttle.burst / throttle.rate) or 0
        plan.policy = '"plan";q=' .. throttle.burst .. ";w=" .. math.max(seconds, 1)
    end
    return plan
end

function prepare.subscription(id, data)
    return { id = id, plan = data.plan, active = data.active, name = "p:" .. id }
end

function prepare.key(_, data)
    return {
        id = data.id,
        active = data.active,
        subscriptions = data.subscriptions,
        counts_as = given(data.counts_as) ~= "" and given(data.counts_as) or nil,
        starts = given(data.not_before) or 0,
        ends = min(given(data.expires_at) or huge, given(data.grace_until) or huge),
    }
end

-- A program that may ask keys/verify.
function prepare.caller(_, data)
    return {
        id = data.id,
        organization = data.organization,
        read_only = data.read_only,
        ends = given(data.expires_at) or huge,
    }
end

-- tls.lua adds what it parses.
function prepare.certificate(name, data)
    return {
        name = name,
        certificate = data.certificate,
        private_key = data.private_key,
        client_ca = given(data.client_ca) ~= "" and given(data.client_ca) or nil,
    }
end

function prepare.installation(_, data)
    return { bucket = bucket("i", data.throttle) }
end

-- IP addresses of a backend's host, pushed by the agent. `next` turns round robin.
function prepare.address(_, data)
    return { list = data, next = 0 }
end

return prepare
