/** A node that runs nothing: it reports its pods as running and ready, lets them go when they are deleted, and ends those of jobs. */
import { coordination, core } from '../../src/api/index.ts'
import { createInformers } from '../../src/client/index.ts'
import type { Client } from '../../src/client/index.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { isApiError } from '../../src/machinery/errors.ts'
import { quiet } from '../../src/machinery/log.ts'

export interface PretendNode {
  /** Images whose pods never become ready. */
  readonly broken: Set<string>
  stop(): void
}

const now = () => `${new Date().toISOString().slice(0, 19)}Z`
const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: now() })
let addresses = 1

/** Joins a node through the API. `jobs`: how pods that must end do end. */
export async function startPretendNode(client: Client, name: string, jobs: 'Succeeded' | 'Failed' = 'Succeeded'): Promise<PretendNode> {
  const stop = new AbortController()
  const broken = new Set<string>()
  await client.create(core.nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } } })
  const resources = { cpu: '8', memory: '16Gi', pods: '110' }
  await client.patch(core.nodes, name, { type: 'merge', body: { status: { capacity: resources, allocatable: resources, conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: now(), lastTransitionTime: now() }] } } }, { subresource: 'status' })
  const spec = () => ({ holderIdentity: name, leaseDurationSeconds: 40, renewTime: `${new Date().toISOString().slice(0, -1)}000Z` })
  await client.create(coordination.leases, { metadata: { name, namespace: 'kube-node-lease' }, spec: spec() })
  const beat = setInterval(() => void client.patch(coordination.leases, name, { type: 'merge', body: { spec: spec() } }, { namespace: 'kube-node-lease' }).catch(() => clearInterval(beat)), 10_000).unref()

  async function report(pod: core.Pod, phase: string, ready: boolean): Promise<void> {
    const podIP = pod.status.podIP ?? `10.244.77.${addresses++ % 250}`
    const status = { phase, podIP, podIPs: [{ ip: podIP }], startTime: now(), conditions: ['Initialized', 'ContainersReady', 'Ready'].map((type) => condition(type, ready || type === 'Initialized' ? 'True' : 'False')) }
    await client.patch(core.pods, pod.metadata.name ?? '', { type: 'strategic', body: { metadata: { uid: pod.metadata.uid ?? '' }, status } }, { namespace: pod.metadata.namespace ?? '', subresource: 'status' })
  }
  async function look(pod: core.Pod): Promise<void> {
    if (pod.metadata.deletionTimestamp) return void await client.delete(core.pods, pod.metadata.name ?? '', { namespace: pod.metadata.namespace ?? '', gracePeriodSeconds: 0 })
    if (pod.status.podIP) return
    const ends = pod.spec.restartPolicy !== 'Always'
    const healthy = !broken.has(pod.spec.containers[0]?.image ?? '')
    await report(pod, ends ? jobs : 'Running', !ends && healthy)
  }
  const pods = createInformers(client, { clock: systemClock, log: quiet })
  pods.for(core.pods, { fieldSelector: `spec.nodeName=${name}` }).onChange(({ type, object }) => {
    // A pod that changed or went in the meantime is looked at again, or not at all.
    if (type !== 'deleted') look(object).catch((error: unknown) => { if (!isApiError(error)) throw error })
  })
  pods.start(stop.signal)
  await pods.synced()
  return {
    broken,
    stop() {
      clearInterval(beat)
      stop.abort()
    },
  }
}
