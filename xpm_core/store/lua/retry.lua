#!lua
--[[ retry: run a settled job again, because somebody asked for it, or because its directory is gone.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  identity
ARGV[3]  execution to replace, the latest that the caller saw; empty for any
ARGV[4]  for a done job: the facts that its directory keeps, as JSON {name, directory, options, tags, needs, project,
         max_retries, max_losses, backoff_ms}; empty if there are none
ARGV[5]  its payload
ARGV[6]  for a job that is not done: its options as the caller saw them; ARGV[7] replaces them. Empty if they stay
ARGV[7]  its new options, which name another snapshot; empty if they stay

Returns {code, state, other}
   1  RETRIED   the job is ready or waiting again
   0  UNSETTLED it is not settled: nothing to retry
  -1  BLOCKED   it waits for `other`, which failed or was cancelled: retry that
  -2  STALE     another execution ended, or somebody submitted the job, since the caller looked
  -3  UNKNOWN   no such job
  -4  IN_USE    `other`, which runs, uses the result of this done job
  -5  BARE      the job is done, and ARGV[4] and ARGV[5] are needed to run it
Invariant  dependents that have not started go back to waiting.
Cost O(running jobs + dependents, at most 500). Safe to repeat: yes, the second call finds it UNSETTLED.
]]
-- include: guard retries typed
local counts_key = KEYS[1]
local w, identity, replaced, kept, payload, seen, options = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
typed.job(w, identity)
local now, job = clock.now(), retries.brought(w, identity, kept, payload)
if options ~= '' and type(cjson.decode(options)) ~= 'table' then guard.refuse('options: no map') end
local rec = jobs.load(w, identity)
if not rec then return { -3, '', '' } end
if rec.state == 'blocked' then return { -1, rec.state, rec.root or '' } end
if rec.state ~= 'done' and rec.state ~= 'failed' and rec.state ~= 'cancelled' then return { 0, rec.state, '' } end
if replaced ~= '' and rec.execution ~= replaced then return { -2, rec.state, '' } end
if rec.state == 'done' then
  local user = retries.user(w, identity)
  if user then return { -4, rec.state, user } end
  if not job and retries.bare(w, identity) then return { -5, rec.state, '' } end
else
  job = nil
  if options ~= '' then
    if redis.call('HGET', keys.job(w, identity), 'options') ~= seen then return { -2, rec.state, '' } end
    redis.call('HSET', keys.job(w, identity), 'options', options)
  end
end
retries.start(w, rec, now, job)
edges.work(w, now)
return { 1, rec.state, '' }
