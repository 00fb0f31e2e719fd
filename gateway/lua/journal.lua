-- The usage log: lines in preallocated files that every worker maps, so a line costs no system call and survives the
-- death of nginx as a written one does. docs/gate.md, "The usage log", tells the files' layout and what is promised.
--
-- A call that is admitted takes a slot, which says whose call it is, and gives it back when its line is there. The
-- slots of a worker that died become lines (recover). All functions marked so must be called under the lock.

local ffi = require "ffi"
local complain = require "complain"
local lock = require "lock"
local process = require "process"

ffi.cdef [[
typedef struct { double pid, born; } gatehouse_owner_t;
typedef struct {
    volatile double used;     // 1 from the admission of the call until its line is committed
    double started;           // Unix seconds
    double length;            // of text
    char text[232];           // subscription, key, stage, operation, each with a space behind it
} gatehouse_slot_t;
typedef struct {
    char magic[32];
    char id[32];
    double segment;                // bytes of a file of lines
    volatile double committed;     // lines end here; counts on over all files
    volatile double allocated;     // files are there up to here
    volatile double in_flight;     // used slots
    volatile double writing;       // the slot whose line is just being written, from 1; 0 = none
    volatile double writing_end;   // where that line will end
    char rest[3984];
    gatehouse_owner_t owners[256];           // of the slots, 256 each
    gatehouse_slot_t slots[65536];
    char recent[8192];             // the newest bytes of lines: byte N of all lies at N % 8192
} gatehouse_journal_t;
]]

local C = ffi.C
local var, ngx_now, timer_at = ngx.var, ngx.now, ngx.timer.at
local floor, format, tonumber = math.floor, string.format, tonumber
local byte, sub = string.byte, string.sub
local copy, cast, fill, min = ffi.copy, ffi.cast, ffi.fill, math.min
local log_request = require("request_log").log
local raw_get, raw_set = require("raw").get, require("raw").set
local CHUNK, CHUNKS, TEXT = 256, 256, 232
local SPACE, DASH, NEWLINE = 32, 45, 10
local MSEC = 15          -- characters of "1763889123.456 "
local LINE = 1024        -- room that is kept free for each call in flight; no line is nearly as long
local LONGEST = 512
local RECENT = 8192      -- bytes; half of them are never just being written over
local PAGE = 4096
local MAGIC = "gatehouse usage journal 1\n"
local RETRY = 1          -- seconds between two tries to make a file

local journal = {}
local state                       -- the mapped state; nil = the journal cannot be used
local slot_of = ffi.new("int32_t[1]") -- as nginx's variable holds it
local slot_bytes, SLOT_BYTES = ffi.cast("char *", slot_of), ffi.sizeof(slot_of)
local free, top = {}, 0           -- slots of this worker that are not in use
local scratch = ffi.new("char[?]", LINE)
local base, mapped                -- the file of lines that is mapped, and its number
local tried_at, growing = 0, false

local function path_of(number)
    return format("%s/%012d.log", journal.folder, number)
end

-- Keeps a line that lies at `address` a second time, before it counts.
local function remember(start, address, length)
    local at = start % RECENT
    local first = min(length, RECENT - at)
    copy(state.recent + at, address, first)
    if first < length then
        copy(state.recent, address + first, length - first)
    end
end

-- Writes the newest lines again into a file that somebody had cut short at `held`. Until a page is needed that is not there
-- any more workers go on writing behind the file's end, in its last page, and the kernel wipes that whenever it likes.
local function restore(file, number, held)
    local from, to = number * state.segment + held, state.committed
    local whole = to - from <= PAGE
    for at = whole and from or to - PAGE, to - 1 do
        local character = state.recent[at % RECENT]
        if whole then
            file[at - number * state.segment] = character
        end
        whole = whole or character == NEWLINE
    end
end

