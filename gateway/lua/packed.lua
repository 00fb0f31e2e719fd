-- C structs in shared memory, read and written in place: ngx.shared would make a Lua string of each, which costs more
-- than the look-up itself. Calls the functions that resty.core declares.

local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.shdict"

local C = ffi.C
local STRING, SAFE = 4, 4 -- LUA_TSTRING; never evict
local value_type, flags, stale, forcible = ffi.new("int[1]"), ffi.new("int[1]"), ffi.new("int[1]"), ffi.new("int[1]")
local number, length = ffi.new("double[1]"), ffi.new("size_t[1]")
local buffer = ffi.new("unsigned char *[1]")
local problem = base.get_errmsg_ptr()

local packed = {}

-- shared: one of ngx.shared; type: the struct. Returns read(name, struct), which tells whether the struct was there and
-- has filled it, and write(name, struct), which returns true, or false and the problem. Nothing is evicted for it.
function packed.of(shared, type)
    local zone = C.ngx_http_lua_ffi_shdict_udata_to_zone(shared[1])
    local size = ffi.sizeof(type)

    local function read(name, struct)
        local place = ffi.cast("unsigned char *", struct)
        buffer[0], length[0] = place, size
        local code = C.ngx_http_lua_ffi_shdict_get(
            zone, name, #name, value_type, buffer, length, number, flags, 0, stale, problem
        )
        if buffer[0] ~= place then
            C.free(buffer[0]) -- it was too long for the struct
            return false
        end
        return code == 0 and value_type[0] == STRING and length[0] == size
    end

    local function write(name, struct)
        local code = C.ngx_http_lua_ffi_shdict_store(
            zone, SAFE, name, #name, STRING, ffi.cast("const unsigned char *", struct), size, 0, 0, 0, problem, forcible
        )
        if code == 0 then
            return true
        end
        return false, ffi.string(problem[0])
    end

    return read, write
end

return packed
