-- Structs at fixed places in memory that all workers share. What every call changes lies in one or two lines of the
-- processor's cache and is found by a number that a worker keeps; a walk through the names of ngx.shared touches a dozen
-- once there are many. The names lead to their numbers in one of ngx.shared, which is asked once for each worker.

local ffi = require "ffi"
local page = require "page"

local C = ffi.C
local READ_WRITE, SHARED_ANONYMOUS = 3, 0x21
local floor = math.floor

local places = {}

-- field: of the page, for the address, so that a reload finds it again; type: the struct; shared: where the names are;
-- bytes: of `shared` that one name may need. Returns the structs, zeroed at first, and how many there are. Memory that
-- is not touched costs nothing.
function places.of(field, type, shared, bytes)
    local number = floor(shared:capacity() / bytes)
    if page[field] == 0 then
        local memory = C.mmap(nil, number * ffi.sizeof(type), READ_WRITE, SHARED_ANONYMOUS, -1, 0)
        if tonumber(ffi.cast("intptr_t", memory)) == -1 then
            error("no memory for counters; lower GATEHOUSE_COUNTERS_MEMORY")
        end
        page[field] = tonumber(ffi.cast("intptr_t", memory))
    end
    return ffi.cast(type .. " *", ffi.cast("intptr_t", page[field])), number
end

return places
