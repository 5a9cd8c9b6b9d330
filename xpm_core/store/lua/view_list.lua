#!lua
--[[ view_list: compare the list of one of RQ's queues with the ready jobs, and write it anew if asked.

KEYS[1]  xpm:W:queues  set  names of queues
ARGV[1]  workspace id
ARGV[2]  queue; one that xpm does not know has no jobs
ARGV[3]  1 to write it anew if it is wrong, 0 to look only

Returns 1 if it was wrong, else 0
Invariant  changes no job.
Cost O(n log n) with n ready jobs. Safe to repeat: yes.
]]
-- include: guard keys rewrite typed
local queues_key = KEYS[1]
local w, queue, repair = unpack(ARGV)
guard.type(queues_key, 'set')
typed.workspace(w)
typed.queue(w, guard.named('queue', queue))
guard.one_of('repair', repair, { ['0'] = true, ['1'] = true })
local list, stale, missing = keys.rq_queue(w, queue), keys.view_stale(w, queue), keys.view_missing(w, queue)
local demands = redis.call('ZRANGE', keys.lines(w, queue), 0, -1)
for _, demand in ipairs(demands) do guard.type(keys.line(w, queue, demand), 'zset') end

local ready, open = {}, {} -- the ready jobs; and as a set, those that are still to be found
for _, demand in ipairs(demands) do
  local flat = redis.call('ZRANGE', keys.line(w, queue, demand), 0, -1, 'WITHSCORES')
  for i = 1, #flat, 2 do
    local id = keys.rq_id(w, flat[i])
    ready[#ready + 1], open[id] = { id = id, order = tonumber(flat[i + 1]) }, true
  end
end
table.sort(ready, function(a, b) return a.order < b.order end)

local function listed(name, key)
  for _, each in ipairs(redis.call('SMEMBERS', key)) do
    if each == name then return true end
  end
  return false
end

local function is_right()
  local found = redis.call('TYPE', list).ok
  if found ~= 'list' then return found == 'none' and #ready == 0 end
  local shown, late = redis.call('LRANGE', list, 0, -1), {}
  if #shown ~= #ready or redis.call('TYPE', keys.rq_queues).ok ~= 'set' then return false end
  for _, id in ipairs(redis.call('SMEMBERS', stale)) do late[id] = true end
  for _, id in ipairs(redis.call('SMEMBERS', missing)) do shown[#shown + 1] = id end
  for _, id in ipairs(shown) do
    if not late[id] and not open[id] then return false end
    open[id] = late[id] and open[id] or nil
  end
  return next(open) == nil and listed(list, keys.rq_queues)
end

local known = listed(queue, queues_key)
if is_right() and known then return 0 end
if repair == '1' then
  redis.call('DEL', list, stale, missing)
  for _, each in ipairs(ready) do redis.call('RPUSH', list, each.id) end
  local shown = rewrite.sound(keys.rq_queues, 'set')
  if known then redis.call('SADD', shown, list) else redis.call('SREM', shown, list) end
end
return 1
