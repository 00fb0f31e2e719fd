-- The limits that a judged call meets, as keys/verify tells them, from the very counters that decide. Looks only.

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

-- Adds what a bucket holds.
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

-- Adds what is left of a quota. Returns whether the lease must be asked for before anything is known.
local function see_quota(list, plan_quota, lease, now)
    quota.look(lease)
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

-- Without the lock: each counter is read whole, and nothing is decided by what is told.
local function see(plan_quota, lease, of_plan, of_plan_operation, of_operation, of_stage)
    local now, list = throttle.now(), {}
    if of_plan then see_bucket(list, "rate", "subscription", "plan", of_plan, now) end
    if of_plan_operation then see_bucket(list, "rate_operation", "operation", "plan", of_plan_operation, now) end
    if of_operation then see_bucket(list, "operation", "operation", "stage", of_operation, now) end
    if of_stage then see_bucket(list, "stage", "stage", "stage", of_stage, now) end
    return list, plan_quota and see_quota(list, plan_quota, lease, ngx_now())
end

-- plan_quota and lease (as quota.of returns it) may be nil, and so may each bucket (as charge.buckets returns them).
-- Returns a list of limits {name, kind, scope, source, limit, burst, remaining, reset_after, window, ends, exceeded}. May
-- yield once, to learn of a quota that this node has not met in this window.
function limits.see(plan_quota, lease, of_plan, of_plan_operation, of_operation, of_stage)
    local list, ask = see(plan_quota, lease, of_plan, of_plan_operation, of_operation, of_stage)
    if ask then
        quota.ask(lease)
        list = see(plan_quota, lease, of_plan, of_plan_operation, of_operation, of_stage)
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

-- What a buffer takes for a number that may be nil.
local function number(value)
    return value and (value < 1e14 and value or format("%.0f", value)) or "null"
end

local function put(out, each)
    local used = each.kind == "quota" and each.remaining and each.limit - each.remaining or nil
    out:put(fixed(each), ',"used":', number(used), ',"remaining":', number(each.remaining))
    out:put(',"resets_at":', told.moment(each.ends), ',"reset_after_s":', number(each.reset_after))
    out:put(',"exceeded":', each.exceeded and "true}" or "false}")
end

-- Puts the JSON of a list into a buffer.
function limits.put_json(out, list)
    local mark = "["
    for index = 1, #list do
        out:put(mark)
        put(out, list[index])
        mark = ","
    end
    out:put(#list == 0 and "[]" or "]")
end

-- What the gate calls a plan's limits in headers, in its order.
local HEADERS = { { "rate_operation", "operation" }, { "rate", "plan" }, { "quota", "quota" } }

local function plans(list, name)
    for _, each in ipairs(list) do
        if each.source == "plan" and each.remaining and (each.name == name or each.kind == name and name == "quota") then
            return each
        end
    end
end

-- Returns RateLimit and RateLimit-Policy as the gate writes them: of the plan, nil when it has no limits.
function limits.headers(list)
    local now, policy = {}, {}
    for _, names in ipairs(HEADERS) do
        local each = plans(list, names[1])
        if each then
            local size, window = each.limit, each.window
            if each.kind == "rate" then
                size, window = each.burst, max(each.limit > 0 and ceil(each.burst / each.limit) or 0, 1)
            end
            now[#now + 1] = format('"%s";r=%.14g;t=%d', names[2], each.remaining, each.reset_after)
            policy[#policy + 1] = format('"%s";q=%.14g;w=%d', names[2], size, window)
        end
    end
    if #now > 0 then
        return concat(now, ", "), concat(policy, ", ")
    end
end

return limits
