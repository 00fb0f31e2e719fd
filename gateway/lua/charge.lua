-- Takes a call from every limit that it meets, or from none: token buckets of stage, operation and plan, then the
-- quota. Also writes the RateLimit headers, from the very counters that decide.

local lock = require "lock"
local quota = require "quota"
local throttle = require "throttle"

local var, ngx_now = ngx.var, ngx.now
local floor, ceil, max = math.floor, math.ceil, math.max
local look, take, now_monotonic = throttle.look, throttle.take, throttle.now
local ADMITTED, ASK, THROTTLED = quota.ADMITTED, quota.ASK, 4
local ROUNDING = 1e-6 -- of a token
local ASKS = 20 -- how often one call asks for more before it is refused: others may be faster

local charge = {}

-- Of the last attempt, for the headers. Valid until the worker yields.
local plan_left, plan_reset = 0, 0
local quota_left, quota_reset, quota_window = 0, 0, 0

-- full_at and left as look() returned them.
local function see_plan(bucket, full_at, left, now, taken)
    if not full_at then
        plan_left, plan_reset = 0, max(ceil(left), 1)
        return
    elseif not taken then
        full_at, left = full_at - 1 / bucket.rate, left + 1
    end
    plan_left, plan_reset = floor(left + ROUNDING), max(ceil(full_at - now), 0)
end

-- Under the lock. Returns ADMITTED and whether to ask ahead; ASK; REFUSED and seconds; THROTTLED and seconds.
local function attempt(stage, operation, plan, subscription, limits)
    local now = now_monotonic()
    local stage_full, operation_full, plan_full, left
    local wait = 0
    if stage then
        stage_full, left = look(stage, now)
        wait = stage_full and wait or max(wait, left)
    end
    if operation then
        operation_full, left = look(operation, now)
        wait = operation_full and wait or max(wait, left)
    end
    if plan then
        plan_full, left = look(plan, now)
        wait = plan_full and wait or max(wait, left)
    end
    local plan_detail = left
    local ahead
    if limits then
        local moment = ngx_now()
        local spent = ADMITTED
        if wait == 0 then
            spent, ahead = quota.spend(subscription, limits, moment)
        else
            quota.look(subscription)
        end
        local longest
        quota_left, quota_reset, quota_window, longest = quota.seen(limits, moment)
        if spent ~= ADMITTED then
            if plan then see_plan(plan, plan_full, plan_detail, now, false) end
            return spent, longest
        end
    end
    if plan then see_plan(plan, plan_full, plan_detail, now, wait == 0) end
    if wait > 0 then
        return THROTTLED, max(ceil(wait), 1)
    end
    if stage then take(stage, stage_full, now) end
    if operation then take(operation, operation_full, now) end
    if plan then take(plan, plan_full, now) end
    return ADMITTED, ahead
end

local function policy_with_quota(plan, limits)
    local policies = plan.policies or {}
    plan.policies = policies
    local text = policies[quota_window]
    if not text then
        text = (plan.policy and plan.policy .. ", " or "") .. '"quota";q=' .. limits.limit .. ";w=" .. quota_window
        policies[quota_window] = text
    end
    return text
end

local function write_headers(plan)
    local limits = plan.quota
    if not limits then
        var.gatehouse_limit_policy = plan.policy
        var.gatehouse_limit = '"plan";r=' .. plan_left .. ";t=" .. plan_reset
        return
    end
    var.gatehouse_limit_policy = policy_with_quota(plan, limits)
    local text = '"quota";r=' .. quota_left .. ";t=" .. quota_reset
    if plan.policy then
        text = '"plan";r=' .. plan_left .. ";t=" .. plan_reset .. ", " .. text
    end
    var.gatehouse_limit = text
end

-- The bucket of a subscription: its plan's limits, its own tokens.
local function plan_bucket(plan, subscription)
    local throttled = plan.throttle
    if not throttled then
        return nil
    end
    local bucket = subscription.bucket
    if not bucket or bucket.of ~= plan then
        bucket = { name = subscription.name, rate = throttled.rate, burst = throttled.burst, of = plan }
        subscription.bucket = bucket
    end
    return bucket
end

-- Returns what one call would be taken from: {name, scope, source, bucket} of each token bucket.
function charge.buckets(stage, operation, plan, subscription)
    local found = {}
    local function add(name, scope, source, bucket)
        found[#found + 1] = bucket and { name, scope, source, bucket } or nil
    end
    add("rate", "subscription", "plan", plan_bucket(plan, subscription))
    add("operation", "operation", "stage", operation.bucket)
    add("stage", "stage", "stage", stage.bucket)
    return found
end

-- Charges one call. plan, subscription and key are nil for an operation without a key. Returns nil when it is admitted, or
-- the verdict and the seconds to wait. May yield, when a quota's lease is spent.
function charge.call(stage, operation, plan, subscription, key)
    local bucket = plan and plan_bucket(plan, subscription)
    local limits = plan and plan.quota
    if not (stage.bucket or operation.bucket or bucket or limits) then
        return nil
    end
    local id = limits and quota.name(subscription, key, limits)
    local outcome, detail
    for _ = 1, ASKS do
        outcome, detail = lock.with(attempt, stage.bucket, operation.bucket, bucket, id, limits)
        if outcome ~= ASK then
            break
        end
        quota.ask(id)
    end
    if bucket or limits then
        write_headers(plan)
    end
    if outcome == ADMITTED then
        if detail then
            quota.ask_ahead(id)
        end
        return nil
    end
    return outcome == THROTTLED and "THROTTLED" or "QUOTA_EXCEEDED", detail
end

return charge
