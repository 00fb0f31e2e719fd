-- What keys/verify tells of key, application, subscription and stage: pieces of JSON, made once for each entry.

local cjson = require "cjson.safe"
local key = require "key"

local date = os.date
local floor = math.floor
local format, sub = string.format, string.sub
local encode = cjson.encode

local told = {}

local MOST = 1000
local moments, count = {}, 0 -- seconds -> text; the same come often

-- Returns Unix seconds as a JSON string, such as "2026-11-01T00:00:00Z"; `null` for nil.
function told.moment(seconds)
    if not seconds then
        return "null"
    end
    local known = moments[seconds]
    if known then
        return known
    end
    local whole = floor(seconds)
    local micros = floor((seconds - whole) * 1e6 + 0.5)
    if micros == 1e6 then
        whole, micros = whole + 1, 0
    end
    local text = date("!%Y-%m-%dT%H:%M:%S", whole)
    text = '"' .. text .. (micros > 0 and format(".%06dZ", micros) or "Z") .. '"'
    if count >= MOST then
        moments, count = {}, 0
    end
    moments[seconds], count = text, count + 1
    return text
end

local moment = told.moment

local function named(thing)
    return '{"id":' .. encode(thing.id) .. ',"name":' .. encode(thing.name)
        .. ',"state":' .. encode(thing.state or "active") .. "}"
end

-- Key, application and account, with their names.
function told.key(entry)
    if not entry then
        return '"key":null,"application":null,"account":null'
    end
    local text = entry.told
    if not text then
        local about = key.about(entry)
        text = '"key":{"id":' .. encode(entry.id) .. ',"start":' .. encode(about.start or "")
            .. ',"name":' .. encode(about.name or "") .. ',"environment":' .. encode(sub(about.start or "", 4, 7))
            .. ',"not_before":' .. moment(entry.not_before) .. ',"expires_at":' .. moment(entry.expires_at)
            .. ',"grace_until":' .. moment(entry.grace_until)
            .. ',"replaced_by":' .. (about.successor and encode(about.successor) or "null")
            .. '},"application":' .. named(about.application) .. ',"account":' .. named(about.account)
        entry.told = text
    end
    return text
end

-- Puts the subscription and the plan into a buffer; the window is that of the limit `quota`, nil = unknown.
function told.put_subscription(out, subscription, plan, quota)
    if not subscription then
        out:put("null")
        return
    end
    local text = subscription.told
    if not text or subscription.told_with ~= plan then
        text = '{"id":' .. encode(subscription.id) .. ',"state":' .. encode(subscription.about.state or "active")
            .. ',"plan":' .. encode(subscription.plan) .. ',"plan_name":' .. encode(plan.about.name or "")
            .. ',"started_at":' .. moment(subscription.about.started)
        subscription.told, subscription.told_with = text, plan
    end
    local ends = quota and quota.ends
    out:put(text, ',"period_start":', moment(ends and ends - quota.window), ',"period_end":', moment(ends), "}")
end

function told.api(stage)
    if not stage then
        return "null"
    end
    local text = stage.told
    if not text then
        local about = stage.about
        text = '{"id":' .. encode(stage.api_id) .. ',"slug":' .. encode(about.slug or "")
            .. ',"version":' .. encode(about.version or "") .. ',"version_id":' .. encode(stage.version_id)
            .. ',"stage":' .. encode(stage.name) .. ',"stage_id":' .. encode(stage.id)
            .. ',"lifecycle":' .. encode(about.lifecycle or stage.state) .. ',"sunset_at":' .. moment(stage.sunset_at) .. "}"
        stage.told = text
    end
    return text
end

function told.operation(operation, id)
    if not operation then
        return "null"
    end
    local text = operation.told
    if not text then
        text = '{"id":' .. encode(id) .. ',"method":' .. encode(operation.verb) .. ',"path":' .. encode(operation.template)
            .. ',"key_required":' .. (operation.key_required and "true" or "false") .. "}"
        operation.told = text
    end
    return text
end

return told
