#!lua flags=allow-oom
--[[ cancel: end a job that is not finished. Jobs that need it are blocked.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  identity
ARGV[3]  1 to leave a job that runs as it is, else 0

Returns {code, state, worker}
   1  CANCELLED  the job is cancelled
   2  ASKED      it runs: its worker is asked to stop it
   3  SPARED     it runs, and was to be left as it is
   0  SETTLED    it had ended before, in that state; nothing changed
  -3  UNKNOWN    no such job
Invariant  a job cancelled before it started never starts.
Cost O(log n). Safe to repeat: yes.
]]
-- include: executions guard typed
local counts_key = KEYS[1]
local w, identity, spares = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
typed.job(w, identity)
local now = clock.now()
local rec = jobs.load(w, identity)
if not rec then return { -3, '', '' } end
if rec.state == 'running' and spares == '1' then return { 3, rec.state, rec.worker } end
if rec.state == 'running' then
  redis.call('HSET', keys.job(w, identity), 'cancel', '1')
  redis.call('PUBLISH', keys.rq_pubsub(rec.worker),
    cjson.encode({ command = 'stop-job', job_id = keys.rq_id(w, identity) }))
  return { 2, rec.state, rec.worker }
end
if rec.state == 'done' or rec.state == 'failed' or rec.state == 'cancelled' then return { 0, rec.state, '' } end
jobs.move(w, rec, 'cancelled', now, { ended = now, reason = 'cancelled' })
edges.announce(w, identity) -- those that a blocked job kept blocked learn that it is their root now
edges.work(w, now)
wake.tokens(rec.demand, now) -- the job may have had a reservation, which ends
return { 1, rec.state, '' }
