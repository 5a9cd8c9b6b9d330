-- The form of submissions and of the answers to them, which submit.lua describes.
-- include: guard
local wire = {}

-- A job from its line, its tags and its payload. It inherits the facts of its kind.
function wire.job(kinds, line, tags, payload)
  local number, id, directory, marker, rest = string.match(line, '^(%d+) (%S+) (%S+) (%S*)(.*)$')
  local kind = kinds[tonumber(number)]
  if not kind or not payload then guard.refuse('job: malformed') end
  kind.__index = kind
  local job = { kind = kind, id = id, directory = directory, marker = marker, needs = {}, tags = tags, payload = payload }
  for need in string.gmatch(rest, '%S+') do job.needs[#job.needs + 1] = need end
  return setmetatable(job, kind)
end

local function word(text) return text and string.gsub(text, '%s', '?') or '' end

-- The line that says what became of a job.
function wire.answer(code, rec)
  local ended = string.format('%.0f', rec.ended or 0)
  return table.concat({ code, rec.state, word(rec.execution), ended, (word(rec.root)), rec.code }, ' ')
end
