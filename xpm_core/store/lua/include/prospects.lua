-- What keeps the jobs of a line from running: how many workers could take them, which tokens lack, which job is next.
-- Nothing here writes.
-- include: heads lines shortages standing
local prospects = {}

local picked, foreseen = {}, {} -- caches of this call, by team

-- How all living workers of the queue stand to a head: { {who, stands} }.
function prospects.workers(head, now)
  local list, known = {}, {}
  for _, who in ipairs(standing.workers(head.w, head.queue, now)) do
    if not known[who.team] then known[who.team] = standing.of(who, head, now) end
    list[#list + 1] = { who = who, stands = known[who.team] }
  end
  return list
end

-- The job that a worker would get now; false for none. What its claim would keep is `foreseen` for this team alone,
-- because another worker may claim before.
local function next_of(who, now)
  if picked[who.team] == nil then
    foreseen[who.team] = {}
    local head = heads.pick(who, who.queues, now, nil, foreseen[who.team])
    picked[who.team] = head and head.id or false
  end
  return picked[who.team]
end

-- The facts of a head {w, id, queue, demand, order}: how many workers stand in each way, how many of the able ones are
-- idle, what lacks on the machine where the least lacks, and the idle worker that takes the job next. Busy workers
-- count for the tokens only if no able one is idle.
function prospects.of(head, now)
  local facts, idle, busy = { standing = {} }, {}, {}
  local running = standing.running(head.w)
  for _, each in ipairs(prospects.workers(head, now)) do
    facts.standing[each.stands] = (facts.standing[each.stands] or 0) + 1
    if each.stands == 'able' then table.insert(running[each.who.worker] and busy or idle, each.who) end
  end
  for _, who in ipairs(idle) do -- first, because the next claims of these may keep tokens for jobs
    if next_of(who, now) == head.id and not facts.next then facts.next = who.worker end
  end
  local nobody = { w = head.w, worker = '', host = '', devices = '', team = '' }
  local least = shortages.least(head, idle[1] and idle or busy[1] and busy or { nobody }, now, foreseen)
  facts.idle, facts.lack, facts.keeper = #idle, least.lack, least.keeper
  facts.least = lines.least(head.demand)
  facts.tokens = shortages.wanted(head, least.who.host, now)
  return facts
end
