-- When a job is done, Redis forgets how to run it. The job's directory keeps that, and a retry brings it back
-- (retries.lua). So a done job is small, and people still find it.
-- include: keys needs
local handed = {}

local KEPT = { 'task', 'tags', 'queue', 'demand', 'priority', 'execution', 'submitted', 'started', 'ended', 'reason',
  'attempts', 'failures', 'losses', 'needed' }
local COMPACT = 64 -- bytes: with one longer value a hash takes twice as much; longer tags are in params.json only

-- The job is done; `set` holds fields to write. Its hash is made anew, without empty fields, because a hash that was
-- large once keeps its size.
function handed.leave(w, j, set)
  local key, flat = keys.job(w, j), { 'state', 'done' }
  for i, before in ipairs(redis.call('HMGET', key, unpack(KEPT))) do
    local field = KEPT[i]
    local value = set[field] or before
    if value and value ~= '' and value ~= '0' and (field ~= 'tags' or #value <= COMPACT) then
      flat[#flat + 1], flat[#flat + 2] = field, value
    end
  end
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(flat))
  needs.drop(w, j)
end
