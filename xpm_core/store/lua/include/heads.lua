-- Which ready job is next: a claim looks at the heads of lines only (docs/internals/tokens.md).
-- include: able keys lines pauses reservations tokens units
local heads = {}

-- The heads of the lines of some queues, in order: { {queue, demand, order} }; `demand` is the whole name of the line.
-- A paused queue has none: its jobs are not taken, not passed, and no token is kept for them.
local function of(w, queues)
  local list = {}
  for _, queue in ipairs(queues) do
    local flat = pauses.paused(w, queue) and {} or redis.call('ZRANGE', keys.lines(w, queue), 0, -1, 'WITHSCORES')
    for i = 1, #flat, 2 do
      list[#list + 1] = { w = w, queue = queue, demand = flat[i], order = tonumber(flat[i + 1]) }
    end
  end
  if #queues > 1 then table.sort(list, function(a, b) return a.order < b.order end) end
  return list
end

-- The earliest head that a worker may get and whose whole demand is free, and the heads before it that have to wait.
-- With `till` (ms), a head that was passed too often reserves its tokens until then, unless the worker could not run it
-- even with all of them. With the table `foreseen`, such a reservation stands only there, and nothing is written.
function heads.pick(who, queues, now, till, foreseen)
  local waiting = {}
  for _, head in ipairs(of(who.w, queues)) do
    if able.may(who, head, now) then
      head.id = redis.call('ZRANGE', keys.line(who.w, head.queue, head.demand), 0, 0)[1]
      local member = lines.member(who.w, head.id)
      if reservations.free(head.demand, who, member, head.order, now, foreseen) then return head, waiting end
      waiting[#waiting + 1] = head
      if (till or foreseen) and reservations.due(who.w, head.id) and units.possible(head.demand, who) then
        if till then reservations.make(head.demand, member, head.order, now, till) end
        if foreseen then reservations.foresee(head.demand, member, head.order, foreseen) end
      end
    end
  end
  return nil, waiting
end

-- Heads of other queues and workspaces that wait for a token of this demand and came earlier.
function heads.elsewhere(chosen, queues, who, now)
  local waiting, mine = {}, {}
  for _, queue in ipairs(queues) do mine[chosen.w .. '|' .. queue] = true end
  for _, want in ipairs(tokens.parse(chosen.demand)) do
    for _, place in ipairs(redis.call('HKEYS', keys.token_queues(want.name))) do
      if not mine[place] then
        mine[place] = true
        local w, queue = string.match(place, '^([^|]*)|(.*)$')
        for _, head in ipairs(of(w, { queue })) do
          if head.order >= chosen.order then break end
          head.id = redis.call('ZRANGE', keys.line(w, queue, head.demand), 0, 0)[1]
          if not reservations.free(head.demand, who, lines.member(w, head.id), head.order, now) then
            waiting[#waiting + 1] = head
          end
        end
      end
    end
  end
  return waiting
end

-- Count one more pass for each earlier head that shares a token with the job that was taken.
function heads.pass(waiting, demand)
  for _, head in ipairs(waiting) do
    if tokens.share(head.demand, demand) then redis.call('HINCRBY', keys.job(head.w, head.id), 'passed', 1) end
  end
end
