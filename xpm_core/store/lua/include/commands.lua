-- Orders that a worker gets from afar. They stand in its hash until it has left, and each reply to it has them.
-- include: keys
local commands = {}

local KEPT_MS = 86400000 -- how long an order waits for a worker that cannot be reached
local STRICTNESS = { [''] = 0, drain = 1, stop = 2, stop_now = 3 }

-- How strict an order is: 0 for none.
function commands.strictness(order) return STRICTNESS[order] or 0 end

-- The order of a worker; '' for none. A key of another type counts as none.
function commands.of(w, worker)
  local found = redis.pcall('HGET', keys.worker(w, worker), 'order')
  return STRICTNESS[found] and found or ''
end

-- How long the hash of a worker stays after the worker's last call, in ms.
function commands.kept(order, lease_ms) return order ~= '' and math.max(KEPT_MS, lease_ms * 4) or lease_ms * 4 end

-- Let a worker have the order of another one, whose place it takes.
function commands.inherit(w, before, worker)
  if commands.of(w, before) == '' then return end
  for _, field in ipairs({ 'order', 'ordered_by', 'leaving' }) do
    local value = redis.call('HGET', keys.worker(w, before), field)
    if value then
      redis.call('HSET', keys.worker(w, worker), field, value)
      redis.call('HDEL', keys.worker(w, before), field)
    end
  end
end
