/**
 * subPath mounts. What a container can write to it can also fill with symlinks, at any moment; so the path is walked once,
 * component by component on open descriptors that follow no link, and what is mounted is the descriptor, not a path.
 */
import { constants, type BigIntStats } from 'node:fs'
import { chmod, mkdir, open, realpath, rmdir, stat, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { bindDescriptor, mountsBelow, unmountBelow } from './mounts.ts'

/** Linux's O_PATH: a descriptor that only names a file. Node has no constant for it. */
const pathOnly = 0o10000000

/**
 * Binds `<volume>/<subPath>` to `target` (making the directory if it is not there) and resolves once it is mounted. What an earlier
 * container of the same name had there stays if it is the same still; of a file that was replaced since, a new container gets the new one.
 */
export async function mountSubPath(volume: string, subPath: string, target: string): Promise<void> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) throw new Error(`subPath ${JSON.stringify(subPath)} must be relative and must not contain ".."`)
  const root = await realpath(volume)
  const wanted = join(root, subPath)
  const resolved = await realpath(wanted).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    await makeInside(root, subPath)
    return wanted
  })
  if (resolved !== root && !resolved.startsWith(`${root}/`)) throw new Error(`subPath ${JSON.stringify(subPath)} is not within the volume`)
  const handle = await openInside(root, relative(root, resolved))
  try {
    if ((await mountsBelow(target)).length > 0) {
      if (isSame(await handle.stat({ bigint: true }), await stat(target, { bigint: true }))) return
      await unmountBelow(target)
      // It may have been a file and be a directory now.
      await rmdir(target).catch(() => unlink(target))
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o750 })
    if ((await handle.stat()).isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 })
    else await writeFile(target, '', { flag: 'a' })
    await bindDescriptor(handle.fd, target)
  } finally {
    await handle.close()
  }
}

const isSame = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino

/** Opens a path below `root` without following a symlink at any step. */
async function openInside(root: string, path: string): Promise<FileHandle> {
  let handle = await open(root, pathOnly | constants.O_DIRECTORY)
  for (const part of path.split('/').filter(Boolean)) {
    const parent = handle
    handle = await open(`/proc/self/fd/${parent.fd}/${part}`, pathOnly | constants.O_NOFOLLOW).finally(() => parent.close())
    if ((await handle.stat()).isSymbolicLink()) {
      await handle.close()
      throw new Error(`subPath ${JSON.stringify(path)} changed while it was being mounted`)
    }
  }
  return handle
}

/** Makes the missing directories of `path` below `root`, each inside its opened parent, and open to whom the volume is open. */
async function makeInside(root: string, path: string): Promise<void> {
  const mode = (await stat(root)).mode & 0o3777
  let done = ''
  for (const part of path.split('/').filter(Boolean)) {
    const parent = await openInside(root, done)
    const made = await mkdir(`/proc/self/fd/${parent.fd}/${part}`, { mode: 0o750 })
      .then(() => true, (error: NodeJS.ErrnoException) => { if (error.code !== 'EEXIST') throw error; return false })
      .finally(() => parent.close())
    done = join(done, part)
    if (!made) continue
    // What mkdir gives depends on the umask.
    const child = await openInside(root, done)
    await chmod(`/proc/self/fd/${child.fd}`, mode).finally(() => child.close())
  }
}
