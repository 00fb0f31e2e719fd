-- This node's part of each limit, where several nodes divide it (docs/limits.md). The agent sets the parts through
-- the control socket (share_push.lua); a worker fits a bucket when page.shares, the count of changes, has moved.

local page = require "page"

local held = ngx.shared.gatehouse_shares -- "=" .. bucket -> share; "!" .. bucket -> calls refused; a list of buckets
local max = math.max
local LEAST = 0.001 -- of a limit, for a node that waits for its part: no division by zero, single calls get through

local shares = { HUNGRY = "hungry" }

-- Returns the share of a bucket: its own, or the equal part that holds for all that have none.
function shares.of(name)
    return held:get("=" .. name) or page.share
end

-- Sets a bucket's own share; nil takes it away.
function shares.keep(name, share)
    held:set("=" .. name, share)
end

-- Returns all buckets that have a share of their own: bucket -> share.
function shares.all()
    local found = {}
    for _, name in ipairs(held:get_keys(0)) do
        if name:sub(1, 1) == "=" then
            found[name:sub(2)] = held:get(name)
        end
    end
    return found
end

-- Returns the rate and the burst of a limit's part. One whole call always fits in.
function shares.part(limit, share)
    local rate, burst = limit.rate, limit.burst
    if share >= 1 or rate <= 0 or burst < 1 then
        return rate, burst
    end
    share = max(share, LEAST)
    return rate * share, max(burst * share, 1)
end

-- Gives a bucket the rate and the burst of this node's part. The whole limit stays in bucket.whole.
function shares.fit(bucket)
    local whole = bucket.whole
    if not whole then
        whole = { rate = bucket.rate, burst = bucket.burst }
        bucket.whole = whole
    end
    bucket.rate, bucket.burst = shares.part(whole, shares.of(bucket.name))
    bucket.shares = page.shares
end

-- Notes that a bucket refused a call, for the agent. Costs nothing where a node has its limits alone.
function shares.refused(bucket)
    if page.share >= 1 then
        return
    end
    local name = bucket.name
    local counter = "!" .. name
    -- a full memory drops what would be new here, never a share
    if not held:incr(counter, 1) and held:safe_add(counter, 1) then
        local whole = bucket.whole
        if not held:lpush(shares.HUNGRY, whole.rate .. " " .. whole.burst .. " " .. name) then
            held:delete(counter)
        end
    end
end

-- Takes what was refused since the last time: bucket -> {refused, rate, burst}, at most `most` of them.
function shares.take_refused(most)
    local found = {}
    for _ = 1, most do
        local text = held:rpop(shares.HUNGRY)
        local rate, burst, name = (text or ""):match("^(%S+) (%S+) (.+)$")
        if not name then
            break
        end
        found[name] = { refused = held:get("!" .. name) or 1, rate = tonumber(rate), burst = tonumber(burst) }
        held:delete("!" .. name)
    end
    return found
end

return shares
