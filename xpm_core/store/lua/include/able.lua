-- Whether a worker may get the jobs of a line. `who` is a worker: {w, worker, host, left_ms, devices}.
-- include: lines refusals units
local able = {}

function able.may(who, head, now)
  if who.left_ms and lines.least(head.demand) * 1000 > who.left_ms then return false end
  if who.devices ~= '' and not units.possible(head.demand, who) then return false end
  return not refusals.any(who) or refusals.allow(lines.need(head), who.worker, now)
end
