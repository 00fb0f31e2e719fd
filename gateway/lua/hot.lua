-- Where keys and operations keep what every call reads of them: in the array part of their tables, which lies beside the
-- table's head. There may be so many of both that each line of memory is out of the processor's caches, and the fields of
-- a table's hash part lie in as many lines as are read.

local hot = {
    -- of a key (prepare.key): its id and limits (key_limits.lua; false = none), and what it opened last, by which version
    -- of the entries (key.opens)
    KEY_ID = 1,
    LIMITS = 2,
    FOUND_AT = 3,
    STAGE = 4,
    SUBSCRIPTION = 5,
    PLAN = 6,
    -- of an operation (prepare.operation): what its usage line names, what it has in common with others, the pieces of
    -- its path at the backend and its token bucket (false = none)
    ROUTE = 1,
    KIND = 2,
    PATH = 3,
    BUCKET = 4,
}

return hot
