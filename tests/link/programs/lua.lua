local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i * i) end end)
local good, message = pcall(error, "caught")
table.sort({3, 1, 2})
print(fib(20), co() + co() + co(), ("linkfs"):gsub("f", "F"))
print(good, message, math.floor(2.7), #string.rep("x", 100))
