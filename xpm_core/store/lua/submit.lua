#!lua
--[[ submit: take jobs, in order; what they need comes before them, in this call or an earlier one.

KEYS[1]  xpm:W:experiment:NAME:jobs  set  identities of the experiment's jobs
ARGV[1]  workspace id
ARGV[2]  when this run of the experiment began, ms of the server's clock
ARGV[3]  origins as JSON: class -> project:path of its file
ARGV[4]  jobs as a JSON list of {id, task, name, directory, queue, demand, priority, needs, marker, max_retries,
         max_losses, backoff_ms, options, tags}
ARGV[...]  their payloads, one each, in the same order

Returns {1, cursor, {code, state, execution, ended_ms, root}...}: the last event so far, and one reply a job;
        or a refusal of all, nothing written:
        {-1, id, token, asked, capacity}, {-2, id, need that is unknown}, {-3, class, known origin}
   1  NEW       the job is new
   2  ATTACHED  it was there, in that state
   3  DONE      it is done, and its marker was seen
   4  RETRIED   it had failed or was cancelled before this run, and runs again
   5  UNMARKED  it is done, but its marker was not seen: look at its directory (ARCHITECTURE.md)
Invariant  one job an identity; a job is ready only when all that it needs is done.
Cost O(log n + needs) a job. Safe to repeat: yes.
]]
-- include: clock edges events faults guard keys submissions typed
local experiment_key = KEYS[1]
local w, run_started, origins, list = unpack(ARGV)
local FIRST_PAYLOAD = 5
guard.type(experiment_key, 'set')
typed.workspace(w)
guard.type(keys.origins(w), 'hash')
guard.integer('seq', redis.call('GET', keys.seq) or '0', 0)
guard.integer('run_started', run_started, 0)
local now, batch, jobs_list = clock.now(), {}, cjson.decode(list)
if #ARGV - FIRST_PAYLOAD + 1 ~= #jobs_list then return redis.error_reply('XPMARG payloads: one a job') end
for class, origin in pairs(cjson.decode(origins)) do
  local known = redis.call('HGET', keys.origins(w), class)
  if known and known ~= origin then return { -3, class, known } end
end
for _, job in ipairs(jobs_list) do
  local fault = faults.of(w, job, batch)
  if fault then return fault end
  batch[job.id] = true
end
for class, origin in pairs(cjson.decode(origins)) do redis.call('HSET', keys.origins(w), class, origin) end
local replies = { 1, '' }
for i, job in ipairs(jobs_list) do
  local code, rec = submissions.take(w, job, ARGV[FIRST_PAYLOAD + i - 1], tonumber(run_started), now)
  redis.call('SADD', experiment_key, job.id)
  replies[#replies + 1] = { code, rec.state, rec.execution or '', rec.ended, rec.root or '' }
end
edges.work(w, now)
replies[2] = events.last(w)
return replies
