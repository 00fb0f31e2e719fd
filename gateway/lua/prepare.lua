-- From an entry's data to what a call needs, done once per worker and change: limits with the names of their
-- buckets, sets instead of lists, headers as text. `null` becomes nil.

local cjson = require "cjson.safe"
local canary = require "canary"
local cors = require "cors"
local given = require "given"
local hot = require "hot"
local ip = require "ip"
local key_limits = require "key_limits"
local key_source = require "key_source"
local log_format = require "log_format"
local needs = require "needs"
local peer = require "peer"
local rules = require "rules"

local encode, cut = cjson.encode, require("compiled").cut
local ROUTE, KIND, PATH, BUCKET = hot.ROUTE, hot.KIND, hot.PATH, hot.BUCKET
local ceil, floor, min, huge = math.ceil, math.floor, math.min, math.huge

local UNTOLD = { id = "", name = "" } -- an entry of a control plane that tells nothing of its keys
local NOTHING = { application = UNTOLD, account = UNTOLD }
-- What most keys are. There may be very many keys, so each holds only what is its own.
local USUAL = { __index = { active = true, starts = 0, ends = huge } }
local MOST_LISTS = 10000
local lists, list_count = {}, 0 -- subscription -> the list of it alone, for all keys that have no other

local prepare = {
    KINDS = {
        "mapping", "stage", "backend", "plan", "subscription", "key", "caller", "api", "certificate", "installation", "address",
    },
}

-- A text that says something, or nil.
local function text(value)
    return given(value) ~= "" and given(value) or nil
end

local function bucket(name, throttle)
    throttle = given(throttle)
    return throttle and { name = name, rate = throttle.rate, burst = throttle.burst }
end

local function policy(data)
    data = given(data)
    if data then
        data.ip, data.cors, data.max_body = ip.rules(data.ip), cors.prepare(data.cors), given(data.max_body)
    end
    return data
end

-- The header Deprecation is of RFC 9745, Sunset of RFC 8594.
local function lifecycle(stage)
    local deprecated, sunset = given(stage.deprecated_at), given(stage.sunset_at)
    stage.deprecation = deprecated and "@" .. floor(deprecated)
    stage.sunset = sunset and ngx.http_time(floor(sunset))
end

function prepare.mapping(_, data)
    return data
end

function prepare.stage(id, data)
    data.id = id
    data.open = data.state ~= "retired" and not data.suspended
    data.bucket = bucket("s:" .. id, data.throttle)
    data.policy = policy(data.policy)
    data.kinds = {} -- JSON -> what operations have in common
    canary.prepare(data)
    data.key_source = key_source.prepare(data.key_source)
    data.log_format = log_format.prepare(data.access_log)
    lifecycle(data)
    data.nowhere = id .. " -"
    data.sunset_at = given(data.sunset_at)
    data.about = given(data.about) or {}
    data.request_log = text(data.request_log)
    return data
end

-- data: of an operation, without what is its own.
local function make_kind(stage, data)
    local integration = data.integration
    local kind = {
        key_required = data.key_required,
        verb = data.method,
        policy = policy(data.policy) or stage.policy,
        request_mapping = rules.of_request(integration.request_parameters),
        answer_mapping = rules.of_answer(integration.response_parameters),
        served = integration.type == "http_proxy",
        backend = text(integration.backend),
        authorizer = text(data.authorizer),
        query = text(integration.query),
        method = text(integration.method),
    }
    if kind.served and not kind.backend then
        local timeout = given(integration.timeout_ms) or peer.LONGEST_MS
        kind.peer = peer.make(integration.target, timeout, timeout)
    end
    kind.rich = stage.deprecation or stage.sunset or stage.log_format or kind.answer_mapping
        or kind.policy and kind.policy.cors or nil
    needs.prepare(stage, kind, integration)
    kind.reader = { __index = kind }
    return kind
end

-- Most operations of a stage differ in little. What is the same of them is one table, so that it stays in the
-- processor's cache whichever of them is called.
local function kind_of(stage, data)
    local same = encode(data)
    local kind = same and stage.kinds[same] or make_kind(stage, data)
    if same then
        stage.kinds[same] = kind
    end
    return kind
end

-- Returns an operation, nil when there is none. What is not its own are its kind's fields. Operations are
-- prepared one by one at their first call: a stage may have ten thousand.
function prepare.operation(stage, id)
    local data = stage.operations[id]
    if not data or data[ROUTE] then
        return data
    end
    cut(0)
    local integration, throttle = data.integration, data.throttle
    local operation = { stage.id .. " " .. id, false, false, false, id = id, template = data.path } -- see hot.lua
    if not text(integration.backend) then
        operation[PATH] = given(integration.path) or false
    end
    if given(throttle) then
        operation[BUCKET] = bucket("o:" .. stage.id .. ":" .. id, throttle)
    end
    data.path, data.throttle, integration.path = nil, nil, nil
    operation[KIND] = kind_of(stage, data)
    stage.operations[id] = setmetatable(operation, operation[KIND].reader)
    return operation
end

function prepare.backend(id, data)
    return peer.backend(id, data)
end

function prepare.plan(_, data)
    local plan = {
        opens = {}, about = given(data.about) or {}, throttle = given(data.throttle), quota = given(data.quota),
        request_log = text(data.request_log),
    }
    local operations = given(data.operation_throttles)
    plan.operation_throttles = operations and next(operations) and operations
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
    return {
        id = id, plan = data.plan, active = data.active, name = "p:" .. id, about = given(data.about) or {},
        quota = given(data.quota), stopped_until = given(data.stopped_until), stopped = given(data.stopped),
    }
end

local function list_of(subscriptions)
    local only = subscriptions[1]
    if #subscriptions ~= 1 then
        return subscriptions
    elseif not lists[only] then
        if list_count >= MOST_LISTS then
            lists, list_count = {}, 0
        end
        lists[only], list_count = subscriptions, list_count + 1
    end
    return lists[only]
end

-- What is told of a key; see key.about().
function prepare.about(about)
    about = given(about)
    if not about then
        return NOTHING
    end
    about.application, about.account = about.application or UNTOLD, about.account or UNTOLD
    return about
end

function prepare.key(hash, data)
    local limits = key_limits.prepare(data) or false
    local key = { data.id, limits, 0, false, false, false, id = data.id, subscriptions = list_of(data.subscriptions) } -- see hot.lua
    if given(data.about) then
        key.hash = hash
    else
        key.about = NOTHING
    end
    if not data.active then
        key.active = false
    end
    key.counts_as = given(data.counts_as) ~= "" and given(data.counts_as) or nil
    key.not_before, key.expires_at = given(data.not_before), given(data.expires_at)
    key.grace_until = given(data.grace_until)
    key.starts = key.not_before
    if key.expires_at or key.grace_until then
        key.ends = min(key.expires_at or huge, key.grace_until or huge)
    end
    return setmetatable(key, USUAL)
end

-- A program that may ask keys/verify.
function prepare.caller(_, data)
    return {
        id = data.id,
        organization = data.organization,
        read_only = given(data.read_only),
        everything = given(data.everything),
        ends = given(data.expires_at) or huge,
    }
end

-- How keys/verify finds stages by name; stages.lua fills `found`.
function prepare.api(_, data)
    return { organization = data.organization, stages = data.stages, found = {} }
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
