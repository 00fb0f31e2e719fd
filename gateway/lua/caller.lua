-- Who asks keys/verify and keys/authorize: an API token, known by its SHA-256, and its own rate limit.

local entries = require "entries"
local key = require "key"
local lock = require "lock"
local throttle = require "throttle"

local var, ngx_now, buckets = ngx.var, ngx.now, ngx.shared.gatehouse_buckets
local match, find = string.match, string.find
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min
local LIMIT = 1000 -- hashes that a worker remembers, twice

local caller = {}
local rate = 0
local young, old, count = {}, {}, 0

-- rate_: calls a second that one caller may make to a node, as many at once; 0 = no limit.
function caller.init(rate_)
    rate = rate_
end

local of_header = {} -- header Authorization -> the token in it, of known callers

local function of_authorization(header)
    return header and match(header, "^[Bb][Ee][Aa][Rr][Ee][Rr] +(gat_%w+_%w+) *$")
end

-- The token: of Authorization, or of X-Gatehouse-Token where Authorization is the judged call's own; and whether both
-- have one. Then one of them may be a client's, who would be judged by what her own organization has under the name.
local function token()
    local authorization = var.http_authorization
    local first = authorization and (of_header[authorization] or of_authorization(authorization))
    local second = var.http_x_gatehouse_token
    return first or second, first and second
end

-- Only hashes of known tokens are remembered.
local function find_caller(text)
    local hash = young[text] or old[text] or key.sha256(text)
    local entry = entries.get("caller", hash)
    if entry and not young[text] then
        if count >= LIMIT then
            old, young, count, of_header = young, {}, 0, {}
        end
        young[text] = hash
        count = count + 1
        local header = var.http_authorization
        if of_authorization(header) == text then
            of_header[header] = text
        end
    end
    return entry
end

-- Tells whether the call carries what has the shape of a token: then it is meant for us, whatever host it names. A
-- gateway that passes its client's Host on must not be answered by an API of that host.
function caller.is_asking()
    local text = token()
    return text and find(text, "^gat_") ~= nil
end

-- Returns the caller's entry; or nil, the challenge for WWW-Authenticate and what is wrong.
function caller.authenticate()
    local text, another = token()
    if another then
        return nil, 'Bearer realm="gatehouse", error="invalid_request"',
            "Send one token: in Authorization or in X-Gatehouse-Token, and take the other away from your client's call."
    elseif not text then
        local challenge = 'Bearer realm="gatehouse"' .. (var.http_authorization and ', error="invalid_token"' or "")
        return nil, challenge, "Send `Authorization: Bearer gat_…`, with a token of your organization."
    end
    local entry = find_caller(text)
    if not entry or ngx_now() >= entry.ends then
        return nil, 'Bearer realm="gatehouse", error="invalid_token"', "The token is unknown, revoked or expired."
    end
    return entry
end

-- Under the lock. A bucket of this node alone, so not one of throttle.lua, which are divided among nodes. Takes up to
-- `number` calls; returns how many, or 0 and the seconds to wait.
local function take(name, number)
    local now = throttle.now()
    local start = max(buckets:get(name) or 0, now)
    local left = rate - (start - now) * rate
    if left < 1 then
        return 0, max(ceil((1 - left) / rate), 1)
    end
    number = min(number, floor(left))
    buckets:set(name, start + number / rate, start - now + 2)
    return number
end

-- Takes one call of the caller's own limit; returns nil, or the seconds to wait. A worker takes a hundredth of a
-- second's calls at once, so that most questions need no lock.
function caller.wait(entry)
    if rate == 0 then
        return nil
    end
    local now = ngx_now()
    local held = entry.held or 0
    if held < 1 or now > entry.held_until then
        local wait
        held, wait = lock.with(take, "c:" .. entry.id, max(floor(rate / 100), 1))
        if wait then
            return wait
        end
        entry.held_until = now + 1
    end
    entry.held = held - 1
end

return caller
