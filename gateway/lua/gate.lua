-- A call through the gate: the order of the checks is the order of this file.

local charge = require "charge"
local entries = require "entries"
local key = require "key"
local page = require "page"
local prepare = require "prepare"
local route = require "route"
local tls = require "tls"
local verdict = require "verdict"

local ngx = ngx
local var = ngx.var
local find, sub = string.find, string.sub
local get_method, ngx_now = ngx.req.get_method, ngx.now
local get, refuse = entries.get, verdict.refuse

local gate = {}

local function no_mapping(path, claimed)
    if not claimed and (path == "/ping" or path == "/sping") then
        var.gatehouse_logged = "0"
        ngx.header["Content-Type"] = "text/plain"
        ngx.header["Server"] = nil
        ngx.print("healthy\n")
        return ngx.exit(200)
    end
    return refuse("MISSING_AUTHENTICATION_TOKEN")
end

-- The path at the backend, percent-encoded as the client sent it.
local function path_of(operation, peer, path, from, captures)
    local pieces = operation.path
    if operation.backend or not pieces then
        local rest = sub(path, from)
        return (rest == "" and peer.path == "") and "/" or rest
    end
    local text = ""
    for index = 1, #pieces do
        local piece = pieces[index]
        text = text .. (type(piece) == "number" and captures[piece + 1] or piece)
    end
    return (text == "" and peer.path == "") and "/" or text
end

local function query_of(operation, query)
    local own = operation.query
    if not own then
        return query
    end
    return "?" .. own .. (#query > 1 and "&" .. sub(query, 2) or "")
end

-- Returns where the call goes; or nothing when the operation cannot be served.
local function destination(operation, path, from, query, captures)
    local peer = operation.served and (operation.peer or get("backend", operation.backend))
    if peer then
        return peer, peer.base .. path_of(operation, peer, path, from, captures) .. query_of(operation, query)
    end
end

-- Hands the call to nginx's proxy and to balance.lua.
local function proxy(operation, peer, target)
    local address = peer.address or get("address", peer.host)
    if not address or #address.list == 0 then
        return refuse("INTEGRATION_FAILURE")
    end
    var.gatehouse_target = target
    var.gatehouse_host = peer.host_header
    if peer.tls_name then
        var.gatehouse_tls_name = peer.tls_name
    end
    if operation.method then
        var.gatehouse_method = operation.method
    end
    ngx.ctx = peer
end

-- Returns subscription and plan, or nil when the call was refused.
local function authorize(stage)
    local text = var.http_x_api_key
    local entry = text and key.find(text)
    if not entry then
        return refuse("INVALID_API_KEY")
    end
    var.gatehouse_key = entry.id
    local subscription, plan = key.opens(entry, stage.id, ngx_now())
    if not subscription then
        return refuse("INVALID_API_KEY")
    end
    var.gatehouse_subscription = subscription.id
    return subscription, plan
end

-- The access phase of every call.
function gate.access()
    if page.ready == 0 then
        return refuse("NOT_READY")
    end
    entries.refresh()

    local uri = var.request_uri
    local mark = find(uri, "?", 1, true)
    local path, query = uri, ""
    if mark then
        path, query = sub(uri, 1, mark - 1), sub(uri, mark)
    end
    if not route.is_safe(path) then
        return refuse("BAD_REQUEST")
    end

    local host = var.host
    if page.mutual ~= 0 and not tls.admits(host) then
        return refuse("ACCESS_DENIED")
    end

    local mapping, from = route.mapping(host, path)
    local stage = mapping and get("stage", mapping.stage)
    if not stage then
        return no_mapping(path, mapping or from)
    elseif not stage.open then
        var.gatehouse_route = stage.nowhere
        return refuse("ACCESS_DENIED")
    end

    -- C, canary: draws; replaces the trie and operations of this call (canary.lua).
    local id, captures = route.operation(stage.trie, path, from, get_method())
    local operation = id and stage.operations[id] and prepare.operation(stage, id)
    if not operation then
        var.gatehouse_route = stage.nowhere
        return refuse("MISSING_AUTHENTICATION_TOKEN")
    end
    var.gatehouse_route = operation.route
    -- operation.policy: the effective one, prepared (nil = nothing is asked).
    -- B, CORS: answers a preflight, which needs no key (cors.lua). Also where no operation was found, for OPTIONS.
    -- B, IP rules of policy.ip; payload limit of policy.max_body (ip.lua).

    -- B, key source: authorize() takes the key from where stage.key_source says (key_source.lua).
    -- H, verify: its own entry points use authorize() and charge.call() too.
    local subscription, plan
    if operation.key_required then
        subscription, plan = authorize(stage)
    end
    local peer, target = destination(operation, path, from, query, captures)
    if not peer then
        return refuse("API_CONFIGURATION_ERROR")
    end
    local refusal, wait = charge.call(stage, operation, plan, subscription)
    if refusal then
        return refuse(refusal, wait)
    end
    -- C, cache: answers from it, or goes on (cache.lua).
    -- C, rich: ngx.exec("@rich") and its family, when prepare.operation() says that the operation needs it.
    return proxy(operation, peer, target)
end

return gate
