-- Token buckets, exact across workers. A bucket is one number in shared memory: the moment at which it is full
-- again (seconds of the machine's monotonic clock), so it starts full and never needs a timer. Its flags count the
-- calls taken, for the agent.
-- Both functions must be called under the lock: look at all buckets first, then take from all or from none.

local ffi = require "ffi"
local page = require "page"
local shares = require "shares"

ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } gatehouse_time_t;
int clock_gettime(int clock, gatehouse_time_t *time);
]]

local buckets = ngx.shared.gatehouse_buckets
local C = ffi.C
local tonumber, ceil, max = tonumber, math.ceil, math.max
local MONOTONIC = 1
local KEPT = 100000        -- seconds; memory expires by the wall clock, which may jump by a day
local ROUNDING = 1e-6      -- of a token
local COUNT = 2 ^ 30       -- flags start anew here
local BLOCKED_FOR = 60     -- seconds to wait that we tell a caller whom rate 0 or burst 0 blocks
local time = ffi.new("gatehouse_time_t")

local throttle = {}

function throttle.now()
    C.clock_gettime(MONOTONIC, time)
    return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

-- The text of RateLimit-Policy for a throttle of this name.
function throttle.policy(name, limits)
    local seconds = limits.rate > 0 and ceil(limits.burst / limits.rate) or 0
    return '"' .. name .. '";q=' .. limits.burst .. ";w=" .. max(seconds, 1)
end

-- Returns the moment at which the bucket would be full after one more call and the tokens then left;
-- or nil and the seconds until there is a token. bucket = {name, rate, burst}.
function throttle.look(bucket, now)
    if bucket.shares ~= page.shares then
        shares.fit(bucket)
    end
    local rate, burst = bucket.rate, bucket.burst
    if rate <= 0 or burst < 1 then
        return nil, BLOCKED_FOR
    end
    local full_at, count = buckets:get(bucket.name)
    bucket.count = count or 0
    local taken = 0
    if full_at and full_at > now then
        taken = (full_at - now) * rate
        if taken > burst then
            taken = burst -- the limit was made smaller
        end
    end
    local left = burst - taken - 1
    if left < -ROUNDING then
        shares.refused(bucket)
        return nil, -left / rate
    end
    return now + (taken + 1) / rate, left
end

-- Stores what look() returned. A full bucket needs no memory, so it may expire then.
function throttle.take(bucket, full_at, now)
    buckets:set(bucket.name, full_at, full_at - now + KEPT, (bucket.count + 1) % COUNT)
end

-- The same by name, for who changes a bucket's state from outside; count as it was.
function throttle.put(name, full_at, now, count)
    buckets:set(name, full_at, full_at - now + KEPT, count or 0)
end

return throttle
