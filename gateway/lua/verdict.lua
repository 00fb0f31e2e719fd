-- Refusals: AWS's status, body and x-amzn-ErrorType for each verdict of verdicts.json.

local cjson = require "cjson.safe"
local quota = require "quota"

local ngx = ngx
local var, header = ngx.var, ngx.header
local print, exit, discard_body = ngx.print, ngx.exit, ngx.req.discard_body

local verdict = {}
local verdicts = {}

-- What nginx itself answers, by status; other 4xx are a BAD_REQUEST, other 5xx a configuration error.
local BY_STATUS = { [413] = "REQUEST_TOO_LARGE", [502] = "INTEGRATION_FAILURE", [504] = "INTEGRATION_TIMEOUT" }

-- all: the decoded verdicts.json; max_body: bytes, for the text of REQUEST_TOO_LARGE.
function verdict.init(all, max_body)
    for name, fields in pairs(all) do
        local message = fields.message
        if name == "REQUEST_TOO_LARGE" then
            message = message:gsub("%d+", tostring(max_body))
        end
        verdicts[name] = {
            status = fields.status,
            error_type = fields.error_type,
            body = cjson.encode({ message = message }),
        }
    end
end

local function answer(name, status, wait)
    local fields = verdicts[name]
    var.gatehouse_verdict = name
    ngx.status = status or fields.status
    header["Content-Type"] = "application/json"
    header["Content-Length"] = #fields.body
    header["x-amzn-ErrorType"] = fields.error_type
    header["Retry-After"] = wait
    header["Server"] = nil
    print(fields.body)
    return exit(200)
end

-- Ends the call in the access phase. wait: seconds for Retry-After, or nil.
function verdict.refuse(name, wait)
    discard_body()
    return answer(name, nil, wait)
end

-- The content phase of the internal location for errors that nginx itself found.
function verdict.content()
    local status = ngx.status
    local name = BY_STATUS[status] or (status < 500 and "BAD_REQUEST" or "API_CONFIGURATION_ERROR")
    if status == 413 and var.gatehouse_subscription ~= "-" then
        quota.give_back(var.gatehouse_lease) -- a body without a length that grew too large
    end
    return answer(name, status)
end

return verdict
