#!lua
--[[ open_run: begin a run of an experiment's script.

KEYS[1]  xpm:W:experiments  zset  name -> when its last run began, ms
ARGV[1]  workspace id
ARGV[2]  experiment name
ARGV[3]  run id, made by the caller
ARGV[4]  facts to show, as JSON: host, pid, user, script, directory

Returns {started_ms, cursor, jobs}: the server's time; the id of the last event so far; how many jobs the
        experiment has from earlier runs
Invariant  the server's clock says when a run began.
Cost O(1). Safe to repeat: yes, with the same run id.
]]
-- include: clock events guard typed
local experiments_key = KEYS[1]
local w, name, run, about = unpack(ARGV)
guard.type(experiments_key, 'zset')
typed.workspace(w)
guard.named('experiment', name)
local now, hash = clock.now(), keys.experiment(w, name)
guard.type(hash, 'hash')
guard.type(keys.experiment_jobs(w, name), 'set')
local before = redis.call('HMGET', hash, 'run', 'started', 'cursor')
local started, cursor = now, events.last(w)
if before[1] == run then
  started, cursor = tonumber(before[2]), before[3]
else
  redis.call('HSET', hash, 'run', run, 'started', started, 'cursor', cursor, 'about', about)
  redis.call('HSETNX', hash, 'created', now)
  redis.call('ZADD', experiments_key, started, name)
end
return { started, cursor, redis.call('SCARD', keys.experiment_jobs(w, name)) }
