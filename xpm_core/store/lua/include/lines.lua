-- Lines: the ready jobs of one queue with one demand and of one project, in order of (priority, arrival).
-- `lines:<queue>` holds each line's name with the order of its head, so that a claim looks at heads only.
-- include: keys reservations tokens
local lines = {}

local STRIDE = 2 ^ 44 -- arrivals that fit under one priority

-- The place of a job in its line, by its priority and the number of its arrival.
function lines.order(priority, arrival) return (100 - priority) * STRIDE + arrival end

-- The number of a job's arrival, by its place in its line.
function lines.arrival(order) return order % STRIDE end

function lines.member(w, j) return w .. ':' .. j end

-- The name of a job's line: its demand, then the tags of its project and of what workers lacked for it.
-- 'cpu=2', 'cpu=2|3600', 'cpu=2|0|project', 'cpu=2|3600|project.lack.lack'
function lines.name(rec)
  local project, missing = rec.project or '', rec.missing or ''
  if project == '' and missing == '' then return rec.demand end
  local demand = string.find(rec.demand, '|', 1, true) and rec.demand or rec.demand .. '|0'
  return demand .. '|' .. project .. (missing ~= '' and '.' .. missing or '')
end

-- The `need` of refusals.lua, of the jobs of a line, by the line's name.
function lines.need(head)
  local project, missing = string.match(head.demand, '^[^|]*|%d+|(%x*)%.?(.*)$')
  return { w = head.w, queue = head.queue, project = project or '', missing = missing or '' }
end

-- The tags of what workers lacked for a job, and one more.
function lines.lacking(rec, module)
  local tags, missing = { [module] = true }, { module }
  for tag in string.gmatch(rec.missing or '', '[^.]+') do
    if not tags[tag] then missing[#missing + 1] = tag end
  end
  table.sort(missing)
  return table.concat(missing, '.')
end

-- How much time the jobs of a line need at least, in seconds: the number after the first `|` of its name, or 0.
function lines.least(name) return tonumber(string.match(name, '^[^|]*|(%d+)') or '0') end

-- A demand with a least time of so many seconds, unless it has a longer one.
function lines.with_least(demand, least_s)
  if least_s <= lines.least(demand) then return demand end
  return string.match(demand, '^[^|]*') .. string.format('|%.0f', least_s)
end

-- Note for each token that a line of this demand begins or ends in a queue.
local function note_line(w, rec, change)
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local key, field = keys.token_queues(want.name), w .. '|' .. rec.queue
    if redis.call('HINCRBY', key, field, change) <= 0 then redis.call('HDEL', key, field) end
  end
end

function lines.enter(w, rec)
  local name = lines.name(rec)
  redis.call('ZADD', keys.line(w, rec.queue, name), rec.order, rec.id)
  if redis.call('ZADD', keys.lines(w, rec.queue), 'LT', rec.order, name) == 1 then note_line(w, rec, 1) end
end

function lines.leave(w, rec)
  local name = lines.name(rec)
  local line, index = keys.line(w, rec.queue, name), keys.lines(w, rec.queue)
  redis.call('ZREM', line, rec.id)
  local head = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
  if head[1] then
    redis.call('ZADD', index, head[2], name)
  elseif redis.call('ZREM', index, name) == 1 then
    note_line(w, rec, -1)
  end
  if rec.passed > 0 then
    reservations.drop(rec.demand, lines.member(w, rec.id))
    redis.call('HDEL', keys.job(w, rec.id), 'passed')
    rec.passed = 0
  end
end
