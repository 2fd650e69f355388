/**
 * Directories that change all at once: the files lie in a time-stamped directory, `..data` points to it, and every name a
 * container sees is a symlink through `..data`. An update writes a new directory and turns `..data` over with one rename.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface FileProjection {
  readonly data: Buffer
  readonly mode: number
  /** The file's owner, when not root. */
  readonly uid?: number
}

export interface WriteOptions { readonly fsGroup?: number }

const dataLink = '..data'

/** Makes `directory` show exactly these files (by relative path). Resolves with whether anything changed. */
export async function writeAtomically(directory: string, files: ReadonlyMap<string, FileProjection>, options: WriteOptions = {}): Promise<boolean> {
  for (const path of files.keys()) if (!isSafe(path)) throw new Error(`invalid path ${JSON.stringify(path)}: must be relative and must not contain ".."`)
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const old = await readlink(join(directory, dataLink)).catch(() => undefined)
  if (old !== undefined && (await sameContent(join(directory, old), files))) return false

  const fresh = await mkdtemp(join(directory, `..${timestamp()}.`))
  await chmod(fresh, 0o755)
  for (const [path, file] of files) await writeOne(join(fresh, path), file, options)
  if (options.fsGroup !== undefined) await ownDirectories(fresh, options.fsGroup)
  const name = fresh.slice(directory.length + 1)
  const temporary = join(directory, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(name, temporary)
  await rename(temporary, join(directory, dataLink))

  const visible = new Set([...files.keys()].map((path) => path.split('/')[0] as string))
  for (const first of visible) await linkVisible(directory, first)
  for (const entry of await readdir(directory)) {
    if (entry.startsWith('..')) continue
    if (!visible.has(entry)) await unlink(join(directory, entry))
  }
  if (old !== undefined) await rm(join(directory, old), { recursive: true, force: true })
  return true
}

const isSafe = (path: string) => path !== '' && !path.startsWith('/') && path.split('/').every((part) => part !== '..' && part !== '') && !path.startsWith('..')

const timestamp = () => new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_')

async function writeOne(path: string, file: FileProjection, options: WriteOptions): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  await writeFile(path, file.data)
  if (file.uid !== undefined || options.fsGroup !== undefined) await chown(path, file.uid ?? 0, options.fsGroup ?? 0)
  // A group that owns the volume can read all of it: these volumes are read-only.
  await chmod(path, options.fsGroup === undefined ? file.mode : file.mode | 0o440)
}

async function ownDirectories(root: string, group: number): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    await chown(path, 0, group)
    await chmod(path, 0o2755)
  }
  await chown(root, 0, group)
  await chmod(root, 0o2755)
}

async function linkVisible(directory: string, first: string): Promise<void> {
  const path = join(directory, first)
  if (await lstat(path).catch(() => undefined)) return
  await symlink(join(dataLink, first), path)
}

async function sameContent(directory: string, files: ReadonlyMap<string, FileProjection>): Promise<boolean> {
  try {
    const present = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((e) => e.isFile())
    if (present.length !== files.size) return false
    for (const [path, file] of files) if (!(await readFile(join(directory, path))).equals(file.data)) return false
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
