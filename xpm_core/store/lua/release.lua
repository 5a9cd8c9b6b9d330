#!lua flags=allow-oom
--[[ release: hand a job back. It is ready again, and no failure is counted.

KEYS[1]  xpm:W:leases  zset  identity -> end of its lease, ms
ARGV[1]  workspace id
ARGV[2]  identity
ARGV[3]  execution id
ARGV[4]  1 if the job had started (its attempt stays counted), else 0
ARGV[5]  seconds that were too few for it: no worker that has less left claims it from now on; 0 for none

Returns {code, state}
   1  RELEASED  the job is ready again (cancelled, if that was asked for)
   2  ALREADY   the same was done before; state is empty if another execution has the job since
  -2  STALE     the execution does not hold the job
  -3  UNKNOWN   no such job
Invariant  its tokens return in the same step; of two such times the longer one stays.
Cost O(1). Safe to repeat: yes.
]]
-- include: executions guard lines typed
local leases_key = KEYS[1]
local w, identity, execution, started, least_s = unpack(ARGV)
guard.type(leases_key, 'zset')
typed.workspace(w)
typed.job(w, identity)
guard.type(keys.execution(w, guard.named('execution', execution)), 'hash')
guard.integer('seconds', least_s, 0, 10 ^ 9)
local now = clock.now()
local rec = jobs.load(w, identity)
if not rec then return { -3, '' } end
local ended = redis.call('HGET', keys.execution(w, execution), 'ended')
if ended == 'released' then return { 2, executions.heard(rec, execution) } end
if rec.state ~= 'running' or rec.execution ~= execution then return { -2, rec.state } end
local demand = rec.demand
local wanted = lines.with_least(demand, tonumber(least_s))
local line = lines.name({ demand = wanted, project = rec.project, missing = rec.missing })
guard.type(keys.line(w, rec.queue, line), 'zset')
if rec.cancel then
  executions.finish(w, rec, 'released', 'cancelled', now, { ended = now, reason = 'cancelled' })
else
  local attempts = started == '1' and rec.attempts or rec.attempts - 1
  executions.finish(w, rec, 'released', 'ready', now, { attempts = attempts, reason = 'released', demand = wanted })
end
wake.tokens(demand, now)
return { 1, rec.state }
