-- Which header fields a provider may set. The others are framing, tracing, or what the gate itself says.

local find, gsub, lower = string.find, string.gsub, string.lower

local field = {}

local NAME = "^[%w!#$%%&'*+.^_`|~-]+$"
local OF_ANSWERS = {
    ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true, ["keep-alive"] = true,
    ["upgrade"] = true, ["trailer"] = true, ["te"] = true, ["x-amzn-requestid"] = true, ["x-amz-apigw-id"] = true,
}
local OF_REQUESTS = {
    ["content-length"] = true, ["transfer-encoding"] = true, ["connection"] = true, ["keep-alive"] = true,
    ["te"] = true, ["trailer"] = true, ["upgrade"] = true, ["expect"] = true, ["x-request-id"] = true,
    ["x-amzn-trace-id"] = true, ["x-amzn-apigateway-api-id"] = true,
}
local STARTS = { "^proxy%-", "^x%-forwarded%-", "^x%-gatehouse%-" }

-- Of an answer to the client.
function field.may_answer(name)
    return find(name, NAME) ~= nil and not OF_ANSWERS[lower(name)]
end

-- Of a request to the backend, however it is spelt.
function field.may_ask(name)
    local plain = gsub(lower(name), "_", "-")
    for _, start in ipairs(STARTS) do
        if find(plain, start) then
            return false
        end
    end
    return find(name, NAME) ~= nil and not OF_REQUESTS[plain]
end

-- A value as one line.
function field.line(value)
    return (gsub(value, "%c", " "))
end

return field
