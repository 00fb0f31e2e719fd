-- The response cache: answers to GET in shared memory, for exactly the seconds that a policy says.
--
-- What is kept is the backend's answer without compression, CORS and mapped headers; those are made anew for each
-- caller by the filters of rich.lua. A key is made of stage, flush number, deployment, operation, the path below the
-- base path, the address as the backend is told it, and the listed query parameters and headers, so nothing is shared
-- that a deployment, stage or address keeps apart.
-- While one call fetches an answer, others of its key wait for it; if it cannot be kept, all go on at once.

local fetch = require "fetch"
local key_of = require "cache_key"
local stored = require "stored"

local ngx = ngx
local var, header = ngx.var, ngx.header
local find, gsub, lower = string.find, string.gsub, string.lower
local concat, floor, min = table.concat, math.floor, math.min
local ngx_now, sleep, get_method = ngx.now, ngx.sleep, ngx.req.get_method
local answers = ngx.shared.gatehouse_cache

local LARGEST = 1048576      -- bytes of a body that is kept
local FIRST_PAUSE, LAST_PAUSE = 0.005, 0.1 -- seconds between looks of one who waits
local WARNING = '199 - "the cache was not invalidated: this API does not let callers do that"'

local cache = {}

local function wants_fresh()
    local control = var.http_cache_control
    return control and find(lower(control), "max%-age%s*=%s*0%f[%D]") ~= nil
end

-- Tells whether the call is refused because it asks to invalidate what it may not.
function cache.refuses(operation)
    local policy = operation.cache
    return policy ~= nil and policy.invalidation == "refuse" and get_method() == "GET" and wants_fresh()
end

local function flag(letter)
    var.gatehouse_flags = gsub(var.gatehouse_flags, "%-", "") .. letter
end

local function find_answer(call, key)
    local text = answers:get(key)
    local answer = text and stored.read(text)
    if answer and ngx_now() < answer.at + call.operation.cache.ttl then
        return answer
    end
end

local function serve(call, answer, warns)
    flag("h")
    call.served = true
    ngx.status = answer.status
    header["Server"] = nil
    for name, value in pairs(answer.headers) do
        header[name] = value
    end
    header["Content-Length"] = #answer.body
    header["Age"] = floor(ngx_now() - answer.at) + (tonumber(answer.headers["Age"]) or 0)
    header["X-Cache"] = "Hit"
    header["Warning"] = warns and WARNING or answer.headers["Warning"]
    ngx.req.discard_body()
    ngx.print(answer.body)
    return ngx.exit(200)
end

local function claim(call, key)
    if fetch.claim(key, call.timeout) then
        call.fetching = key
        var.gatehouse_fetch = key
        return true
    end
end

-- Waits for another call's fetch. Returns the answer; or nil when this call shall go to the backend itself.
local function await(call, key)
    local deadline, pause = ngx_now() + call.timeout, FIRST_PAUSE
    while ngx_now() < deadline do
        local state = fetch.state(key)
        if state == fetch.GO_ON then
            return nil
        elseif state == fetch.NONE then
            local answer = find_answer(call, key)
            if answer or claim(call, key) then
                return answer
            end
        end
        sleep(pause)
        pause = min(pause * 1.5, LAST_PAUSE)
    end
end

-- What is kept must be whole and not encoded. The client's Accept-Encoding counts again for her own answer.
local function ask_for_all(call)
    call.accepts = var.http_accept_encoding
    for _, name in ipairs({
        "Accept-Encoding", "Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since",
    }) do
        ngx.req.clear_header(name)
    end
end

-- Answers a call from the cache; else readies it for its way to the backend. May yield.
function cache.lookup(call)
    local policy, method = call.operation.cache, get_method()
    if method ~= "GET" and method ~= "HEAD" then
        return
    end
    local key = key_of(call)
    local asks = method == "GET" and wants_fresh()
    if not (asks and policy.invalidation == "allow") then
        local answer = find_answer(call, key)
        if not answer and method == "GET" and not claim(call, key) then
            answer = await(call, key)
        end
        if answer then
            return serve(call, answer, asks and policy.invalidation == "warn")
        end
    end
    flag("m")
    call.missed = true
    if method == "GET" then
        call.key = key
        ask_for_all(call)
    end
end

-- Keeps no answer of this call.
local function let_go(call)
    call.key, call.parts = nil, nil
    if call.fetching then
        fetch.finish(call.fetching)
        call.fetching = nil
        var.gatehouse_fetch = ""
    end
end

-- The header filter, before anything is changed: looks at what the backend sent.
function cache.header(call)
    if not call.missed then
        return
    end
    if call.key then
        local length = tonumber(header["Content-Length"])
        local answer = not (length and length > LARGEST) and stored.take(call)
        if answer then
            answer.length = length
            call.answer, call.parts, call.size = answer, {}, 0
        else
            let_go(call)
        end
    end
    header["X-Cache"] = "Miss"
end

local function keep(call)
    local answer, body = call.answer, concat(call.parts)
    if answer.length and answer.length ~= #body then
        return let_go(call)
    end
    answer.at = ngx_now()
    local kept = stored.write(answers, call.key, answer, body, call.operation.cache.ttl)
    if call.fetching then
        fetch.finish(call.fetching, kept)
    end
    call.key, call.parts, call.fetching = nil, nil, nil
    var.gatehouse_fetch = ""
end

-- The body filter: gathers the answer, and keeps it when it is whole.
function cache.body(call, chunk, is_last)
    local parts = call.parts
    if not parts then
        return
    end
    call.size = call.size + #chunk
    if call.size > LARGEST then
        return let_go(call)
    end
    parts[#parts + 1] = chunk
    if is_last then
        return keep(call)
    end
end

-- The log phase: a call that ended early leaves nobody waiting.
function cache.ended(call)
    if call.fetching then
        let_go(call)
    end
end

-- nginx found no answer of the backend (502, 504, …).
function cache.failed()
    local key = var.gatehouse_fetch
    if key ~= "" then
        fetch.finish(key)
    end
end

return cache
