-- Jobs that workers refused (refuse.lua): they lack a module, do not know an option, or have no place for its code. A
-- daemon that has refused a job gets no more jobs of that project. If all that serve the queue have, each job goes to
-- the least unfit, so that none fails untried. `need` is {w, queue, project, missing}: tags of the project, and of lacks.
-- include: keys
local refusals = {}
local UNKNOWN, REFUSED, LACKING = 0, 1, 2 -- refused no job of the project; some; lacks what this job needs
local refused, troubled, living = {}, {}, {} -- caches of this call
-- The daemon of a worker. All its workers lack the same.
function refusals.daemon(worker) return string.match(worker, '^(.+)%.%d+$') or worker end

-- What a daemon has refused, as a set: `project`, and `project.lack` for each thing that it lacks. And until when it
-- waits for a place for the code of a project's jobs. A key of another type counts as empty.
local function by(w, daemon)
  local key = keys.refusals(w, daemon)
  if not refused[key] then
    local found = redis.pcall('HGETALL', key)
    refused[key], troubled[key] = {}, {}
    for number = 1, #found, 2 do
      local till, project = string.match(found[number + 1], '"look_again_ms":(%d+)'), string.match(found[number], '^[^.]*')
      if till then troubled[key][project] = tonumber(till)
      else refused[key][found[number]], refused[key][project] = true, true end
    end
  end
  return refused[key], troubled[key]
end

local function unfitness(need, daemon)
  local known = by(need.w, daemon)
  if not known[need.project] then return UNKNOWN end
  for module in string.gmatch(need.missing, '[^.]+') do
    if known[need.project .. '.' .. module] then return LACKING end
  end
  return REFUSED
end

-- Whether a daemon has no place for the code of a project's jobs, and has not looked again.
local function waits(need, daemon, now) return (select(2, by(need.w, daemon))[need.project] or 0) > now end

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
    found = math.min(found, math.max(unfitness(need, daemon), waits(need, daemon, now) and REFUSED or UNKNOWN))
    if found == UNKNOWN then break end
  end
  return found
end

-- The refusals of a daemon stay as long as its workers are known. Each of their calls renews that.
function refusals.keep(ask)
  redis.call('PEXPIRE', keys.refusals(ask.w, refusals.daemon(ask.worker)), ask.lease_ms * 4)
end

-- Whether a worker has refused any job. Most have not.
function refusals.any(who)
  local lacks, troubles = by(who.w, refusals.daemon(who.worker))
  return (next(lacks) or next(troubles)) ~= nil
end

-- Whether a worker may have a job: it has a place for its code, and no living worker of the queue is fitter.
function refusals.allow(need, worker, now)
  local daemon = refusals.daemon(worker)
  local own = unfitness(need, daemon)
  return not waits(need, daemon, now) and (own == UNKNOWN or own <= least(need, now))
end
-- Whether all living workers of the queue lack what a job needs.
function refusals.complete(need, now) return least(need, now) == LACKING end
