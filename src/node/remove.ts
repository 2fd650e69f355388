/** For the end of a cluster: every pod off the node. */
import type { Logger } from '../machinery/log.ts'
import { label } from './pods/names.ts'
import type { RuntimeDriver } from './runtime/driver.ts'

export interface RemoveAllOptions { readonly runtime: RuntimeDriver; readonly log: Logger; readonly cluster: string; readonly graceSeconds?: number }

/** Stops and removes every container and sandbox of the cluster, in parallel. What cannot be removed is logged, and does not keep the rest. */
export async function removeAllPods({ runtime, cluster, log, graceSeconds = 0 }: RemoveAllOptions): Promise<void> {
  const careful = async (id: string, work: () => Promise<void>) => work().catch((error: unknown) => log.warn({ id, error: String(error) }, 'not removed'))
  const isOurs = ({ labels }: { readonly labels: Readonly<Record<string, string>> }) => labels[label.owner] === `skiff-${cluster}`
  const containers = (await runtime.listContainers()).filter(isOurs)
  await Promise.all(containers.map((c) => careful(c.id, async () => {
    if (c.state === 'running') await runtime.stopContainer(c.id, graceSeconds)
    await runtime.removeContainer(c.id)
  })))
  const sandboxes = (await runtime.listSandboxes()).filter(isOurs)
  await Promise.all(sandboxes.map((s) => careful(s.id, async () => {
    await runtime.stopSandbox(s.id)
    await runtime.removeSandbox(s.id)
  })))
}
