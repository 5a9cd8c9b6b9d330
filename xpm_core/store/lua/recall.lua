#!lua
--[[ recall: jobs that are done, as their directories say: let them belong to an experiment. Others are left alone.

KEYS[1]    xpm:W:experiment:NAME:jobs  set  identities of the experiment's jobs
ARGV[1]    workspace id
ARGV[...]  identity and the execution that its done marker names, for each job

Returns {cursor, ended_ms...}: the last event so far, and for each job when it ended; -1 unless that execution
        made it done: it has to be submitted
Invariant  changes no job.
Cost O(1) a job. Safe to repeat: yes.
]]
-- include: events guard keys typed
local experiment_key = KEYS[1]
local w = unpack(ARGV)
local FIRST = 2
guard.type(experiment_key, 'set')
typed.workspace(w)
local reply = { events.last(w) }
for i = FIRST, #ARGV, 2 do
  local key = keys.job(w, guard.named('identity', ARGV[i]))
  local known = redis.call('TYPE', key).ok == 'hash' and redis.call('HMGET', key, 'state', 'execution', 'ended')
  local same = known and known[1] == 'done' and known[2] == ARGV[i + 1]
  reply[#reply + 1] = same and tonumber(known[3] or '0') or -1
end
for i = FIRST, #ARGV, 2 do
  local known = reply[(i - FIRST) / 2 + 2] >= 0
  if known then redis.call('SADD', experiment_key, ARGV[i]) end
end
return reply
