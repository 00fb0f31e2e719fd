-- Admits a call or refuses it: takes it from every limit that it meets, or from none (token buckets of installation,
-- stage, operation, plan and plan's operation, then the quota), and notes it in the journal, so that it will be counted.
-- Also writes the RateLimit headers, from the very counters that decide.

local buffer = require "string.buffer"
local entries = require "entries"
local hot = require "hot"
local journal = require "journal"
local lock = require "lock"
local quota = require "quota"
local request_log = require "request_log"
local set = require("raw").set
local throttle = require "throttle"
local why = require "why"

local var, ngx_now = ngx.var, ngx.now
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local look, take, now_monotonic = throttle.look, throttle.take, throttle.now
local get = entries.get
local KEY_ID, ROUTE, BUCKET = hot.KEY_ID, hot.ROUTE, hot.BUCKET
local ADMITTED, ASK, THROTTLED, FULL = quota.ADMITTED, quota.ASK, 4, 5
local ROUNDING = 1e-6 -- of a token
local ASKS = 20 -- how often one call asks for more before it is refused: others may be faster
local RETRY = 1 -- seconds to wait for room in the journal
local LONGEST_WAIT = 86400 -- a cap may be raised any time

local charge = {}
local out = buffer.new(512)

-- The call at hand, for attempt(). Valid until the worker yields.
local of_installation, of_stage, of_operation, of_plan, of_plan_operation
local lease, limits, slot

-- Of the last attempt, for the headers. Valid until the worker yields.
local plan_left, plan_reset = 0, 0
local narrow_left, narrow_reset = 0, 0
local quota_left, quota_reset, quota_window = 0, 0, 0

-- Returns tokens left and seconds until the bucket is full. full_at and left as look() returned them.
local function seen(bucket, full_at, left, now, taken)
    if not full_at then
        return 0, max(ceil(left), 1)
    elseif not taken then
        full_at, left = full_at - 1 / bucket.rate, left + 1
    end
    return floor(left + ROUNDING), max(ceil(full_at - now), 0)
end

-- Under the lock. Returns ADMITTED and whether to ask ahead; ASK; REFUSED and seconds; THROTTLED and seconds; FULL.
local function attempt()
    if not journal.has_room() then
        return FULL, RETRY
    end
    local now = now_monotonic()
    local wait, left = 0, nil
    local installation_full, stage_full, operation_full, plan_full, narrow_full, plan_detail, narrow_detail
    if of_installation then
        installation_full, left = look(of_installation, now)
        wait = installation_full and wait or max(wait, left)
    end
    if of_stage then
        stage_full, left = look(of_stage, now)
        wait = stage_full and wait or max(wait, left)
    end
    if of_operation then
        operation_full, left = look(of_operation, now)
        wait = operation_full and wait or max(wait, left)
    end
    if of_plan then
        plan_full, plan_detail = look(of_plan, now)
        wait = plan_full and wait or max(wait, plan_detail)
    end
    if of_plan_operation then
        narrow_full, narrow_detail = look(of_plan_operation, now)
        wait = narrow_full and wait or max(wait, narrow_detail)
    end
    local outcome, detail = ADMITTED, nil
    if wait > 0 then
        outcome, detail = THROTTLED, max(ceil(wait), 1)
    end
    if limits then
        local moment = ngx_now()
        if wait == 0 then
            outcome, detail = quota.spend(lease, limits, moment)
            if outcome == ADMITTED then journal.admit(slot) end
        else
            quota.look(lease)
        end
        local longest
        quota_left, quota_reset, quota_window, longest = quota.seen(limits, moment)
        if wait == 0 and outcome ~= ADMITTED then
            detail = longest
        end
    elseif wait == 0 then
        journal.admit(slot)
    end
    local admitted = outcome == ADMITTED
    if of_plan then
        plan_left, plan_reset = seen(of_plan, plan_full, plan_detail, now, admitted)
    end
    if of_plan_operation then
        narrow_left, narrow_reset = seen(of_plan_operation, narrow_full, narrow_detail, now, admitted)
    end
    if admitted then
        if of_installation then take(of_installation, installation_full) end
        if of_stage then take(of_stage, stage_full) end
        if of_operation then take(of_operation, operation_full) end
        if of_plan then take(of_plan, plan_full) end
        if of_plan_operation then take(of_plan_operation, narrow_full) end
    end
    return outcome, detail
end

local function policy_with_quota(plan)
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
    local policy, comma = plan.quota and policy_with_quota(plan) or plan.policy, ""
    out:reset()
    if of_plan_operation then
        policy = of_plan_operation.policy .. (policy and ", " .. policy or "")
        out:put('"operation";r=', narrow_left, ";t=", narrow_reset)
        comma = ", "
    end
    if of_plan then
        out:put(comma, '"plan";r=', plan_left, ";t=", plan_reset)
        comma = ", "
    end
    if plan.quota then
        out:put(comma, '"quota";r=', quota_left, ";t=", quota_reset)
    end
    var.gatehouse_limit_policy = policy
    set("gatehouse_limit", out:ref())
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

-- The bucket of a subscription at one operation, by its plan; false = the plan does not limit it.
local function make_plan_operation_bucket(plan, subscription, stage, operation)
    local of_its_stage = plan.operation_throttles[stage.id]
    local throttled = of_its_stage and (of_its_stage[operation.id] or of_its_stage["*"])
    return throttled and {
        name = subscription.name .. ":" .. stage.id .. ":" .. operation.id,
        rate = throttled.rate,
        burst = throttled.burst,
        policy = throttle.policy("operation", throttled),
    } or false
end

local function plan_operation_bucket(plan, subscription, stage, operation)
    if not (plan.operation_throttles and operation[ROUTE]) then
        return nil
    end
    local buckets = subscription.buckets
    if not buckets or buckets.of ~= plan then
        buckets = { of = plan }
        subscription.buckets = buckets
    end
    local bucket = buckets[operation[ROUTE]]
    if bucket == nil then
        bucket = make_plan_operation_bucket(plan, subscription, stage, operation)
        buckets[operation[ROUTE]] = bucket
    end
    return bucket or nil
end

-- Returns the token buckets that one call would be taken from, but for the installation's: of the plan, of the plan for
-- the operation, of the operation, of the stage; nil where there is none.
function charge.buckets(stage, operation, plan, subscription)
    return plan_bucket(plan, subscription), plan_operation_bucket(plan, subscription, stage, operation),
        operation[BUCKET] or nil, stage.bucket
end

-- Sets the call at hand.
local function meet_limits(stage, operation, plan, subscription, key)
    local installation = get("installation", "installation")
    of_installation = installation and installation.bucket
    of_stage, of_operation = stage.bucket, operation[BUCKET]
    of_plan, of_plan_operation, limits, lease = nil, nil, nil, nil
    if plan then
        of_plan = plan_bucket(plan, subscription)
        limits = plan.quota or subscription.quota
        lease = limits and quota.of(subscription, key, limits)
        of_plan_operation = plan_operation_bucket(plan, subscription, stage, operation)
    end
    -- whom the usage line names
    slot = journal.open(subscription and subscription.id or "-", key and key[KEY_ID] or "-", operation[ROUTE] or stage.nowhere)
    return slot
end

local function reason(outcome)
    if outcome == THROTTLED and request_log.asks_why() then
        return why.throttled({
            installation = of_installation, stage = of_stage, operation = of_operation, plan = of_plan,
            plan_operation = of_plan_operation,
        })
    end
end

local VERDICTS = { [THROTTLED] = "THROTTLED", [FULL] = "USAGE_LOG_FULL", [quota.REFUSED] = "QUOTA_EXCEEDED" }

-- Admits one call. plan, subscription and key (a prepared entry) are nil for an operation without a key. Returns nil
-- when it is admitted: then it counts, whatever follows. Else the verdict, the seconds to wait and, where it is not the
-- verdict's own, the message, and what the request log says of it. May yield, when a quota's lease is spent.
function charge.call(stage, operation, plan, subscription, key)
    local stopped_until = subscription and subscription.stopped_until
    if stopped_until and ngx_now() < stopped_until then
        return "QUOTA_EXCEEDED", min(ceil(stopped_until - ngx_now()), LONGEST_WAIT), subscription.stopped, "stopped"
    end
    local outcome, detail
    for turn = 1, ASKS do
        if not meet_limits(stage, operation, plan, subscription, key) then
            return "USAGE_LOG_FULL", RETRY
        end
        outcome, detail = lock.with(attempt)
        if outcome == ADMITTED then
            break
        end
        journal.close(slot)
        if outcome ~= ASK or turn == ASKS then
            break -- what follows is still of this call: nobody else ran meanwhile
        end
        quota.ask(lease)
    end
    if outcome ~= FULL and plan and (of_plan or plan.quota or of_plan_operation) then
        write_headers(plan)
    end
    if outcome == ADMITTED then
        journal.tell(slot)
        if detail then
            quota.ask_ahead(lease)
        end
        return nil
    end
    return VERDICTS[outcome] or "QUOTA_EXCEEDED", detail, nil, reason(outcome)
end

return charge
