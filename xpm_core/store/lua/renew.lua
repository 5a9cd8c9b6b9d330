#!lua flags=allow-oom
--[[ renew: a worker's heartbeat, which also renews the lease of the job that it runs.

KEYS[1]  xpm:W:leases  zset  identity -> end of its lease, ms
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  host of the worker
ARGV[4]  lease in ms
ARGV[5]  queue names joined by commas
ARGV[6]  identity of the job that it runs; empty if it is idle
ARGV[7]  execution id; empty if it is idle
ARGV[8]  now, in the form of RQ's dates (RQ's tools show it; it decides nothing)
ARGV[9]  1 if the worker leaves once its job has ended, and not because of an order, else 0

Returns {code, registered, more, order, ended}
   1  RENEWED  the lease runs for ARGV[4] from now
   0  IDLE     no job was named
  -1  CANCEL   somebody asked to cancel the job: stop it and finish it as cancelled (the lease is renewed)
  -2  STALE    the job was taken away
  -3  UNKNOWN  no such job (the server was wiped)
  registered is 0 if the worker has to register anew; more is 1 while some dependents do not know yet what became of
  a job; order is what the worker was ordered to do (order.lua), or empty; ended as in claim.lua.
Invariant  a lease is renewed only for the execution that holds it.
Cost O(1), and what is due. Safe to repeat: yes.
]]
-- include: asks clock executions guard keys refusals rq typed
local leases_key = KEYS[1]
local w, worker, host, lease_ms, queues, identity, execution, date, leaving = unpack(ARGV)
guard.type(leases_key, 'zset')
typed.workspace(w)
local ask = asks.ask(w, worker, host, guard.integer('lease', lease_ms, 1), '', queues, '0')
for _, queue in ipairs(ask.queues) do typed.queue(w, queue) end
local now = clock.now()
asks.alive(ask, now)
if leaving == '1' then asks.note_leaving(ask, now) end
rq.worker(worker, 'last_heartbeat', date)
refusals.keep(ask)
local code = 0
if identity ~= '' then
  local v = redis.call('HMGET', keys.job(w, identity), 'state', 'execution', 'cancel')
  if not v[1] then
    code = -3
  elseif v[1] ~= 'running' or v[2] ~= execution then
    code = -2
  else
    redis.call('ZADD', leases_key, now + ask.lease_ms, identity)
    code = v[3] and -1 or 1
  end
end
local more = executions.tend(w, now, ask.lease_ms)
return { code, ask.registered, more and 1 or 0, ask.order, executions.ended() }
