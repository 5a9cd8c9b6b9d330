-- Who stands behind the facts of prospects.lua: workers, what they lack, and the jobs that hold tokens.
-- Nothing here writes.
-- include: keys lines prospects refusals standing tokens
local witnesses = {}

local NAMED = 1000 -- workers and holders that are listed at most

local function started(w, j)
  local v = redis.call('HMGET', keys.job(w, j), 'task', 'started')
  return v[1] or '', tonumber(v[2] or '0')
end

-- The workers of a queue, each with what is in its way and with the job that it runs.
function witnesses.workers(head, now)
  local list, running = {}, standing.running(head.w)
  for i, each in ipairs(prospects.workers(head, now)) do
    if i > NAMED then break end
    local who, j = each.who, running[each.who.worker]
    local row = { name = who.worker, host = who.host, stands = each.stands, age = who.age, left = who.left_ms,
      lease_left = who.lease_left, job = j }
    if j then row.task, row.started = started(head.w, j) end
    list[i] = row
  end
  return list
end

-- What the daemons lack that have refused jobs of the same project: their refusals, as JSON.
function witnesses.refusals(head, now)
  local list, seen, project = {}, {}, lines.need(head).project
  for _, each in ipairs(prospects.workers(head, now)) do
    local daemon = refusals.daemon(each.who.worker)
    if each.stands == 'refused' and not seen[daemon] and #list < NAMED then
      seen[daemon] = true
      local flat = redis.call('HGETALL', keys.refusals(head.w, daemon))
      for i = 1, #flat, 2 do
        if string.match(flat[i], '^[^.]*') == project then list[#list + 1] = flat[i + 1] end
      end
    end
  end
  return list
end

-- The executions that hold units of a token, on one host if its units belong to each host.
function witnesses.holders(token)
  local list, flat = {}, redis.call('HGETALL', keys.token_holders(token.name))
  for i = 1, math.min(#flat, 2 * NAMED), 2 do
    local w, j = string.match(flat[i], '^([^:]*):([^:]*):')
    local n, at = string.match(flat[i + 1], '^(%d+)|([^|]*)|')
    if w and at == token.at then
      local row = { w = w, job = j, units = tonumber(n) }
      row.task, row.started = started(w, j)
      list[#list + 1] = row
    end
  end
  return list
end
