-- POST /api/v1/keys/verify: is this key valid? Answers 200 with a verdict whatever it is; other statuses are about who
-- asks. keys/authorize (authorize.lua) shares the judging.

local asked = require "asked"
local buffer = require "string.buffer"
local caller = require "caller"
local charge = require "charge"
local cjson = require "cjson.safe"
local compiled = require "compiled"
local current = require "current"
local entries = require "entries"
local ip = require "ip"
local judge = require "judge"
local limits = require "limits"
local page = require "page"
local problem = require "problem"
local quota = require "quota"
local route = require "route"
local stages = require "stages"
local tls = require "tls"
local told = require "told"

local ngx = ngx
local var, header, ngx_now = ngx.var, ngx.header, ngx.now
local byte, find, sub, lower = string.byte, string.find, string.sub, string.lower
local ROUTE = require("hot").ROUTE
local give_id, raw_get = require("request_id").give, require("raw").get
local out = buffer.new(4096) -- the answer
local SLASH = 47
local floor, min = math.floor, math.min
local HERE = "/api/v1/keys/verify"
local MOST_BYTES = 65536
local TTL = 5 -- seconds for which a verdict may be kept
local NO_OPERATION = {} -- of a call whose method and path are not told
local REFUSALS = { THROTTLED = "RATE_LIMITED", QUOTA_EXCEEDED = "QUOTA_EXCEEDED" }

local verify = { CANNOT_CONSUME = "This node cannot write down consumed calls now (its usage log is full)." }

