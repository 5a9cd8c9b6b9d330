-- A job's record, and the one way in which its state changes.
-- include: events handed keys lines view
local jobs = {}

local FIELDS = { 'state', 'task', 'queue', 'demand', 'order', 'execution', 'worker', 'pending', 'broken', 'root',
  'passed', 'attempts', 'failures', 'losses', 'cancel', 'ended', 'max_retries', 'max_losses', 'backoff_ms',
  'lease_ms', 'reason', 'due', 'replaces', 'host' }
local NUMBERS = { order = true, pending = true, broken = true, passed = true, attempts = true, failures = true,
  losses = true, ended = true, max_retries = true, max_losses = true, backoff_ms = true, lease_ms = true, due = true }

-- The record of a job, or nil. Absent numbers are 0, absent words nil.
function jobs.load(w, j)
  local values = redis.call('HMGET', keys.job(w, j), unpack(FIELDS))
  if not values[1] then return nil end
  local rec = { id = j }
  for i, field in ipairs(FIELDS) do
    if NUMBERS[field] then
      rec[field] = tonumber(values[i] or '0')
    else
      rec[field] = values[i] or nil
    end
  end
  rec.demand = rec.demand or ''
  return rec
end

-- Move a job to another state: its place, its fields, the counts, RQ's view and the event, all at once.
-- `set` holds fields to write; what follows are further fields of the event.
function jobs.move(w, rec, to, now, set, ...)
  local key = keys.job(w, rec.id)
  if rec.state == 'ready' then
    lines.leave(w, rec)
  elseif rec.state == 'delayed' then
    redis.call('ZREM', keys.delayed(w), rec.id)
  elseif rec.state == 'running' then
    redis.call('ZREM', keys.leases(w), rec.id)
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
  view.move(w, rec, to, now)
  rec.state = to
  events.tell(w, to == 'running' and 'started' or to, rec, now, ...)
end

-- Where a job belongs that is not settled, by what it needs: blocked, waiting or ready.
function jobs.place(rec)
  if rec.broken > 0 then return 'blocked' end
  return rec.pending > 0 and 'waiting' or 'ready'
end
