-- An access log's format, from text to pieces.

local given = require "given"

local find, gsub, sub = string.find, string.gsub, string.sub

local log_format = {}

-- Whether a position after `text` lies within a JSON string.
local function in_quotes(text, inside)
    for _ in gsub(text, "\\.", ""):gmatch('"') do
        inside = not inside
    end
    return inside
end

-- text: the stage's `access_log`. Returns a list of texts and of variables {name, bare}, nil when there is no format.
-- bare: not within quotes of a JSON format, so the value must be JSON by itself.
function log_format.prepare(text)
    text = given(text)
    if not text or text == "" then
        return nil
    end
    text = gsub(text, "%c", " ")
    local pieces, at, inside = {}, 1, false
    local json = find(text, "^%s*[{%[]") ~= nil
    while true do
        local from, to, name = find(text, "%$context%.([%w_.-]*[%w_])", at)
        local plain = sub(text, at, (from or 0) - 1)
        inside = in_quotes(plain, inside)
        pieces[#pieces + 1] = plain
        if not from then
            return pieces
        end
        pieces[#pieces + 1] = { name = name, bare = json and not inside }
        at = to + 1
    end
end

return log_format
