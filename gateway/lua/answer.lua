-- Headers of an answer that the stage, not the backend, decides: of proxied answers in the header filter, and of our own.

local cors = require "cors"
local mapping = require "mapping"

local ngx = ngx
local header = ngx.header

local answer = {}

-- On any answer of the stage, also the gate's own. operation: nil where none matched.
function answer.write_own(stage, operation)
    if stage.deprecation then
        header["Deprecation"] = stage.deprecation
    end
    if stage.sunset then
        header["Sunset"] = stage.sunset
    end
    local policy = operation and operation.policy or stage.policy
    if policy and policy.cors then
        cors.write(policy.cors)
    end
end

-- On the backend's answer, in the header filter.
function answer.filter(stage, operation)
    if ngx.status ~= 101 then
        header["Upgrade"] = nil -- an offer to our connection, not to the client's
    end
    if operation.answer_mapping then
        mapping.answer(operation.answer_mapping, { stage = stage, operation = operation })
    end
    answer.write_own(stage, operation)
end

return answer
