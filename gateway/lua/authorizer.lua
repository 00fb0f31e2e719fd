-- Lambda authorizers: who may call an operation says a function of the provider's, which the node's runtime asks.
--
-- What is kept for the authorizer's time is the policy that the function answered, under stage, deployment, flush number
-- (as the response cache has it), authorizer and all values of its identity sources. It is judged anew for each call. Calls of one worker that wait for the same
-- answer ask once.

local cjson = require "cjson.safe"
local complain = require "complain"
local context = require "context"
local current = require "current"
local event = require "authorizer_event"
local given = require "given"
local invoke_policy = require "invoke_policy"
local key = require "key"
local semaphore = require "ngx.semaphore"
local unix_http = require "unix_http"
local refuse = require("verdict").refuse

local ngx = ngx
local var = ngx.var
local match, sub = string.match, string.sub
local max = math.max
local kept = ngx.shared.gatehouse_authorizers
local SECONDS = 12 -- the runtime gives up after 10
local FAILED = { verdict = "AUTHORIZER_FAILURE" }
local DENIED = "User is not authorized to access this resource"
local EXPLICITLY = DENIED .. " with an explicit deny"

local authorizer = {}

-- Of an entry {kind, function, identity, validation, ttl}, once per worker and change.
local function prepare(data)
    local validation = given(data.validation)
    local partition, region, account = match(data["function"], "^arn:([%w-]+):lambda:([%w-]+):(%d+):")
    return {
        is_token = data.kind == "token",
        lambda = data["function"],
        identity = given(data.identity) or {},
        validation = validation ~= "" and validation or nil,
        ttl = given(data.ttl) or 300,
        arn = "arn:" .. (partition or "aws") .. ":execute-api:" .. (region or "") .. ":" .. (account or "") .. ":",
    }
end

local function find(stage, id)
    stage.prepared_authorizers = rawget(stage, "prepared_authorizers") or {} -- a canary has its own
    local found = stage.prepared_authorizers[id]
    if not found then
        local data = (given(stage.authorizers) or {})[id]
        found = data and prepare(data)
        stage.prepared_authorizers[id] = found
    end
    return found
end

-- All values of an identity source as one text that no other list of values gives; nil when there is none.
local function values_of(expression, call)
    local place, name = match(expression, "^method%.request%.(%a+)%.(.+)$")
    local values
    if place == "header" then
        values = ngx.req.get_headers(0)[name]
    elseif place == "querystring" then
        values = ngx.req.get_uri_args(0)[name]
    else
        values = context.evaluate(expression, call)
    end
    values = type(values) == "table" and values or { values }
    local parts, is_empty = {}, true
    for index = 1, #values do
        local value = values[index] == true and "" or tostring(values[index])
        is_empty = is_empty and value == ""
        parts[index] = #value .. ":" .. value
    end
    return not is_empty and #parts .. ";" .. table.concat(parts) or nil
end

-- Returns the identity as one text, and the token of one that has one. Ends calls that have none.
local function identify(found, call)
    local parts = {}
    for index = 1, #found.identity do
        local value = values_of(found.identity[index], call)
        if not value and (found.is_token or found.ttl > 0) then
            return refuse("UNAUTHORIZED", nil, nil, "identity")
        end
        parts[index] = value or "0;"
    end
    local token
    if found.is_token then
        token = context.evaluate(found.identity[1], call)
        if not token then
            return refuse("UNAUTHORIZED", nil, nil, "identity")
        end
    end
    if token and found.validation then
        local from, _, problem = ngx.re.find(token, found.validation, "jo")
        if problem then
            complain("the validation expression of an authorizer cannot be used: ", problem)
            return refuse("AUTHORIZER_CONFIGURATION_ERROR")
        elseif not from then
            return refuse("UNAUTHORIZED", nil, nil, "validation")
        end
    end
    return table.concat(parts), token
end

-- What is kept of the runtime's answer. Of a key only its hash.
local function understand(text)
    local answer = cjson.decode(text or "")
    if type(answer) ~= "table" then
        return FAILED
    elseif answer.verdict then
        return { verdict = answer.verdict }
    end
    local told = answer.context
    told.principalId = answer.principal
    return {
        statements = answer.statements,
        told = cjson.encode(told),
        key = key.is_well_formed(answer.key) and key.sha256(answer.key) or "",
    }
end

local function ask(found, told)
    local body = cjson.encode({ ["function"] = found.lambda, event = told })
    local status, text = unix_http.post(authorizer.address, "/authorize", body, SECONDS)
    return status == 200 and understand(text) or FAILED
end

local waiting = {} -- name -> {gate, answer} of this worker's calls that wait for one answer

local function ask_once(name, found, told)
    local joined = waiting[name]
    if joined then
        return joined.gate:wait(2 * SECONDS) and joined.answer or FAILED
    end
    joined = { gate = semaphore.new(), answer = FAILED }
    waiting[name] = joined
    local ok, answer = pcall(ask, found, told)
    if ok then
        joined.answer = answer
        if answer.statements then
            kept:set(name, cjson.encode(answer), found.ttl)
        end
    else
        complain("an authorizer could not be asked: ", answer)
    end
    waiting[name] = nil
    joined.gate:post(max(-joined.gate:count(), 0) + 1)
    return joined.answer
end

local function answer_for(found, name, told_of)
    if found.ttl <= 0 then
        return ask(found, told_of())
    end
    local text = kept:get(name)
    return text and cjson.decode(text) or ask_once(name, found, told_of())
end

local function copy(list)
    local made = {}
    for index = 1, #list do
        made[index] = list[index]
    end
    return made
end

-- Ends calls that the operation's authorizer does not admit. Returns {key = the hash of the key that it named, or nil}
-- and the captures again, which others may have overwritten meanwhile. May yield.
function authorizer.check(stage, operation, path, from, captures)
    local found = find(stage, operation.authorizer)
    if not found then
        return refuse("AUTHORIZER_CONFIGURATION_ERROR")
    end
    captures = copy(captures)
    local call = { stage = stage, operation = operation, path_variables = current.named(operation, captures) }
    local identity, token = identify(found, call)
    local method = operation.verb == "ANY" and var.request_method or operation.verb
    local start = found.arn .. stage.version_id .. "/" .. stage.name .. "/" .. method .. "/"
    local below = invoke_policy.canonical(sub(path, from + 1))
    local name = key.sha256(table.concat(
        { stage.id, stage.deployment, given(stage.cache_epoch) or 0, operation.authorizer, identity }, "\n"
    ))
    local answer = answer_for(found, name, function()
        return found.is_token and event.of_token(start .. below, token)
            or event.of_request(start .. below, call, path, from)
    end)
    if answer.verdict then
        return refuse(answer.verdict)
    end
    var.gatehouse_caller = answer.told
    local verdict = invoke_policy.judge(answer.statements, start, below)
    if verdict ~= "allow" then
        return refuse("ACCESS_DENIED", nil, verdict == "deny" and EXPLICITLY or DENIED, "authorizer")
    end
    return { key = answer.key ~= "" and answer.key or nil }, captures
end

-- folder: the node's folder, where the runtime listens.
function authorizer.init(folder)
    authorizer.address = "unix:" .. folder .. "/runtime.sock"
end

return authorizer
