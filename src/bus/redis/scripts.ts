/** What must happen in Redis in one step. Each script judges the caller's deadline by the server's own clock before it writes. */
import { createHash } from 'node:crypto';
import type { Link } from './link.js';
import { type RedisArgument, RedisReplyError } from './seam.js';

export interface Script {
  readonly text: string;
  readonly sha: string;
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

const NOW = `local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
`;

/**
 * KEYS: stream, newest by key, appended once. ARGV: not after, key, idempotency key, retention in ms or '', '1' for what must
 * be taken even when memory is short, fields …
 *
 * Redis looks at its memory before the first write of a script that could need some, and not after a write that needs none: what
 * must be taken, held or handed back whatever happens begins with one of those.
 * A command that the user may not give ends a script where it stands: behind the first write that counts, none may do so.
 */
export const APPEND = script(`${NOW}
if now > tonumber(ARGV[1]) then return {'deadline_passed', tostring(now)} end
if ARGV[3] ~= '' and redis.call('HEXISTS', KEYS[3], ARGV[3]) == 1 then return {'duplicate', tostring(now)} end
if ARGV[5] == '1' then redis.call('HDEL', KEYS[3], '') end
local add = {'XADD', KEYS[1]}
if ARGV[4] ~= '' then
  add[3] = 'MINID'
  add[4] = '~'
  add[5] = string.format('%d', math.floor(now - tonumber(ARGV[4])))
end
add[#add + 1] = '*'
for i = 6, #ARGV do add[#add + 1] = ARGV[i] end
local id = redis.call(unpack(add))
local problem
local function note(key, name)
  if name == '' then return end
  local noted = redis.pcall('HSET', key, name, id)
  if type(noted) == 'table' and noted.err then problem = noted.err end
end
note(KEYS[3], ARGV[3])
note(KEYS[2], ARGV[2])
if problem then return {'not_noted', tostring(now), problem} end
return {'committed', tostring(now), id}`);

/** KEYS: stream, newest by key. ARGV: key. */
export const LATEST = script(`local id = redis.call('HGET', KEYS[2], ARGV[1])
if not id then return {} end
return redis.call('XRANGE', KEYS[1], id, id)`);

/** KEYS: stream. The last id that it has given; '0-0' for none. */
export const END = script(`local info = redis.pcall('XINFO', 'STREAM', KEYS[1])
if info.err then return '0-0' end
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then return info[i + 1] end end
return '0-0'`);

/** Names are sorted byte by byte: what Lua itself compares by is the locale that the server happens to run in. */
const LATCH_SUM = `local function before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end
local function sum(version, names, fields)
  local text = {version}
  table.sort(names, before)
  for _, name in ipairs(names) do text[#text + 1] = '|' .. #name .. ':' .. name .. '=' .. #fields[name] .. ':' .. fields[name] end
  return redis.sha1hex(table.concat(text))
end
`;

/**
 * KEYS: latch, changes. ARGV: not after, expected version, new sum, names and values … A halt is taken also when memory is short.
 *
 * What the server may refuse comes before anything is taken away, and what only wakes those who watch fails nothing: a value is
 * never lost half-way.
 */
export const COMPARE_AND_SET = script(`${NOW}${LATCH_SUM}
if now > tonumber(ARGV[1]) then return {'deadline_passed', tostring(now)} end
local flat = redis.pcall('HGETALL', KEYS[1])
if flat.err then return {'doubt', tostring(now)} end
local version, stands, names, fields = '0', '', {}, {}
for i = 1, #flat, 2 do
  if flat[i] == 'latch_version' then version = flat[i + 1]
  elseif flat[i] == 'latch_sum' then stands = flat[i + 1]
  else names[#names + 1] = flat[i]; fields[flat[i]] = flat[i + 1] end
end
if #flat > 0 and sum(version, names, fields) ~= stands then return {'doubt', tostring(now), version} end
if version ~= ARGV[2] then return {'conflict', tostring(now)} end
local next = string.format('%d', tonumber(version) + 1)
redis.call('HDEL', KEYS[1], '')
redis.call('HSET', KEYS[1], 'latch_version', next, 'latch_sum', ARGV[3])
for i = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  fields[ARGV[i]] = nil
end
for name in pairs(fields) do redis.call('HDEL', KEYS[1], name) end
local wake = {'XADD', KEYS[2], 'MAXLEN', 1, next .. '-0', 'version', next}
local woken = redis.pcall(unpack(wake))
if type(woken) == 'table' and woken.err then
  redis.pcall('DEL', KEYS[2])
  redis.pcall(unpack(wake))
end
return {'committed', tostring(now), next}`);

/**
 * KEYS: stream, claims. ARGV: group. The group is made where it is missing, from the first record on: a panic that was
 * written before it must be delivered. Answers the stream's last id, whether undelivered records remain, and the claims.
 */
export const OBSERVE_GROUP = script(`local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000)
if pending.err then
  redis.call('HDEL', KEYS[2], '')
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  pending = {}
end
local last, delivered = '0-0', '0-0'
local info = redis.call('XINFO', 'STREAM', KEYS[1])
for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local named, at = '', '0-0'
  for i = 1, #group, 2 do
    if group[i] == 'name' then named = group[i + 1] end
    if group[i] == 'last-delivered-id' then at = group[i + 1] end
  end
  if named == ARGV[1] then delivered = at end
end
local claims = {}
for i, entry in ipairs(pending) do
  local note = redis.call('HMGET', KEYS[2], entry[1], entry[1] .. ':released')
  claims[i] = {entry[1], entry[2], entry[4], note[1] or '0', note[2] or ''}
end
return {last, delivered, claims}`);

/** KEYS: stream, claims. ARGV: not after, group, consumer. The next record that nobody has had. */
export const TAKE_NEW = script(`${NOW}
if now > tonumber(ARGV[1]) then return {} end
local read = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
if not read then return {} end
return read[1][2]`);

/** KEYS: stream, claims. ARGV: not after, group, consumer, id, deliveries as observed. Nothing where others came first. */
export const TAKE_OVER = script(`${NOW}
if now > tonumber(ARGV[1]) then return {} end
local pending = redis.call('XPENDING', KEYS[1], ARGV[2], ARGV[4], ARGV[4], 1)
if #pending == 0 or pending[1][4] ~= tonumber(ARGV[5]) then return {} end
redis.call('HDEL', KEYS[2], ARGV[4], ARGV[4] .. ':released')
return redis.call('XCLAIM', KEYS[1], ARGV[2], ARGV[3], 0, ARGV[4])`);

const MINE = `local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
local mine = #pending == 1 and pending[1][2] == ARGV[2] and pending[1][4] == tonumber(ARGV[4])
if not mine or redis.call('HEXISTS', KEYS[2], ARGV[3] .. ':released') == 1 then return 0 end
`;

/** KEYS: stream, claims. ARGV: group, consumer, id, deliveries. 1: still held by this delivery. */
export const RENEW = script(`${MINE}
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', 0, 'JUSTID')
redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
return 1`);

/** KEYS: stream, claims. ARGV: group, consumer, id, deliveries. */
export const RELEASE = script(`${MINE}
redis.call('HDEL', KEYS[2], '')
redis.call('HSET', KEYS[2], ARGV[3] .. ':released', 1)
return 1`);

/** KEYS: stream, claims. ARGV: group, id. 1: acknowledged by this call. */
export const ACKNOWLEDGE = script(`redis.call('HDEL', KEYS[2], ARGV[2], ARGV[2] .. ':released')
return redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])`);

/** KEYS: proof. ARGV: proof, its life in ms. Writes and reads back, and says of whose data it is and who holds copies. */
export const PROBE = script(`${NOW}
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {redis.call('GET', KEYS[1]), tostring(now), redis.call('INFO', 'replication')}`);

/** Runs a script by its sum; a server that does not know it yet has surely not run it. */
export async function runScript(
  link: Link,
  { sha, text }: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
  timeoutMs: number,
): Promise<unknown> {
  try {
    return await link.call('EVALSHA', [sha, keys.length, ...keys, ...args], timeoutMs);
  } catch (error) {
    if (!(error instanceof RedisReplyError && error.kind === 'NOSCRIPT')) throw error;
    return link.call('EVAL', [text, keys.length, ...keys, ...args], timeoutMs);
  }
}
