-- Token buckets, exact across workers. A bucket is one number in shared memory: the moment at which it is full
-- again (seconds of the machine's monotonic clock), so it starts full and never needs a timer. With it lie the calls
-- taken, for the agent.
-- look() and take() must be called under the lock: look at all buckets first, then take from all or from none.

local ffi = require "ffi"
local page = require "page"
local places = require "places"
local shares = require "shares"

ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } gatehouse_time_t;
int clock_gettime(int clock, gatehouse_time_t *time);
typedef struct {
    double full_at;
    double count;    // calls taken
    double turn;     // how many names had this place before
    char name[40];   // empty = nobody's
} gatehouse_bucket_t; // one line of the processor's cache
]]

local names = ngx.shared.gatehouse_buckets -- name -> place
local C = ffi.C
local tonumber, ceil, max = tonumber, math.ceil, math.max
local NAME_BYTES = 256
local LONGEST = 39         -- so that a name takes 128 bytes: there is room for all, and none that is in use is thrown out
local buckets, PLACES = places.of("buckets", "gatehouse_bucket_t", names, NAME_BYTES)
local PROBES = 64          -- places that are looked at to free one
local MONOTONIC = 1
local ROUNDING = 1e-6      -- of a token
local COUNT = 2 ^ 30       -- counts of calls start anew here
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

-- A name as it is kept: one that is too long by its hash.
local function short(name)
    return #name <= LONGEST and name or ngx.md5(name)
end

-- Frees the place that was idle longest of some: a full bucket needs none. Returns it.
local function free()
    local best
    for _ = 1, PROBES do
        local place = page.buckets_hand % PLACES
        page.buckets_hand = place + 1
        if not best or buckets[place].full_at < buckets[best].full_at then
            best = place
        end
    end
    local bucket = buckets[best]
    names:delete(ffi.string(bucket.name))
    bucket.turn = bucket.turn + 1
    bucket.full_at, bucket.count, bucket.name[0] = 0, 0, 0
    return best
end

-- Returns the place of a name, which gets one if it has none. Under the lock.
local function claim(name)
    name = short(name)
    local place = names:get(name)
    if place then
        return place
    end
    if page.buckets_used < PLACES then
        place = page.buckets_used
        page.buckets_used = place + 1
    else
        place = free()
    end
    names:set(name, place)
    ffi.copy(buckets[place].name, name)
    return place
end

-- Learns where a bucket is, if it has a place. Another name may have got the one that a worker knew.
local function find(bucket)
    local place = names:get(short(bucket.name))
    bucket.place, bucket.turn = place, place and buckets[place].turn
    return place
end

local function place_of(bucket)
    local place = bucket.place
    if place and buckets[place].turn == bucket.turn then
        return place
    end
    return find(bucket)
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
    local place = place_of(bucket)
    local full_at = place and buckets[place].full_at or 0
    local taken = 0
    if full_at > now then
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

-- Stores what look() returned.
function throttle.take(bucket, full_at)
    local place = place_of(bucket)
    if not place then
        place = claim(bucket.name)
        bucket.place, bucket.turn = place, buckets[place].turn
    end
    local kept = buckets[place]
    kept.full_at = full_at
    kept.count = (kept.count + 1) % COUNT
end

-- The tokens left in a bucket, at a glance: it changes nothing, and counts no refusal.
function throttle.left(bucket, now)
    if bucket.rate <= 0 or bucket.burst < 1 then
        return 0
    end
    local full_at = throttle.get(bucket.name)
    return max(bucket.burst - max(full_at - now, 0) * bucket.rate, 0)
end

-- The state of a bucket by its name: when it is full again (0 = long ago) and the calls taken.
function throttle.get(name)
    local place = names:get(short(name))
    if place then
        return buckets[place].full_at, buckets[place].count
    end
    return 0, 0
end

-- Changes when a bucket is full, from outside. Under the lock.
function throttle.put(name, full_at)
    buckets[claim(name)].full_at = full_at
end

return throttle
