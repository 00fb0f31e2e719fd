-- Ids of calls, in the form of a UUID: 72 random bits that a worker draws when it starts, and a counter. Cheaper than
-- nginx's own, which draws random bytes for each call; that one ($request_id) is for calls that never reach Lua.

local ffi = require "ffi"
local set = require("raw").set

local format, byte, band, rshift = string.format, string.byte, bit.band, bit.rshift
local HEX = ffi.new("char[17]", "0123456789abcdef")
local BLOCK = 65536
local LENGTH, FIXED = 36, 32 -- characters, and those that stay for BLOCK ids

local request_id = {}
local prefix, high, low = nil, 0, BLOCK
local text = ffi.new("char[?]", LENGTH)

-- Draws the worker's own part. Every worker must do it for itself.
function request_id.start()
    local file = assert(io.open("/dev/urandom", "rb"))
    local bytes = { byte(file:read(13), 1, 13) }
    file:close()
    local drawn = ""
    for index = 1, 9 do
        drawn = drawn .. format("%02x", bytes[index])
    end
    prefix = format("%s-%s-4%s-8%s-", drawn:sub(1, 8), drawn:sub(9, 12), drawn:sub(13, 15), drawn:sub(16, 18))
    high = ((bytes[10] * 256 + bytes[11]) * 256 + bytes[12]) * 256 + bytes[13]
    low = BLOCK
end

-- Gives the call at hand an id of its own.
function request_id.give()
    if low >= BLOCK then
        high = (high + 1) % 2 ^ 32
        low = 0
        ffi.copy(text, prefix .. format("%08x", high), FIXED)
    end
    local number = low
    low = number + 1
    text[FIXED] = HEX[rshift(number, 12)]
    text[FIXED + 1] = HEX[band(rshift(number, 8), 15)]
    text[FIXED + 2] = HEX[band(rshift(number, 4), 15)]
    text[FIXED + 3] = HEX[band(number, 15)]
    set("gatehouse_request_id", text, LENGTH)
end

return request_id
