-- The refusals of verdicts.json: status, message and x-amzn-ErrorType by verdict.

local cjson = require "cjson.safe"

local verdicts = {}

-- all: the decoded verdicts.json; max_body: bytes, for the text of REQUEST_TOO_LARGE.
function verdicts.init(all, max_body)
    for name, fields in pairs(all) do
        local message = fields.message
        if name == "REQUEST_TOO_LARGE" then
            message = message:gsub("%d+", tostring(max_body))
        end
        verdicts[name] = {
            status = fields.status,
            accepted = fields.accepted,
            error_type = fields.error_type,
            message = message,
            body = cjson.encode({ message = message }),
        }
    end
end

return verdicts
