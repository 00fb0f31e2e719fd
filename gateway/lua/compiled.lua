-- Has LuaJIT compile each phase of a call as one piece.
--
-- Left alone, LuaJIT compiles the small functions that a call uses often before the phases that use them, and then
-- cannot put these together: most of a call would be interpreted. So the compiler rests while a worker is young, is
-- switched on for one call of each phase, at its first instruction, and stays on when all phases are compiled.

local YOUNG = 200   -- calls of a phase before it is compiled: by then most look-ups are remembered
local AGAIN = 20    -- calls between two tries

local OTHERS = 2000 -- calls of other work, while phases are waited for, after which that is compiled as it comes

local compiled = {}
local waiting = 0
local others, open = 0, false
local trying -- the phase whose call is being compiled

local function rest()
    jit.opt.start("hotloop=56")
    if waiting > 0 then
        jit.off()
    end
    trying = nil
end

local function try(phase)
    trying = phase
    jit.opt.start("hotloop=1") -- the second call of a function is compiled while it runs
    jit.on()
    phase.work(false)
    phase.work(true)
    if trying == phase then -- it did not yield, and it was not refused
        phase.young = -1
        waiting = waiting - 1
        rest()
    end
end

-- Returns a function that does the work of a phase. work(true) does it, work(false) must return at once.
function compiled.phase(work)
    local phase = { work = work, young = YOUNG }
    waiting = waiting + 1
    return function()
        if trying then
            trying.young = AGAIN
            rest()
        end
        local young = phase.young
        if young >= 0 then
            if open then -- begin anew: what was compiled meanwhile would stand in the way
                open = false
                jit.flush()
                jit.off()
            end
            phase.young = young - 1
            if young == 0 then
                return try(phase)
            end
        end
        return work(true)
    end
end

-- Work that is no phase begins. A node that does only that (it verifies keys and proxies nothing) would wait for its
-- phases for ever, and interpret everything.
function compiled.other()
    if waiting == 0 or open or trying then
        return
    end
    others = others + 1
    if others == OTHERS then
        others, open = 0, true
        jit.on()
    end
end

-- Ends a piece of code that would be too long for the compiler: what follows is compiled by itself. Any function of
-- Lua's library would do that the compiler cannot compile. So stands before work that is done once for each entry or
-- operation: the call by which a phase is compiled may be one that does it.
compiled.cut = io.type

-- Begins in a worker. A call is long, so the compiler's usual limits do not do.
function compiled.start()
    jit.opt.start("maxrecord=20000", "maxirconst=4000", "maxsnap=3000", "maxtrace=4000", "maxside=200", "maxmcode=16384", "loopunroll=200", "instunroll=20", "callunroll=20")
    jit.off()
end

return compiled
