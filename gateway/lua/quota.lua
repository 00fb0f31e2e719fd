-- Quotas are spent from leases: slices of a window that the control plane gives to this node through the agent.
-- The state of a lease is one struct in shared memory, changed only under the lock.

local ffi = require "ffi"
local agent = require "agent"
local complain = require "complain"
local held = require "held"
local lock = require "lock"
local page = require "page"
local places = require "places"
local window = require "window"
local semaphore = require "ngx.semaphore"

ffi.cdef [[
typedef struct {
    // what a usual call needs: one line of the processor's cache
    double units;               // of the lease, not yet spent
    double starts_at, ends_at;  // the window, Unix seconds
    double left;                // what the control plane has not yet given out
    double slice;               // units of the last grant
    double touched;             // when a unit was last spent
    double slot;                // in the file of held.lua, from 1; 0 = not asked for yet, -1 = none
    double asking_until;        // until then somebody asks for more
    // the rest
    double epoch;               // of the units; older ones are void (the remaining calls were set by hand)
    double voided;              // when the epoch moved
    double offline_used;        // admitted without a lease in this window
    double offline_unreported;  // of these, not yet told to the control plane
    double spent_until;         // until then the window is known to be spent
    double offline_until;       // until then the control plane is taken to be away
    double free_until;          // until then the control plane said that there is no quota
    double unused;
} gatehouse_lease_t;
]]

local names = ngx.shared.gatehouse_leases -- name -> place
local ngx_now, sleep, timer_at = ngx.now, ngx.sleep, ngx.timer.at
local max, ceil, min = math.max, math.ceil, math.min
local NAME_BYTES = 256
local NOWHERE = 0         -- the place of leases that have none: nothing is written there
local leases, PLACES = places.of("leases", "gatehouse_lease_t", names, NAME_BYTES)

local REMEMBER = 1        -- seconds that "spent", "away" and "no quota" are believed
local ASKING = 3          -- seconds after which an ask without an end is given up
local AHEAD = 0.2         -- of the last slice: below it more is asked for ahead
local LONGEST_WAIT = 86400
local OFFLINE_WAIT = 10
local AHEAD_OF = "ahead of "

local quota = { ADMITTED = 1, ASK = 2, REFUSED = 3 }
local ADMITTED, ASK, REFUSED = quota.ADMITTED, quota.ASK, quota.REFUSED

-- A lease as a worker knows it: {name, place or nil}.
local NAME, PLACE = 1, 2

-- The lease that a call is charged to; the first argument of the functions that calls use. A quota that counts for each
-- key has one for each subscription and key (all rotations of a key count as one), else one for the subscription.
function quota.of(subscription, key, limits)
    if limits.scope ~= "key" then
        local lease = subscription.lease
        if not lease then
            lease = { subscription.id, nil } -- with room for the place
            subscription.lease = lease
        end
        return lease
    end
    local of_key = key.leases
    if not of_key then
        of_key = {}
        key.leases = of_key
    end
    local lease = of_key[subscription.id]
    if not lease then
        lease = { subscription.id .. ":" .. (key.counts_as or key.id), nil }
        of_key[subscription.id] = lease
    end
    ngx.var.gatehouse_lease = lease[NAME] -- for give_back(), where the key is no longer known
    return lease
end

local at = NOWHERE -- of the lease that spend() or look() saw last

-- Returns the place of a name, or NOWHERE.
local function find(name)
    return names:get(name) or NOWHERE
end

local function find_of(lease)
    local place = find(lease[NAME])
    if place ~= NOWHERE then
        lease[PLACE] = place
    end
    return place
end

-- Under the lock. Returns the place of a name, which gets one unless the memory is full: then NOWHERE.
local function claim(name)
    local place = names:get(name)
    if place then
        return place
    end
    local used = page.leases_used
    local ok, problem = used + 1 < PLACES, "no memory"
    if ok then
        page.leases_used = used + 1 -- first: a place that nobody gets is better than one that two get
        ok, problem = names:safe_set(name, used + 1)
    end
    if ok then
        return used + 1
    end
    page.leases_used = used
    complain("a lease cannot be kept: ", problem, "; raise GATEHOUSE_COUNTERS_MEMORY")
    return NOWHERE
end

-- Under the lock: writes down what nginx must know again if it is killed.
local function keep(place, name)
    local lease = leases[place]
    if lease.slot == 0 and lease.units > 0 then
        local slot = held.slot(name)
        lease.slot = slot == held.NONE and -1 or slot + 1
    end
    if lease.slot > 0 then
        held.keep(lease.slot - 1, lease)
    end
end

local function spend_offline(place, name, limits, now)
    local lease = leases[place]
    if now >= lease.ends_at then
        lease.starts_at, lease.ends_at = window.of(limits.period, now)
        lease.units, lease.left, lease.offline_used = 0, 0, 0
    end
    if lease.offline_used >= limits.offline_allowance then
        return REFUSED
    end
    lease.offline_used = lease.offline_used + 1
    lease.offline_unreported = lease.offline_unreported + 1
    keep(place, name)
    return ADMITTED
end

