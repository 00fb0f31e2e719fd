-- Who fetches an answer for the cache, so that others wait: one mark for each key, shared by workers.

local ffi = require "ffi"

ffi.cdef [[
int kill(int process, int signal);
]]

local marks = ngx.shared.gatehouse_fetches
local C = ffi.C
local GO_ON_MARK = "-"
local GO_ON_SECONDS = 1
local NO_SIGNAL = 0

local fetch = {
    NONE = 0,    -- nobody fetches
    UNDER_WAY = 1,
    GO_ON = 2,   -- the last answer could not be kept: nobody shall wait
}

-- Tries to be the one that fetches. The mark names the worker, and goes when a call's time-out is over.
function fetch.claim(key, timeout)
    return marks:add(key, ngx.worker.pid(), timeout + GO_ON_SECONDS)
end

-- What is known of a key's fetch. The mark of a worker that was killed does not count.
function fetch.state(key)
    local mark = marks:get(key)
    if not mark then
        return fetch.NONE
    elseif mark == GO_ON_MARK then
        return fetch.GO_ON
    elseif C.kill(mark, NO_SIGNAL) ~= 0 then
        marks:delete(key)
        return fetch.NONE
    end
    return fetch.UNDER_WAY
end

-- Ends a fetch. Unless its answer was kept, who waits goes on to the backend.
function fetch.finish(key, kept)
    if kept then
        marks:delete(key)
    else
        marks:set(key, GO_ON_MARK, GO_ON_SECONDS)
    end
end

return fetch
