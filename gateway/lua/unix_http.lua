-- A small HTTP client for the sockets of the agent and the runtime, which answer with a Content-Length.

local tcp = ngx.socket.tcp

local unix_http = {}

local function read_answer(socket)
    local line = socket:receive("*l")
    local status = line and tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
    local length
    while status do
        local header = socket:receive("*l")
        if not header then
            return nil
        elseif header == "" then
            break
        end
        length = tonumber(header:lower():match("^content%-length:%s*(%d+)")) or length
    end
    return status, status and length and socket:receive(length)
end

-- Posts JSON to `unix:…`; each step may take `seconds`. Returns status and body, nil when nobody answers. Yields.
function unix_http.post(address, path, body, seconds)
    local socket = tcp()
    socket:settimeouts(seconds * 1000, seconds * 1000, seconds * 1000)
    if not socket:connect(address) then
        return nil
    end
    local status, text
    if socket:send("POST " .. path .. " HTTP/1.1\r\nHost: node\r\nContent-Type: application/json\r\nConnection: close\r\n"
        .. "Content-Length: " .. #body .. "\r\n\r\n" .. body) then
        status, text = read_answer(socket)
    end
    socket:close()
    return status, text
end

return unix_http
