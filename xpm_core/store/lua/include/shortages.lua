-- The tokens of a demand, as a job that waits finds them. Nothing here writes.
-- include: lines reservations standing tokens units
local shortages = {}

-- Which tokens lack for a head on the machine of a worker, and which earlier job has them kept, or would have them kept
-- by a claim of this worker.
local function at(head, who, now, foreseen)
  local lack, keeper = {}, nil
  for _, want in ipairs(tokens.parse(head.demand)) do
    if not reservations.unheld(want, who) then lack[#lack + 1] = want.name end
    local member = lines.member(head.w, head.id)
    keeper = keeper or reservations.keeper(want.name, member, head.order, now, foreseen)
  end
  return { who = who, lack = lack, keeper = keeper }
end

-- Of some workers, the one on whose machine the least lacks: {who, lack, keeper}. `foreseen` holds, by team, what a
-- claim of a worker would keep.
function shortages.least(head, list, now, foreseen)
  local best, seen = nil, {}
  for _, who in ipairs(list) do
    if not seen[who.team] then
      seen[who.team] = true
      local found = at(head, who, now, foreseen[who.team])
      if not best or #found.lack < #best.lack or (#best.lack == 0 and best.keeper and not found.keeper) then
        best = found
      end
    end
  end
  return best
end

-- What a head wants of each token, how many units there are and are used on a host, and how many the largest machine
-- that serves its queue has.
function shortages.wanted(head, host, now)
  local list = {}
  for i, want in ipairs(tokens.parse(head.demand)) do
    local token, most = tokens.read(want.name, host), 0
    for _, who in ipairs(standing.workers(head.w, head.queue, now)) do
      most = math.max(most, units.most(tokens.read(want.name, who.host), who))
    end
    list[i] = { name = want.name, wants = want.n, capacity = token.capacity, used = token.used, most = most,
      at = token.at }
  end
  return list
end
