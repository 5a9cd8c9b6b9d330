-- The lists of RQ's queues. Their length is always the number of ready jobs. Where tokens let jobs leave from the
-- middle of a long list, its ids lag, because to look for an id in 50,000 takes 2.6 ms. Then the first id is taken
-- out instead: its job is missing from the list, and the id that stays is stale. There are as many missing as stale
-- ids, and once the list is short they are set right.
-- include: keys rq
local listing = {}

local SHORT = 1000 -- ids: in a list up to this length an id is looked for
local STEP = 4 -- stale ids that one call sets right
local listed = {} -- cache of this call: lists that RQ knows

-- Put stale ids right in a list that is short by now.
local function mend(w, queue, list)
  local stale, missing = keys.view_stale(w, queue), keys.view_missing(w, queue)
  for _ = 1, STEP do
    local old = redis.call('SPOP', stale)
    if not old then return end
    rq.put('list', 'LREM', list, 1, old)
    local id = redis.call('SPOP', missing)
    if id then rq.put('list', 'RPUSH', list, id) end
  end
end

-- A job is no longer ready.
function listing.leave(w, queue, id)
  local list, stale, missing = keys.rq_queue(w, queue), keys.view_stale(w, queue), keys.view_missing(w, queue)
  if rq.put('list', 'LINDEX', list, 0) == id then
    redis.call('LPOP', list)
    return
  end
  local long = (rq.put('list', 'LLEN', list) or 0) > SHORT
  local absent = redis.call('SREM', missing, id) == 1
  if long or absent then
    local first = rq.put('list', 'LPOP', list)
    if not first then return end
    if redis.call('SREM', stale, first) == 0 then redis.call('SADD', missing, first) end
    if not absent then redis.call('SADD', stale, id) end
  else
    rq.put('list', 'LREM', list, 1, id)
  end
  if not long then mend(w, queue, list) end
end

-- A job is ready. If a stale id of it is in the list, that one counts again, and another job takes the new place.
function listing.enter(w, queue, id)
  local list = keys.rq_queue(w, queue)
  if not listed[list] then rq.put('set', 'SADD', keys.rq_queues, list) end
  listed[list] = true
  if redis.call('SREM', keys.view_stale(w, queue), id) == 1 then
    id = redis.call('SPOP', keys.view_missing(w, queue)) or id
  end
  rq.put('list', 'RPUSH', list, id)
end