-- Tells whether the call is for a custom domain or a canonical address, which keep their own /api; or for a domain
-- whose client certificate it lacks, which the gate refuses; or spelt so that nginx found us where the path as sent does
-- not: a gateway that puts authorize before its client's path must not be led to verify, which answers 200 to anything.
function verify.is_elsewhere(here)
    entries.refresh()
    local host, path = var.host, current.path()
    return sub(path, 1, #here) ~= here or (byte(path, #here + 1) or SLASH) ~= SLASH or not route.is_safe(path)
        or route.claims(host) and not caller.is_asking() or page.mutual ~= 0 and not tls.admits(host)
end

-- Who asks: returns the caller; or nil, the problem's name, its text and the header that goes with it. What every
-- entry point does first.
function verify.caller()
    give_id()
    if page.ready == 0 then
        return nil, "unavailable", "This node has not received its configuration yet.", { "Retry-After", 1 }
    end
    entries.refresh()
    local who, challenge, wrong = caller.authenticate()
    if not who then
        return nil, "unauthenticated", wrong, { "WWW-Authenticate", challenge }
    end
    local wait = caller.wait(who)
    if wait then
        return nil, "too-many-requests", "Request was throttled: too many verifications by this token.", { "Retry-After", wait }
    end
    return who
end

-- Returns the operation (prepared) and its id that method and path reach at a stage; nil when they are not given.
function verify.operation(stage, method, path)
    if not stage or not path then
        return nil
    end
    local mark = find(path, "?", 1, true)
    path = mark and sub(path, 1, mark - 1) or path
    local operation = route.is_safe(path) and route.operation(stage, path, 1, method or "GET")
    if operation then
        return operation, operation.id
    end
end

local function meters(verdict, operation)
    var.gatehouse_logged = "1"
    var.gatehouse_flags = "v"
    var.gatehouse_route = operation and operation[ROUTE] or verdict.stage.nowhere
    if verdict.key then
        var.gatehouse_key = verdict.key.id
    end
    if verdict.subscription then
        var.gatehouse_subscription = verdict.subscription.id
    end
end

-- Takes the call from every limit, or changes the verdict to why not; one usage line is written either way.
local function consume(verdict, operation)
    meters(verdict, operation)
    if verdict.code ~= "VALID" then
        var.gatehouse_verdict = "INVALID_API_KEY"
        return
    end
    local refusal, wait, message =
        charge.call(verdict.stage, operation or NO_OPERATION, verdict.plan, verdict.subscription, verdict.key)
    if refusal then
        var.gatehouse_verdict = refusal
        verdict.code, verdict.wait = REFUSALS[refusal], wait
        verdict.message = message or verdict.code and judge.CODES[verdict.code][2]
        return
    end
    verdict.consumed = true
end

local function limits_of(verdict, operation)
    local plan, subscription, stage = verdict.plan, verdict.subscription, verdict.stage
    if not plan then
        return {}
    end
    local lease = plan.quota and quota.of(subscription, verdict.key, plan.quota)
    return limits.see(plan.quota, lease, charge.buckets(stage, operation or NO_OPERATION, plan, subscription))
end

-- Where the key was used, as it is told: a page by its URL or its host.
local function place_of(read)
    local page_of = read.referrer
    if page_of and not find(page_of, "://", 1, true) then
        page_of = "https://" .. page_of
    end
    return { address = read.client_ip and ip.parse(read.client_ip), referrer = page_of }
end

-- Judges read (asked.check) for `who`. Returns the verdict, complete with `limits`; or nil and the list of errors. A
-- verdict without a code: the call cannot be consumed now, try again after `wait` seconds.
function verify.judge(who, read)
    local now = ngx_now()
    local verdict, entry = judge.text(read.key)
    if not verdict then
        local stage, ambiguous = stages.find(who, read)
        if ambiguous then
            local message = "Several stages fit; name the " .. ambiguous .. "."
            return nil, { { field = ambiguous, code = "ambiguous", message = message } }
        end
        verdict = judge.key(who, entry, stage, place_of(read), now)
    end
    verdict.at = now
    local operation, id = verify.operation(verdict.stage, read.method, read.path)
    verdict.operation, verdict.operation_id = operation, id
    if read.mode == "consume" and verdict.stage then
        consume(verdict, operation)
    end
    verdict.limits = verdict.code and limits_of(verdict, operation) or {}
    return verdict
end

-- Seconds for which a verdict may be kept: never across a deadline of the key; nothing that was consumed.
local function ttl(verdict, mode)
    if mode == "consume" then
        return 0
    end
    local key, now = verdict.key, verdict.at
    local longest = TTL
    for _, deadline in ipairs(key and { key.not_before or 0, key.expires_at or 0, key.grace_until or 0 } or {}) do
        if deadline > now then
            longest = min(longest, deadline - now)
        end
    end
    return floor(longest)
end

local function quota_of(list)
    for _, each in ipairs(list) do
        if each.kind == "quota" then
            return each
        end
    end
end

local function json(verdict, mode)
    local binding = limits.binding(verdict.limits)
    out:reset():put('{"valid":', verdict.code == "VALID" and "true" or "false", ',"code":"', verdict.code)
    out:put('","message":"', verdict.message, '","request_id":"')
    out:putcdata(raw_get("gatehouse_request_id"))
    out:put('","consumed":', verdict.consumed and "true," or "false,", told.key(verdict.key), ',"subscription":')
    told.put_subscription(out, verdict.subscription, verdict.plan, quota_of(verdict.limits))
    out:put(',"api":', told.api(verdict.stage), ',"operation":', told.operation(verdict.operation, verdict.operation_id))
    out:put(',"limits":')
    limits.put_json(out, verdict.limits)
    out:put(',"binding_limit":')
    if binding then
        out:put('"', binding.name, '"')
    else
        out:put("null")
    end
    out:put(',"cache":{"ttl_s":', ttl(verdict, mode), ',"generation":', page.generation, "}}")
    return out:tostring()
end

-- Returns the decoded body; or nil, the problem's name and text.
local function body()
    local kind = var.content_type
    local length = tonumber(var.http_content_length)
    if length and length > MOST_BYTES then
        return nil, "too-large", "The body is larger than " .. MOST_BYTES .. " bytes."
    elseif kind and not find(lower(kind), "^application/json") then
        return nil, "unsupported-media-type", "Send JSON (Content-Type: application/json)."
    end
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    if not text then
        if ngx.req.get_body_file() then
            return nil, "too-large", "The body is larger than " .. MOST_BYTES .. " bytes."
        end
        return {}
    end
    local decoded, wrong = cjson.decode(text)
    if decoded == nil then
        return nil, "malformed", "The body is not JSON: " .. wrong .. "."
    end
    return decoded
end

local function is_object(decoded)
    return type(decoded) == "table" and decoded[1] == nil
end

-- The content phase of the location.
function verify.content()
    compiled.other()
    if verify.is_elsewhere(HERE) then
        return ngx.exec("/", var.args) -- not ours: the same call, through the gate
    end
    var.gatehouse_logged = "0"
    local who, slug, detail, with = verify.caller()
    if not who then
        header[with[1]] = with[2]
        return problem(slug, detail)
    elseif ngx.req.get_method() ~= "POST" then
        header["Allow"] = "POST"
        return problem("method-not-allowed", "Verify keys with POST.")
    end
    local given, fault, text = body()
    if not given then
        return problem(fault, text)
    elseif not is_object(given) then
        return problem("invalid-input", nil, { { field = "", code = "invalid", message = "Send a JSON object." } })
    end
    local read, errors = asked.check(given, "check")
    if errors then
        return problem("invalid-input", nil, errors)
    elseif read.mode == "consume" and who.read_only then
        return problem("forbidden", "This token is read-only: it may check keys, not consume.")
    end
    compiled.cut(0)
    local verdict, wrong = verify.judge(who, read)
    if not verdict then
        return problem("invalid-input", nil, wrong)
    elseif not verdict.code then
        header["Retry-After"] = verdict.wait
        return problem("unavailable", verify.CANNOT_CONSUME)
    end
    compiled.cut(0)
    local answer = json(verdict, read.mode)
    header["Content-Type"] = "application/json"
    header["Content-Length"] = #answer
    header["Cache-Control"] = "no-store"
    header["Server"] = nil
    ngx.print(answer)
end

return verify
