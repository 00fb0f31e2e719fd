-- Refusals: AWS's status, body and x-amzn-ErrorType for each verdict of verdicts.json, or what the stage makes of them.

local answer = require "answer"
local cache = require "cache"
local cjson = require "cjson.safe"
local cors = require "cors"
local current = require "current"
local entries = require "entries"
local key = require "key"
local key_source = require "key_source"
local page = require "page"
local quota = require "quota"
local response = require "response"
local retry = require "retry"
local route = require "route"
local verdicts = require "verdicts"

local ngx = ngx
local var, header = ngx.var, ngx.header
local print, exit, discard_body = ngx.print, ngx.exit, ngx.req.discard_body
local KEY_ID = require("hot").KEY_ID

local verdict = {}

-- What nginx itself answers, by status; other 4xx are a BAD_REQUEST, other 5xx a configuration error.
local BY_STATUS = { [413] = "REQUEST_TOO_LARGE", [502] = "INTEGRATION_FAILURE", [504] = "INTEGRATION_TIMEOUT" }

-- The built-in body. Denials by a policy have a text of their own, under AWS's capital `Message`.
local function body_of(name, fields)
    local own = var.gatehouse_message
    if own == "" then
        return fields.body
    end
    return cjson.encode(name == "ACCESS_DENIED" and { Message = own } or { message = own })
end

local function send(name, status, stage, operation)
    local fields = verdicts[name]
    local body = body_of(name, fields)
    ngx.status = status or fields.status
    header["Content-Type"] = "application/json"
    header["x-amzn-ErrorType"] = fields.error_type
    header["Server"] = nil
    if stage then
        answer.write_own(stage, operation)
        local custom = response.find(stage, name, fields.status)
        body = custom and response.write(custom, { stage = stage, operation = operation }) or body
    end
    header["Content-Length"] = #body
    print(body)
    return exit(200)
end

-- verdicts that need no look at the key: there are no keys yet, or it was looked at
local SEEN = { NOT_READY = true, INVALID_API_KEY = true }

-- Whose call it was, where it was refused before anybody looked at the key (a wrong path, a network, a certificate): so
-- that its caller finds it in her request log. It opens nothing.
local function note_key(stage)
    local source, text = stage and stage.key_source, nil
    if source then
        text = key_source.take(source, "?" .. (var.args or ""), true)
    else
        text = var.http_x_api_key
    end
    local entry = text and key.find(text)
    if entry then
        var.gatehouse_key = entry[KEY_ID]
    end
end

-- Ends the call in the access phase. wait: seconds for Retry-After, or nil; message: instead of the verdict's; why: what
-- the request log says of it, or nil.
function verdict.refuse(name, wait, message, why)
    discard_body()
    var.gatehouse_verdict = name
    if message then
        var.gatehouse_message = message
    end
    if why then
        var.gatehouse_why = why
    end
    header["Retry-After"] = wait
    local stage, operation = current.call()
    if not SEEN[name] and var.gatehouse_key == "" then
        note_key(stage)
    end
    if stage and stage.log_format then
        return ngx.exec("/./refused") -- there is a log phase
    end
    return send(name, nil, stage, operation)
end

-- nginx looks at a body's length before the gate looks at the address: finds the stage whose refusal it is.
local function find_stage()
    entries.refresh()
    local path = current.path()
    local mapping = page.ready ~= 0 and route.is_safe(path) and route.mapping(var.host, path)
    local stage = mapping and entries.get("stage", mapping.stage)
    if stage then
        var.gatehouse_route = stage.nowhere
    end
end

-- The content phase of the internal location for errors that nginx itself found, and for refusals of stages that keep
-- an access log.
function verdict.content()
    local status = ngx.status
    local name = var.gatehouse_verdict
    if name == "CORS_PREFLIGHT" then
        local _, operation = current.call()
        return cors.answer_preflight(operation.policy.cors, cors.asked_method())
    elseif status < 400 and name ~= "-" then
        return send(name, nil, current.call())
    end
    name = BY_STATUS[status] or (status < 500 and "BAD_REQUEST" or "API_CONFIGURATION_ERROR")
    local failure = var.gatehouse_failure
    if failure ~= "" then
        name, status = failure, verdicts[failure].status -- retry.lua gave up
    end
    if status >= 500 then
        retry.failed()
    end
    cache.failed()
    var.gatehouse_verdict = name
    if not verdicts[name].accepted and var.gatehouse_subscription ~= "" then
        -- nobody pays for it: a body that grew too large, was malformed or too slow; a full disk, no connection left
        quota.give_back(var.gatehouse_lease)
    elseif status == 413 and var.gatehouse_route == "- -" then
        find_stage()
    end
    return send(name, status, current.call())
end

return verdict
