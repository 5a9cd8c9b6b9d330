#!lua flags=allow-oom
--[[ lose: a worker has lost its job, because its starter died. Do at once what the end of the lease would do.

KEYS[1]  xpm:W:leases  zset  identity -> end of its lease, ms
ARGV[1]  workspace id
ARGV[2]  identity
ARGV[3]  execution id

Returns {code, state}
   1  LOST     the job is ready again, or failed after too many losses
   2  ALREADY  the same was done before, or its lease was over; state is empty if another execution has the job since
  -2  STALE    the execution does not hold the job
  -3  UNKNOWN  no such job
Invariant  its tokens return in the same step.
Cost O(1). Safe to repeat: yes.
]]
-- include: clock edges executions guard jobs keys typed
local leases_key = KEYS[1]
local w, identity, execution = unpack(ARGV)
guard.type(leases_key, 'zset')
typed.workspace(w)
typed.job(w, identity)
guard.type(keys.execution(w, guard.named('execution', execution)), 'hash')
local now = clock.now()
local rec = jobs.load(w, identity)
if not rec then return { -3, '' } end
local ended = redis.call('HGET', keys.execution(w, execution), 'ended')
if ended == 'lost' then return { 2, executions.heard(rec, execution) } end
if rec.state ~= 'running' or rec.execution ~= execution then return { -2, rec.state } end
executions.lose(w, rec, now)
edges.work(w, now)
return { 1, rec.state }
