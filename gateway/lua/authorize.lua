-- GET|POST /api/v1/keys/authorize: the verdict as status and headers, for gateways that ask before they let a call
-- pass (nginx auth_request, Envoy ext_authz, Caddy and Traefik forward auth).
--
-- Who asks says what it wants in one place, so that a client's own headers cannot add to it: in the query of
-- /api/v1/keys/authorize, else in the header X-Gatehouse-Api: `shop/v1/live?mode=check`.

local asked = require "asked"
local compiled = require "compiled"
local judge = require "judge"
local key_source = require "key_source"
local limits = require "limits"
local problem = require "problem"
local stages = require "stages"
local verify = require "verify"
local about_of = require("key").about

local ngx = ngx
local var, header = ngx.var, ngx.header
local find, match, sub, gmatch = string.find, string.match, string.sub, string.gmatch
local unescape = ngx.unescape_uri
local HERE = "/api/v1/keys/authorize"

local authorize = {}

-- What may be asked for; `as` is auth_request or forward.
local OPTIONS = { api = true, version = true, stage = true, mode = true, base_path = true, as = true }
-- nginx's auth_request takes any other status than these for an error.
local FOR_AUTH_REQUEST = { [200] = 200, [401] = 401 }
local FAULTS = {
    unauthenticated = "CALLER_UNAUTHENTICATED",
    forbidden = "CALLER_FORBIDDEN",
    ["too-many-requests"] = "CALLER_RATE_LIMITED",
    ["invalid-input"] = "CALLER_BAD_REQUEST",
    unavailable = "UNAVAILABLE",
}

local function fault(slug, detail, errors)
    header["X-Gatehouse-Code"] = FAULTS[slug]
    return problem(slug, detail, errors)
end

