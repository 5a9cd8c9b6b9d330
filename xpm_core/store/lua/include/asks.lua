-- The worker that asks for work, and that it lives.
-- include: commands keys
local asks = {}

local LOOK_AGAIN_MS = 5000

-- The request of a worker: its queues in order, and the execution id that it made ('' if it wants no next job). It is
-- also the `who` of able.lua.
function asks.ask(w, worker, host, lease_ms, execution, queues, listen, left_ms, devices)
  local ask = { w = w, worker = worker, host = host, lease_ms = tonumber(lease_ms), execution = execution, queues = {} }
  for queue in string.gmatch(queues, '[^,]+') do ask.queues[#ask.queues + 1] = queue end
  ask.listen, ask.left_ms, ask.devices = listen == '1', tonumber(left_ms or ''), devices or ''
  return ask
end

-- Note that the worker lives and serves its queues, for one lease from now. Sets what replies say of the worker:
-- `registered` is 1 if it is registered with us and with RQ, else 0: it has to register anew; `order` is its order.
function asks.alive(ask, now)
  local till = now + ask.lease_ms
  redis.call('ZADD', keys.workers(ask.w), till, ask.worker)
  for _, queue in ipairs(ask.queues) do redis.call('ZADD', keys.serving(ask.w, queue), till, ask.worker) end
  ask.order = commands.of(ask.w, ask.worker)
  local ours = redis.call('PEXPIRE', keys.worker(ask.w, ask.worker), commands.kept(ask.order, ask.lease_ms))
  local theirs = redis.call('EXPIRE', keys.rq_worker(ask.worker), math.ceil(ask.lease_ms * 4 / 1000) + 60)
  ask.registered = ours == 1 and theirs == 1 and 1 or 0
end

-- Note when the worker ends, if it does, so that others can see which jobs it has no time for.
function asks.note_end(ask, now)
  local key = keys.worker(ask.w, ask.worker)
  if ask.left_ms and redis.call('EXISTS', key) == 1 then
    redis.call('HSET', key, 'until', string.format('%.0f', math.floor((now + ask.left_ms) / 1000) * 1000))
  end
end

-- Note that the worker finishes its job and then leaves, whatever it may be ordered from afar.
function asks.note_leaving(ask, now)
  local key = keys.worker(ask.w, ask.worker)
  if redis.call('EXISTS', key) == 0 then return end
  redis.call('HSETNX', key, 'leaving', now)
  redis.call('HSET', key, 'signalled', 1)
end

-- When an idle worker should look again, in ms: the next retry due, the next lease end, at most 5 s.
function asks.look_again(ask, now)
  local wait = math.min(LOOK_AGAIN_MS, math.max(ask.lease_ms / 3, 100))
  for _, key in ipairs({ keys.delayed(ask.w), keys.leases(ask.w) }) do
    local next_at = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    if next_at then wait = math.min(wait, math.max(tonumber(next_at) - now, 10)) end
  end
  return math.floor(wait)
end
