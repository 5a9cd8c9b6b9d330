-- From a job that waits to the job that has to run first: at each step, the dependency that is furthest from its end.
-- Nothing here writes.
-- include: keys
local chains = {}

local DEEPEST, WIDEST = 30, 500 -- steps, and dependencies looked at in each step
local DISTANCE = { waiting = 4, delayed = 3, ready = 2, running = 1 }

-- The dependency of a job that is furthest from its end, its state, and how many are not done.
local function furthest(w, j)
  local flat, found, at, distance, pending = redis.call('HGETALL', keys.needs(w, j)), nil, nil, -1, 0
  for i = 1, #flat, 2 do
    if flat[i + 1] == 'p' then
      pending = pending + 1
      if pending <= WIDEST then
        local state = redis.call('HGET', keys.job(w, flat[i]), 'state') or ''
        if (DISTANCE[state] or 0) > distance then found, at, distance = flat[i], state, DISTANCE[state] or 0 end
      end
    end
  end
  return found, at, pending
end

-- The steps { {identity, state} }, the nearest first, and how many dependencies of the job are not done.
function chains.of(w, j)
  local steps, pending = {}, nil
  for _ = 1, DEEPEST do
    local need, state, count = furthest(w, j)
    pending = pending or count
    if not need then break end
    steps[#steps + 1] = { need, state }
    if state ~= 'waiting' then break end
    j = need
  end
  return steps, pending
end
