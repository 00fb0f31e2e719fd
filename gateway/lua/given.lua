-- JSON's null is nil here.

local null = require("cjson.safe").null

return function(value)
    if value ~= null then
        return value
    end
end
