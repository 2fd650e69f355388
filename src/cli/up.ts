/** `skiff up`: everything between a bare host and a node that is Ready. */
import { mergeArguments, parseArguments } from '../cluster/apiserver-arguments.ts'
import type { ApiServerArguments } from '../cluster/apiserver-arguments.ts'
import { runningPid, startDaemon } from '../cluster/daemon.ts'
import type { Progress } from '../cluster/daemon.ts'
import { mergeKubeconfig, userKubeconfig } from '../cluster/kubeconfig.ts'
import { requirements } from '../cluster/requirements.ts'
import { isFree, readSettings, socketOf } from '../cluster/settings.ts'
import type { Paths } from '../cluster/paths.ts'
import { UserError } from '../cluster/user-error.ts'
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { existing, needRoot, pathsFrom, portTaken } from './options.ts'
import type { ControlPlaneOptions } from './options.ts'
import { provide } from './provide.ts'

export interface UpOptions extends ControlPlaneOptions {
  readonly yes?: boolean
  readonly merge: boolean
}

export async function up(options: UpOptions): Promise<void> {
  const started = Date.now()
  needRoot('up')
  const paths = pathsFrom(options)
  const known = readSettings(paths)
  if (known?.agentKubeconfig !== undefined) throw new UserError(`"${options.name}" is a node of a control plane elsewhere; run "skiff agent", or choose another --name`)
  const told = parseArguments(options.kubeApiserverArg ?? [])
  const pid = runningPid(paths)
  if (pid !== undefined) {
    refuseOtherOptions(options, told, pid)
    console.log(`cluster "${options.name}" is already up (pid ${pid})`)
    return finish(paths, options)
  }
  await provide(requirements({ externalRuntime: options.containerRuntimeEndpoint !== undefined, kubectl: true }), { yes: options.yes === true })
  const port = options.port ?? known?.port
  if (port !== undefined && !(await isFree(port))) throw portTaken(port)
  await startDaemon({ paths, arguments: serverArguments(options, told), onProgress: print })
  console.log(`node Ready after ${((Date.now() - started) / 1000).toFixed(1)} s`)
  finish(paths, options)
}

/** Throws when a cluster that is up would have to be started again to be what the command line says. */
function refuseOtherOptions(options: UpOptions, told: ApiServerArguments, pid: number): void {
  const { settings } = existing(options)
  const remembered = settings.apiServerArguments
  const socket = options.containerRuntimeEndpoint
  const others = [
    ...(options.nodeIp === undefined || options.nodeIp === settings.nodeAddress ? [] : ['--node-ip']),
    ...(socket === undefined || socketOf(socket) === settings.runtimeEndpoint ? [] : ['--container-runtime-endpoint']),
    ...(isDeepStrictEqual(mergeArguments(remembered, told), mergeArguments(remembered, {})) ? [] : ['--kube-apiserver-arg']),
  ]
  if (others.length > 0) throw new UserError(`cluster "${options.name}" is up (pid ${pid}) with another ${others.join(' and ')}; run "skiff down" first`)
}

/** What `skiff server` has to be told to boot the same cluster. */
function serverArguments(options: UpOptions, told: ApiServerArguments): string[] {
  const given: [string, string | number | undefined][] = [
    ['--name', options.name], ['--data-dir', options.dataDir], ['--port', options.port], ['--node-ip', options.nodeIp],
    ['--container-runtime-endpoint', options.containerRuntimeEndpoint], ['--log-level', options.logLevel],
    ...Object.entries(told).map(([name, value]): [string, string] => ['--kube-apiserver-arg', `${name}=${value}`]),
  ]
  return given.flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]))
}

function print(progress: Progress): void {
  if (progress.kind === 'step') console.log(`  ${progress.text} (${progress.ms} ms)`)
}

function finish(paths: Paths, options: UpOptions): void {
  if (options.merge) {
    mergeKubeconfig(userKubeconfig(), readFileSync(paths.kubeconfig, 'utf8'))
    console.log(`kubectl's current context is "${options.name}" (in ${userKubeconfig()})`)
  }
  console.log(`\n  export KUBECONFIG=${paths.kubeconfig}`)
}
