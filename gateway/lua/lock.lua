-- The lock around what several workers read and write: a robust mutex, so a worker killed while it holds it
-- hands it on.

local ffi = require "ffi"
local page = require "page"

ffi.cdef [[
int pthread_mutex_lock(void *mutex);
int pthread_mutex_unlock(void *mutex);
int pthread_mutex_consistent(void *mutex);
]]

local C = ffi.C
local mutex = ffi.cast("void *", page)
local pcall, error = pcall, error
local OWNER_DIED, ALREADY_MINE = 130, 35

local lock = {}

-- Calls action(a, b, c, d, e) while holding the lock and returns its first three results. The action must not yield.
function lock.with(action, a, b, c, d, e)
    local problem = C.pthread_mutex_lock(mutex)
    if problem ~= 0 then
        if problem == OWNER_DIED then
            C.pthread_mutex_consistent(mutex)
        elseif problem ~= ALREADY_MINE then
            error("the lock that workers share is broken: " .. problem)
        end
    end
    local ok, first, second, third = pcall(action, a, b, c, d, e)
    C.pthread_mutex_unlock(mutex)
    if not ok then
        error(first, 0)
    end
    return first, second, third
end

return lock
