/** The background process of a cluster: starting, finding and stopping it. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { dirname } from 'node:path'
import { processIdentity } from '../machinery/process.ts'
import { UserError } from './user-error.ts'
import { makeDirectory } from './paths.ts'
import type { Paths } from './paths.ts'

/** What the background process reports while it boots: one JSON object per line, on file descriptor 3. */
export type Progress =
  | { readonly kind: 'step'; readonly text: string; readonly ms: number }
  | { readonly kind: 'ready'; readonly ms: number }
  | { readonly kind: 'failed'; readonly message: string }

/** Writes the pid file: this process is the cluster's. */
export function writePid(paths: Paths): void {
  mkdirSync(dirname(paths.pidFile), { recursive: true, mode: 0o755 })
  writeFileSync(paths.pidFile, `${process.pid} ${processIdentity(process.pid)}\n`)
}

/** Removes the pid file if it is this process's. */
export function removePid(paths: Paths): void {
  if (runningPid(paths) === process.pid) rmSync(paths.pidFile, { force: true })
}

/** The pid of the cluster's background process, if it is alive. */
export function runningPid(paths: Paths): number | undefined {
  let text: string
  try {
    text = readFileSync(paths.pidFile, 'utf8')
  } catch {
    return undefined // never started, or stopped in good order
  }
  const [pid, ...identity] = text.trim().split(' ')
  return identity.length > 0 && processIdentity(Number(pid)) === identity.join(' ') ? Number(pid) : undefined
}

/** Starts `skiff server` in the background and resolves when its node is Ready. Rejects with what it reported when it fails. */
export async function startDaemon(options: {
  readonly paths: Paths
  readonly arguments: readonly string[]
  readonly onProgress: (progress: Progress) => void
}): Promise<void> {
  const { paths } = options
  const log = openLog(paths)
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, 'server', ...options.arguments], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log, 'pipe'],
    env: { ...process.env, SKIFF_PROGRESS_FD: '3' },
  })
  closeSync(log)
  const pipe = child.stdio[3] as import('node:stream').Readable & { unref?(): void }
  const ready = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new UserError(`the cluster stopped while booting (${signal ?? `exit code ${code}`}); see ${paths.log}`)))
    createInterface({ input: pipe }).on('line', (line) => {
      const progress = JSON.parse(line) as Progress
      options.onProgress(progress)
      if (progress.kind === 'ready') resolve()
      if (progress.kind === 'failed') reject(new UserError(progress.message))
    })
  })
  await ready.finally(() => {
    // The background process must not keep this one alive.
    child.removeAllListeners()
    pipe.destroy()
    child.unref()
  })
}

function openLog(paths: Paths): number {
  makeDirectory(dirname(paths.log))
  try {
    return openSync(paths.log, 'a', 0o600)
  } catch (error) {
    throw new UserError(`cannot write to ${dirname(paths.log)}: ${(error as Error).message}; choose another place with --data-dir`)
  }
}

/** Sends SIGTERM and waits; SIGKILL when the process is still there after `seconds`. */
export async function stopProcess(pid: number, seconds: number): Promise<void> {
  const identity = processIdentity(pid)
  if (identity === '') return
  process.kill(pid, 'SIGTERM')
  for (let waited = 0; waited < seconds * 1000; waited += 20) {
    if (processIdentity(pid) !== identity) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  process.kill(pid, 'SIGKILL')
  // Its files and sockets are free only once the kernel is done with it.
  while (processIdentity(pid) === identity) await new Promise((resolve) => setTimeout(resolve, 5))
}
