#!lua
--[[ submit: take jobs, in order. The jobs that a job needs come before it, in this call or an earlier one.

KEYS[1]  xpm:W:experiment:NAME:jobs  set  identities of the experiment's jobs
ARGV[1]  workspace id
ARGV[2]  when this run of the experiment began, ms of the server's clock
ARGV[3]  origins as JSON: class -> names of its file, project:path, one a line; one file's share a name, which may be
         project:**/path: any path there that ends so
ARGV[4]  kinds as a JSON list; a kind has the facts that many jobs share: {task, name, queue, demand, priority,
         max_retries, max_losses, backoff_ms, options, made}; made is when they were submitted, ms of the server's
         clock (without it, when the run began)
ARGV[...]  three for each job: `kind identity directory marker need need`, the kind by its number from 1 and the marker
         often empty; its tags as JSON; its payload

Returns {1, since, cursor, answers}: two events, the last one now, and one before it after which all are of these jobs
        (empty if there are others); a line `code state execution ended_ms root` for each job, and if the job had
        another snapshot, ` replaced DIGEST` or ` kept DIGEST`; or a refusal of all, nothing written:
        {-1, id, token, asked, capacity}, {-2, id, need that is unknown}, {-3, class, known origin}, {-4, id}: its
        directory is being removed, try again
   1  NEW       the job is new
   2  ATTACHED  it was there, in that state; until it starts, the newest submission decides how it runs
   3  DONE      it is done, and its marker was seen
   4  RETRIED   it had failed or was cancelled before this run, and runs again
   5  UNMARKED  it is done, but its marker was not seen: look at its directory (docs/internals/files.md)
Invariant  one job an identity; a job is ready only when all that it needs is done.
Cost O(log n + needs) a job. Safe to repeat: yes.
]]
-- include: clock edges events faults guard keys removals submissions typed wire
local experiment_key = KEYS[1]
local w, run_started, origins, kinds = unpack(ARGV)
local FIRST, EACH = 5, 3
guard.type(experiment_key, 'set')
typed.workspace(w)
removals.check(w)
guard.type(keys.origins(w), 'hash')
guard.integer('seq', redis.call('GET', keys.seq) or '0', 0)
guard.integer('run_started', run_started, 0)
local now, batch, list, named = clock.now(), {}, {}, {}
local going = removals.going(w, now)
kinds, origins = cjson.decode(kinds), cjson.decode(origins)
local function ends(file, path) return ('/' .. file):sub(-#path) == path and not file:find('**', 1, true) end
local function shared(known, given)
  for name in given:gmatch('[^\n]+') do
    local project, path = name:match('^([^:]*:)%*%*(/.+)$')
    for line in known:gmatch('[^\n]+') do
      if not project and line == name then return true end
      if project and line:sub(1, #project) == project and ends(line:sub(#project + 1), path) then return true end
    end
  end
  return false
end
for class, origin in pairs(origins) do
  local known = redis.call('HGET', keys.origins(w), class)
  if known and not shared(known, origin) then return { -3, class, known } end
  if known then -- one name takes in others only once; else a class would gather names of files that share none
    local one = origin:find('\n') and not known:find('\n')
    origins[class] = one and known .. '\n' .. origin or known
  end
end
for i = FIRST, #ARGV, EACH do
  local job = wire.job(kinds, ARGV[i], ARGV[i + 1], ARGV[i + 2])
  local fault = faults.of(w, job, batch)
  if fault then return fault end
  if job.id == going then return { -4, going } end
  batch[job.id], list[#list + 1], named[#named + 1] = true, job, job.id
end
removals.note(w, named, now)
for class, origin in pairs(origins) do redis.call('HSET', keys.origins(w), class, origin) end
local since, answers = events.last(w), {}
for i, job in ipairs(list) do
  if job.marker ~= '' then removals.unmark(w, job) end
  local code, rec = submissions.take(w, job, tonumber(run_started), now)
  redis.call('SADD', experiment_key, job.id)
  answers[i] = wire.answer(code, rec)
end
if redis.call('EXISTS', keys.worklist(w)) == 1 then
  since = ''
  edges.work(w, now)
end
return { 1, since, events.last(w), table.concat(answers, '\n') }
