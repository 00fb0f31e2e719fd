-- Is this key valid, and if not, why? The yes comes from key.opens(), which guards the gate's own traffic; the reasons
-- are worked out after a no, in the order existence, state, expiry, scope, place.

local entries = require "entries"
local key = require "key"
local key_limits = require "key_limits"

local get = entries.get
local LIMITS = require("hot").LIMITS

local judge = {}

-- code -> {status for gateways, text}; the same as access/verdicts.py.
local CODES = {
    VALID = { 200, "The key is valid." },
    MISSING = { 401, "No key was given." },
    MALFORMED = { 401, "This is not a Gatehouse key: its shape or its checksum is wrong." },
    NOT_FOUND = { 401, "There is no such key." },
    REVOKED = { 401, "The key was revoked." },
    EXPIRED = { 401, "The key has expired." },
    ROTATED_OUT = { 401, "The key was replaced by a newer one and its time of grace is over." },
    NOT_YET_VALID = { 401, "The key is not valid yet." },
    DISABLED = { 403, "The key is disabled." },
    APPLICATION_SUSPENDED = { 403, "The application is suspended." },
    ACCOUNT_SUSPENDED = { 403, "The organization is suspended." },
    IP_NOT_ALLOWED = { 403, "The key may not be used from this address." },
    REFERRER_NOT_ALLOWED = { 403, "The key may not be used from this page." },
    NOT_SUBSCRIBED = { 403, "The application has no active subscription that opens this stage." },
    SUBSCRIPTION_PENDING = { 403, "The subscription waits for the provider's approval." },
    API_RETIRED = { 410, "This version of the API was retired." },
    RATE_LIMITED = { 429, "The rate limit is reached; try again after the time in reset_after_s." },
    QUOTA_EXCEEDED = { 429, "The quota of this period is used up." },
}
judge.CODES = CODES

local NO_API = "Among the APIs that you provide, none has this api, version and stage."
local SUBSCRIPTION_SUSPENDED = "The subscription that opens this stage is suspended."
local PROVIDER_SUSPENDED = "The provider of this API is suspended."

function judge.sees(caller, organization)
    return caller.everything or caller.organization == organization
end

local function may_see(caller, entry)
    if caller.everything then
        return true
    end
    local seen_by = entry.seen_by
    if not seen_by then
        local about = key.about(entry)
        seen_by = { [about.account.id] = true }
        for _, provider in ipairs(about.providers or {}) do
            seen_by[provider] = true
        end
        entry.seen_by = seen_by
    end
    return seen_by[caller.organization]
end

-- What is wrong with the key itself, its application or its organization; nil = nothing.
local function of_key(entry, now)
    local about = key.about(entry)
    if about.state == "revoked" then
        return "REVOKED"
    elseif about.state == "disabled" then
        return "DISABLED"
    elseif about.application.state then
        return "APPLICATION_SUSPENDED"
    elseif about.account.state then
        return "ACCOUNT_SUSPENDED"
    elseif now < entry.starts then
        return "NOT_YET_VALID"
    elseif entry.expires_at and now >= entry.expires_at then
        return "EXPIRED"
    elseif now >= entry.ends then
        return "ROTATED_OUT"
    elseif not entry.active then
        return "DISABLED"
    end
end

-- Of several subscriptions that open the stage, the one that says most: active, pending, suspended.
local RANK = { active = 1, pending = 2, suspended = 3 }

local function most_telling(entry, stage)
    local best, best_plan, best_rank
    for _, id in ipairs(entry.subscriptions) do
        local subscription = get("subscription", id)
        local plan = subscription and get("plan", subscription.plan)
        local rank = plan and plan.opens[stage.id] and RANK[subscription.about.state or "active"]
        if rank and (not best or rank < best_rank) then
            best, best_plan, best_rank = subscription, plan, rank
        end
    end
    return best, best_plan
end

local function of_scope(subscription, stage)
    if not subscription then
        return "NOT_SUBSCRIBED"
    elseif subscription.about.state == "pending" then
        return "SUBSCRIPTION_PENDING"
    elseif subscription.about.state == "suspended" then
        return "NOT_SUBSCRIBED", SUBSCRIPTION_SUSPENDED
    elseif stage.suspended then
        return "ACCOUNT_SUSPENDED", PROVIDER_SUSPENDED
    elseif stage.state == "retired" then
        return "API_RETIRED"
    end
end

local function of_place(entry, asked)
    return entry[LIMITS] and key_limits.refuses(entry[LIMITS], asked.address, asked.referrer)
end

local function no(code, message)
    return { code = code, message = message or CODES[code][2] }
end

-- What can be said of a key's text without a look-up: MISSING or MALFORMED as judge.key() returns it; else nil and the
-- entry, if there is one.
function judge.text(text)
    if not text or text == "" then
        return no("MISSING")
    end
    local entry = key.find(text)
    if not entry and not key.is_well_formed(text) then
        return no("MALFORMED")
    end
    return nil, entry
end

-- Judges a key's entry (or nil) for a stage (nil = the key alone, false = no stage that the caller may know of), used
-- from asked = {address (bytes), referrer}. Returns {code, message, key, stage, subscription, plan}; absent is what
-- judging did not reach.
function judge.key(caller, entry, stage, asked, now)
    if stage == false then
        return no("NOT_FOUND", NO_API)
    elseif not (entry and may_see(caller, entry)) then
        local verdict = no("NOT_FOUND")
        verdict.stage = stage
        return verdict
    end
    local subscription, plan
    if stage then
        subscription, plan = key.opens(entry, stage.id, now)
    end
    local code, message
    local opened = subscription and stage.open
    if not opened then
        code = of_key(entry, now)
        if not code and stage then
            subscription, plan = most_telling(entry, stage)
            code, message = of_scope(subscription, stage)
            code = code or "NOT_SUBSCRIBED" -- entries of different moments: what does not open does not pass
        end
    end
    code = code or of_place(entry, asked) or "VALID"
    return {
        code = code, message = message or CODES[code][2],
        key = entry, stage = stage, subscription = subscription, plan = plan,
    }
end

-- Why a call with this key (its text, and its entry or nil) was refused at a stage, as the request log tells it: a code.
function judge.reason(text, entry, stage, now)
    if not entry then
        return (not text or text == "") and "MISSING" or key.is_well_formed(text) and "NOT_FOUND" or "MALFORMED"
    end
    return of_key(entry, now) or of_scope(most_telling(entry, stage), stage) or "NOT_SUBSCRIBED"
end

return judge
