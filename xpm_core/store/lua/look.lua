#!lua flags=allow-oom
--[[ look: do what is due, and return which queues have workers. A waiting script calls it now and then.

KEYS[1]  xpm:W:queues  set  queue names
ARGV[1]  workspace id
ARGV[2]  lease in ms

Returns {more, ready, delayed, running, ended, {queue, ready jobs, workers, pause}...}
   more is 1 while some dependents do not know yet what became of a job: call again. workers counts the living ones;
   it is 0 if jobs are ready and all workers of the queue leave. pause is its JSON; empty if it is not paused.
   ended as in claim.lua.
Invariant  there is no reaper: every caller does what is due.
Cost O(queues + lines + workers that leave), and what is due. Safe to repeat: yes.
]]
-- include: clock executions guard keys pauses typed
local queues_key = KEYS[1]
local w, lease_ms = unpack(ARGV)
guard.type(queues_key, 'set')
typed.workspace(w)
guard.integer('lease', lease_ms, 1)
local now = clock.now()
local more = executions.tend(w, now, tonumber(lease_ms))
local open = redis.call('HMGET', keys.counts(w), 'ready', 'delayed', 'running')
local reply = { more and 1 or 0, tonumber(open[1] or 0), tonumber(open[2] or 0), tonumber(open[3] or 0),
  executions.ended() }
-- How many living workers serve a queue: 0 if each of them only finishes its job.
local function served(queue)
  local list = redis.call('ZRANGEBYSCORE', keys.serving(w, queue), now, '+inf')
  for _, worker in ipairs(list) do
    if redis.call('HEXISTS', keys.worker(w, worker), 'leaving') == 0 then return #list end
  end
  return 0
end
for _, queue in ipairs(redis.call('SMEMBERS', queues_key)) do
  local ready = 0
  for _, demand in ipairs(redis.call('ZRANGE', keys.lines(w, queue), 0, -1)) do
    ready = ready + redis.call('ZCARD', keys.line(w, queue, demand))
  end
  redis.call('ZREMRANGEBYSCORE', keys.serving(w, queue), '-inf', now - 3600000)
  local workers = ready > 0 and served(queue) or redis.call('ZCOUNT', keys.serving(w, queue), now, '+inf')
  reply[#reply + 1] = { queue, ready, workers, pauses.said(w, queue) or '' }
end
return reply
