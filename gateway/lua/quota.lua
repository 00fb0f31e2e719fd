-- Quotas are spent from leases: slices of a window that the control plane gives to this node through the agent.
-- The state of a lease is one packed struct in shared memory, changed only under the lock.

local ffi = require "ffi"
local agent = require "agent"
local complain = require "complain"
local held = require "held"
local lock = require "lock"
local packed = require "packed"
local window = require "window"
local semaphore = require "ngx.semaphore"

ffi.cdef [[
typedef struct {
    double units;               // of the lease, not yet spent
    double starts_at, ends_at;  // the window, Unix seconds
    double epoch;               // of the units; older ones are void (the remaining calls were set by hand)
    double left;                // what the control plane has not yet given out
    double slice;               // units of the last grant
    double touched;             // when a unit was last spent
    double voided;              // when the epoch moved
    double slot;                // in the file of held.lua, from 1; 0 = not asked for yet, -1 = none
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
local fill = ffi.fill
local SIZE = ffi.sizeof("gatehouse_lease_t")
local lease = ffi.new("gatehouse_lease_t")
local read_struct, write_struct = packed.of(leases, "gatehouse_lease_t")

local REMEMBER = 1        -- seconds that "spent", "away" and "no quota" are believed
local ASKING = 3          -- seconds after which an ask without an end is given up
local AHEAD = 0.2         -- of the last slice: below it more is asked for ahead
local LONGEST_WAIT = 86400
local OFFLINE_WAIT = 10
local AHEAD_OF = "ahead of "

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
    ngx.var.gatehouse_lease = name -- for give_back(), where the key is no longer known
    return name
end

local function read(name)
    if not read_struct(name, lease) then
        fill(lease, SIZE)
    end
end

local function write(name)
    if lease.slot == 0 and lease.units > 0 then
        local slot = held.slot(name)
        lease.slot = slot == held.NONE and -1 or slot + 1
    end
    if lease.slot > 0 then
        held.keep(lease.slot - 1, lease)
    end
    local ok, problem = write_struct(name, lease)
    if not ok then
        complain("a lease cannot be kept: ", problem, "; raise GATEHOUSE_COUNTERS_MEMORY")
    end
    return ok
end

local function spend_offline(name, limits, now)
    if now >= lease.ends_at then
        lease.starts_at, lease.ends_at = window.of(limits.period, now)
        lease.units, lease.left, lease.offline_used = 0, 0, 0
    end
    if lease.offline_used >= limits.offline_allowance then
        return REFUSED
    end
    lease.offline_used = lease.offline_used + 1
    lease.offline_unreported = lease.offline_unreported + 1
    return write(name) and ADMITTED or REFUSED
end

-- Under the lock: spends one unit. Returns ADMITTED and whether to ask ahead; or ASK; or REFUSED.
function quota.spend(name, limits, now)
    read(name)
    if lease.units > 0 and now < lease.ends_at then
        lease.units = lease.units - 1
        lease.touched = now
        write(name)
        return ADMITTED, lease.units < lease.slice * AHEAD and lease.left > 0 and lease.asking_until <= now
    elseif lease.free_until > now then
        return ADMITTED
    elseif lease.offline_until > now then
        return spend_offline(name, limits, now)
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

-- Of the lease that look() saw last: whether its numbers are of the running window; whether asking would tell them.
function quota.is_known(now)
    return lease.ends_at > now
end

function quota.ends_at()
    return lease.ends_at
end

function quota.is_unknown(now)
    return lease.ends_at <= now and lease.free_until <= now and lease.offline_until <= now
end

local function claim(name, now)
    read(name)
    if lease.asking_until > now then
        return nil
    end
    lease.asking_until = now + ASKING
    return write(name) and lease.offline_unreported, lease.epoch
end

local function take(grant, now)
    if grant.ends_at <= now or grant.epoch < lease.epoch then
        return
    end
    local another = grant.starts_at ~= lease.starts_at or lease.ends_at <= now
    if another then
        lease.offline_used = 0
    end
    if another or grant.epoch > lease.epoch then
        lease.units = 0
    end
    lease.units, lease.epoch = lease.units + grant.granted, grant.epoch
    lease.starts_at, lease.ends_at = grant.starts_at, grant.ends_at
    lease.left, lease.slice, lease.touched = grant.left, grant.slice, now
    if grant.granted == 0 then
        lease.spent_until = now + REMEMBER
    end
end

local function settle(name, status, grant, reported, now)
    read(name)
    lease.asking_until = 0
    if grant then
        lease.offline_unreported = max(lease.offline_unreported - reported, 0)
        take(grant, now)
    elseif status == 404 then
        lease.free_until = now + REMEMBER
    else
        lease.offline_until = now + REMEMBER
    end
    write(name)
end

local function ask(name)
    local reported, epoch = lock.with(claim, name, ngx_now())
    if reported then
        local status, grant = agent.lease(name, reported, epoch)
        ngx.update_time()
        lock.with(settle, name, status, grant, reported, ngx_now())
    end
    return reported
end

local function is_asked(name)
    read(name)
    return lease.asking_until > ngx_now()
end

local waiting = {} -- name -> semaphore of this worker's calls that wait for one ask

-- Gets more, or finds out that there is none; returns when the next spend() can know. Yields.
function quota.ask(name)
    local joined = waiting[name]
    if joined then
        joined:wait(ASKING)
        return
    end
    local gate = semaphore.new()
    waiting[name] = gate
    local ok, asked = pcall(ask, name)
    while ok and not asked and lock.with(is_asked, name) do
        sleep(0.005) -- another worker asks
        asked = false
    end
    waiting[name] = nil
    gate:post(max(-gate:count(), 0) + 1)
    if not ok then
        error(asked, 0)
    end
end

local function ask_in_background(premature, name)
    if not premature then
        ask(name)
    end
    waiting[AHEAD_OF .. name] = nil
end

-- Asks for more while there still is some. Does not yield.
function quota.ask_ahead(name)
    local ahead = AHEAD_OF .. name
    if not waiting[ahead] then
        waiting[ahead] = timer_at(0, ask_in_background, name)
    end
end

local function empty(name, taken, idle)
    read(name)
    local now = ngx_now()
    if lease.units > 0 and now - lease.touched >= idle then
        local id, key = name:match("^([^:]*):?(.*)$")
        taken[#taken + 1] = {
            subscription = id, key = key, starts_at = lease.starts_at, epoch = lease.epoch, units = lease.units,
        }
        lease.units = 0
        write(name)
    end
end

-- Takes unspent units out, so that the agent can give them back: of these leases (nil = of all), if nothing was spent
-- of them for `idle` seconds. Returns a list of {subscription, key ('' = none), starts_at, epoch, units}.
function quota.take(names, idle)
    local taken = {}
    for _, name in ipairs(names or leases:get_keys(0)) do
        lock.with(empty, name, taken, idle or 0)
    end
    return taken
end

local function void(name, epoch)
    read(name)
    if lease.epoch >= epoch then
        return true
    end
    lease.epoch, lease.units, lease.left, lease.spent_until = epoch, 0, 0, 0
    lease.voided = ngx_now()
    return write(name)
end

-- Makes the units of older epochs void. epochs = {key id, or '' for all keys: epoch}. Returns false when a lease cannot
-- be written: then the entry that told it must not count as taken over.
function quota.void(subscription, epochs)
    local done = true
    for key, epoch in pairs(epochs) do
        local name = key == "" and subscription or subscription .. ":" .. key
        done = lock.with(void, name, epoch) and done
    end
    return done
end

local function resume(found)
    fill(lease, SIZE)
    lease.units, lease.epoch, lease.slot = found.units, found.epoch, found.slot + 1
    lease.starts_at, lease.ends_at = found.starts_at, found.ends_at
    lease.slice = found.units
    write(found.name)
end

-- Begins with what an nginx before us had not spent; before entries are loaded, which may make it void.
function quota.init(folder)
    for _, found in ipairs(held.init(folder .. "/leases.held", ngx_now())) do
        lock.with(resume, found)
    end
end

local function give_back(name, since)
    read(name)
    local now = ngx_now()
    local same = lease.starts_at <= since and since < lease.ends_at and now < lease.ends_at and lease.voided < since
    if same and lease.touched >= since then -- else it took no unit: it was let in without a lease
        lease.units = lease.units + 1
        write(name)
    end
end

-- Returns the unit of a call that was refused after it had been admitted. since = when the call began: a unit of an
-- older window or epoch must not come back in a newer one.
function quota.give_back(name, since)
    if leases:get(name) then
        lock.with(give_back, name, since or ngx.req.start_time())
    end
end

return quota
