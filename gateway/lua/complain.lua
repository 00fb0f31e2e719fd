-- Lines in the error log about what goes wrong at calls: one a minute and topic from each worker, so that nobody can
-- fill the disk by calling.

local ngx = ngx
local PAUSE = 60 -- seconds

local told = {} -- topic -> when (Unix seconds)

-- topic: a fixed text, which begins the line; the rest as for ngx.log.
return function(topic, ...)
    local now = ngx.now()
    if now - (told[topic] or 0) >= PAUSE then
        told[topic] = now
        ngx.log(ngx.ERR, topic, ...)
    end
end
