-- The request log: what happened to a call, for the people who ask about it. A ring in one mapped file, which the agent
-- empties (gateway/request_log.py tells its layout). Unlike the usage log it may leave calls out: it has a budget of lines
-- a second, one for calls that were answered and one of its own for those that were refused or failed, and a stage
-- gets half of each at most. A call beyond the budget costs a comparison or two. Stages and plans say which of their
-- calls may be in it.

local ffi = require "ffi"
local bit = require "bit"
local compiled = require "compiled"
local lock = require "lock"
local process = require "process"
local raw_get = require("raw").get

ffi.cdef [[
typedef struct {
    char magic[32];
    double size;                    // bytes of the ring, which begins at HEAD
    volatile double written;        // bytes of lines ever written
    volatile double read;           // of these, what the agent has; nobody else changes it
    volatile double lost;           // lines that found no room
    volatile double due[2];         // budgets of answered calls, and of refused or failed ones; see may()
    volatile double shares[2][256]; // the same of stages
    char rest[4016];
} gatehouse_requests_t;
]]

local ngx, ngx_now, var = ngx, ngx.now, ngx.var
local cast, copy, min, max, random = ffi.cast, ffi.copy, math.min, math.max, math.random
local MAGIC = "gatehouse request log 1\n"
local HEAD = 8192
local HORIZON = 60      -- seconds of budget that may be spent at once
local SHARES = 256
local LONGEST = 4096    -- bytes of a line that are kept
local SKIP = 0xFFFFFFFF -- instead of a length: the next line is at the ring's start
local ANSWERED, FAILED = 0, 1
local SAMPLE = 0.1      -- of the answered calls, where a stage or a plan wants a sample of them

local request_log = {}
local head, ring -- nil = there is none
local step = 0   -- seconds of budget that a line takes
local current, entries

-- A budget is the moment up to which it is spent. Whether there is some left; a clock that was put back does not stop it.
local function may(due, now)
    local ahead = due - now
    return ahead < HORIZON or ahead > 2 * HORIZON
end

local function spent(due, now, by)
    return (due - now > 2 * HORIZON and now or max(due, now)) + by
end

-- Under the lock.
local function append(address, length, class, share, now)
    local size, written = head.size, head.written
    local needed = 8 * math.ceil((length + 4) / 8)
    local offset = written % size
    local rest = size - offset
    local skipped = rest < needed and rest or 0
    if written + skipped + needed - head.read > size then
        head.lost = head.lost + 1
        return
    end
    if skipped > 0 then
        cast("uint32_t *", ring + offset)[0] = SKIP
        written, offset = written + skipped, 0
    end
    cast("uint32_t *", ring + offset)[0] = length
    copy(ring + offset + 4, address, length)
    head.due[class] = spent(head.due[class], now, step)
    head.shares[class][share] = spent(head.shares[class][share], now, 2 * step)
    head.written = written + needed
end

-- Stages have random ids: which of the shares is this call's.
local function share_of_stage()
    local address, length = raw_get("gatehouse_route")
    if length < 8 then
        return 0
    end
    local words = cast("const uint32_t *", address)
    return bit.band(bit.bxor(words[0], bit.rshift(words[0], 16), words[1], bit.rshift(words[1], 16)), SHARES - 1)
end

local function plan_of_call()
    local id = var.gatehouse_subscription
    local subscription = id ~= "" and entries.get("subscription", id)
    return subscription and entries.get("plan", subscription.plan)
end

-- Whether a stage or a plan (nil = there is none) lets such a call be logged; drawn: a random number of the call.
local function allows(owner, class, drawn)
    local mode = owner and owner.request_log
    if mode == "off" then
        return false
    end
    return class == FAILED or mode ~= "errors" and (mode ~= "sample" or drawn < SAMPLE)
end

local function write(class, now)
    local share = share_of_stage()
    if not may(head.shares[class][share], now) or var.gatehouse_logged == "0" then
        return
    end
    local stage, drawn = current.call(), random()
    if not allows(stage, class, drawn) or not allows(plan_of_call(), class, drawn) then
        return
    end
    local source = stage and stage.key_source
    if source and source.place == "query" then
        var.gatehouse_key_parameter = ngx.escape_uri(source.name)
    end
    local address, length = raw_get("gatehouse_request_line")
    lock.with(append, address, min(length, LONGEST), class, share, now)
end

-- Of every call, in the log phase.
function request_log.log()
    if not head then
        return
    end
    local now = ngx_now()
    local takes_failed, takes_answered = may(head.due[FAILED], now), may(head.due[ANSWERED], now)
    if not takes_failed and not takes_answered then
        return
    end
    local status = ngx.status
    local failed = status >= 400 or status < 100 -- 0: the client left before there was an answer
    if failed and takes_failed or not failed and takes_answered then
        compiled.cut(0)
        write(failed and FAILED or ANSWERED, now)
    end
end

-- Whether it is worth while to find out why a call is refused.
function request_log.asks_why()
    return head ~= nil and may(head.due[FAILED], ngx_now())
end

-- path: of the ring, made by gateway/request_log.py; rate: lines a second, 0 = there is no request log.
function request_log.init(path, rate)
    request_log.path, step = path, rate > 0 and 1 / rate or 0
end

-- Begins in a worker.
function request_log.start()
    if step == 0 then
        return
    end
    current, entries = require "current", require "entries"
    local found = process.map(request_log.path, HEAD)
    found = found and cast("gatehouse_requests_t *", found)
    local size = found and ffi.string(found.magic, #MAGIC) == MAGIC and found.size
    local memory = size and process.map(request_log.path, HEAD + size)
    if not memory then
        ngx.log(ngx.ERR, request_log.path, " cannot be used: there will be no request log")
        return
    end
    head, ring = cast("gatehouse_requests_t *", memory), cast("char *", memory) + HEAD
end

return request_log
