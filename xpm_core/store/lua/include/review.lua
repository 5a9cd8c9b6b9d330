-- Compare what RQ's tools read with the jobs, and write anew what differs. The view has times that nobody else keeps
-- (when a job became ready): these are written as the time of its submission.
-- include: keys view
local review = {}

local REQUIRED = { 'data', 'origin', 'description', 'status', 'worker_name' }
local DATE = '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d'

-- What the view needs to know of a job; nil if there is no such job.
function review.load(w, j)
  local v = redis.call('HMGET', keys.job(w, j), 'state', 'task', 'queue', 'execution', 'worker', 'submitted', 'started',
    'ended', 'due')
  if not v[1] or not v[3] then return nil end
  local rec = { id = j, state = v[1], task = v[2] or '', queue = v[3], execution = v[4] or '', worker = v[5] or '' }
  for i, name in ipairs({ 'submitted', 'started', 'ended', 'due' }) do rec[name] = tonumber(v[5 + i] or 0) end
  return rec
end

-- Until when the view shows a job that has ended, in seconds; nil for one that has not.
local function until_s(rec, now)
  if view.facts.time[rec.state] ~= 'ended_at' then return nil end
  local ttl = rec.state == 'failed' and view.facts.failed_s or view.facts.done_s
  return math.floor((rec.ended > 0 and rec.ended or now) / 1000) + ttl
end

local function wanted(w, rec)
  local worker = rec.state == 'running' and rec.worker or ''
  return { view.facts.data, keys.rq_name(w, rec.queue), rec.task, view.facts.status[rec.state], worker }
end

local function score(key, member) return redis.call('TYPE', key).ok == 'zset' and redis.call('ZSCORE', key, member) end

local function hash_is_right(w, rec)
  local key, time = keys.rq_job(w, rec.id), view.facts.time[rec.state] or 'enqueued_at'
  if redis.call('TYPE', key).ok ~= 'hash' then return false end
  local found = redis.call('HMGET', key, unpack(REQUIRED))
  for i, value in ipairs(wanted(w, rec)) do
    if found[i] ~= value then return false end
  end
  for _, date in ipairs(redis.call('HMGET', key, 'created_at', time)) do
    if not date or not string.find(date, DATE) then return false end
  end
  return true
end

local function place_is_right(w, rec)
  local id, kind = keys.rq_id(w, rec.id), view.facts.registry[rec.state]
  local executions = keys.rq_executions(w, rec.id)
  if rec.state ~= 'running' then
    if redis.call('EXISTS', executions) == 1 then return false end
    local at = not kind or score(keys.rq_registry(kind, w, rec.queue), id)
    return at and (rec.state ~= 'delayed' or tonumber(at) == math.floor(rec.due / 1000))
  end
  local member = id .. ':' .. rec.execution
  local held, theirs = keys.rq_worker_executions(rec.worker), false
  if redis.call('TYPE', held).ok == 'set' then
    for _, each in ipairs(redis.call('SMEMBERS', held)) do theirs = theirs or each == member end
  end
  return theirs and score(keys.rq_registry('wip', w, rec.queue), member) == 'inf'
    and score(executions, rec.execution) == 'inf' and redis.call('ZCARD', executions) == 1
    and redis.call('TYPE', keys.rq_execution(w, rec.id, rec.execution)).ok == 'hash'
end

-- Whether the view shows a job as it is. What it no longer has to show may be there or not.
function review.is_right(w, rec, now)
  local till = until_s(rec, now)
  if till and till * 1000 <= now and redis.call('EXISTS', keys.rq_job(w, rec.id)) == 0 then return true end
  return hash_is_right(w, rec) and place_is_right(w, rec)
end
review.wanted, review.until_s, review.required, review.date = wanted, until_s, REQUIRED, DATE

