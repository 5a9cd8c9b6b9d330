-- A job's record, and the one way in which its state changes.
-- include: events handed keys lines view
local jobs = {}

local FIELDS = { 'state', 'task', 'queue', 'demand', 'execution', 'worker', 'host', 'root', 'reason', 'replaces',
  'cancel', 'project', 'missing', 'order', 'pending', 'broken', 'passed', 'attempts', 'failures', 'losses',
  'max_retries', 'max_losses', 'backoff_ms', 'lease_ms', 'due', 'ended' }

-- The record of a job, or nil. Absent numbers are 0, absent words nil. The table is made in its full size at
-- once: each call makes some records, and the garbage of growing tables takes a good part of Lua's time.
function jobs.load(w, j)
  local v = redis.call('HMGET', keys.job(w, j), unpack(FIELDS))
  if not v[1] then return nil end
  for i = 14, #FIELDS do v[i] = tonumber(v[i] or 0) end
  return { id = j, state = v[1], task = v[2] or nil, queue = v[3] or nil, demand = v[4] or '', execution = v[5] or nil,
    worker = v[6] or nil, host = v[7] or nil, root = v[8] or nil, reason = v[9] or nil, replaces = v[10] or nil,
    cancel = v[11] or nil, project = v[12] or nil, missing = v[13] or nil, order = v[14], pending = v[15],
    broken = v[16], passed = v[17], attempts = v[18], failures = v[19], losses = v[20], max_retries = v[21],
    max_losses = v[22], backoff_ms = v[23], lease_ms = v[24], due = v[25], ended = v[26] }
end

local listed = {} -- the states of keys.LISTED, to look one up
for _, state in ipairs(keys.LISTED) do listed[state] = true end

-- Move a job to another state: its place, its fields, the counts, RQ's view and the event, all at once.
-- `set` holds fields to write; the arguments after it are further fields of the event.
function jobs.move(w, rec, to, now, set, ...)
  local key, execution = keys.job(w, rec.id), rec.execution
  if rec.state == 'ready' then
    lines.leave(w, rec)
  elseif rec.state == 'delayed' then
    redis.call('ZREM', keys.delayed(w), rec.id)
  elseif rec.state == 'running' then
    redis.call('ZREM', keys.leases(w), rec.id)
  elseif listed[rec.state] then
    redis.call('ZREM', keys.listed(w, rec.state), rec.id)
  end
  if rec.state then redis.call('HINCRBY', keys.counts(w), rec.state, -1) end
  redis.call('HINCRBY', keys.counts(w), to, 1)
  local flat = { 'state', to }
  for field, value in pairs(set or {}) do
    flat[#flat + 1], flat[#flat + 2] = field, value
    rec[field] = value
  end
  if to == 'done' then handed.leave(w, rec.id, set) else redis.call('HSET', key, unpack(flat)) end
  if to == 'ready' then lines.enter(w, rec) end
  if to == 'delayed' then redis.call('ZADD', keys.delayed(w), rec.due, rec.id) end
  if listed[to] then redis.call('ZADD', keys.listed(w, to), now, rec.id) end
  view.move(w, rec, to, now, execution)
  rec.state = to
  events.tell(w, to == 'running' and 'started' or to, rec, now, ...)
end

-- The state of a job that is not settled, by the jobs that it needs: blocked, waiting or ready.
function jobs.place(rec)
  if rec.broken > 0 then return 'blocked' end
  return rec.pending > 0 and 'waiting' or 'ready'
end
