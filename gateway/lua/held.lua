-- What this node holds of quotas, mirrored in a file that all workers map: an nginx that was killed (not the machine)
-- begins with exactly the unspent units of the one before it. Written only under the lock, by quota.lua.

local ffi = require "ffi"
require "page" -- declares mmap

ffi.cdef [[
typedef struct {
    char name[32];
    double units, starts_at, ends_at, epoch;
} gatehouse_held_t;
typedef struct {
    char boot[40];   // of the machine: what a crash of it left on disk may be old
    double used;     // slots in use
    double padding[2];
} gatehouse_held_head_t;
int open(const char *path, int flags, ...);
int close(int file);
int flock(int file, int operation);
int posix_fallocate(int file, long offset, long length);
]]

local C = ffi.C
local ring = ngx.shared.gatehouse_ring
local READ_WRITE, SHARED = 3, 1
local OPEN = 0x80042               -- O_RDWR | O_CREAT | O_CLOEXEC
local EXCLUSIVE = 6                -- LOCK_EX | LOCK_NB
local SLOT = ffi.sizeof("gatehouse_held_t")
local SLOTS = 65536                -- leases beyond these are not mirrored
local SIZE = SLOT * (SLOTS + 1)
local NAME, BOOT = 32, 40
local NONE = -1

local held = { NONE = NONE }
local head, slots

local function at(address)
    head = ffi.cast("gatehouse_held_head_t *", address)
    slots = ffi.cast("gatehouse_held_t *", address) + 1
end

local function machine()
    local file = io.open("/proc/sys/kernel/random/boot_id", "r")
    local text = file and file:read("*l") or ""
    if file then
        file:close()
    end
    return text:sub(1, BOOT - 1)
end

-- The lock of the file is inherited by workers: while any worker of an older nginx lives, it spends, and we do not read.
local function map(path)
    local file = C.open(path, OPEN, ffi.cast("int", 384)) -- rw-------
    if file < 0 then
        return nil, "it cannot be opened"
    elseif C.flock(file, EXCLUSIVE) ~= 0 then
        C.close(file)
        return nil, "another nginx uses it"
    elseif C.posix_fallocate(file, 0, SIZE) ~= 0 then -- a hole that a full disk could not fill would kill a worker
        C.close(file)
        return nil, "there is no room for it"
    end
    local memory = C.mmap(nil, SIZE, READ_WRITE, SHARED, file, 0)
    if tonumber(ffi.cast("intptr_t", memory)) == -1 then
        C.close(file)
        return nil, "it cannot be mapped"
    end
    return memory
end

-- Moves what is still worth something to the front. Slots only move forward, and a name counts once, so that even a
-- crash in the middle never doubles a unit.
local function restore(now)
    local found, seen, kept = {}, {}, 0
    local boot = machine()
    local used = ffi.string(head.boot) == boot and boot ~= "" and math.min(tonumber(head.used), SLOTS) or 0
    for index = 0, used - 1 do
        local slot = slots[index]
        local name = ffi.string(slot.name)
        if slot.units > 0 and slot.ends_at > now and not seen[name] then
            seen[name] = true
            ffi.copy(slots + kept, slot, SLOT)
            found[#found + 1] = {
                name = name, slot = kept, units = slot.units, epoch = slot.epoch,
                starts_at = slot.starts_at, ends_at = slot.ends_at,
            }
            kept = kept + 1
        end
    end
    head.used = kept
    ffi.fill(head.boot, BOOT)
    ffi.copy(head.boot, boot)
    return found
end

-- Called by the master before it makes workers; returns the leases to begin with: {name, slot, units, epoch, starts_at,
-- ends_at}. A reload finds the mapping again and begins with what is in shared memory.
function held.init(path, now)
    local known = ring:get("held")
    if known then
        if known ~= 0 then
            at(ffi.cast("void *", ffi.cast("intptr_t", known)))
        end
        return {}
    end
    local memory, problem = map(path)
    ring:set("held", memory and tonumber(ffi.cast("intptr_t", memory)) or 0)
    if not memory then
        ngx.log(ngx.WARN, "units of quotas will be lost if nginx is killed: ", path, ": ", problem)
        return {}
    end
    at(memory)
    return restore(now)
end

-- Returns a slot for a lease's name, or NONE.
function held.slot(name)
    if not slots or head.used >= SLOTS or #name >= NAME then
        return NONE
    end
    local index = tonumber(head.used)
    local slot = slots[index]
    ffi.fill(slot, SLOT)
    ffi.copy(slot.name, name)
    head.used = index + 1
    return index
end

-- Writes down how many units are left of a lease of which one was spent.
function held.spent(index, lease)
    slots[index].units = lease.units
end

-- Writes a lease down.
function held.keep(index, lease)
    local slot = slots[index]
    if slot.starts_at ~= lease.starts_at or slot.epoch ~= lease.epoch then
        slot.units = 0
        slot.starts_at, slot.ends_at, slot.epoch = lease.starts_at, lease.ends_at, lease.epoch
    end
    slot.units = lease.units
end

return held
