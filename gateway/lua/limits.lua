-- The limits that a judged call meets, as keys/verify tells them, from the very counters that decide. Looks only.

local lock = require "lock"
local quota = require "quota"
local throttle = require "throttle"
local told = require "told"

local ngx_now = ngx.now
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min
local concat = table.concat
local format = string.format
local ROUNDING = 1e-6 -- of a token
local MOST_PIECES = 10000
local known_pieces = 0
local NAMES = { DAY = "daily", WEEK = "weekly", MONTH = "monthly" }

local limits = {}

-- Under the lock. Adds what a bucket holds.
local function see_bucket(list, name, scope, source, bucket, now)
    local full_at, left = throttle.look(bucket, now)
    local whole = bucket.whole or bucket
    local remaining, reset = 0, nil
    if full_at then
        remaining = floor(left + 1 + ROUNDING)
        reset = ceil(full_at - 1 / bucket.rate - now)
    else
        reset = ceil(left)
    end
    list[#list + 1] = {
        name = name, kind = "rate", scope = scope, source = source,
        limit = whole.rate, burst = whole.burst, remaining = remaining, reset_after = max(reset, 0), window = 1,
        exceeded = not full_at,
    }
end

-- Under the lock. Returns whether the lease must be asked for before anything is known.
local function see_quota(list, plan_quota, name, now)
    quota.look(name)
    local left, reset, window = quota.seen(plan_quota, now)
    local known = quota.is_known(now)
    list[#list + 1] = {
        name = NAMES[plan_quota.period], kind = "quota", scope = plan_quota.scope or "subscription", source = "plan",
        limit = plan_quota.limit, remaining = known and min(left, plan_quota.limit) or nil,
        reset_after = known and reset or nil, window = window,
        ends = known and quota.ends_at() or nil, exceeded = known and left < 1,
    }
    return quota.is_unknown(now)
end

-- Under the lock; list is filled anew.
local function see(buckets, plan_quota, lease, list)
    local now = throttle.now()
    for index = #list, 1, -1 do
        list[index] = nil
    end
    for _, each in ipairs(buckets) do
        see_bucket(list, each[1], each[2], each[3], each[4], now)
    end
    return plan_quota and see_quota(list, plan_quota, lease, ngx_now())
end

-- buckets: a list of {name, scope, source, bucket}; plan_quota and lease (its name) may be nil. Returns a list of
-- limits {name, kind, scope, source, limit, burst, remaining, reset_after, window, ends, exceeded}. May yield once,
-- to learn of a quota that this node has not met in this window.
function limits.see(buckets, plan_quota, lease)
    local list = {}
    if #buckets == 0 and not plan_quota then
        return list
    end
    if lock.with(see, buckets, plan_quota, lease, list) then
        quota.ask(lease)
        lock.with(see, buckets, plan_quota, lease, list)
    end
    return list
end

-- The limit that ends first: an exceeded one, else the one with the smallest part left. nil = none is known.
function limits.binding(list)
    local best, best_part
    for _, each in ipairs(list) do
        local part = each.exceeded and -1 or each.remaining and each.remaining / (each.burst or each.limit)
        if part and (not best or part < best_part) then
            best, best_part = each, part
        end
    end
    return best
end

local pieces = {} -- what does not change between two answers: "name scope source limit burst window" -> JSON

local function fixed(each)
    local name = each.name .. " " .. each.scope .. " " .. each.limit .. " " .. (each.burst or "") .. " " .. each.window
    local made = pieces[name]
    if not made then
        if known_pieces >= MOST_PIECES then
            pieces, known_pieces = {}, 0
        end
        made = format(
            '{"name":"%s","kind":"%s","metric":"requests","scope":"%s","limit":%.14g,"burst":%s,"window_s":%.14g,'
                .. '"source":"%s","accuracy":{"mode":"%s"}',
            each.name, each.kind, each.scope, each.limit, each.burst or "null", each.window, each.source,
            each.kind == "quota" and "leased" or "node"
        )
        pieces[name], known_pieces = made, known_pieces + 1
    end
    return made
end

local function number(value)
    return value and (value < 1e14 and value .. "" or format("%.0f", value)) or "null"
end

local function json(each)
    local used = each.kind == "quota" and each.remaining and each.limit - each.remaining or nil
    return fixed(each) .. ',"used":' .. number(used) .. ',"remaining":' .. number(each.remaining)
        .. ',"resets_at":' .. told.moment(each.ends) .. ',"reset_after_s":' .. number(each.reset_after)
        .. ',"exceeded":' .. (each.exceeded and "true}" or "false}")
end

-- Returns the JSON of a list.
function limits.json(list)
    local parts = {}
    for index, each in ipairs(list) do
        parts[index] = json(each)
    end
    return "[" .. concat(parts, ",") .. "]"
end

-- Returns RateLimit and RateLimit-Policy as the gate writes them: of the plan, nil when it has no limits.
function limits.headers(list)
    local now, policy = {}, {}
    for _, each in ipairs(list) do
        if each.source == "plan" and each.remaining then
            local name = each.kind == "quota" and "quota" or each.name == "rate" and "plan"
            if name then
                local size, window = each.limit, each.window
                if each.kind == "rate" then
                    size, window = each.burst, max(each.limit > 0 and ceil(each.burst / each.limit) or 0, 1)
                end
                now[#now + 1] = format('"%s";r=%.14g;t=%d', name, each.remaining, each.reset_after)
                policy[#policy + 1] = format('"%s";q=%.14g;w=%d', name, size, window)
            end
        end
    end
    if #now > 0 then
        return concat(now, ", "), concat(policy, ", ")
    end
end

return limits
