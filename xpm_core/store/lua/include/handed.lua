-- What whoever runs a job is handed: it leaves Redis when the job is done, for the job's directory keeps it, and comes
-- back with a retry. So that a done job is small, and people find it still.
-- include: guard keys needs
local handed = {}

local KEPT = { 'task', 'tags', 'queue', 'demand', 'priority', 'order', 'execution', 'submitted', 'started',
  'ended', 'reason', 'attempts', 'failures', 'losses' }
local COMPACT = 64 -- bytes: with one longer value a hash takes twice as much; tags may be longer, params.json has them

-- The job is done; `set` holds fields to write. Its hash is made anew, without what is empty: one that was large once
-- would stay so.
function handed.leave(w, j, set)
  local key, flat = keys.job(w, j), { 'state', 'done' }
  for i, before in ipairs(redis.call('HMGET', key, unpack(KEPT))) do
    local field = KEPT[i]
    local value = set[field] or before
    if value and value ~= '' and value ~= '0' and (field ~= 'tags' or #value <= COMPACT) then
      flat[#flat + 1], flat[#flat + 2] = field, value
    end
  end
  redis.call('DEL', key, keys.needs(w, j))
  redis.call('HSET', key, unpack(flat))
end

-- Whether it has left.
function handed.gone(w, j) return redis.call('HEXISTS', keys.job(w, j), 'payload') == 0 end

-- What a retry brings, checked; nil when it brings nothing.
function handed.read(w, j, text, payload)
  if text == '' then return nil end
  local job = cjson.decode(text)
  for _, name in ipairs({ 'name', 'directory', 'options', 'tags' }) do
    if type(job[name]) ~= 'string' then guard.refuse('handed: ' .. name .. ' is no string') end
  end
  for _, name in ipairs({ 'max_retries', 'max_losses', 'backoff_ms' }) do
    guard.integer('handed: ' .. name, job[name], 0)
  end
  if type(job.needs) ~= 'table' then guard.refuse('handed: needs is no list') end
  for _, need in ipairs(job.needs) do
    guard.type(keys.job(w, guard.named('need', need)), 'hash')
    guard.type(keys.dependents(w, need), 'list')
    if need == j then guard.refuse('handed: it needs itself') end
  end
  guard.named('payload', payload)
  job.payload = payload
  return job
end

-- It comes back.
function handed.come(w, rec, job)
  redis.call('DEL', keys.needs(w, rec.id))
  needs.link(w, rec, job.needs, true)
  redis.call('HSET', keys.job(w, rec.id), 'name', job.name, 'directory', job.directory, 'payload', job.payload,
    'options', job.options, 'tags', job.tags, 'max_retries', job.max_retries, 'max_losses', job.max_losses,
    'backoff_ms', job.backoff_ms, 'pending', rec.pending, 'broken', rec.broken)
end
