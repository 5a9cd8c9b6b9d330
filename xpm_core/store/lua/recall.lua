#!lua
--[[ recall: jobs that are done, as their directories say: let them belong to an experiment. Others are left alone.

KEYS[1]    xpm:W:jobs  zset  every identity of the workspace
ARGV[1]    workspace id
ARGV[2]    experiment name
ARGV[...]  identity and the execution that its done marker names, for each job

Returns {cursor, ended_ms...}: the last event so far, and for each job when it ended; -1 unless that execution
        made it done: it has to be submitted
Invariant  changes no job.
Cost O(log n) a job. Safe to repeat: yes.
]]
-- include: clock events guard keys typed
local jobs_key = KEYS[1]
local w, experiment = unpack(ARGV)
local FIRST = 3
guard.type(jobs_key, 'zset')
typed.workspace(w)
guard.type(keys.experiment_jobs(w, guard.named('experiment', experiment)), 'zset')
local reply, now = { events.last(w) }, clock.now()
for i = FIRST, #ARGV, 2 do
  local key = keys.job(w, guard.named('identity', ARGV[i]))
  local known = redis.call('TYPE', key).ok == 'hash' and redis.call('HMGET', key, 'state', 'execution', 'ended')
  local same = known and known[1] == 'done' and known[2] == ARGV[i + 1]
  reply[#reply + 1] = same and tonumber(known[3] or '0') or -1
end
for i = FIRST, #ARGV, 2 do
  local known = reply[(i - FIRST) / 2 + 2] >= 0
  if known then redis.call('ZADD', keys.experiment_jobs(w, experiment), 'NX', now, ARGV[i]) end
end
return reply
