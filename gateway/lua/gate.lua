-- A call through the gate: the order of the checks is the order of this file.

local authorizer = require "authorizer"
local buffer = require "string.buffer"
local cache = require "cache"
local canary = require "canary"
local charge = require "charge"
local entries = require "entries"
local guard = require "guard"
local hop = require "hop"
local hot = require "hot"
local judge = require "judge"
local key = require "key"
local key_limits = require "key_limits"
local key_source = require "key_source"
local mapping_of = require "mapping"
local page = require "page"
local preflight = require "preflight"
local request_log = require "request_log"
local rich = require "rich"
local route = require "route"
local tls = require "tls"
local verdict = require "verdict"

local ngx = ngx
local var = ngx.var
local find, sub = string.find, string.sub
local KEY_ID, LIMITS, ROUTE, KIND, PATH = hot.KEY_ID, hot.LIMITS, hot.ROUTE, hot.KIND, hot.PATH
local LONGEST_URL = 10240 -- bytes, AWS's
local MOST_HOPS = "5"     -- gates before this one; hop.lua counts to it
local LOOP = "The call went through Gatehouse " .. MOST_HOPS .. " times: a backend leads back to it"
local get_method, ngx_now = ngx.req.get_method, ngx.now
local give_id = require("request_id").give
local set = require("raw").set
local cut = require("compiled").cut
local get, refuse = entries.get, verdict.refuse
local secure = require("peer").secure

local gate = {}
local out = buffer.new(1024) -- the address at the backend

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

-- Puts down the pieces of a path from `index` on. No loop, as in route.lua.
local function put_pieces(pieces, index, stage, operation, captures)
    local piece = pieces[index]
    if not piece then
        return
    elseif type(piece) == "number" then
        piece = captures[piece + 1]
    elseif type(piece) == "table" then
        piece = mapping_of.path_piece(piece, stage, operation, captures)
    end
    out:put(piece)
    return put_pieces(pieces, index + 1, stage, operation, captures)
end

-- Puts down the path at the backend, percent-encoded as the client sent it.
local function put_path(stage, operation, peer, path, from, captures)
    local pieces = operation[PATH]
    local before = #out
    if pieces then
        put_pieces(pieces, 1, stage, operation, captures)
    else
        out:put(sub(path, from))
    end
    if peer.path == "" and #out == before then
        out:put("/")
    end
end

local function put_query(kind, query)
    local own = kind.query
    if own then
        out:put("?", own)
        query = #query > 1 and "&" .. sub(query, 2) or ""
    end
    out:put(query)
end

-- Puts down where the call goes, and returns the peer; or nothing when the operation cannot be served.
local function destination(stage, operation, path, from, query, captures)
    local kind = operation[KIND]
    local peer = kind.served and (kind.peer or get("backend", kind.backend))
    if peer then
        out:reset():put(peer.base)
        put_path(stage, operation, peer, path, from, captures)
        put_query(kind, query)
        return peer
    end
end

-- Hands the call to nginx's proxy and to balance.lua.
local function proxy(kind, peer, host)
    local address = peer.address or get("address", peer.host)
    if not address or #address.list == 0 then
        return refuse("INTEGRATION_FAILURE", nil, nil, "no_address")
    end
    var.gatehouse_host = host or peer.host_header
    if peer.tls_name then
        secure(peer)
    end
    if kind.method then
        var.gatehouse_method = kind.method
    end
    ngx.ctx = peer
end

-- The hash of the key that the authorizer named, where the stage takes it from there; nil elsewhere.
local function named_key(stage, kind, caller)
    if stage.key_source.place == "authorizer" then
        if kind.key_required and not caller then
            return refuse("API_CONFIGURATION_ERROR", nil, nil, "no_authorizer") -- there is nobody to name one
        end
        return caller and caller.key
    end
end

local function refuse_key(text, entry, stage)
    return refuse("INVALID_API_KEY", nil, nil, request_log.asks_why() and judge.reason(text, entry, stage, ngx_now()) or nil)
end

