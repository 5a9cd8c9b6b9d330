-- The server's time, which decides everything, and the rest of expiry after a silence.
-- include: keys
local clock = {}

function clock.now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Whether leases may be expired now. After a silence of the server (nobody called for half a lease, as
-- after a restart), or when its clock went back, expiry rests for one lease time, so that the living can renew first.
-- Returns that; whether some time has passed since it last was so; and whether the clock went back.
function clock.may_expire(w, now, lease_ms)
  local key = keys.clock(w)
  local seen = redis.call('HMGET', key, 'called', 'rest_until')
  local since, rest_until = now - tonumber(seen[1] or '0'), tonumber(seen[2] or '0')
  local back, beat = since < 0, since < 0 or since > lease_ms / 8
  if back or (since > lease_ms / 2 and redis.call('ZCARD', keys.leases(w)) > 0) then
    rest_until = now + lease_ms
    redis.call('HSET', key, 'called', now, 'rest_until', rest_until)
  elseif beat then
    redis.call('HSET', key, 'called', now)
  end
  return now >= rest_until, beat, back
end

local MONTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local function leap(year) return (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0 end

local told = {} -- cache of this call, which has one time

-- The form that RQ's readers parse: 2026-01-31T12:00:00.000000Z
function clock.iso(ms)
  told[ms] = told[ms] or clock.written(ms)
  return told[ms]
end

function clock.written(ms)
  local seconds = math.floor(ms / 1000)
  local days, year, month = math.floor(seconds / 86400), 1970, 1
  while days >= (leap(year) and 366 or 365) do
    days = days - (leap(year) and 366 or 365)
    year = year + 1
  end
  while true do
    local length = MONTHS[month] + ((month == 2 and leap(year)) and 1 or 0)
    if days < length then break end
    days, month = days - length, month + 1
  end
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03d000Z', year, month, days + 1,
    math.floor(seconds / 3600) % 24, math.floor(seconds / 60) % 60, seconds % 60, ms % 1000)
end