-- Returns the address of a file of lines. A file that somebody has deleted is made anew. Under the lock.
local function segment(number)
    if number ~= mapped then
        if base then
            C.munmap(base, state.segment)
        end
        base, mapped = nil, nil
        local memory, held = process.map(path_of(number), state.segment)
        if not memory and process.make(path_of(number), state.segment) then
            memory, held = process.map(path_of(number), state.segment), 0
        end
        if not memory then
            return nil
        end
        base, mapped = cast("char *", memory), number
        if held < state.segment and floor(state.committed / state.segment) == number then
            restore(base, number, held)
        end
    end
    return base
end

-- Ends what a worker left that was killed while it wrote: its line counts from the moment `committed` is behind it.
local function settle()
    if state.committed >= state.writing_end then
        state.slots[state.writing - 1].used = 0
    end
    state.writing = 0
end

-- Returns where a line of this length starts and its address; nil when there is no room. Under the lock.
local function place(length)
    if state.writing ~= 0 then
        settle()
    end
    local start, size = state.committed, state.segment
    local offset = start % size
    if offset + length > size then
        -- The rest of the file stays empty; what a killed worker left there must not be read as a line.
        local last = segment(floor(start / size))
        if last and offset > 0 then
            fill(last + offset, size - offset)
        end
        start, offset = start - offset + size, 0
    end
    local file = start + length <= state.allocated and segment(floor(start / size))
    if file then
        return start, file + offset
    end
end

-- Writes the line of a slot's call and frees the slot. tail, size: the line without the slot's text. Under the lock.
local function append(index, tail, size)
    local slot = state.slots[index]
    local length = slot.length
    local start, address = place(length + size)
    if not start then
        return false
    end
    state.writing_end = start + length + size
    state.writing = index + 1
    copy(address, tail, MSEC)
    copy(address + MSEC, slot.text, length)
    copy(address + MSEC + length, tail + MSEC, size - MSEC)
    remember(start, address, length + size)
    state.committed = start + length + size
    slot.used = 0
    state.in_flight = state.in_flight - 1
    state.writing = 0
    return true
end

