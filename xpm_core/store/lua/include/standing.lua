-- How the living workers of a queue stand to the jobs of one line: which of them may take these jobs, and what is in
-- the way of the others. Nothing here writes.
-- include: keys lines refusals units
local standing = {}

local living, running = {}, nil -- caches of this call

local function worker(w, name, till, now)
  local v = redis.call('HMGET', keys.worker(w, name), 'host', 'until', 'devices', 'leaving', 'queues', 'lease_ms')
  local lease_ms, left_ms = tonumber(v[6] or ''), v[2] and tonumber(v[2]) - now
  local who = { w = w, worker = name, host = v[1] or '', left_ms = left_ms or nil, devices = v[3] or '',
    leaving = v[4] and true or (left_ms and left_ms <= 0) or false, lease_left = till - now, queues = {} }
  who.age = lease_ms and math.max(lease_ms - who.lease_left, 0)
  who.silent = who.age and who.age > 2 * who.lease_left or false -- a living worker calls each third of its lease
  for queue in string.gmatch(v[5] or '', '[^,]+') do who.queues[#who.queues + 1] = queue end
  who.team = table.concat({ refusals.daemon(name), v[2] or '', who.devices, tostring(who.leaving),
    tostring(who.silent), v[5] or '' }, '|')
  return who
end

-- The living workers of a queue, as the `who` of able.lua. Workers of one `team` are alike.
function standing.workers(w, queue, now)
  if not living[queue] then
    living[queue] = {}
    local flat = redis.call('ZRANGEBYSCORE', keys.serving(w, queue), now, '+inf', 'WITHSCORES')
    for i = 1, #flat, 2 do
      local who = worker(w, flat[i], tonumber(flat[i + 1]), now)
      if not who.queues[1] then who.queues[1] = queue end -- it has claimed before it was registered
      table.insert(living[queue], who)
    end
  end
  return living[queue]
end

-- The job that each worker runs, by the worker's name.
function standing.running(w)
  if not running then
    running = {}
    for _, j in ipairs(redis.call('ZRANGE', keys.leases(w), 0, -1)) do
      local name = redis.call('HGET', keys.job(w, j), 'worker')
      if name then running[name] = j end
    end
  end
  return running
end

-- What is in the way of a worker: `small` (its machine has too few units), `refused`, `silent`, `leaving`, `short` (it
-- ends too soon), or nothing: `able`. It agrees with able.lua, which knows nothing of workers that do not claim.
function standing.of(who, head, now)
  if not units.possible(head.demand, who) then return 'small' end
  if refusals.any(who) and not refusals.allow(lines.need(head), who.worker, now) then return 'refused' end
  if who.silent then return 'silent' end
  if who.leaving then return 'leaving' end
  if who.left_ms and lines.least(head.demand) * 1000 > who.left_ms then return 'short' end
  return 'able'
end
