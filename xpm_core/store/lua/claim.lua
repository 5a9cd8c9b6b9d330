#!lua flags=allow-oom
--[[ claim: lease to a worker the next ready job whose whole demand is free.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  host of the worker
ARGV[4]  lease in ms
ARGV[5]  execution id, made by the caller
ARGV[6]  queue names, in order, joined by commas
ARGV[7]  1 to be woken when something becomes runnable, else 0
ARGV[8]  how long the worker will live, ms; empty for ever
ARGV[9]  devices that its own variables list: 'CUDA_VISIBLE_DEVICES=2,...'; empty for none

Returns {code, wait_ms, more, ready, delayed, running, registered, order, ended, job...}
   1  CLAIMED    job... is identity, execution, lease_left_ms, attempt, task, name, directory, payload, options,
                 queue, units, replaces, cancel, needs (identities, joined by commas),
                 max_retries, max_losses, backoff_ms, tags (JSON), experiment (of those that it belongs to, the one
                 whose run began last; empty if 200 others began later)
   0  EMPTY      nothing can run now; look again in wait_ms, or when woken
  -1  SUSPENDED  `rq suspend` is in force
  -2  STALE      the execution has ended or was taken away
  -3  UNWANTED   no execution id was given: no job is wanted (finish only)
  -4  ORDERED    the worker was ordered to leave: it gets no job
  more is 1 while some dependents do not know yet what became of a job: call look.
  ready, delayed and running count the workspace.
  registered is 0 when the worker has to register anew; order is drain, stop, stop_now (order.lua), or empty.
  ended names the jobs that this call has ended because their workers were lost, with spaces between.
Invariant  a job is leased to one execution; a demand is met whole; an execution id gets one job.
Cost O(lines of the queues + experiments, at most 200). Safe to repeat: yes, with the same execution id.
]]
-- include: asks claims clock executions guard typed
local counts_key = KEYS[1]
local w, worker, host, lease_ms, execution, queues, listen, left_ms, devices = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
local ask = asks.ask(w, worker, host, guard.integer('lease', lease_ms, 1), execution, queues, listen,
  left_ms, devices)
for _, queue in ipairs(ask.queues) do typed.queue(w, queue) end
local now = clock.now()
asks.alive(ask, now)
local more = executions.tend(w, now, ask.lease_ms)
return claims.try(ask, now, more)
