/** The probes: each does its fault to a process of its own, looks at what came of it, and leaves nothing behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../clock.js';
import { messageOf } from '../../errors.js';
import { BUS_NAME, NameView } from '../../rig/nameView.js';
import { installedRedis } from '../../rig/redis/binary.js';
import { TcpProxy } from '../../rig/tcpProxy.js';
import { burnProgram } from './burn.js';
import type { CapabilityName, ProbeFinding } from './capability.js';
import { busyShare, cpuTicksOf, machineTicks, processState, startTicksOf } from './procStat.js';
import { type ProgramEnd, runNode, runProgram } from './run.js';

const works = (detail: string): ProbeFinding => ({ status: 'works', detail });
const failed = (detail: string): ProbeFinding => ({ status: 'failed', detail });
const absent = (detail: string): ProbeFinding => ({ status: 'absent', detail });

const isRoot = (): boolean => process.geteuid?.() === 0;

/** Of a program that makes a namespace: what its end means. */
function namespaceFinding(end: ProgramEnd, program: string, seen: string, said: string): ProbeFinding {
  if (end.absent) return absent(`${program} is not installed`);
  if (end.stdout.includes(said)) return works(seen);
  const why = end.complaint === '' ? `code ${end.code}, signal ${end.signal}` : end.complaint;
  const status = !isRoot() && /permitted|permission/i.test(why) ? 'needs_root' : 'failed';
  return { status, detail: `${why}${status === 'needs_root' ? ': user namespaces are not allowed here' : ''}` };
}

async function signals(): Promise<ProbeFinding> {
  let finding = failed('a stopped process went on');
  const look = async (pid: number): Promise<void> => {
    try {
      process.kill(pid, 'SIGSTOP');
      const stopped = await untilState(pid, 'T');
      process.kill(pid, 'SIGCONT');
      if (stopped) finding = works('a process was stopped, seen to stand still, and continued');
    } catch (error) {
      finding = failed(messageOf(error));
    }
    process.kill(pid, 'SIGKILL');
  };
  let looking: Promise<void> | undefined;
  const end = await runProgram('sleep', ['5'], {
    onStart: (pid) => {
      looking = look(pid);
    },
  });
  await looking;
  return end.absent ? absent('sleep is not installed') : finding;
}

async function untilState(pid: number, state: string): Promise<boolean> {
  for (let look = 0; look < 200; look++) {
    if ((await processState(pid)) === state) return true;
    await systemClock.sleep(5);
  }
  return false;
}

async function proc(): Promise<ProbeFinding> {
  const [ticks, started, machine] = await Promise.all([cpuTicksOf(process.pid), startTicksOf(process.pid), machineTicks()]);
  if (ticks === undefined || started === undefined || machine === undefined)
    return absent('there is no /proc as on Linux: doses cannot be measured');
  return works('processes and processors can be measured');
}

async function tcpProxy(): Promise<ProbeFinding> {
  try {
    const proxy = await TcpProxy.start(1);
    await proxy.close();
    return works(`a proxy listened on 127.0.0.1:${proxy.port}`);
  } catch (error) {
    return failed(messageOf(error));
  }
}

const BURN_MS = 600;
const FULL_LOAD = 0.95;

async function cpuLoad(): Promise<ProbeFinding> {
  const burning = runNode(burnProgram(availableParallelism(), BURN_MS + 400));
  await systemClock.sleep(300);
  const from = await machineTicks();
  await systemClock.sleep(BURN_MS);
  const until = await machineTicks();
  await burning;
  if (from === undefined || until === undefined) return absent('there is no /proc/stat: the load cannot be measured');
  const share = busyShare(from, until);
  const detail = `${(share * 100).toFixed(0)} % of ${availableParallelism()} processors were busy`;
  return share >= FULL_LOAD ? works(detail) : failed(`${detail}, ${FULL_LOAD * 100} % are needed`);
}

