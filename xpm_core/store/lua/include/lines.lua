-- Lines: the ready jobs of one queue with one demand, in order of (priority, arrival).
-- `lines:<queue>` holds each line's demand with the order of its head, so that a claim looks at heads only.
-- include: keys reservations tokens
local lines = {}

function lines.member(w, j) return w .. ':' .. j end

-- How much time the jobs of a line need at least, in seconds: its demand ends in `|seconds`, unless that is 0.
function lines.least(demand) return tonumber(string.match(demand, '|(%d+)$') or '0') end

-- A demand that needs so much time, unless it needs more already.
function lines.with_least(demand, least_s)
  if least_s <= lines.least(demand) then return demand end
  return string.match(demand, '^[^|]*') .. string.format('|%.0f', least_s)
end

-- A line of this demand begins or ends in a queue.
local function note_line(w, rec, change)
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local key, field = keys.token_queues(want.name), w .. '|' .. rec.queue
    if redis.call('HINCRBY', key, field, change) <= 0 then redis.call('HDEL', key, field) end
  end
end

function lines.enter(w, rec)
  redis.call('ZADD', keys.line(w, rec.queue, rec.demand), rec.order, rec.id)
  if redis.call('ZADD', keys.lines(w, rec.queue), 'LT', rec.order, rec.demand) == 1 then note_line(w, rec, 1) end
end

function lines.leave(w, rec)
  local line, index = keys.line(w, rec.queue, rec.demand), keys.lines(w, rec.queue)
  redis.call('ZREM', line, rec.id)
  local head = redis.call('ZRANGE', line, 0, 0, 'WITHSCORES')
  if head[1] then
    redis.call('ZADD', index, head[2], rec.demand)
  elseif redis.call('ZREM', index, rec.demand) == 1 then
    note_line(w, rec, -1)
  end
  if rec.passed > 0 then
    reservations.drop(rec.demand, lines.member(w, rec.id))
    redis.call('HDEL', keys.job(w, rec.id), 'passed')
    rec.passed = 0
  end
end
