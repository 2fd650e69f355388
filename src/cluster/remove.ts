/** `skiff down`: stops everything and removes every trace from the host. Safe to call at any time, also after a crash half-way. */
import { existsSync, rmSync, rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger } from '../machinery/log.ts'
import { removeNetwork } from '../network/index.ts'
import { removeAllPods } from '../node/index.ts'
import { criDriver } from '../node/runtime/cri.ts'
import { runningPid, stopProcess } from './daemon.ts'
import { unmergeKubeconfig, userKubeconfig } from './kubeconfig.ts'
import { bringContainerd, cgroupParent } from './node.ts'
import type { Paths } from './paths.ts'
import { runtimeSocket } from './runtime.ts'
import { readSettings } from './settings.ts'
import type { Settings } from './settings.ts'
import { removeCgroup, shimsOf, unmountUnder } from './traces.ts'

export interface RemoveOptions {
  readonly paths: Paths
  readonly name: string
  /** Remove the data directory too. */
  readonly purge: boolean
  readonly log: Logger
  readonly say: (text: string) => void
}

/** Removes the cluster from the host; resolves when nothing of it is left but, without `purge`, its data directory. */
export async function removeCluster(options: RemoveOptions): Promise<void> {
  const { paths, say } = options
  const pid = runningPid(paths)
  if (pid !== undefined) {
    await stopProcess(pid, 30)
    say('control plane and node agent ended')
  }
  const settings = readSettings(paths)
  if (settings) {
    if (existsSync(paths.run)) await removePods(settings, options)
    await removeNetwork({ clusterName: settings.name, clusterCidr: settings.clusterCidr, cniConfDir: paths.cniConf, dataDir: paths.network })
    await removeCgroup(cgroupParent(settings))
    say('network and cgroups removed')
  }
  unmountUnder([paths.run, paths.data])
  rmSync(paths.run, { recursive: true, force: true })
  removeIfEmpty(dirname(paths.run))
  if (options.purge) {
    rmSync(paths.data, { recursive: true, force: true })
    if (dirname(paths.data) === '/var/lib/skiff') removeIfEmpty('/var/lib/skiff')
    unmergeKubeconfig(userKubeconfig(), options.name)
    say(`${paths.data} removed`)
  }
}

/** The last cluster removes the shared directory, too. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Ends every container of the cluster, through containerd if it can be reached, and containerd itself if it is ours. */
async function removePods(settings: Settings, { paths, log, say }: RemoveOptions): Promise<void> {
  const socket = runtimeSocket(paths, settings)
  try {
    const containerd = await bringContainerd(settings, paths, log)
    const runtime = criDriver(containerd.socket)
    await removeAllPods({ runtime, cluster: settings.name, log })
    runtime.close()
    if (settings.runtimeEndpoint === undefined) await containerd.stop()
    say('containers removed')
  } catch (error) {
    log.warn({ error: (error as Error).message }, 'containerd could not be asked; its containers are ended by their processes')
  }
  if (settings.runtimeEndpoint === undefined) await Promise.all(shimsOf(socket).map((shim) => stopProcess(shim, 1)))
}
