-- Ends of leases and of back-offs. If an end lies further ahead than one that is set now could, it was set before the
-- server's clock went back. It then counts from now.
-- include: keys
local ends = {}

local BACKOFF_MOST_MS = 3600000
local PAGE = 100

-- How long a retry waits after so many failures: each time twice as long.
function ends.backoff(backoff_ms, failures) return math.min(backoff_ms * 2 ^ (failures - 1), BACKOFF_MOST_MS) end

-- Pull back the ends that lie further ahead than `span(member)` ms, the furthest first. `least` is the shortest span.
local function pull(key, now, least, span)
  local changed
  repeat
    local far = redis.call('ZREVRANGEBYSCORE', key, '+inf', '(' .. (now + least), 'WITHSCORES', 'LIMIT', 0, PAGE)
    changed = 0
    for i = 1, #far, 2 do
      local till = now + span(far[i])
      if tonumber(far[i + 1]) > till then
        redis.call('ZADD', key, till, far[i])
        changed = changed + 1
      end
    end
  until changed < PAGE
end

-- Mend the ends of a workspace. `lease_ms` is the caller's lease: most workers have the same.
function ends.mend(w, now, lease_ms)
  pull(keys.leases(w), now, lease_ms, function(j)
    return tonumber(redis.call('HGET', keys.job(w, j), 'lease_ms') or lease_ms)
  end)
  pull(keys.delayed(w), now, 0, function(j)
    local v = redis.call('HMGET', keys.job(w, j), 'backoff_ms', 'failures')
    return ends.backoff(tonumber(v[1] or 0), tonumber(v[2] or 1))
  end)
end

-- The clock went back just now. Within a lease, it is also known anew which workers live, and which tokens are kept.
function ends.forget(w, now, lease_ms)
  pull(keys.workers(w), now, lease_ms, function() return lease_ms end)
  for _, queue in ipairs(redis.call('SMEMBERS', keys.queues(w))) do
    pull(keys.serving(w, queue), now, lease_ms, function() return lease_ms end)
    redis.call('DEL', keys.idle(w, queue))
  end
  for _, name in ipairs(redis.call('SMEMBERS', keys.tokens)) do redis.call('DEL', keys.token_reserved(name)) end
end
