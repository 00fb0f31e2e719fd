-- One page of memory that all workers share: a lock and the few numbers that every call reads.
-- The master maps it once; its address lies in shared memory, so a reload (same master, new Lua) finds it again.

local ffi = require "ffi"

ffi.cdef [[
typedef struct {
    char mutex[128];
    volatile double version;     // counts changes of entries
    volatile double generation;  // of the newest entry held
    volatile double entries;     // live entries held
    volatile double hosts;       // hosts that mappings claim
    volatile double depth;       // segments of the longest base path
    volatile double ready;       // 1 once entries were loaded or pushed
    volatile double started;     // Unix seconds
    volatile double mutual;      // 1 once a domain asked for client certificates
    volatile double share;       // of every limit that has no share of its own (shares.lua); 1 = alone
    volatile double shares;      // counts changes of shares
    double leases, buckets;      // addresses of places.lua
    double leases_used;          // places of leases that have a name
    double buckets_used;         // the same of buckets
    double buckets_hand;         // the place that is looked at next when one must be freed
} gatehouse_page_t;

void *mmap(void *address, size_t length, int protection, int flags, int file, long offset);
int pthread_mutexattr_init(void *attributes);
int pthread_mutexattr_settype(void *attributes, int type);
int pthread_mutexattr_setpshared(void *attributes, int shared);
int pthread_mutexattr_setrobust(void *attributes, int robust);
int pthread_mutex_init(void *mutex, void *attributes);
]]

local C = ffi.C
local SIZE, READ_WRITE, SHARED_ANONYMOUS = 4096, 3, 0x21
local ERRORCHECK, PROCESS_SHARED, ROBUST = 2, 1, 1

local function make()
    local memory = C.mmap(nil, SIZE, READ_WRITE, SHARED_ANONYMOUS, -1, 0)
    if tonumber(ffi.cast("intptr_t", memory)) == -1 then
        error("no memory for the page that workers share")
    end
    local attributes = ffi.new("char[64]")
    C.pthread_mutexattr_init(attributes)
    C.pthread_mutexattr_settype(attributes, ERRORCHECK)
    C.pthread_mutexattr_setpshared(attributes, PROCESS_SHARED)
    C.pthread_mutexattr_setrobust(attributes, ROBUST)
    if C.pthread_mutex_init(memory, attributes) ~= 0 then
        error("the lock that workers share cannot be made")
    end
    return ffi.cast("gatehouse_page_t *", memory)
end

local ring = ngx.shared.gatehouse_ring
local address = ring:get("page")
local page
if address then
    page = ffi.cast("gatehouse_page_t *", ffi.cast("intptr_t", address))
else
    page = make()
    page.started = ngx.now()
    page.share = 1
    ring:set("page", tonumber(ffi.cast("intptr_t", page)))
end

return page
