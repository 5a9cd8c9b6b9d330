-- Write keys that RQ's tools read. Nothing here fails, whatever somebody has made of such a key: our own keys decide.
-- include: keys
local rq = {}

local fit = {} -- cache of this call: keys that have the right type, or are absent

local function fits(key, wanted)
  if fit[key] == nil then
    local found = redis.call('TYPE', key).ok
    fit[key] = found == wanted or found == 'none'
  end
  return fit[key]
end

-- Call a command on a key of the view, unless the key has another type.
function rq.put(wanted, command, key, ...)
  if fits(key, wanted) then return redis.call(command, key, ...) end
end

-- Set fields of a worker that RQ's registration made. Scripts make none: it would have neither birth nor TTL.
function rq.worker(name, ...)
  local key = keys.rq_worker(name)
  if redis.call('TYPE', key).ok == 'hash' then redis.call('HSET', key, ...) end
end

-- Count a job that a worker has ended.
function rq.count(name, field)
  local key = keys.rq_worker(name)
  if redis.call('TYPE', key).ok ~= 'hash' then return end
  if string.match(redis.call('HGET', key, field) or '0', '^%d+$') then redis.call('HINCRBY', key, field, 1) end
end
