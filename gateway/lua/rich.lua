-- Calls that need more than nginx's plain proxy: work on the answer's headers or body, other proxy settings, retries.
-- gate.lua sends them with one ngx.exec into a location of their own; all others never see this file's phases.
--
-- The locations are rendered by render.py. `@rich_N` buffers the answer, `@stream_N` sends it on as it comes; N is the
-- sum of the backend's statuses after which nginx tries another address (502 = 1, 503 = 2, 504 = 4). `@upload` and
-- `@upload_stream` send the request's body on as it comes, so they try no second time once something was sent.

local access_log = require "access_log"
local answer = require "answer"
local cache = require "cache"
local compress = require "compress"
local needs = require "needs"
local peer_module = require "peer"
local quota = require "quota"
local retry = require "retry"
local verdict = require "verdict"

local ngx = ngx
local var = ngx.var
local find, min, max, tonumber = string.find, math.min, math.max, tonumber
local get_method = ngx.req.get_method

local LARGE_BODY = 65536      -- bytes; client_body_buffer_size: a larger one would be written to disk
local STREAM_PAUSE = 300      -- seconds between two parts of a streamed answer
local WEBSOCKET_PAUSE = 600   -- seconds between two messages

local rich = {}

-- ngx.exec forgets ngx.ctx, and the access phase of the location follows within the same step of the worker.
local handed

local function is_websocket()
    return var.http_upgrade ~= nil and var.gatehouse_upgrade ~= ""
end

-- How long a streamed answer may pause by its nature; nil for an ordinary call. No header gets a call round the cache.
local function pause_of(operation)
    if operation.cache then
        return nil
    elseif is_websocket() then
        return WEBSOCKET_PAUSE
    end
    local accept = var.http_accept
    return (operation.stream or (accept and find(accept, "text/event-stream", 1, true))) and STREAM_PAUSE or nil
end

-- Whether the request's body is too large to be kept in memory, or may be.
local function has_large_body(method)
    if method == "GET" or method == "HEAD" then
        return false
    end
    local length = tonumber(var.http_content_length)
    if length then
        return length > LARGE_BODY
    end
    return var.http_transfer_encoding ~= nil or (method ~= "DELETE" and method ~= "OPTIONS")
end

-- Tells whether a call needs more for what it is: a WebSocket, server-sent events, a large body.
function rich.is_special(method)
    if method ~= "GET" and has_large_body(method) then
        return true
    end
    local accept = var.http_accept
    return accept ~= nil and find(accept, "text/event-stream", 1, true) ~= nil or is_websocket()
end

local function location(call, method)
    local operation, streams = call.operation, call.pause ~= nil
    if has_large_body(method) and not call.unpacks and not (operation.retries and needs.BODIES_AGAIN[method]) then
        return streams and "@upload_stream" or "@upload"
    end
    local number = operation.retries and operation.retries.number or 0
    return (streams and "@stream_" or "@rich_") .. number
end

-- Sends a call to its location. target: the URL at the backend as far as peer.base knows it; path: the call's, below
-- the base path; host: the Host header that a mapping asks for, or nil.
function rich.proxy(stage, operation, peer, target, path, host)
    local pause = pause_of(operation)
    local call = {
        stage = stage, operation = operation, peer = peer, target = target, path = path, host = host,
        timeout = min(operation.patience or peer.timeout, peer_module.LONGEST_MS / 1000),
    }
    -- nginx has one time-out for the first byte and for all pauses after it.
    call.pause = pause and (operation.patience and call.timeout or max(call.timeout, pause))
    call.unpacks = compress.is_packed(call)
    if operation.method then
        var.gatehouse_method = operation.method
    end
    handed = call
    return ngx.exec(location(call, get_method()))
end

local function refuse(call, name)
    cache.ended(call)
    quota.give_back(var.gatehouse_lease)
    return verdict.refuse(name)
end

-- The access phase.
function rich.access()
    local call = handed
    ngx.ctx, handed = call, nil
    if call.operation.cache then
        cache.lookup(call)
    end
    local problem = call.unpacks and compress.unpack(call)
    if problem then
        return refuse(call, problem)
    elseif not retry.start(call) then
        cache.ended(call)
        return verdict.refuse("INTEGRATION_FAILURE", nil, nil, "no_address")
    end
end

-- The header filter: of the backend's answers, and of those from the cache. Not of refusals (verdict.lua).
function rich.header()
    local call = ngx.ctx
    if call.entry and not call.served then
        retry.answered(call)
    end
    if call.served or call.entry then
        cache.header(call)
        answer.filter(call.stage, call.operation)
        compress.answer(call)
    end
end

-- The body filter of `@rich_N`: the answer as the backend sent it, not yet compressed.
function rich.body()
    local call = ngx.ctx
    if call.parts then
        cache.body(call, ngx.arg[1], ngx.arg[2])
    end
end

-- The log phase.
function rich.log()
    cache.ended(ngx.ctx)
    access_log.log()
end

return rich
