-- What journal.lua needs of the operating system: this worker's identity, and files that are mapped into memory.

local ffi = require "ffi"
require "page" -- declares mmap

ffi.cdef [[
int open(const char *path, int flags, ...);
int close(int file);
int getpid(void);
int munmap(void *address, size_t length);
int posix_fallocate(int file, long offset, long length);
int link(const char *from, const char *to);
int unlink(const char *path);
long lseek(int file, long offset, int whence);
int access(const char *path, int mode);
]]

local C = ffi.C
local READ_WRITE, SHARED = 3, 1
local OPEN, CREATE = 0x80002, 0x800C2   -- O_RDWR | O_CLOEXEC, and O_CREAT | O_EXCL
local OWNER_ONLY = ffi.cast("int", 384) -- rw-------
local EXISTS = 17
local END = 2                           -- SEEK_END

local process = { pid = 0, born = 0 }

-- Returns when a process began (clock ticks since the machine's start), or nil when there is none.
local function born(pid)
    local file = io.open("/proc/" .. pid .. "/stat", "r")
    local text = file and file:read("*a")
    if file then
        file:close()
    end
    local rest = text and text:match("^.*%) (.*)$")
    local number = 0
    for field in (rest or ""):gmatch("%S+") do
        number = number + 1
        if number == 1 and (field == "Z" or field == "X") then
            return nil -- it ended, but its parent does not know yet
        elseif number == 20 then
            return tonumber(field)
        end
    end
end

-- Learns who this process is.
function process.init()
    process.pid = C.getpid()
    process.born = born(process.pid) or 0
end

-- Whether the process that began at that time still lives; process ids are used again.
function process.is_alive(pid, since)
    return born(string.format("%d", pid)) == since
end

-- Maps `size` bytes of a file for reading and writing, shared; nil when that cannot be. Writing where a file has no room
-- would kill the worker, and the next one at the same place: so a file that somebody has cut short gets its room back.
-- Returns the address and where the file ended.
function process.map(path, size)
    local file = C.open(path, OPEN)
    if file < 0 then
        return nil
    end
    local memory
    local held = tonumber(C.lseek(file, 0, END))
    if held >= size or C.posix_fallocate(file, 0, size) == 0 then
        memory = C.mmap(nil, size, READ_WRITE, SHARED, file, 0)
    end
    C.close(file)
    if memory and tonumber(ffi.cast("intptr_t", memory)) ~= -1 then
        return memory, held
    end
end

-- Makes a file with `size` bytes of real room, unless it is there; false when there is no room. Whole or not at all.
function process.make(path, size)
    local fresh = path .. "." .. process.pid .. ".new"
    C.unlink(fresh)
    local file = C.open(fresh, CREATE, OWNER_ONLY)
    if file < 0 then
        return false
    end
    local made = C.posix_fallocate(file, 0, size) == 0
    C.close(file)
    made = made and (C.link(fresh, path) == 0 or ffi.errno() == EXISTS)
    C.unlink(fresh)
    return made
end

function process.exists(path)
    return C.access(path, 0) == 0
end

return process
