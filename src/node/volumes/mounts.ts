/** The mounts a node makes itself: few, because each is a child process. */
import { execFile } from 'node:child_process'
import { readFile, statfs } from 'node:fs/promises'

const tmpfsMagic = 0x01021994

function command(name: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(name, args, (error, _stdout, stderr) => {
      if (error) reject(new Error(stderr.trim() || error.message))
      else resolve()
    })
  })
}

/** Mounts a tmpfs at `directory`, of at most `bytes` when given. */
export const mountTmpfs = (directory: string, bytes?: number): Promise<void> =>
  command('mount', ['-t', 'tmpfs', '-o', bytes ? `rw,size=${bytes}` : 'rw', 'tmpfs', directory])

/** Binds what an open file descriptor of this process stands for: no path is walked again, so nobody can swap it meanwhile. */
export const bindDescriptor = (descriptor: number, target: string): Promise<void> =>
  command('mount', ['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${descriptor}`, target])

/** Whether the directory is on a tmpfs. */
export const isTmpfs = async (directory: string): Promise<boolean> => (await statfs(directory)).type === tmpfsMagic

/** Mount points at or below `directory`, deepest first. */
export async function mountsBelow(directory: string): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')
  const points = lines.map((line) => unescape(line.split(' ')[4] ?? ''))
  return points.filter((p) => p === directory || p.startsWith(`${directory}/`)).toSorted((a, b) => b.length - a.length)
}

const unescape = (text: string) => text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** Unmounts everything at or below `directory`; what is busy is detached and goes when its last user does. */
export async function unmountBelow(directory: string): Promise<void> {
  const points = await mountsBelow(directory)
  if (points.length > 0) await command('umount', ['--no-canonicalize', '--lazy', ...points])
}
