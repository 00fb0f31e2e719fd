-- Quotas are spent from leases: slices of a window that the control plane gives to this node through the agent.
-- The state of a subscription's lease is one packed struct in shared memory, changed only under the lock.

local ffi = require "ffi"
local agent = require "agent"
local lock = require "lock"
local window = require "window"
local semaphore = require "ngx.semaphore"

ffi.cdef [[
typedef struct {
    double units;               // of the lease, not yet spent
    double starts_at, ends_at;  // the window, Unix seconds
    double limit, left;         // the quota, and what the control plane has not yet given out
    double slice;               // units of the last grant
    double offline_used;        // admitted without a lease in this window
    double offline_unreported;  // of these, not yet told to the control plane
    double spent_until;         // until then the window is known to be spent
    double offline_until;       // until then the control plane is taken to be away
    double free_until;          // until then the control plane said that there is no quota
    double asking_until;        // until then somebody asks for more
} gatehouse_lease_t;
]]

local leases = ngx.shared.gatehouse_leases
local ngx_now, sleep, timer_at = ngx.now, ngx.sleep, ngx.timer.at
local max, ceil, min = math.max, math.ceil, math.min
local copy, fill, to_string = ffi.copy, ffi.fill, ffi.string
local SIZE = ffi.sizeof("gatehouse_lease_t")
local lease = ffi.new("gatehouse_lease_t")

local REMEMBER = 1        -- seconds that "spent", "away" and "no quota" are believed
local ASKING = 3          -- seconds after which an ask without an end is given up
local AHEAD = 0.2         -- of the last slice: below it more is asked for ahead
local LONGEST_WAIT = 86400
local OFFLINE_WAIT = 10
local LIMIT = "quota"

local quota = { ADMITTED = 1, ASK = 2, REFUSED = 3 }
local ADMITTED, ASK, REFUSED = quota.ADMITTED, quota.ASK, quota.REFUSED

-- The name of the lease that a call is charged to; the first argument of all functions here. A quota that counts for
-- each key has one for each subscription and key (all rotations of a key count as one), else one for the subscription.
function quota.name(subscription, key, limits)
    if limits.scope ~= "key" then
        return subscription.id
    end
    local names = key.lease_names
    if not names then
        names = {}
        key.lease_names = names
    end
    local name = names[subscription.id]
    if not name then
        name = subscription.id .. ":" .. (key.counts_as or key.id)
        names[subscription.id] = name
    end
    return name
end

local function read(subscription)
    local text = leases:get(subscription)
    if text and #text == SIZE then
        copy(lease, text, SIZE)
    else
        fill(lease, SIZE)
    end
end

local function write(subscription)
    local ok, problem = leases:safe_set(subscription, to_string(lease, SIZE))
    if not ok then
        ngx.log(ngx.ERR, "a lease cannot be kept: ", problem, "; raise GATEHOUSE_COUNTERS_MEMORY")
    end
    return ok
end

local function spend_offline(subscription, limits, now)
    if now >= lease.ends_at then
        lease.starts_at, lease.ends_at = window.of(limits.period, now)
        lease.units, lease.left, lease.offline_used = 0, 0, 0
    end
    if lease.offline_used >= limits.offline_allowance then
        return REFUSED
    end
    lease.offline_used = lease.offline_used + 1
    lease.offline_unreported = lease.offline_unreported + 1
    return write(subscription) and ADMITTED or REFUSED
end

-- Under the lock: spends one unit. Returns ADMITTED and whether to ask ahead; or ASK; or REFUSED.
function quota.spend(subscription, limits, now)
    read(subscription)
    if lease.units > 0 and now < lease.ends_at then
        lease.units = lease.units - 1
        write(subscription)
        return ADMITTED, lease.units < lease.slice * AHEAD and lease.left > 0 and lease.asking_until <= now
    elseif lease.free_until > now then
        return ADMITTED
    elseif lease.offline_until > now then
        return spend_offline(subscription, limits, now)
    elseif lease.spent_until > now and now < lease.ends_at then
        return REFUSED
    end
    return ASK
