-- Judges the policy of a Lambda authorizer for a method's ARN. Pure.
--
-- A path can be spelt in many ways, so it is judged in one form, `canonical`: what is percent-encoded is decoded, but
-- for slashes, percent signs and bytes that are not printable ASCII. A denial also holds where it matches the path as
-- decoded as can be: no other spelling is a way around it.

local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub
local STAR, ANY = byte("*"), byte("?")

local invoke_policy = {}

local function decode(digits)
    return string.char(tonumber(digits, 16))
end

local function encode(character)
    return format("%%%02X", byte(character))
end

local function decode_plain(digits)
    local character = decode(digits)
    if find(character, "^[ -~]$") and character ~= "/" and character ~= "%" then
        return character
    end
    return "%" .. digits:upper()
end

-- The path (without its first slash) in the form in which it is judged and told to authorizers.
function invoke_policy.canonical(path)
    return (gsub(gsub(path, "%%(%x%x)", decode_plain), "[^ -~]", encode))
end

-- Whether a text matches a pattern with `*` (any text) and `?` (one character). Never slower than the product of lengths.
local function matches(pattern, text)
    local at, from, star, mark = 1, 1, nil, nil
    while from <= #text do
        local wanted = byte(pattern, at)
        if wanted == STAR then
            star, mark = at, from
            at = at + 1
        elseif wanted and (wanted == ANY or wanted == byte(text, from)) then
            at, from = at + 1, from + 1
        elseif star then
            mark = mark + 1
            at, from = star + 1, mark
        else
            return false
        end
    end
    return not find(sub(pattern, at), "[^*]")
end

local function matches_one(patterns, text)
    for index = 1, #patterns do
        if matches(patterns[index], text) then
            return true
        end
    end
    return false
end

-- start: the ARN up to the path. path: canonical. Returns "allow", "deny" (by a statement) or "silent".
function invoke_policy.judge(statements, start, path)
    local decoded = gsub(path, "%%(%x%x)", decode)
    local plain = gsub(gsub(decoded, "//+", "/"), "/$", "")
    local spellings = { start .. path, start .. decoded, start .. plain }
    local verdict = "silent"
    for index = 1, #statements do
        local statement = statements[index]
        if statement.allow then
            if matches_one(statement.resources, spellings[1]) ~= statement.others then
                verdict = "allow"
            end
        else
            for spelling = 1, #spellings do
                if matches_one(statement.resources, spellings[spelling]) ~= statement.others then
                    return "deny"
                end
            end
        end
    end
    return verdict
end

return invoke_policy
