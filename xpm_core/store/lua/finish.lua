#!lua flags=allow-oom
--[[ finish: end an execution with its outcome, and claim the next job in the same call.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  host of the worker
ARGV[4]  lease in ms
ARGV[5]  execution id of the next claim; empty when no next job is wanted
ARGV[6]  queue names, in order, joined by commas
ARGV[7]  1 to be woken when something becomes runnable, else 0
ARGV[8]  how long the worker will live, ms; empty for ever
ARGV[9]  execution id that ended
ARGV[10]  identity of its job
ARGV[11] outcome: done, failed or cancelled
ARGV[12] what went wrong, as JSON; empty if nothing did
ARGV[13] execution whose done marker was adopted, so that the job did not run; else empty
ARGV[14] devices, as claim.lua has them

Returns {finish code, state, claim reply of claim.lua...}
   1  ACCEPTED  the outcome counts; state is where the job went (done, failed, delayed, cancelled)
   2  ALREADY   the same was accepted before: success; state is empty if another execution has the job since
  -2  STALE     another execution has the job, or it was taken away: nothing changed
  -3  UNKNOWN   no such job (the server was wiped)
Invariant  of all executions of a job at most one is accepted as done; its tokens return in the same step.
Cost O(lines of the queues + dependents, at most 500). Safe to repeat: yes.
]]
-- include: asks claims clock executions guard outcomes typed
local counts_key = KEYS[1]
local w, worker, host, lease_ms, execution, queues, listen, left_ms, ended, identity, outcome, error, adopted, devices = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
typed.job(w, identity)
guard.type(keys.execution(w, guard.named('execution', ended)), 'hash')
guard.one_of('outcome', outcome, { done = true, failed = true, cancelled = true })
local ask = asks.ask(w, worker, host, guard.integer('lease', lease_ms, 1), execution, queues, listen,
  left_ms, devices)
for _, queue in ipairs(ask.queues) do typed.queue(w, queue) end
local now = clock.now()
asks.alive(ask, now)
local code, state = outcomes.accept(w, identity, guard.named('execution', ended), outcome, error, adopted, now)
local more = executions.tend(w, now, ask.lease_ms)
return { code, state, unpack(claims.try(ask, now, more)) }
