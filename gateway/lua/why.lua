-- Which limit throttled a call, for the request log. Worked out after the refusal, and only when a line will be written.

local throttle = require "throttle"

local pairs = pairs

local why = {}

-- buckets: name -> bucket or false. Returns the name of the one with the fewest tokens, and the whole limit's rate and burst.
function why.throttled(buckets)
    local now = throttle.now()
    local fewest, text
    for name, bucket in pairs(buckets) do
        local left = bucket and throttle.left(bucket, now)
        if left and (not fewest or left < fewest) then
            local whole = bucket.whole or bucket
            fewest, text = left, name .. " " .. whole.rate .. " " .. whole.burst
        end
    end
    return text
end

return why
