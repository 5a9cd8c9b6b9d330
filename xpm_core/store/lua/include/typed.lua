-- Key types are checked before the first write, because Redis rolls nothing back.
-- include: guard keys lines tokens
local typed = {}

-- The keys that every transition of a workspace may write.
function typed.workspace(w)
  guard.named('workspace', w)
  for _, zset in ipairs({ keys.leases(w), keys.delayed(w), keys.workers(w) }) do guard.type(zset, 'zset') end
  for _, state in ipairs(keys.LISTED) do guard.type(keys.listed(w, state), 'zset') end
  guard.type(keys.counts(w), 'hash')
  guard.type(keys.clock(w), 'hash')
  guard.type(keys.events(w), 'stream')
  guard.type(keys.worklist(w), 'list')
  guard.type(keys.queues(w), 'set')
end

local checked = {} -- cache of this call; nothing is written before all keys were checked

-- A queue's keys, and those of the tokens that its lines ask for.
function typed.queue(w, queue)
  if checked[w .. '|' .. queue] then return end
  checked[w .. '|' .. queue] = true
  for _, zset in ipairs({ keys.lines(w, queue), keys.serving(w, queue), keys.idle(w, queue) }) do
    guard.type(zset, 'zset')
  end
  guard.type(keys.view_stale(w, queue), 'set')
  guard.type(keys.view_missing(w, queue), 'set')
  for _, demand in ipairs(redis.call('ZRANGE', keys.lines(w, queue), 0, -1)) do typed.demand(demand) end
end

function typed.demand(demand)
  for _, want in ipairs(tokens.parse(demand)) do
    local name = want.name
    if not checked[name] then
      checked[name] = true
      guard.type(keys.passes, 'string')
      guard.type(keys.token(name), 'hash')
      guard.type(keys.token_holders(name), 'hash')
      guard.type(keys.token_queues(name), 'hash')
      guard.type(keys.token_reserved(name), 'hash')
    end
  end
end

-- A token's keys, and those of the queues in which jobs wait for it.
function typed.token(name)
  guard.type(keys.tokens, 'set')
  typed.demand(name .. '=1')
  for _, place in ipairs(redis.call('HKEYS', keys.token_queues(name))) do
    typed.queue(string.match(place, '^([^|]*)|(.*)$'))
  end
end

-- A job's keys, and those of its queue and line.
function typed.job(w, j)
  guard.named('identity', j)
  guard.type(keys.job(w, j), 'hash')
  guard.type(keys.needs(w, j), 'hash')
  guard.type(keys.dependents(w, j), 'list')
  local at = redis.call('HMGET', keys.job(w, j), 'queue', 'demand', 'project', 'missing')
  if not at[1] then return end
  local name = lines.name({ demand = at[2] or '', project = at[3] or nil, missing = at[4] or nil })
  typed.queue(w, at[1])
  typed.demand(name)
  guard.type(keys.line(w, at[1], name), 'zset')
end
