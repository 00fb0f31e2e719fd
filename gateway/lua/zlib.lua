-- Unpacks what was packed by gzip or deflate (zlib, or raw as some clients send it), up to a limit, block by block: what
-- is ten thousand bytes packed may be ten millions.

local ffi = require "ffi"

ffi.cdef [[
typedef struct {
    const unsigned char *next_in;
    unsigned int avail_in;
    unsigned long total_in;
    unsigned char *next_out;
    unsigned int avail_out;
    unsigned long total_out;
    const char *msg;
    void *state;
    void *zalloc;
    void *zfree;
    void *opaque;
    int data_type;
    unsigned long adler;
    unsigned long reserved;
} gatehouse_z_stream_t;
const char *zlibVersion(void);
int inflateInit2_(gatehouse_z_stream_t *stream, int window_bits, const char *version, int size);
int inflate(gatehouse_z_stream_t *stream, int flush);
int inflateReset(gatehouse_z_stream_t *stream);
int inflateEnd(gatehouse_z_stream_t *stream);
]]

local library
local OK, END, NO_FLUSH = 0, 1, 0
local ZLIB_OR_GZIP, RAW = 15 + 32, -15
local BLOCK = 65536

local zlib = { TOO_LARGE = "too large", BROKEN = "broken" }

-- Loads zlib. nginx itself needs it, so it is there.
function zlib.init()
    library = library or ffi.load("libz.so.1")
end

local function run(stream, text, limit, take)
    local block, size = ffi.new("unsigned char[?]", BLOCK), 0
    stream.next_in, stream.avail_in = text, #text
    while true do
        stream.next_out, stream.avail_out = block, BLOCK
        local result = library.inflate(stream, NO_FLUSH)
        if result ~= OK and result ~= END then
            return nil, zlib.BROKEN
        end
        local made = BLOCK - stream.avail_out
        size = size + made
        if size > limit then
            return nil, zlib.TOO_LARGE
        elseif take and made > 0 then
            take(ffi.string(block, made))
        end
        if result == END then
            if stream.avail_in == 0 then
                return size
            end
            library.inflateReset(stream) -- gzip allows several members one after another
        elseif made == 0 and stream.avail_in == 0 then
            return nil, zlib.BROKEN -- the end is missing
        end
    end
end

local function unpack_as(window_bits, text, limit, take)
    local stream = ffi.new("gatehouse_z_stream_t")
    if library.inflateInit2_(stream, window_bits, library.zlibVersion(), ffi.sizeof(stream)) ~= OK then
        return nil, zlib.BROKEN
    end
    local ok, size, problem = pcall(run, stream, text, limit, take)
    library.inflateEnd(stream)
    if not ok then
        error(size, 0) -- take() failed
    end
    return size, problem
end

-- Looks how a text is packed. Returns the number of bytes that it unpacks to, and the form for zlib.unpack(); or nil and
-- TOO_LARGE (more than `limit` bytes) or BROKEN.
function zlib.measure(text, limit)
    local size, problem = unpack_as(ZLIB_OR_GZIP, text, limit)
    if problem ~= zlib.BROKEN then
        return size, problem or ZLIB_OR_GZIP
    end
    size, problem = unpack_as(RAW, text, limit)
    return size, problem or RAW
end

-- Unpacks a text that was measured, to take(part) for each part.
function zlib.unpack(text, form, take)
    unpack_as(form, text, math.huge, take)
end

return zlib
