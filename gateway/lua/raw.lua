-- A variable of nginx as nginx holds it: no Lua string is made of a text that is only copied on. Lua looks for each new
-- text among all that it has, and for room to keep it: with many keys neither is in the processor's caches.

local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.var"

local C = ffi.C
local value, length, problem = ffi.new("char *[1]"), ffi.new("size_t[1]"), base.get_errmsg_ptr()
local PROBLEM = 256 -- bytes
local get_request, get_string_buf = base.get_request, base.get_string_buf
local tonumber = tonumber

local raw = {}

-- Returns the address of a variable's text, valid as long as the request, and its length.
function raw.get(name)
    local code = C.ngx_http_lua_ffi_var_get(
        get_request(), name, #name, get_string_buf(#name), 0, value, length, problem
    )
    if code ~= 0 then
        error("no variable " .. name)
    end
    return value[0], tonumber(length[0])
end

-- Gives a variable the text at an address, which nginx copies.
function raw.set(name, address, size)
    local scratch = get_string_buf(#name + PROBLEM)
    length[0] = PROBLEM
    local code = C.ngx_http_lua_ffi_var_set(
        get_request(), name, #name, scratch, address, size, scratch + #name, length
    )
    if code ~= 0 then
        error("variable " .. name .. " cannot be set")
    end
end

return raw