-- text of the key, or its hash. Returns subscription, plan and key, or nil when the call was refused.
local function authorize(stage, text, hash)
    local entry = hash and get("key", hash) or text and key.find(text)
    if not entry then
        return refuse_key(hash or text, nil, stage)
    end
    var.gatehouse_key = entry[KEY_ID]
    local subscription, plan = key.opens(entry, stage.id, ngx_now())
    if not subscription then
        return refuse_key(text, entry, stage)
    end
    local elsewhere = entry[LIMITS] and key_limits.refuses(entry[LIMITS], guard.address(), var.http_referer or var.http_origin)
    if elsewhere then
        return refuse("INVALID_API_KEY", nil, nil, elsewhere) -- it tells nobody that the key would do elsewhere
    end
    var.gatehouse_subscription = subscription.id
    return subscription, plan, entry
end

-- The access phase of every call.
gate.access = require("compiled").phase(function(real)
    if not real then
        return
    end
    if page.ready == 0 then
        return refuse("NOT_READY")
    end
    entries.refresh()

    give_id()
    local uri = var.request_uri
    if #uri > LONGEST_URL then
        return ngx.exit(414)
    end
    local mark = find(uri, "?", 1, true)
    local path, query = uri, ""
    if mark then
        path, query = sub(uri, 1, mark - 1), sub(uri, mark)
    end
    local host = var.host
    if not route.is_safe(path) then
        return refuse("BAD_REQUEST")
    end
    local mapping, from = route.mapping(host, path)
    local hops = var.http_x_gatehouse_hops
    if hops == MOST_HOPS then
        return refuse("API_CONFIGURATION_ERROR", nil, LOOP, "loop")
    elseif hops then
        hop.count(hops)
    end
    if page.mutual ~= 0 and not tls.admits(host) then
        return refuse("ACCESS_DENIED", nil, nil, "certificate")
    end

    local stage = mapping and get("stage", mapping.stage)
    if not stage then
        return no_mapping(path, mapping or from)
    elseif not stage.open then
        var.gatehouse_route = stage.nowhere
        return refuse("ACCESS_DENIED", nil, nil, stage.suspended and "suspended" or "retired")
    end

    if stage.canary then
        stage = canary.draw(stage)
    end
    local method = get_method()
    if method == "OPTIONS" then
        preflight.answer(stage, path, from)
    end
    local operation, captures = route.operation(stage, path, from, method)
    local kind = operation and operation[KIND]
    local policy = (kind or stage).policy
    var.gatehouse_route = operation and operation[ROUTE] or stage.nowhere
    if policy and policy.ip then
        guard.origin(policy, stage, path)
    end
    if not operation then
        return refuse("MISSING_AUTHENTICATION_TOKEN")
    end

    local caller, text, hash
    if kind.authorizer then
        caller, captures = authorizer.check(stage, operation, path, from, captures)
    end
    if stage.key_source then
        hash = named_key(stage, kind, caller)
        text, query = key_source.take(stage.key_source, query, kind.key_required)
    elseif kind.key_required then
        text = var.http_x_api_key
    end
    -- H, verify: its own entry points use authorize() and charge.call() too.
    local subscription, plan, entry
    if kind.key_required then
        subscription, plan, entry = authorize(stage, text, hash)
    end
    local connection = var.http_connection
    if connection and not hop.USUAL[connection] then
        hop.drop(connection)
    end
    local upgrade = var.http_upgrade
    if upgrade then
        hop.upgrade(upgrade)
    end
    hop.host(host)
    local mapped_host
    if kind.request_mapping then
        query, mapped_host = mapping_of.request(kind.request_mapping, stage, operation, captures, query)
    end
    local peer = destination(stage, operation, path, from, query, captures)
    if not peer then
        return refuse("API_CONFIGURATION_ERROR", nil, nil, "unserved")
    end
    local target -- of a rich call
    if kind.rich or peer.rich or rich.is_special(method) then
        target = out:tostring()
    else
        set("gatehouse_target", out:ref())
    end
    if policy and policy.max_body then
        guard.body(policy)
    end
    if kind.cache and cache.refuses(operation) then
        return refuse("ACCESS_DENIED", nil, nil, "cache")
    end
    cut(0)
    local refusal, wait, message, why = charge.call(stage, operation, plan, subscription, entry)
    if refusal then
        return refuse(refusal, wait, message, why)
    end
    if target then
        return rich.proxy(stage, operation, peer, target, sub(path, from), mapped_host)
    end
    return proxy(kind, peer, mapped_host)
end)

return gate
