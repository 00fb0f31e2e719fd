-- Makes a secret unreadable in the request as nginx holds it, so that no error that nginx logs later can tell it.

local ffi = require "ffi"
local base = require "resty.core.base"
require "resty.core.var"

local C = ffi.C
local find, to_string, fill = string.find, ffi.string, ffi.fill
local STAR = 42
local PLACES = { "request", "request_uri", "args" } -- in HTTP/1 the same bytes, in HTTP/2 not
local value, length = ffi.new("unsigned char *[1]"), ffi.new("size_t[1]")
local problem = base.get_errmsg_ptr()

local blank = {}

local function wipe(request, name, text)
    local lower = base.get_string_buf(#name)
    -- These variables point to what nginx itself logs; they are no copies.
    if C.ngx_http_lua_ffi_var_get(request, name, #name, lower, 0, value, length, problem) ~= 0 then
        return
    end
    local size = tonumber(length[0])
    local from, to = find(to_string(value[0], size), text, 1, true)
    while from do
        fill(value[0] + from - 1, to - from + 1, STAR)
        from, to = find(to_string(value[0], size), text, 1, true)
    end
end

-- Overwrites each occurrence of a secret (not of stars alone) in the request line and the URL.
function blank.url(text)
    local request = base.get_request()
    for index = 1, #PLACES do
        wipe(request, PLACES[index], text)
    end
end

return blank
