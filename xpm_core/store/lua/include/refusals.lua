-- What workers cannot import. A daemon that lacks a module for a job has refused it (refuse.lua), and is offered no
-- more jobs of that project; unless all that serve the queue have: then each job goes to the least unfit of them, so
-- that none waits for ever, or fails untried. `need` is {w, queue, project, missing}: tags, of modules joined by dots.
-- include: keys
local refusals = {}

local UNKNOWN, REFUSED, LACKING = 0, 1, 2 -- it has refused nothing; others of the project; what is needed
local refused, living = {}, {} -- caches of this call

-- All slots of a daemon import alike.
function refusals.daemon(worker) return string.match(worker, '^(.+)%.%d+$') or worker end

-- What a daemon has refused: `project`, and `project.module` for each module. A key that somebody spoiled says nothing.
local function by(w, daemon)
  local key = keys.refusals(w, daemon)
  if not refused[key] then
    refused[key] = {}
    for _, field in ipairs(redis.pcall('HKEYS', key)) do
      refused[key][field], refused[key][string.match(field, '^[^.]*')] = true, true
    end
  end
  return refused[key]
end

local function unfitness(need, daemon)
  local known = by(need.w, daemon)
  if not known[need.project] then return UNKNOWN end
  for module in string.gmatch(need.missing, '[^.]+') do
    if known[need.project .. '.' .. module] then return LACKING end
  end
  return REFUSED
end

-- The daemons of the living workers of a queue, each once.
function refusals.daemons(need, now)
  local key = keys.serving(need.w, need.queue)
  if not living[key] then
    local list, seen = {}, {}
    for _, worker in ipairs(redis.call('ZRANGEBYSCORE', key, now, '+inf')) do
      local daemon = refusals.daemon(worker)
      if not seen[daemon] then seen[daemon], list[#list + 1] = true, daemon end
    end
    living[key] = list
  end
  return living[key]
end

local function least(need, now)
  local found = LACKING
  for _, daemon in ipairs(refusals.daemons(need, now)) do
    found = math.min(found, unfitness(need, daemon))
    if found == UNKNOWN then break end
  end
  return found
end

-- What a worker has refused is known as long as the worker is. Each of its calls renews that.
function refusals.keep(ask)
  redis.call('PEXPIRE', keys.refusals(ask.w, refusals.daemon(ask.worker)), ask.lease_ms * 4)
end

-- Whether a worker has refused anything. Most have not.
function refusals.any(who) return next(by(who.w, refusals.daemon(who.worker))) ~= nil end

-- Whether a worker may have a job: no living one is fitter.
function refusals.allow(need, worker, now)
  local own = unfitness(need, refusals.daemon(worker))
  return own == UNKNOWN or own <= least(need, now)
end

-- Whether all living workers of the queue lack what a job needs.
function refusals.complete(need, now) return least(need, now) == LACKING end