-- Writes the line of a call that was not admitted, unless there is only room for those that were. Under the lock.
local function append_text(text)
    local start, address = nil, nil
    if journal.has_room() then
        start, address = place(#text)
    end
    if start then
        copy(address, text, #text)
        remember(start, address, #text)
        state.committed = start + #text
    end
end

-- Makes the next file of lines; false when there may be no more, or the disk is full.
local function make_next()
    local size = state.segment
    local number = floor(state.allocated / size)
    local oldest = number - math.max(floor(journal.size / size), 2)
    if oldest >= 0 and process.exists(path_of(oldest)) then
        return false
    end
    return process.make(path_of(number), size) and number
end

local function announce(number)
    state.allocated = math.max(state.allocated, (number + 1) * state.segment)
end

local function wants_more()
    return state.allocated - state.committed <= state.segment + state.in_flight * LINE
end

-- Keeps a file ahead of the lines. May take milliseconds.
local function grow()
    growing = false
    while state and wants_more() do
        local number = make_next()
        if not number then
            tried_at = ngx_now()
            return
        end
        lock.with(announce, number)
    end
end

local function grow_soon()
    if not growing and ngx_now() - tried_at >= RETRY then
        growing = timer_at(0, grow)
    end
end

local function orphan(index)
    local started = state.slots[index].started
    local text = format("%.3f 500 0 0 0.000 - k -\n", started)
    return append(index, cast("const char *", text), #text)
end

-- Makes lines of the calls that dead workers were serving, and counts anew what is in flight. Under the lock.
local function recover()
    if state.writing ~= 0 then
        settle()
    end
    local total = 0
    for chunk = 0, CHUNKS - 1 do
        local owner = state.owners[chunk]
        if owner.pid ~= 0 then
            local alive = process.is_alive(owner.pid, owner.born)
            local left = 0
            for index = chunk * CHUNK, chunk * CHUNK + CHUNK - 1 do
                if state.slots[index].used ~= 0 and (alive or not orphan(index)) then
                    left = left + 1
                end
            end
            if not alive and left == 0 then
                owner.pid = 0
            end
            total = total + left
        end
    end
    state.in_flight = total
end

-- Takes 256 more slots for this worker. Under the lock.
local function claim()
    for chunk = 0, CHUNKS - 1 do
        local owner = state.owners[chunk]
        if owner.pid == 0 then
            owner.born = process.born
            owner.pid = process.pid
            for index = chunk * CHUNK, chunk * CHUNK + CHUNK - 1 do
                top = top + 1
                free[top] = index
            end
            return
        end
    end
end

-- Whether one more call can be admitted: each in flight has its room. Under the lock, or as a guess.
function journal.has_room()
    return state and state.committed + (state.in_flight + 2) * LINE <= state.allocated
end

-- Prepares a slot for a call; admit() makes it count. Returns nil when there is none. subscription and key: ids or "-";
-- route: stage and operation.
function journal.open(subscription, key, route)
    if top == 0 then
        if state then
            lock.with(claim)
        end
        if top == 0 then
            return nil
        end
    end
    local first, second, third = #subscription, #key, #route
    local length = first + second + third + 3 -- a space behind each
    if length > TEXT then
        return nil
    end
    local index = free[top]
    top = top - 1
    local slot = state.slots[index]
    local text = slot.text
    copy(text, subscription, first)
    text[first] = SPACE
    copy(text + first + 1, key, second)
    text[first + second + 1] = SPACE
    copy(text + first + second + 2, route, third)
    text[length - 1] = SPACE
    slot.length = length
    slot.started = ngx_now()
    return index
end

-- Puts a slot back whose call was not admitted.
function journal.close(index)
    top = top + 1
    free[top] = index
    if not journal.has_room() then
        grow_soon()
    end
end

-- From now on the call counts, whatever happens to the worker. Under the lock.
function journal.admit(index)
    state.slots[index].used = 1
    state.in_flight = state.in_flight + 1
end

-- Says in the call which slot it has; after admit().
function journal.tell(index)
    slot_of[0] = index
    raw_set("gatehouse_slot", slot_bytes, SLOT_BYTES)
end

-- nginx writes nothing for times that are not known.
local function whole(text)
    return byte(text, -2) == SPACE and sub(text, 1, -2) .. "-\n" or text
end

-- The same of the line without the slot's text, which is at most LINE characters. Returns its address and length.
local function whole_tail()
    local text, length = raw_get("gatehouse_tail")
    length = min(length, LINE - 1)
    copy(scratch, text, length)
    if scratch[length - 2] == SPACE then
        scratch[length - 1] = DASH
        length = length + 1
    end
    scratch[length - 1] = NEWLINE
    return scratch, length
end

-- The log phase of every call: its usage line, and its line of the request log.
journal.log = require("compiled").phase(function(real)
    if not real then
        return
    end
    local kept, length = raw_get("gatehouse_slot")
    if length == SLOT_BYTES then
        copy(slot_of, kept, SLOT_BYTES)
        local index = slot_of[0]
        if lock.with(append, index, whole_tail()) then
            top = top + 1
            free[top] = index
        else
            complain("no room for a usage line; it is written when this worker ends")
        end
    elseif state and var.gatehouse_logged ~= "0" then
        local text = whole(var.gatehouse_line)
        if #text <= LONGEST then
            lock.with(append_text, text)
        end
    end
    if state and wants_more() then
        grow_soon()
    end
    log_request()
end)

-- folder: of the journal, made by gateway/journal.py; size: bytes that all files of lines together may take.
function journal.init(folder, size)
    journal.folder, journal.size = folder, size
end

-- Begins in a worker.
function journal.start()
    local found = process.map(journal.folder .. "/state", ffi.sizeof("gatehouse_journal_t"))
    found = found and cast("gatehouse_journal_t *", found)
    if not found or ffi.string(found.magic, #MAGIC) ~= MAGIC then
        ngx.log(ngx.ERR, journal.folder, "/state cannot be used: no call will be served, because none could be counted")
        return
    end
    process.init()
    state = found
    grow()
    lock.with(recover)
    grow()
end

return journal
