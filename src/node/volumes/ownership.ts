/** fsGroup: volumes a pod writes to belong to the group of the pod, and what is made in them later does too. */
import { chmod, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../../api/index.ts'

/** Gives `root` and all below it to the group, readable and writable by it. With `OnRootMismatch` a root that fits is left alone. */
export async function applyFsGroup(root: string, group: number, policy: core.PodFSGroupChangePolicy | undefined): Promise<void> {
  if (policy === 'OnRootMismatch') {
    const { gid, mode } = await lstat(root)
    if (gid === group && (mode & 0o2070) === 0o2070) return
  }
  await own(root, group)
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) await own(join(entry.parentPath, entry.name), group)
}

async function own(path: string, group: number): Promise<void> {
  const info = await lstat(path)
  await lchown(path, info.uid, group)
  if (info.isSymbolicLink()) return
  await chmod(path, (info.mode & 0o7777) | (info.isDirectory() ? 0o2770 : 0o660))
}
