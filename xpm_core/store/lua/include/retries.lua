-- Running a settled job again.
-- include: edges guard jobs keys lines needs wake
local retries = {}

-- The facts of a done job that a caller brings from its directory, checked; nil if it brings none. See handed.lua.
function retries.brought(w, j, text, payload)
  if text == '' then return nil end
  local job = cjson.decode(text)
  for _, name in ipairs({ 'name', 'directory', 'options', 'tags' }) do
    if type(job[name]) ~= 'string' then guard.refuse('handed: ' .. name .. ' is no string') end
  end
  for _, name in ipairs({ 'max_retries', 'max_losses', 'backoff_ms' }) do
    guard.integer('handed: ' .. name, job[name], 0)
  end
  if type(job.project or '') ~= 'string' then guard.refuse('handed: project is no string') end
  if type(job.needs) ~= 'table' then guard.refuse('handed: needs is no list') end
  for _, need in ipairs(job.needs) do
    guard.type(keys.job(w, guard.named('need', need)), 'hash')
    guard.type(keys.dependents(w, need), 'list')
    if need == j then guard.refuse('handed: it needs itself') end
  end
  job.payload = guard.named('payload', payload)
  return job
end

-- Whether Redis has forgotten how to run the job.
function retries.bare(w, j) return redis.call('HEXISTS', keys.job(w, j), 'payload') == 0 end

-- Write again what Redis has forgotten of a done job. The number of its arrival is lost. It comes before all other jobs
-- of its priority, because it was done before these, and the jobs that need it must not come before it.
local function take_back(w, rec, job)
  local key = keys.job(w, rec.id)
  rec.project = job.project or ''
  rec.order = lines.order(tonumber(redis.call('HGET', key, 'priority') or 0), 0)
  needs.drop(w, rec.id)
  needs.link(w, rec, job.needs, true)
  redis.call('HSET', key, 'project', rec.project, 'order', string.format('%.0f', rec.order), 'name', job.name,
    'directory', job.directory, 'payload', job.payload, 'options', job.options, 'tags', job.tags,
    'max_retries', job.max_retries, 'max_losses', job.max_losses, 'backoff_ms', job.backoff_ms,
    'pending', rec.pending, 'broken', rec.broken)
end

-- A running job that needs this one, if there is any. Running jobs are few, dependents may be many.
function retries.user(w, identity)
  for _, j in ipairs(redis.call('ZRANGE', keys.leases(w), 0, -1)) do
    if redis.call('HEXISTS', keys.needs(w, j), identity) == 1 then return j end
  end
  return nil
end

-- Move a job from done, failed or cancelled to ready, waiting or blocked. Counts start anew, and its dependents learn
-- of it. `job` holds the facts that the caller brought, if they count.
function retries.start(w, rec, now, job)
  local before = needs.meaning(rec.state)
  local set = { failures = 0, losses = 0, reason = 'retry' }
  if rec.state == 'done' then set.replaces = rec.execution end
  if job then take_back(w, rec, job) end
  redis.call('HDEL', keys.job(w, rec.id), 'cancel', 'error', 'ended', 'root', 'missing')
  rec.cancel, rec.missing = nil, nil
  local to = jobs.place(rec)
  if to == 'blocked' then set.root = needs.root(w, rec) end
  jobs.move(w, rec, to, now, set, 'reason', 'retry')
  if needs.meaning(rec.state) ~= before or to == 'blocked' then edges.announce(w, rec.id) end
  if rec.state == 'ready' then wake.queue(w, rec.queue, now) end
end
