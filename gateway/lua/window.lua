-- The calendar windows of quotas, in UTC, for when the control plane has not told the window.

local floor, date = math.floor, os.date
local DAY = 86400

local window = {}

local function days_of(year, month)
    if month == 2 then
        local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
        return leap and 29 or 28
    end
    return (month == 4 or month == 6 or month == 9 or month == 11) and 30 or 31
end

-- Returns start and end (Unix seconds) of the DAY, WEEK (from Monday) or MONTH that holds `now`.
function window.of(period, now)
    local days = floor(now / DAY)
    if period == "DAY" then
        return days * DAY, (days + 1) * DAY
    elseif period == "WEEK" then
        local monday = days - (days + 3) % 7
        return monday * DAY, (monday + 7) * DAY
    end
    local parts = date("!*t", now)
    local first = days - (parts.day - 1)
    return first * DAY, (first + days_of(parts.year, parts.month)) * DAY
end

return window
