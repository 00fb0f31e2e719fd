-- Answers as the cache keeps them: which may be kept, which of their headers, and their form as text.

local ngx = ngx
local header = ngx.header
local lower, find, sub, gmatch = string.lower, string.find, string.sub, string.gmatch
local concat, type, tonumber = table.concat, type, tonumber

local stored = {}

local STATUSES = { [300] = true, [301] = true, [308] = true, [404] = true, [410] = true }
-- Of one connection, of one call, or made anew for each caller.
local DROPPED = {
    ["connection"] = true, ["keep-alive"] = true, ["proxy-authenticate"] = true, ["proxy-authentication-info"] = true,
    ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true, ["proxy-connection"] = true,
    ["content-length"] = true, ["x-cache"] = true, ["x-request-id"] = true, ["x-correlation-id"] = true,
    ["x-amzn-requestid"] = true, ["x-amz-apigw-id"] = true, ["x-amzn-trace-id"] = true, ["traceparent"] = true,
    ["tracestate"] = true, ["ratelimit"] = true, ["ratelimit-policy"] = true, ["x-accel-buffering"] = true,
}
local MOST_EVICTIONS = 64 -- tries to make room; each throws out up to 30 answers that were used longest ago

local function may_be_shared(call)
    local origin = header["Access-Control-Allow-Origin"]
    if not origin or origin == "*" or (call.operation.policy and call.operation.policy.cors) then
        return true
    end
    for _, name in ipairs(call.operation.cache.header) do
        if name == "origin" then
            return true
        end
    end
    return false
end

-- Returns {status, headers} of the answer at hand, or nil when it may not be kept: statuses that say little of the
-- next call, cookies, encoded forms, what varies with everything, CORS headers for one origin.
function stored.take(call)
    local status = ngx.status
    local encoding = header["Content-Encoding"]
    if not ((status >= 200 and status < 300 and status ~= 206) or STATUSES[status])
        or header["Set-Cookie"] or find(header["Content-Type"] or "", "text/event-stream", 1, true) or (encoding and encoding ~= "identity") or header["Vary"] == "*"
        or not may_be_shared(call) then
        return nil
    end
    local headers = {}
    for name, value in pairs(ngx.resp.get_headers(0, true)) do
        if not DROPPED[lower(name)] then
            headers[name] = value
        end
    end
    return { status = status, headers = headers }
end

-- Writes an answer; makes room by throwing out what was used longest ago. Returns whether it was kept.
function stored.write(shared, key, answer, body, ttl)
    local parts = { answer.at .. " " .. answer.status }
    for name, value in pairs(answer.headers) do
        for _, each in ipairs(type(value) == "table" and value or { value }) do
            parts[#parts + 1] = name .. ": " .. each
        end
    end
    local text = concat(parts, "\n") .. "\n\n" .. body
    for _ = 1, MOST_EVICTIONS do
        local ok, problem = shared:set(key, text, ttl)
        if ok or problem ~= "no memory" then
            return ok
        end
    end
    return false
end

-- Returns {at, status, headers, body} of a written answer.
function stored.read(text)
    local stop = find(text, "\n\n", 1, true)
    local first = find(text, "\n", 1, true)
    local at, status = text:match("^(%S+) (%d+)")
    local headers = {}
    for name, value in gmatch(sub(text, first, stop), "\n([^:\n]+): ([^\n]*)") do
        local before = headers[name]
        if type(before) == "table" then
            before[#before + 1] = value
        else
            headers[name] = before and { before, value } or value
        end
    end
    return { at = tonumber(at), status = tonumber(status), headers = headers, body = sub(text, stop + 2) }
end

return stored
