-- Wake-ups are hints: an idle worker blocks on a list of its own, and makes a claim when it is woken.
-- include: asks heads keys pauses refusals tokens
local wake = {}

-- Note an idle worker, which wants to be woken until `till`.
function wake.listen(ask, now, till)
  for _, queue in ipairs(ask.queues) do redis.call('ZADD', keys.idle(ask.w, queue), till, ask.worker) end
  asks.note_end(ask, now)
end

function wake.forget(w, queues, name)
  for _, queue in ipairs(queues) do redis.call('ZREM', keys.idle(w, queue), name) end
end

function wake.worker(w, name)
  local queues = redis.call('HGET', keys.worker(w, name), 'queues')
  for queue in string.gmatch(queues or '', '[^,]+') do redis.call('ZREM', keys.idle(w, queue), name) end
  local list = keys.wake(w, name)
  if redis.call('EXISTS', list) == 0 then redis.call('RPUSH', list, '1') end
  redis.call('EXPIRE', list, 60)
end

-- Wake one idle worker of a queue that could run a job of it now; the latest listed first. Workers of one daemon that
-- live equally long can run the same jobs, so only one of them is looked at.
function wake.queue(w, queue, now)
  if pauses.paused(w, queue) then return end
  local idle, tried = keys.idle(w, queue), {}
  local listed = redis.call('ZREVRANGE', idle, 0, 63, 'WITHSCORES')
  for i = 1, #listed, 2 do
    local worker = redis.call('HMGET', keys.worker(w, listed[i]), 'host', 'until', 'devices')
    local who = { w = w, worker = listed[i], host = worker[1], left_ms = worker[2] and tonumber(worker[2]) - now,
      devices = worker[3] or '' }
    local alike = refusals.daemon(who.worker) .. '|' .. (worker[2] or '')
    if not who.host or tonumber(listed[i + 1]) < now then
      redis.call('ZREM', idle, listed[i]) -- it is gone and did not say so
    elseif not tried[alike] then
      tried[alike] = true
      if heads.pick(who, { queue }, now) then return wake.worker(w, listed[i]) end
    end
  end
end

-- Units of these tokens are free again: wake workers for the jobs that wait for them, in any queue and workspace.
function wake.tokens(demand, now)
  local seen = {}
  for _, want in ipairs(tokens.parse(demand)) do
    for _, place in ipairs(redis.call('HKEYS', keys.token_queues(want.name))) do
      if not seen[place] then
        seen[place] = true
        local w, queue = string.match(place, '^([^|]*)|(.*)$')
        wake.queue(w, queue, now)
      end
    end
  end
end
