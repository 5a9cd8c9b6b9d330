#!lua flags=no-writes
--[[ rights: which commands the user of this connection may not call.

ARGV[...]  commands, each with its arguments, separated by spaces

Returns {number...}: the places in ARGV of those that are refused, or that the server does not know
Invariant  nothing is called, and nothing written.
Cost O(commands). Safe to repeat: yes.
]]
local refused = {}
for place, command in ipairs(ARGV) do
  local words = {}
  for word in string.gmatch(command, '%S+') do
    words[#words + 1] = word
  end
  local known, allowed = pcall(redis.acl_check_cmd, unpack(words))
  if not (known and allowed) then refused[#refused + 1] = place end
end
return refused
