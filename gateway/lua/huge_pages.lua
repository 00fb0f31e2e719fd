-- Puts what a worker remembers into huge pages. With many keys and operations nearly every table that a call reads is out
-- of the processor's caches, and with small pages the way to it is, too. Only where the system lets programs have huge
-- pages (`madvise` or `always`) and has MADV_COLLAPSE (Linux 6.1).

local ffi = require "ffi"

ffi.cdef [[
int madvise(void *address, size_t length, int advice);
]]

local C, cast = ffi.C, ffi.cast
local ngx, exiting = ngx, ngx.worker.exiting
local collectgarbage, ceil, tonumber = collectgarbage, math.ceil, tonumber
local ALLOWED = "/sys/kernel/mm/transparent_hugepage/enabled"
local COLLAPSE = 25
local SIZE = 2 ^ 21   -- bytes of a huge page
local GROWN = 2048    -- KiB of new memory that are worth a look
local INTERVAL = 2    -- seconds between two looks
local PAUSE = 0.01    -- seconds between two pages: each may hold the worker up for half a millisecond

local huge_pages = {}
local looked_at = 0   -- KiB in use when it was last looked

-- The whole huge pages in this process's own memory: a list of addresses.
local function places()
    local found = {}
    for line in io.lines("/proc/self/maps") do
        local first, last, name = line:match("^(%x+)%-(%x+) rw%-p %S+ %S+ 0%s*(.*)$")
        if name == "" or name == "[heap]" then
            for at = ceil(tonumber(first, 16) / SIZE) * SIZE, tonumber(last, 16) - SIZE, SIZE do
                found[#found + 1] = at
            end
        end
    end
    return found
end

-- One that is huge already costs a look; one that cannot be now is tried again when memory has grown.
local function collapse(found)
    for _, at in ipairs(found) do
        if exiting() then
            return
        end
        C.madvise(cast("void *", cast("uintptr_t", at)), SIZE, COLLAPSE)
        ngx.sleep(PAUSE)
    end
end

local function look()
    local used = collectgarbage("count")
    if used > looked_at + GROWN then
        looked_at = used
        collapse(places())
    end
end

local function allowed()
    local file = io.open(ALLOWED)
    local text = file and file:read("*l")
    if file then
        file:close()
    end
    return text and not text:find("[never]", 1, true)
end

-- Begins in a worker.
function huge_pages.start()
    looked_at = collectgarbage("count")
    if allowed() then
        ngx.timer.every(INTERVAL, look)
    end
end

return huge_pages
