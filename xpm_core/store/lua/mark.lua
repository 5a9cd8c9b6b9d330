#!lua
--[[ mark: note the mark that a worker's daemon has written into its workspace, as the worker reads it there.

KEYS[1]  xpm:W:workers  zset  name -> alive until, ms
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  the mark, JSON

Returns 1 if it was noted, 0 if the worker is not registered
Invariant  makes no worker: the mark goes with the rest of its hash.
Cost O(1). Safe to repeat: yes.
]]
-- include: guard keys
local workers_key = KEYS[1]
local w, name, mark = unpack(ARGV)
guard.type(workers_key, 'zset')
guard.named('mark', mark)
local hash = keys.worker(guard.named('workspace', w), guard.named('worker', name))
guard.type(hash, 'hash')
if redis.call('EXISTS', hash) == 0 then return 0 end
redis.call('HSET', hash, 'mark', mark)
return 1