local function split_query(text, options, errors)
    for pair in gmatch(text, "[^&]+") do
        local name, value = match(pair, "^([^=]*)=?(.*)$")
        name = unescape(name)
        if OPTIONS[name] then
            options[name] = unescape(value)
        else
            errors[#errors + 1] = { field = name, code = "unknown_parameter", message = "Unknown query parameter." }
        end
    end
end

-- Returns the options and the list of errors. A path below ours (Envoy's path_prefix) carries the judged call's own query.
local function options_of(rest)
    local options, errors = {}, {}
    local query = rest == "" and var.args
    if query and query ~= "" then
        split_query(query, options, errors)
        return options, errors
    end
    local names, more = match(var.http_x_gatehouse_api or "", "^([^?]*)%??(.*)$")
    options.api, options.version, options.stage = match(names, "^/*([^/]+)/?([^/]*)/?([^/]*)/*$")
    split_query(more, options, errors)
    for name, value in pairs(options) do
        options[name] = value ~= "" and value or nil
    end
    return options, errors
end

-- Returns method, path and query of the judged call, as who asks tells them.
local function original(as, rest)
    local method, uri
    if rest ~= "" then
        method, uri = ngx.req.get_method(), sub(var.request_uri, #HERE + 1)
    elseif as == "auth_request" then
        method, uri = var.http_x_original_method, var.http_x_original_uri
    else
        method, uri = var.http_x_forwarded_method, var.http_x_forwarded_uri
    end
    if not uri or sub(uri, 1, 1) ~= "/" then
        return nil, nil, ""
    end
    local mark = find(uri, "?", 1, true)
    return method, mark and sub(uri, 1, mark - 1) or uri, mark and sub(uri, mark) or ""
end

-- The path below the address under which the asking gateway serves the API.
local function below(path, base)
    base = base and match(base, "^/*(.-)/*$")
    if not path or not base or base == "" then
        return path
    end
    local start = "/" .. base
    if path == start then
        return "/"
    end
    return sub(path, 1, #start + 1) == start .. "/" and sub(path, #start + 1) or nil
end

-- The client's address: the last one that a gateway added.
local function client()
    local chain = var.http_x_forwarded_for
    return chain and match(chain, "([^%s,]+)%s*$")
end

local function key_of(stage, query)
    local source = stage and stage.key_source
    if source and source.place ~= "authorizer" then
        return (key_source.take(source, query, true))
    end
    return var.http_x_api_key
end

local function question(options, rest)
    local read, errors = asked.check({
        key = "", api = options.api, version = options.version, stage = options.stage, mode = options.mode,
    }, "consume")
    errors = errors or {}
    if options.as and options.as ~= "auth_request" and options.as ~= "forward" then
        errors[#errors + 1] = { field = "as", code = "invalid_choice", message = "Use auth_request or forward." }
    end
    if #errors == 0 and not asked.names_a_stage(read) then
        errors[1] = { field = "api", code = "required", message = "Name the API: ?api= or the header X-Gatehouse-Api." }
    end
    local method, path, query = original(options.as, rest)
    read.method, read.path = method, below(path, options.base_path)
    read.client_ip, read.referrer = client(), var.http_referer or var.http_origin
    return read, errors, query
end

local function legacy(binding)
    if binding then
        header["X-RateLimit-Limit"] = string.format("%.14g", binding.burst or binding.limit)
        header["X-RateLimit-Remaining"] = string.format("%.14g", binding.remaining or 0)
        header["X-RateLimit-Reset"] = string.format("%d", binding.reset_after or 1)
    end
end

local function identify(verdict)
    local key, subscription = verdict.key, verdict.subscription
    if key then
        local about = about_of(key)
        header["X-Consumer-ID"] = about.application.id
        header["X-Consumer-Custom-ID"] = about.account.id
        header["X-Credential-Identifier"] = key.id
    end
    if subscription then
        header["X-Gatehouse-Plan"] = subscription.plan
        header["X-Gatehouse-Subscription"] = subscription.id
    end
end

local function answer(verdict, as)
    local real = judge.CODES[verdict.code][1]
    local status = as == "auth_request" and (FOR_AUTH_REQUEST[real] or 403) or real
    local binding = limits.binding(verdict.limits)
    ngx.status = status
    header["X-Gatehouse-Code"] = verdict.code
    header["X-Gatehouse-Status"] = real
    identify(verdict)
    if var.gatehouse_limit ~= "" then
        header["RateLimit"], header["RateLimit-Policy"] = var.gatehouse_limit, var.gatehouse_limit_policy
    else
        header["RateLimit"], header["RateLimit-Policy"] = limits.headers(verdict.limits)
    end
    legacy(binding)
    if real == 429 then
        header["Retry-After"] = verdict.wait
    elseif real == 401 then
        header["WWW-Authenticate"] = 'ApiKey realm="gatehouse"'
    end
    header["Cache-Control"] = "no-store"
    header["Content-Length"] = 0
    header["Server"] = nil
    ngx.send_headers()
    return ngx.exit(200)
end

-- The content phase of the location.
function authorize.content()
    compiled.other()
    if verify.is_elsewhere(HERE) then
        return ngx.exec("/", var.args) -- not ours: the same call, through the gate
    end
    var.gatehouse_logged = "0"
    ngx.req.discard_body()
    local who, slug, detail, with = verify.caller()
    if not who then
        header[with[1]] = with[2]
        return fault(slug, detail)
    end
    local rest = sub(var.uri, #HERE + 1)
    local method = ngx.req.get_method()
    if rest == "" and method ~= "GET" and method ~= "POST" and method ~= "HEAD" then
        header["Allow"] = "GET, POST"
        return problem("method-not-allowed", "Authorize with GET or POST.")
    end
    local options, errors = options_of(rest)
    local read, more, query = question(options, rest)
    for _, each in ipairs(more) do
        errors[#errors + 1] = each
    end
    if #errors > 0 then
        return fault("invalid-input", nil, errors)
    elseif read.mode == "consume" and who.read_only then
        return fault("forbidden", "This token is read-only: it may check keys (mode=check), not consume.")
    end
    local stage = stages.find(who, read)
    read.key = key_of(stage, query)
    local verdict, wrong = verify.judge(who, read)
    if not verdict then
        return fault("invalid-input", nil, wrong)
    elseif not verdict.code then
        header["Retry-After"] = verdict.wait
        return fault("unavailable", verify.CANNOT_CONSUME)
    end
    return answer(verdict, options.as)
end

return authorize
