/** Skiff's own containerd: started from the installed binaries, outliving Skiff, adopted again, restarted when it dies. */
import { execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Clock } from '../../machinery/clock.ts'
import { systemClock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { isAlive } from '../../machinery/process.ts'
import { ensureSandboxImage, sandboxImage } from '../images/import.ts'
import { renderContainerdConfig } from './containerd-config.ts'
import { criDriver } from './cri.ts'

export interface ContainerdOptions {
  /** The cluster's name: only in messages. */
  readonly cluster: string
  /** Survives reboots: images, snapshots. */
  readonly rootDir: string
  /** Does not: sockets, pid file, log, runtime state. Kept short, because unix socket paths are at most 107 bytes long. */
  readonly runDir: string
  readonly cniConfDir: string
  readonly cniBinDir: string
  readonly log: Logger
  readonly clock?: Clock
  /** A containerd that runs already and is not ours: it is used as it is. */
  readonly socket?: string
  readonly sandboxImage?: string
  readonly cgroupDriver?: 'cgroupfs' | 'systemd'
  readonly snapshotter?: 'overlayfs' | 'native'
  /** Registry hosts configuration (containerd's `config_path`). */
  readonly registryConfigDir?: string
  readonly logLevel?: 'debug' | 'info' | 'warn'
}

export interface Containerd extends Component {
  readonly socket: string
  /** 0 when it is not ours. */
  readonly pid: number
  readonly snapshotter: string
  /** Ends containerd (not the containers: remove those first). */
  stop(): Promise<void>
  /** Leaves it running, no longer watched: Skiff itself ends, and will adopt it again. */
  release(): void
}

const run = promisify(execFile)
const bootLimit = 30_000

/** Starts or adopts containerd and resolves once it answers, with the sandbox image in place. Rejects with what is missing and how to mend it. */
export async function startContainerd(options: ContainerdOptions): Promise<Containerd> {
  const { clock = systemClock, log } = options
  if (options.socket) return useExisting(options.socket, clock)
  const files = {
    config: join(options.runDir, 'containerd.toml'), pid: join(options.runDir, 'containerd.pid'),
    log: join(options.runDir, 'containerd.log'), socket: join(options.runDir, 'containerd.sock'),
  }
  if (Buffer.byteLength(files.socket) > 100) throw new Error(`the run directory's path is too long for a unix socket: ${options.runDir}`)
  const snapshotter = await prepare(options)
  const changed = await writeConfig(files.config, options, snapshotter, files.socket)
  const state = { pid: await runningPid(files), stopping: false, failures: 0, startedAt: clock.now() }
  if (state.pid && changed) {
    log.info({ pid: state.pid }, 'containerd: configuration changed, restarting')
    await terminate(state.pid, clock)
    state.pid = 0
  }

  const start = async () => {
    state.pid = await launch(files, options.runDir)
    state.startedAt = clock.now()
    log.debug({ pid: state.pid, socket: files.socket }, 'containerd started')
  }
  if (!state.pid) await start()
  await answers(files, () => state.pid, clock)
  await ensureSandboxImage({ socket: files.socket, snapshotter })

  const watch = async () => {
    while (!state.stopping) {
      await clock.sleep(500)
      if (state.stopping || isAlive(state.pid)) continue
      state.failures = clock.now() - state.startedAt > 60_000 ? 0 : state.failures + 1
      const pause = state.failures === 0 ? 0 : Math.min(30_000, 250 * 2 ** state.failures)
      log.warn({ log: files.log, waitMs: pause }, 'containerd died, restarting it')
      await clock.sleep(pause)
      if (!state.stopping) await start().catch((error: unknown) => log.error({ error: String(error) }, 'containerd does not start'))
    }
  }
  void watch()
  return {
    socket: files.socket,
    snapshotter,
    get pid() { return state.pid },
    release() { state.stopping = true },
    async stop() {
      state.stopping = true
      if (isAlive(state.pid)) await terminate(state.pid, clock)
      await rm(files.pid, { force: true })
    },
  }
}

/** Somebody else's containerd has its own configuration, its own sandbox image included. */
async function useExisting(socket: string, clock: Clock): Promise<Containerd> {
  await initialized(socket, clock).catch((error: unknown) => {
    throw new Error(`no container runtime answers at ${socket}: start it, or leave the socket out and Skiff starts its own containerd`, { cause: error })
  })
  return { socket, pid: 0, snapshotter: '', release() {}, async stop() {} }
}

/** Directories, and the snapshotter that works there: an overlay cannot lie on another overlay. */
async function prepare(options: ContainerdOptions): Promise<'overlayfs' | 'native'> {
  await run('containerd', ['--version']).catch(() => { throw new Error('containerd is not installed: apt-get install containerd runc') })
  for (const directory of [options.rootDir, options.runDir, options.cniConfDir]) await mkdir(directory, { recursive: true, mode: 0o711 })
  const overlayMagic = 0x794c7630
  return options.snapshotter ?? ((await statfs(options.rootDir)).type === overlayMagic ? 'native' : 'overlayfs')
}

async function writeConfig(file: string, options: ContainerdOptions, snapshotter: 'overlayfs' | 'native', socket: string): Promise<boolean> {
  const text = renderContainerdConfig({
    rootDir: options.rootDir,
    stateDir: join(options.runDir, 'containerd'),
    socket,
    sandboxImage: options.sandboxImage ?? sandboxImage,
    cniConfDir: options.cniConfDir,
    cniBinDir: options.cniBinDir,
    snapshotter,
    cgroupDriver: options.cgroupDriver ?? 'cgroupfs',
    restrictOomScoreAdj: !(await hasCapability(24)),
    registryConfigDir: options.registryConfigDir ?? join(options.rootDir, 'certs.d'),
    logLevel: options.logLevel ?? 'warn',
  })
  const before = await readFile(file, 'utf8').catch(() => '')
  if (before === text) return false
  await writeFile(file, text)
  return true
}

/** Whether this process may use the capability with this number (24: CAP_SYS_RESOURCE). */
async function hasCapability(number: number): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  return ((effective >> BigInt(number)) & 1n) === 1n
}

