/** Work on a root file system that nobody trusts: paths are followed inside it, commands run in namespaces of their own. */
import { spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { chmod, copyFile, lchown, lstat, lutimes, mkdir, readdir, readlink, rm, stat, symlink } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'

/** Where `path` lies under `root`, with symbolic links followed as if `root` were `/`: never outside it. */
export async function resolveInside(root: string, path: string): Promise<string> {
  let parts = posix.normalize(`/${path}`).split('/').filter(Boolean)
  const done: string[] = []
  for (let links = 0; parts.length > 0; ) {
    const [part, ...rest] = parts as [string, ...string[]]
    if (part === '..') {
      done.pop()
      parts = rest
      continue
    }
    const target = await readlink(join(root, ...done, part)).catch(() => undefined)
    if (target === undefined) {
      done.push(part)
      parts = rest
      continue
    }
    if (++links > 40) throw new Error(`${path}: too many symbolic links`)
    if (target.startsWith('/')) done.length = 0
    parts = [...target.split('/').filter((p) => p !== '' && p !== '.'), ...rest]
  }
  return join(root, ...done)
}

/** Copies a file, a link or a folder's content to `to`, owned by root; `mode` replaces the mode of files, `owner` root. */
export async function copyTree(from: string, to: string, options: { readonly mode?: number; readonly owner?: { readonly uid: number; readonly gid: number }; readonly ignore?: (path: string) => boolean } = {}): Promise<void> {
  if (options.ignore?.(from)) return
  const info = await lstat(from)
  if (info.isDirectory()) {
    await mkdir(to, { recursive: true })
    for (const name of await readdir(from)) await copyTree(join(from, name), join(to, name), options)
    await chmod(to, info.mode & 0o7777)
  } else if (info.isSymbolicLink()) {
    await rm(to, { force: true })
    await symlink(await readlink(from), to)
  } else if (info.isFile()) {
    await mkdir(dirname(to), { recursive: true })
    await rm(to, { force: true })
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    await chmod(to, options.mode ?? info.mode & 0o7777)
  }
  if (options.owner) await lchown(to, options.owner.uid, options.owner.gid)
  await lutimes(to, info.atime, info.mtime).catch(() => undefined)
}

/** Where a build's own things are mounted while a command runs; made when missing and taken away again. */
const mountPoints = ['proc', 'sys', 'dev', 'etc/resolv.conf'] as const

const script = `
set -e
root=$1; user=$2; image_path=$3; shift 3
chroot=$(command -v chroot)
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
cd "$root"
PATH=$image_path
exec "$chroot" $user "$root" "$@"
`

export interface RunOptions {
  readonly root: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string
  readonly user?: string
  readonly onOutput: (text: string) => void
}

/** Runs a command inside the root file system, in mount, pid, ipc and host-name namespaces of its own. Rejects when it fails. */
export async function runInside(options: RunOptions): Promise<void> {
  const made = await makeMountPoints(options.root)
  const user = options.user ? `--userspec=${options.user}` : ''
  // chroot(1) has no option for the working directory inside: a shell sets it where the image has one.
  const command = options.workingDir === '/' ? options.command : ['/bin/sh', '-c', 'cd "$0" && exec "$@"', options.workingDir, ...options.command]
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn('unshare', ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '/bin/sh', '-c', script, 'build', options.root, user, options.env['PATH'] ?? '/bin', ...command], {
        // Until the command itself starts, programs are the host's.
        env: { ...options.env, PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const show = (chunk: Buffer) => options.onOutput(chunk.toString())
      child.stdout.on('data', show)
      child.stderr.on('data', show)
      child.on('error', reject)
      child.on('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`"${options.command.join(' ')}" ended with ${signal ?? `exit code ${code}`}`))))
    })
  } finally {
    for (const path of made.reverse()) await rm(path, { recursive: true, force: true })
  }
}

async function makeMountPoints(root: string): Promise<string[]> {
  const made: string[] = []
  const ensure = async (path: string, kind: 'file' | 'directory') => {
    if (await lstat(path).catch(() => undefined)) return
    if (kind === 'directory') await mkdir(path)
    else await copyFile('/dev/null', path)
    made.push(path)
  }
  for (const point of mountPoints) {
    const path = await resolveInside(root, point)
    if (point.includes('/')) await ensure(dirname(path), 'directory')
    await ensure(path, point === 'etc/resolv.conf' ? 'file' : 'directory')
  }
  return made
}

/** Packs the tree into a tar file, numbers for owners, names in order. */
export async function packTree(root: string, output: string): Promise<void> {
  await command('tar', ['--create', '--file', output, '--directory', root, '--numeric-owner', '--sort=name', '--xattrs', '--one-file-system', '.'])
}

/** Runs a program of the host; rejects with the last line it said when it fails. */
export function command(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => void (out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => void (err += chunk.toString()))
    child.on('error', (error) => reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error(`${program} is not installed`) : error))
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`${program}: ${err.trim().split('\n').at(-1) || `exit code ${code}`}`))))
  })
}

/** Whether there is a directory at the path. */
export const isDirectory = (path: string): Promise<boolean> => stat(path).then((info) => info.isDirectory(), () => false)
