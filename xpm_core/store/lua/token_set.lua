#!lua
--[[ token_set: create a token, or set how many units it has.

KEYS[1]  xpm:token:NAME  hash  capacity, used, scope, units, env, created
ARGV[1]  name
ARGV[2]  units, integer of at least 1
ARGV[3]  scope of a new token: server or host
ARGV[4]  1 if units are numbered, else 0
ARGV[5]  variable that names the units to a job; empty if there is none

Returns {code, capacity before}
   1  CREATED  there was none
   2  RESIZED  it has ARGV[2] units now
   3  SAME     it had as many before
  -1  OTHER    it exists with another scope or numbering; nothing changed
Invariant  0 <= used; used may exceed a lowered capacity until holders finish.
Cost O(lines of the queues that ask for it). Safe to repeat: yes.
]]
-- include: clock guard keys typed wake
local token_key = KEYS[1]
local name, capacity, scope, units, env = unpack(ARGV)
guard.type(token_key, 'hash')
guard.named('token', name)
guard.integer('capacity', capacity, 1)
guard.one_of('scope', scope, { server = true, host = true })
guard.one_of('units', units, { ['0'] = true, ['1'] = true })
typed.token(name)
local now = clock.now()
local known = redis.call('HMGET', token_key, 'capacity', 'scope', 'units')
if not known[1] then
  redis.call('HSET', token_key, 'capacity', capacity, 'scope', scope, 'units', units, 'env', env, 'created', now)
  redis.call('SADD', keys.tokens, name)
  return { 1, 0 }
end
if known[2] ~= scope or known[3] ~= units then return { -1, tonumber(known[1]) } end
if tonumber(known[1]) == tonumber(capacity) then return { 3, tonumber(known[1]) } end
redis.call('HSET', token_key, 'capacity', capacity)
wake.tokens(name .. '=1', now)
return { 2, tonumber(known[1]) }