/** The pid in the pid file if that process is still our containerd, else 0. */
async function runningPid(files: { readonly pid: string; readonly config: string }): Promise<number> {
  const pid = Number((await readFile(files.pid, 'utf8').catch(() => '0')).trim())
  if (!pid || !isAlive(pid)) return 0
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.includes(files.config) ? pid : 0
}

async function launch(files: { readonly config: string; readonly pid: string; readonly log: string }, runDir: string): Promise<number> {
  const output = openSync(files.log, 'a', 0o600)
  try {
    const child = spawn('containerd', ['--config', files.config], { cwd: runDir, detached: true, stdio: ['ignore', output, output], env: { ...process.env, LISTEN_FDS: undefined, NOTIFY_SOCKET: undefined } })
    await new Promise<void>((resolve, reject) => { child.once('spawn', resolve); child.once('error', reject) })
    child.unref()
    await writeFile(files.pid, `${child.pid}\n`)
    return child.pid as number
  } finally {
    closeSync(output)
  }
}

async function answers(files: { readonly socket: string; readonly log: string }, pid: () => number, clock: Clock): Promise<void> {
  const end = clock.now() + bootLimit
  while (clock.now() < end) {
    if (existsSync(files.socket) && (await connects(files.socket))) return servesCri(files, clock)
    if (!isAlive(pid())) throw new Error(`containerd ended while starting: ${await lastLine(files.log)} (its log: ${files.log})`)
    await wait(5)
  }
  throw new Error(`containerd did not answer within ${bootLimit / 1000} s (its log: ${files.log})`)
}

/** containerd starts without its CRI plugin when that does not load: better said now than with the first pod. */
async function servesCri(files: { readonly socket: string; readonly log: string }, clock: Clock): Promise<void> {
  try {
    await initialized(files.socket, clock)
  } catch (error) {
    throw new Error(`containerd runs, but its CRI plugin does not: ${String(error)} (its log: ${files.log})`, { cause: error })
  }
}

/** Resolves when the runtime answers; one that is still coming up (on a busy machine, with much to recover) says that it is not initialized yet, and is waited for. */
async function initialized(socket: string, clock: Clock): Promise<void> {
  const driver = criDriver(socket)
  const end = clock.now() + bootLimit
  try {
    for (let pause = 5; ; pause = Math.min(200, pause * 2)) {
      const failure = await driver.info().then(() => undefined, (error: unknown) => error)
      if (failure === undefined) return
      if (!String(failure).includes('not initialized yet') || clock.now() > end) throw failure
      await wait(pause)
    }
  } finally {
    driver.close()
  }
}

async function lastLine(file: string): Promise<string> {
  return (await readFile(file, 'utf8').catch(() => '')).trim().split('\n').at(-1) ?? ''
}

function connects(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const attempt = connect(socket)
    attempt.once('connect', () => { attempt.destroy(); resolve(true) })
    attempt.once('error', () => resolve(false))
  })
}

async function terminate(pid: number, clock: Clock): Promise<void> {
  const send = (signal: NodeJS.Signals) => { if (isAlive(pid)) process.kill(pid, signal) }
  send('SIGTERM')
  const end = clock.now() + 10_000
  while (isAlive(pid) && clock.now() < end) await wait(10)
  send('SIGKILL')
  while (isAlive(pid)) await wait(10)
}
