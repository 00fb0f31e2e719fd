-- Compression for stages that ask for it: of answers from a size on (nginx's gzip does the work, this says when),
-- and of request bodies, which the backend gets unpacked.

local complain = require "complain"
local given = require "given"
local zlib = require "zlib"

local ngx = ngx
local var, header = ngx.var, ngx.header
local find, lower = string.find, string.lower
local clear_header = ngx.req.clear_header
local IN_MEMORY = 65536 -- bytes; client_body_buffer_size

local PACKED = { gzip = true, ["x-gzip"] = true, deflate = true }

local compress = {}

-- max_body: bytes.
function compress.init(max_body)
    compress.max_body = max_body
    zlib.init()
end

-- Tells whether the call's body is to be unpacked.
function compress.is_packed(call)
    local encoding = call.operation.inflates and var.http_content_encoding
    return encoding and PACKED[lower(encoding)]
end

local function read_body()
    ngx.req.read_body()
    local text, path = ngx.req.get_body_data(), ngx.req.get_body_file()
    if text or not path then
        return text or ""
    end
    local file = assert(io.open(path, "rb"))
    text = file:read("*a")
    file:close()
    return text
end

-- A small body stays in memory, a larger one is written to disk as any that is kept: many of them at once must not take
-- the machine's memory.
local function replace_body(text, size, form)
    if size <= IN_MEMORY then
        local parts = {}
        if form then
            zlib.unpack(text, form, function(part) parts[#parts + 1] = part end)
        end
        return ngx.req.set_body_data(table.concat(parts))
    end
    ngx.req.init_body(IN_MEMORY)
    zlib.unpack(text, form, ngx.req.append_body)
    ngx.req.finish_body()
end

-- Unpacks the call's body. Returns the verdict that refuses it, or nil. Yields.
function compress.unpack(call)
    local text = read_body()
    local size, form = 0, nil
    if text ~= "" then
        local policy = call.operation.policy
        size, form = zlib.measure(text, given(policy and policy.max_body) or compress.max_body)
    end
    if not size then
        return form == zlib.TOO_LARGE and "REQUEST_TOO_LARGE" or "BAD_REQUEST"
    end
    local ok, trouble = pcall(replace_body, text, size, form)
    if not ok then
        complain("an unpacked body cannot be written: ", trouble)
        return "API_CONFIGURATION_ERROR"
    end
    clear_header("Content-Encoding")
end

local function add_vary()
    local vary = header["Vary"]
    if type(vary) == "table" then
        vary = table.concat(vary, ", ")
    end
    if not vary or vary == "" then
        header["Vary"] = "Accept-Encoding"
    elseif vary ~= "*" and not find(lower(vary), "accept-encoding", 1, true) then
        header["Vary"] = vary .. ", Accept-Encoding"
    end
end

-- The header filter, before nginx's gzip filter, which packs for clients whose Accept-Encoding says gzip. A length that
-- is not known counts as large. Server-sent events are never packed: gzip would hold them back.
function compress.answer(call)
    local from = call.operation.compress_from
    local kind = from and header["Content-Type"] or ""
    if from and not find(kind, "text/event-stream", 1, true) then
        add_vary()
        local length = tonumber(header["Content-Length"])
        if not length or length >= from then
            if call.accepts then
                ngx.req.set_header("Accept-Encoding", call.accepts)
            end
            return
        end
    end
    clear_header("Accept-Encoding")
end

return compress