async function memoryLimit(): Promise<ProbeFinding> {
  const end = await runNode('const held = []; for (;;) held.push(new Array(1e5).fill({}));', { flags: ['--max-old-space-size=16'] });
  return end.signal === 'SIGABRT' || (end.code ?? 0) > 127
    ? works(`a process with a heap of 16 MB ended by ${end.signal ?? `code ${end.code}`} when it was full`)
    : failed(`a process with a heap of 16 MB ended with code ${end.code}, signal ${end.signal}`);
}

const FILL =
  "const { writeFileSync } = require('node:fs'); try { writeFileSync(process.argv[1], Buffer.alloc(1 << 20)); console.log('no limit'); } catch (error) { console.log(error.code); }";

async function inDirectory(look: (directory: string) => Promise<ProbeFinding>): Promise<ProbeFinding> {
  const directory = await mkdtemp(join(tmpdir(), 'failflat-doctor-'));
  try {
    return await look(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function fileSizeLimit(): Promise<ProbeFinding> {
  return inDirectory(async (directory) => {
    const end = await runProgram('prlimit', ['--fsize=4096', process.execPath, '-e', FILL, join(directory, 'file')]);
    if (end.absent) return absent('prlimit is not installed (util-linux)');
    return end.stdout.includes('EFBIG')
      ? works('a write beyond the limit failed with EFBIG')
      : failed(`a write beyond the limit: ${end.stdout.trim()} ${end.complaint}`);
  });
}

function smallFileSystem(): Promise<ProbeFinding> {
  return inDirectory(async (directory) => {
    const script = 'mount -t tmpfs -o size=65536 none "$1" && exec "$2" -e "$3" "$1/file"';
    const end = await runProgram('unshare', ['-rm', 'sh', '-c', script, 'sh', directory, process.execPath, FILL]);
    return namespaceFinding(end, 'unshare', 'a write on a file system of 64 kB failed with ENOSPC; it went with its process', 'ENOSPC');
  });
}

function privateNames(): Promise<ProbeFinding> {
  return inDirectory(async (directory) => {
    const names = await NameView.in(directory);
    const [program = '', ...words] = names.launcher;
    const end = await runProgram(program, [...words, 'grep', BUS_NAME, '/etc/hosts']);
    return namespaceFinding(end, program, 'a process had names of its own; they went with it', BUS_NAME);
  });
}

async function networkNamespace(): Promise<ProbeFinding> {
  const end = await runProgram('unshare', ['-rn', 'sh', '-c', 'test "$(grep -c : /proc/net/dev)" -le 2 && echo alone']);
  return namespaceFinding(end, 'unshare', 'a process had a network of its own; it went with the process', 'alone');
}

const DROP = 'ip link set lo up && iptables -A INPUT -i lo -p tcp --dport 9 -j DROP && iptables -L INPUT -n | grep -q DROP && echo dropped';

async function packetDrop(): Promise<ProbeFinding> {
  const tools = await runProgram('sh', ['-c', 'command -v ip && command -v iptables']);
  if (tools.code !== 0) return absent('ip and iptables are not both installed: partitions stall connections in a proxy instead');
  const end = await runProgram('unshare', ['-rn', 'sh', '-c', DROP]);
  return namespaceFinding(end, 'unshare', 'a rule dropped packets in a network of its own', 'dropped');
}

async function timeNamespace(): Promise<ProbeFinding> {
  const end = await runProgram('unshare', [
    '-rT',
    '--monotonic',
    '3600',
    'sh',
    '-c',
    'grep -q "monotonic *3600" /proc/self/timens_offsets && echo ahead',
  ]);
  return namespaceFinding(end, 'unshare', 'the monotonic clock of a process was an hour ahead', 'ahead');
}

const FAKETIME = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/faketime/libfaketime.so.1',
];

async function wallClockShim(): Promise<ProbeFinding> {
  const script = `for f in ${FAKETIME.join(' ')}; do test -e "$f" && LD_PRELOAD="$f" FAKETIME=+1h exec "$0" -p 'Date.now()'; done; echo none`;
  const wallMs = systemClock.wallMs();
  const end = await runProgram('sh', ['-c', script, process.execPath]);
  const aheadMs = Number(end.stdout) - wallMs;
  if (end.stdout.trim() === 'none')
    return absent('libfaketime is not installed: wall clocks are stepped inside the rig’s own processes instead');
  return aheadMs > 3_590_000 && aheadMs < 3_620_000
    ? works('the wall clock of a process was an hour ahead')
    : failed(`the wall clock of a process was ${aheadMs} ms ahead`);
}

async function redisServer(): Promise<ProbeFinding> {
  const path = await installedRedis();
  if (path === undefined)
    return absent('no redis-server: install one, or set REDIS_SERVER; the rig fetches one where it can when it needs it');
  return works(path);
}

async function controlGroups(): Promise<ProbeFinding> {
  const end = await runProgram('sh', ['-c', 'if test -e /sys/fs/cgroup/cgroup.controllers; then echo v2; else ls /sys/fs/cgroup; fi']);
  const found = end.stdout.trim().replaceAll('\n', ' ');
  if (found === '') return absent('no control groups are mounted');
  if (!isRoot()) return { status: 'needs_root', detail: 'only root makes control groups outside a delegated one' };
  return works(`mounted: ${found}; nothing was made in them`);
}

export interface Probe {
  readonly name: CapabilityName;
  readonly fault: string;
  readonly root: string;
  readonly look: () => Promise<ProbeFinding>;
}

const NO_ROOT = 'no';

export const PROBES: readonly Probe[] = [
  { name: 'signals', fault: 'processes that die, or stand still and go on', root: NO_ROOT, look: signals },
  { name: 'proc', fault: 'none: it measures doses', root: NO_ROOT, look: proc },
  { name: 'tcp-proxy', fault: 'connections that stall, are late, are reset or half-open', root: NO_ROOT, look: tcpProxy },
  { name: 'cpu-load', fault: 'processors that others keep busy', root: NO_ROOT, look: cpuLoad },
  { name: 'memory-limit', fault: 'a process whose memory is full', root: NO_ROOT, look: memoryLimit },
  { name: 'file-size-limit', fault: 'writes that fail, switched on and off in a live process', root: NO_ROOT, look: fileSizeLimit },
  {
    name: 'small-file-system',
    fault: 'a disk that is full',
    root: 'not where user namespaces are allowed: mounting belongs to root of a namespace',
    look: smallFileSystem,
  },
  {
    name: 'private-names',
    fault: 'host names that cannot be looked up any more',
    root: 'not where user namespaces are allowed: mounting belongs to root of a namespace; the files of the host are never touched',
    look: privateNames,
  },
  {
    name: 'network-namespace',
    fault: 'a process without a network',
    root: 'not where user namespaces are allowed: a network belongs to root of a namespace',
    look: networkNamespace,
  },
  {
    name: 'packet-drop',
    fault: 'packets that are lost on the way',
    root: 'not where user namespaces are allowed: rules belong to root of a namespace; those of the host are never touched',
    look: packetDrop,
  },
  {
    name: 'time-namespace',
    fault: 'a monotonic clock with another origin',
    root: 'not where user namespaces are allowed: clocks belong to root of a namespace; that of the host is never set',
    look: timeNamespace,
  },
  { name: 'wall-clock-shim', fault: 'a wall clock that steps', root: NO_ROOT, look: wallClockShim },
  { name: 'redis-server', fault: 'a bus that stalls, dies, fails over or forgets', root: NO_ROOT, look: redisServer },
  {
    name: 'control-groups',
    fault: 'a quota of processor or memory for a live process; no scenario uses it',
    root: 'yes: the tree of control groups belongs to root',
    look: controlGroups,
  },
];
