-- Ids of calls, in the form of a UUID: 72 random bits that a worker draws when it starts, and a counter. Cheaper than
-- nginx's own, which draws random bytes for each call; that one ($request_id) is for calls that never reach Lua.

local floor, format, byte = math.floor, string.format, string.byte
local HEX = {}
for value = 0, 255 do
    HEX[value] = format("%02x", value)
end
local BLOCK = 65536

local request_id = {}
local prefix, block, high, low = nil, "", 0, BLOCK

-- Draws the worker's own part. Every worker must do it for itself.
function request_id.start()
    local file = assert(io.open("/dev/urandom", "rb"))
    local bytes = { byte(file:read(13), 1, 13) }
    file:close()
    local text = ""
    for index = 1, 9 do
        text = text .. HEX[bytes[index]]
    end
    prefix = format("%s-%s-4%s-8%s-", text:sub(1, 8), text:sub(9, 12), text:sub(13, 15), text:sub(16, 18))
    high = ((bytes[10] * 256 + bytes[11]) * 256 + bytes[12]) * 256 + bytes[13]
    low = BLOCK
end

-- Returns another id at each call.
function request_id.next()
    if low >= BLOCK then
        high = (high + 1) % 2 ^ 32
        block, low = prefix .. format("%08x", high), 0
    end
    local number = low
    low = number + 1
    return block .. HEX[floor(number / 256)] .. HEX[number % 256]
end

return request_id