-- Under the lock: spends one unit. Returns ADMITTED and whether to ask ahead; or ASK; or REFUSED.
function quota.spend(of, limits, now)
    at = of[PLACE] or find_of(of)
    local lease = leases[at]
    if lease.units > 0 and now < lease.ends_at then
        lease.units = lease.units - 1
        lease.touched = now
        if lease.slot > 0 then
            held.spent(lease.slot - 1, lease)
        end
        return ADMITTED, lease.units < lease.slice * AHEAD and lease.left > 0 and lease.asking_until <= now
    elseif lease.free_until > now then
        return ADMITTED
    elseif lease.offline_until > now then
        return spend_offline(at, of[NAME], limits, now)
    elseif lease.spent_until > now and now < lease.ends_at then
        return REFUSED
    end
    return ASK
end

-- Looks at a lease without spending, for seen().
function quota.look(of)
    at = of[PLACE] or find_of(of)
end

-- Of the lease that spend() or look() saw last: calls left in the window, seconds until it ends, seconds it lasts,
-- and how long a refused caller should wait.
function quota.seen(limits, now)
    local lease = leases[at]
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
    return leases[at].ends_at > now
end

function quota.ends_at()
    return leases[at].ends_at
end

function quota.is_unknown(now)
    local lease = leases[at]
    return lease.ends_at <= now and lease.free_until <= now and lease.offline_until <= now
end

-- Returns what to tell of calls that were admitted offline, and the epoch; nothing when somebody else asks already, or
-- there is no room for a lease.
local function begin(name, now)
    local place = claim(name)
    local lease = leases[place]
    if place == NOWHERE or lease.asking_until > now then
        return nil
    end
    lease.asking_until = now + ASKING
    return lease.offline_unreported, lease.epoch
end

local function take(lease, grant, now)
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
    lease.epoch, lease.starts_at, lease.ends_at = grant.epoch, grant.starts_at, grant.ends_at
    lease.left, lease.slice, lease.touched = grant.left, grant.slice, now
    lease.units = lease.units + grant.granted
    if grant.granted == 0 then
        lease.spent_until = now + REMEMBER
    end
end

local function settle(name, status, grant, reported, now)
    local place = claim(name)
    if place == NOWHERE then
        return
    end
    local lease = leases[place]
    lease.asking_until = 0
    if grant then
        lease.offline_unreported = max(lease.offline_unreported - reported, 0)
        take(lease, grant, now)
    elseif status == 404 then
        lease.free_until = now + REMEMBER
    else
        lease.offline_until = now + REMEMBER
    end
    keep(place, name)
end

local function ask(name)
    local reported, epoch = lock.with(begin, name, ngx_now())
    if reported then
        local status, grant = agent.lease(name, reported, epoch)
        ngx.update_time()
        lock.with(settle, name, status, grant, reported, ngx_now())
    end
    return reported
end

local function is_asked(name)
    return leases[find(name)].asking_until > ngx_now()
end

local waiting = {} -- name -> semaphore of this worker's calls that wait for one ask

-- Gets more, or finds out that there is none; returns when the next spend() can know. Yields.
function quota.ask(of)
    local name = of[NAME]
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
function quota.ask_ahead(of)
    local name = of[NAME]
    local ahead = AHEAD_OF .. name
    if not waiting[ahead] then
        waiting[ahead] = timer_at(0, ask_in_background, name)
    end
end

local function empty(name, taken, idle)
    local place = find(name)
    local lease = leases[place]
    local now = ngx_now()
    if lease.units > 0 and now - lease.touched >= idle then
        local id, key = name:match("^([^:]*):?(.*)$")
        taken[#taken + 1] = {
            subscription = id, key = key, starts_at = lease.starts_at, epoch = lease.epoch, units = lease.units,
        }
        lease.units = 0
        keep(place, name)
    end
end

-- Takes unspent units out, so that the agent can give them back: of the leases of these names (nil = of all), if nothing
-- was spent of them for `idle` seconds. Returns a list of {subscription, key ('' = none), starts_at, epoch, units}.
function quota.take(asked, idle)
    local taken = {}
    for _, name in ipairs(asked or names:get_keys(0)) do
        lock.with(empty, name, taken, idle or 0)
    end
    return taken
end

local function void(name, epoch)
    local place = claim(name)
    if place == NOWHERE then
        return false
    end
    local lease = leases[place]
    if lease.epoch >= epoch then
        return true
    end
    lease.units, lease.left, lease.spent_until = 0, 0, 0
    lease.epoch, lease.voided = epoch, ngx_now()
    keep(place, name)
    return true
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
    local place = claim(found.name)
    if place == NOWHERE then
        return
    end
    local lease = leases[place]
    lease.units, lease.epoch, lease.slot = found.units, found.epoch, found.slot + 1
    lease.starts_at, lease.ends_at = found.starts_at, found.ends_at
    lease.slice = found.units
end

-- Begins with what an nginx before us had not spent; before entries are loaded, which may make it void.
function quota.init(folder)
    for _, found in ipairs(held.init(folder .. "/leases.held", ngx_now())) do
        lock.with(resume, found)
    end
end

local function give_back(place, name, since)
    local lease = leases[place]
    local now = ngx_now()
    local same = lease.starts_at <= since and since < lease.ends_at and now < lease.ends_at and lease.voided < since
    if same and lease.touched >= since then -- else it took no unit: it was let in without a lease
        lease.units = lease.units + 1
        keep(place, name)
    end
end

-- Returns the unit of a call that was refused after it had been admitted. since = when the call began: a unit of an
-- older window or epoch must not come back in a newer one.
function quota.give_back(name, since)
    local place = find(name)
    if place ~= NOWHERE then
        lock.with(give_back, place, name, since or ngx.req.start_time())
    end
end

return quota
