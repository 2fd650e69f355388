/** The life of a cluster's process: boot, serve, shut down. */
import { readFileSync, writeSync } from 'node:fs'
import { systemClock } from '../machinery/clock.ts'
import { growWithLoad } from '../machinery/heap-growth.ts'
import type { Logger } from '../machinery/log.ts'
import { letHelpersStandBack } from '../machinery/threads.ts'
import { openLmdbStore } from '../store/lmdb.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { removePid, runningPid, writePid } from './daemon.ts'
import type { Progress } from './daemon.ts'
import { encrypted } from './encryption.ts'
import { kubeconfigOf, renewMerged, userKubeconfig, writeKubeconfig } from './kubeconfig.ts'
import { createLog } from './log.ts'
import { bringContainerd, nodeReady, startClusterNode } from './node.ts'
import { checkModes } from './modes.ts'
import { keepPki } from './renewal.ts'
import type { Pki } from './pki.ts'
import type { Paths } from './paths.ts'
import { isFree, readSettings, rememberArguments, settle } from './settings.ts'
import type { Settings, SettingsRequest } from './settings.ts'
import { UserError } from './user-error.ts'

export interface ServeOptions {
  readonly paths: Paths
  readonly request: SettingsRequest
  /** Run a node beside the control plane. */
  readonly node: boolean
  readonly logLevel: string
}

/** How long a node may take to become Ready before the boot fails. */
const readyLimit = 90_000
/** How long an orderly shutdown may take. */
const endLimit = 20_000

/** Runs a cluster until the process is told to stop. */
export async function runServer(options: ServeOptions): Promise<void> {
  const report = reporter()
  const log = createLog(options.logLevel)
  const ending = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())
  process.on('unhandledRejection', (error) => log.error({ error: error instanceof Error ? error.stack : String(error) }, 'a background task failed'))
  const undo: (() => Promise<void> | void)[] = []
  let code = 0
  try {
    tuneRuntime(log)
    await boot(options, { log, report, undo, signal: ending.signal })
    await aborted(ending.signal)
    log.info({}, 'ending')
  } catch (error) {
    const { message, stack } = error as Error
    log.error(error instanceof UserError ? { error: message } : { error: stack }, 'the cluster did not boot')
    report({ kind: 'failed', message })
    code = error instanceof UserError ? 1 : 70
  }
  const limit = systemClock.after(endLimit, () => process.exit(code))
  for (const step of undo.reverse()) await Promise.resolve(step()).catch((error: Error) => log.error({ error: error.message }, 'ending: a step failed'))
  limit.cancel()
  // Whatever was half started when the boot failed does not outlive the process.
  process.exit(code)
}

/** Settings for even response times (docs/performance.md). Where the system does not let thread priorities be set, they are less even. */
function tuneRuntime(log: Logger): void {
  growWithLoad()
  try {
    letHelpersStandBack()
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'threads that collect garbage are as important as the one that answers')
  }
}

interface Boot {
  readonly log: Logger
  readonly report: (progress: Progress) => void
  /** Stops what was started, in reverse order. */
  readonly undo: (() => Promise<void> | void)[]
  readonly signal: AbortSignal
}

