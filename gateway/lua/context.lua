-- What providers may name of a call: AWS's `$context.…`, `$stageVariables.…` and `method.request.…`, in gateway
-- responses, header mappings and access logs. A call is {stage, operation (or nil)}.
-- No key and no credential is among the `$context` variables.

local cjson = require "cjson.safe"
local current = require "current"
local given = require "given"
local route = require "route"
local tls = require "tls"
local verdicts = require "verdicts"

local ngx = ngx
local var = ngx.var
local find, sub, match, gsub = string.find, string.sub, string.match, string.gsub
local floor = math.floor

local context = {}

local function verdict()
    local name = var.gatehouse_verdict
    return name ~= "-" and name or nil
end

local function message()
    local own, name = var.gatehouse_message, verdict()
    return own ~= "" and own or name and verdicts[name] and verdicts[name].message
end

-- What the authorizer said of the caller: principalId, and the keys of its context.
local function of_caller(name)
    local told = var.gatehouse_caller
    return told ~= "" and cjson.decode(told)[name] or nil
end

local function milliseconds(text)
    local sum = nil
    for number in (text or ""):gmatch("%d+%.%d+") do
        sum = (sum or 0) + tonumber(number)
    end
    return sum and floor(sum * 1000 + 0.5)
end

local function integration_status()
    return match(var.upstream_status or "", "(%d+)[^%d]*$")
end

local function integration_latency()
    return milliseconds(var.upstream_response_time)
end

local function start(format)
    return os.date(format, floor(ngx.req.start_time()))
end

local function base_path()
    local host, path = var.host, current.path()
    local mapping, from = route.mapping(host, path)
    if mapping and not find(host, "^%w+%.execute%-api%.") then
        return from > 2 and sub(path, 2, from - 1) or "(none)"
    end
end

local VALUES = {
    accountId = function(call) return call.stage.organization end,
    apiId = function(call) return call.stage.version_id end,
    stage = function(call) return call.stage.name end,
    deploymentId = function(call) return call.stage.deployment end,
    resourceId = function() return match(var.gatehouse_route, " ([^-].*)$") end,
    resourcePath = function(call) return call.operation and call.operation.template end,
    routeKey = function(call)
        return call.operation and call.operation.verb .. " " .. call.operation.template
    end,
    isCanaryRequest = function(call)
        return call.stage.canary and (find(var.gatehouse_flags, "c", 1, true) and "true" or "false") or nil
    end,
    requestId = function() return var.gatehouse_request_id end,
    extendedRequestId = function() return var.gatehouse_request_id end,
    awsEndpointRequestId = function() return var.upstream_http_x_amzn_requestid end,
    xrayTraceId = function() return var.http_x_amzn_trace_id end,
    httpMethod = function() return var.request_method end,
    path = current.path,
    protocol = function() return var.server_protocol end,
    domainName = function() return var.host end,
    domainPrefix = function() return match(var.host, "^[^.]+") end,
    requestTime = function() return start("!%d/%b/%Y:%H:%M:%S +0000") end,
    requestTimeEpoch = function() return floor(ngx.req.start_time() * 1000) end,
    tlsVersion = function() return var.ssl_protocol end,
    cipherSuite = function() return var.ssl_cipher end,
    ["customDomain.basePathMatched"] = base_path,
    ["identity.sourceIp"] = function() return var.remote_addr end,
    ["identity.userAgent"] = function() return var.http_user_agent end,
    ["identity.apiKeyId"] = function() return match(var.gatehouse_key, "^.+") end,
    ["error.message"] = function() return given(message()) end,
    ["error.messageString"] = function()
        local text = message()
        return text and cjson.encode(text)
    end,
    ["error.responseType"] = verdict,
    status = function() return var.status end,
    responseLength = function() return var.body_bytes_sent end,
    responseLatency = function() return milliseconds(var.request_time) end,
    dataProcessed = function() return tonumber(var.request_length) + tonumber(var.bytes_sent) end,
    integrationLatency = integration_latency,
    ["integration.latency"] = integration_latency,
    integrationStatus = integration_status,
    ["integration.status"] = integration_status,
    ["integration.integrationStatus"] = integration_status,
}

-- Returns the value of `$context.{name}`; nil for what is unknown or not there.
function context.value(name, call)
    local field = match(name, "^identity%.clientCert%.(.+)$")
    local said = match(name, "^authorizer%.(.+)$")
    local known = VALUES[name]
    local value
    if field then
        value = tls.client(field)
    elseif said then
        value = of_caller(said)
    elseif known then
        value = known(call)
    end
    if value ~= "" then
        return value
    end
end

local function last(values)
    if type(values) == "table" then
        return values[#values]
    end
    return values ~= true and values or nil
end

local function joined(values)
    return type(values) == "table" and table.concat(values, ",") or last(values)
end

local function path_variable(name, call)
    call.path_variables = call.path_variables or call.operation and current.path_variables(call.operation) or {}
    return call.path_variables[name] and ngx.unescape_uri(call.path_variables[name])
end

local REQUEST = {
    header = function(name) return last(ngx.req.get_headers(0)[name]) end,
    multivalueheader = function(name) return joined(ngx.req.get_headers(0)[name]) end,
    querystring = function(name) return last(ngx.req.get_uri_args(0)[name]) end,
    multivaluequerystring = function(name) return joined(ngx.req.get_uri_args(0)[name]) end,
    path = path_variable,
}

-- Returns the value of `context.x`, `stageVariables.x` or `method.request.….x` (without a `$`), nil when missing.
local function read(expression, call)
    local place, name = match(expression, "^method%.request%.(%a+)%.(.+)$")
    if place then
        return REQUEST[place] and REQUEST[place](name, call)
    end
    name = match(expression, "^context%.(.+)$")
    if name then
        return context.value(name, call)
    end
    name = match(expression, "^stageVariables%.(.+)$")
    return name and (given(call.stage.variables) or {})[name]
end

-- Returns the text that an expression of AWS's gives for a call: `'static'`, or one of those above; nil when it is
-- missing or empty.
function context.evaluate(expression, call)
    local value = match(expression, "^'(.*)'$")
    if not value then
        value = read(expression, call)
    end
    if value ~= nil and value ~= "" then
        return tostring(value)
    end
end

-- As evaluate(), for a query parameter: a list of all values of `method.request.multivaluequerystring.x`.
function context.evaluate_all(expression, call)
    local name = match(expression, "^method%.request%.multivaluequerystring%.(.+)$")
    local values = name and ngx.req.get_uri_args(0)[name]
    if type(values) == "table" then
        return values
    end
    return { context.evaluate(expression, call) }
end

-- Replaces `$name.…` and `${name.…}` in a text by escape(value, name); what is missing becomes `missing`.
-- other(name): values that only this text knows, or nil. A value is never looked into for more names.
function context.fill(text, call, escape, missing, other)
    local function replace(open, expression, close)
        local name, rest = match(expression, "^(.-)([.-]*)$")
        if open == "{" and close == "" then
            return nil
        elseif open == "" then
            rest = rest .. close
        end
        local value = other and other(name)
        if value == nil then
            value = read(name, call)
        end
        if value == nil or value == "" then
            return missing .. rest
        end
        return escape(tostring(value), name) .. rest
    end
    return (gsub(text, "%$({?)(%a+%.[%w_.-]+)(}?)", replace))
end

return context
