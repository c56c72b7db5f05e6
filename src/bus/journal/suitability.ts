/** Decides whether a journal can be kept at a place: appends and directory watches do not hold on network file systems. */
import { readFileSync, statfsSync } from 'node:fs';
import { messageOf } from '../../errors.js';
import { BusUnsuitableError } from '../bus.js';

// Magic numbers of statfs(2) on Linux.
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x0bd00bd0, 'Lustre'],
  [0x19830326, 'BeeGFS'],
  [0x47504653, 'GPFS'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x786f4256, 'a shared folder of VirtualBox'],
]);
const FUSE = 0x65735546;
const NETWORK_FUSE =
  /^(fuse\.)?(sshfs|glusterfs|ceph|rclone|s3fs|goofys|gcsfuse|davfs2?|curlftpfs|smbnetfs|moosefs|mfs|lizardfs|juicefs|seaweedfs|nfs.*|virtiofs)$/;

export interface PlaceProbe {
  readonly platform: string;
  /** The magic number of the file system that holds `path`. */
  fileSystemType(path: string): number;
  /** `/proc/self/mountinfo`. */
  mounts(): string;
}

export const systemPlace: PlaceProbe = {
  platform: process.platform,
  fileSystemType: (path) => statfsSync(path).type,
  mounts: () => readFileSync('/proc/self/mountinfo', 'utf8'),
};

function mountedType(path: string, mounts: string): string | undefined {
  let best: { readonly at: string; readonly type: string } | undefined;
  for (const line of mounts.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const at = left.split(' ')[4]?.replaceAll('\\040', ' ');
    const type = right.split(' ')[0];
    if (at === undefined || type === undefined) continue;
    const holds = path === at || path.startsWith(at.endsWith('/') ? at : `${at}/`);
    if (holds && at.length >= (best?.at.length ?? 0)) best = { at, type };
  }
  return best?.type;
}

/** The name of the network file system that holds `path`, if it can be told. */
export function networkFileSystem(path: string, place: PlaceProbe): string | undefined {
  if (place.platform !== 'linux') return undefined;
  const magic = place.fileSystemType(path) >>> 0;
  const known = NETWORK_FILE_SYSTEMS.get(magic);
  if (known !== undefined || magic !== FUSE) return known;
  const type = mountedType(path, place.mounts());
  return type !== undefined && NETWORK_FUSE.test(type) ? type : undefined;
}

/** Throws {@link BusUnsuitableError} where `path` (absolute, existing) stands on a network file system. */
export function mustBeLocal(path: string, place: PlaceProbe): void {
  let network: string | undefined;
  try {
    network = networkFileSystem(path, place);
  } catch (error) {
    throw new BusUnsuitableError(`${path}: cannot tell which file system holds it: ${messageOf(error)}`, { cause: error });
  }
  if (network === undefined) return;
  throw new BusUnsuitableError(`${path}: stands on a network file system (${network}); a journal needs a local disk`);
}