async function boot(options: ServeOptions, { log, report, undo, signal }: Boot): Promise<void> {
  const started = performance.now()
  const said = (text: string) => report({ kind: 'step', text, ms: Math.round(performance.now() - started) })
  const { paths } = options
  const other = runningPid(paths)
  if (other !== undefined) throw new UserError(`cluster "${options.request.name}" is already running (pid ${other}); "skiff status" shows it`)
  checkModes(paths)
  const known = readSettings(paths)
  const settings = await settle(paths, options.request)
  if (!(await isFree(settings.port))) throw new UserError(`port ${settings.port} is in use; stop what listens there, or choose another with --port`)
  writePid(paths)
  undo.push(() => removePid(paths))

  const containerd = options.node ? bringContainerd(settings, paths, log) : undefined
  containerd?.catch(() => undefined) // awaited below; until then a failure must not count as unhandled
  const [store, pki] = await Promise.all([openStore(paths, log), keepPki(paths.pki, settings, { clock: systemClock, log: log.child({ component: 'certificates' }) })])
  undo.push(() => pki.stop())
  undo.push(() => store.close())
  const plane = await keepingFlags({ paths, settings, known }, async () => {
    const stored = await encrypted(store, { paths, given: settings.apiServerArguments, clock: systemClock, log: log.child({ component: 'encryption' }) })
    undo.push(() => stored.stop())
    return startControlPlane({ settings, pki, store: stored.store, checks: stored.checks, counted: stored.counted, clock: systemClock, log, throughNodes: !options.node })
  })
  undo.push(() => plane.stop())
  saveKubeconfig(paths, settings, pki)
  pki.onRenewal(() => renewKubeconfigs(paths, settings, pki))
  said(`API server answers on port ${settings.port}`)

  if (containerd) {
    const runtime = await containerd
    undo.push(() => runtime.release())
    said('containerd answers')
    await joinNode({ settings, paths, pki, plane, runtime, log, undo })
    await nodeReady(plane.clientFor('system:kube-controller-manager'), settings.nodeName, AbortSignal.any([signal, AbortSignal.timeout(readyLimit)]))
    said(`node ${settings.nodeName} is Ready`)
  }
  report({ kind: 'ready', ms: Math.round(performance.now() - started) })
  log.info({ ms: Math.round(performance.now() - started), port: settings.port }, 'the cluster is up')
}

/** Starts what reads the flags. When that fails, the cluster remembers the flags it had before. */
async function keepingFlags<T>({ paths, settings, known }: { readonly paths: Paths; readonly settings: Settings; readonly known: Settings | undefined }, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (error instanceof UserError) rememberArguments(paths, settings, known?.apiServerArguments)
    throw error
  }
}

async function joinNode(parts: {
  settings: Settings
  paths: Paths
  pki: Pki
  plane: ControlPlane
  runtime: Awaited<ReturnType<typeof bringContainerd>>
  log: Logger
  undo: Boot['undo']
}): Promise<void> {
  const { settings, paths, pki, plane } = parts
  const node = await startClusterNode({
    settings,
    paths,
    ca: pki.ca.cert,
    certificate: pki.node,
    onRenewal: (listener) => pki.onRenewal?.(() => listener(pki.node)),
    client: plane.clientFor(`system:node:${settings.nodeName}`, ['system:nodes']),
    networkClient: plane.clientFor('system:kube-proxy'),
    containerd: parts.runtime,
    clock: systemClock,
    log: parts.log,
  })
  parts.undo.push(() => node.stop())
}

async function openStore(paths: Paths, log: Logger) {
  try {
    return await openLmdbStore({ path: paths.store, log: log.child({ component: 'store' }) })
  } catch (error) {
    throw new UserError(`cannot open the store: ${(error as Error).message}`)
  }
}

function saveKubeconfig(paths: Paths, settings: Settings, pki: Pki): void {
  writeKubeconfig(paths.kubeconfig, kubeconfigOf({ name: settings.name, server: `https://127.0.0.1:${settings.port}`, ca: pki.ca.cert, user: pki.admin }))
}

/** Puts the administrator's new certificate where the old one was: in the cluster's own file, and in the user's if it has it. */
function renewKubeconfigs(paths: Paths, settings: Settings, pki: Pki): void {
  const before = readFileSync(paths.kubeconfig, 'utf8')
  saveKubeconfig(paths, settings, pki)
  renewMerged(userKubeconfig(), before, readFileSync(paths.kubeconfig, 'utf8'))
}

/** Reports the progress of the boot to whoever started this process in the background. */
function reporter(): (progress: Progress) => void {
  const descriptor = process.env['SKIFF_PROGRESS_FD']
  if (descriptor === undefined) return () => undefined
  let open = true
  return (progress) => {
    if (!open) return
    try {
      writeSync(Number(descriptor), `${JSON.stringify(progress)}\n`)
    } catch {
      open = false // the command that started us is gone; the boot continues
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
