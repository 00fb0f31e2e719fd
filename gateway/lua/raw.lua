-- A variable of nginx as nginx holds it: no Lua string is made of a text that is only copied on.

local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.var"

local C = ffi.C
local value, length, problem = ffi.new("char *[1]"), ffi.new("size_t[1]"), base.get_errmsg_ptr()
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

return raw