end

-- Under the lock: looks at a lease without spending, for seen().
quota.look = read

-- Of the lease that spend() or look() saw last: calls left in the window, seconds until it ends, seconds it lasts,
-- and how long a refused caller should wait.
function quota.seen(limits, now)
    local starts_at, ends_at = lease.starts_at, lease.ends_at
    if now >= ends_at then
        starts_at, ends_at = window.of(limits.period, now)
    end
    local reset = ceil(ends_at - now)
    local wait = lease.offline_until > now and OFFLINE_WAIT or min(reset, LONGEST_WAIT)
    return max(lease.units + lease.left, 0), reset, ends_at - starts_at, max(wait, 1)
end

local function claim(subscription, now)
    read(subscription)
    if lease.asking_until > now then
        return nil
    end
    lease.asking_until = now + ASKING
    return write(subscription) and lease.offline_unreported
end

local function take(grant, now)
    if grant.ends_at <= now then
        return
    end
    if grant.starts_at ~= lease.starts_at or lease.ends_at <= now then
        lease.units, lease.offline_used = 0, 0
    end
    lease.units = lease.units + grant.granted
    lease.starts_at, lease.ends_at = grant.starts_at, grant.ends_at
    lease.limit, lease.left = grant.limit, grant.left
    lease.slice = grant.slice
    if grant.granted == 0 then
        lease.spent_until = now + REMEMBER
    end
end

local function settle(subscription, status, grant, reported, now)
    read(subscription)
    lease.asking_until = 0
    if grant then
        lease.offline_unreported = max(lease.offline_unreported - reported, 0)
        take(grant, now)
    elseif status == 404 then
        lease.free_until = now + REMEMBER
    else
        lease.offline_until = now + REMEMBER
    end
    write(subscription)
end

local function ask(subscription)
    local reported = lock.with(claim, subscription, ngx_now())
    if reported then
        local status, grant = agent.lease(subscription, reported)
        ngx.update_time()
        lock.with(settle, subscription, status, grant, reported, ngx_now())
    end
    return reported
end

local function is_asked(subscription)
    read(subscription)
    return lease.asking_until > ngx_now()
end

local waiting = {} -- subscription -> semaphore of this worker's calls that wait for one ask

-- Gets more, or finds out that there is none; returns when the next spend() can know. Yields.
function quota.ask(subscription)
    local joined = waiting[subscription]
    if joined then
        joined:wait(ASKING)
        return
    end
    local gate = semaphore.new()
    waiting[subscription] = gate
    local ok, asked = pcall(ask, subscription)
    while ok and not asked and lock.with(is_asked, subscription) do
        sleep(0.005) -- another worker asks
        asked = false
    end
    waiting[subscription] = nil
    gate:post(max(-gate:count(), 0) + 1)
    if not ok then
        error(asked, 0)
    end
end

local function ask_in_background(premature, subscription)
    if not premature then
        ask(subscription)
    end
    waiting[LIMIT .. subscription] = nil
end

-- Asks for more while there still is some. Does not yield.
function quota.ask_ahead(subscription)
    local name = LIMIT .. subscription
    if not waiting[name] then
        waiting[name] = timer_at(0, ask_in_background, subscription)
    end
end

local function empty(subscription, taken)
    read(subscription)
    if lease.units > 0 then
        taken[#taken + 1] = { subscription = subscription, starts_at = lease.starts_at, units = lease.units }
        lease.units = 0
        write(subscription)
    end
end

-- Takes all unspent units out, so that the agent can give them back.
function quota.take_all()
    local taken = {}
    for _, subscription in ipairs(leases:get_keys(0)) do
        lock.with(empty, subscription, taken)
    end
    return taken
end

local function give_back(subscription)
    read(subscription)
    if lease.ends_at > ngx_now() then
        lease.units = lease.units + 1
        write(subscription)
    end
end

-- Returns the unit of a call that was refused after it had been admitted.
function quota.give_back(subscription)
    if leases:get(subscription) then
        lock.with(give_back, subscription)
    end
end

return quota
