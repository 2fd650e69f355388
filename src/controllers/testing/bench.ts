/** A bench to try controllers on: a fake clock, a client over a Map, and a node agent that only makes pods ready. */
import { apps, core, declared, type In } from '../../api/index.ts'
import { createInformers, type Informers } from '../../client/index.ts'
import { createMemoryClient, type MemoryClient } from '../../client/testing/memory-client.ts'
import { settle } from '../../client/testing/settle.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet, type Component } from '../../machinery/log.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { ControllerContext, ControllerSettings } from '../shared/context.ts'

export { settle }

export interface Bench {
  readonly clock: FakeClock
  readonly client: MemoryClient
  readonly informers: Informers
  readonly context: ControllerContext
  /** Starts controllers and waits until they have synced. */
  start(...starters: readonly ((context: ControllerContext) => Component)[]): Promise<void>
  stop(): Promise<void>
  pods(): readonly core.Pod[]
  events(reason?: string): readonly string[]
}

export function createBench(settings: Partial<ControllerSettings> = {}): Bench {
  const clock = new FakeClock()
  const client = createMemoryClient(clock)
  const stopping = new AbortController()
  const informers = createInformers(client, { clock, log: quiet })
  const components: Component[] = []
  const context: ControllerContext = { client: () => client, informers, clock, log: quiet, signal: stopping.signal, settings: { resources: () => declared, ...settings } }
  return {
    clock, client, informers, context,
    async start(...starters) {
      for (const start of starters) components.push(start(context))
      informers.start(stopping.signal)
      await informers.synced()
      await settle()
    },
    async stop() {
      stopping.abort()
      await Promise.all(components.map((c) => c.stop()))
    },
    pods: () => [...client.stored(core.pods).values()],
    events: (reason) => [...client.stored(core.events).values()].filter((e) => !reason || e.reason === reason).map((e) => `${e.type} ${e.reason} ${e.message}`),
  }
}

/** A pod's status as a node agent reports it. */
export function podStatus(pod: core.Pod, ready: boolean, time: string, ip = `10.1.0.${Number(pod.metadata.uid?.replace('uid-', '') ?? 1) % 250}`): core.Pod {
  const condition = (type: string) => ({ type, status: ready ? 'True' : 'False', lastProbeTime: null, lastTransitionTime: time })
  const others = (pod.status.conditions ?? []).filter((c) => c.type !== 'Ready')
  const before = pod.status.conditions?.find((c) => c.type === 'Ready')
  const changed = before?.status === (ready ? 'True' : 'False') ? before : condition('Ready')
  return { ...pod, spec: { ...pod.spec, nodeName: pod.spec.nodeName || 'node-1' }, status: { ...pod.status, phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions: [...others, changed] } }
}

/** Makes a pod ready or not, as its node would. */
export function setReady(bench: Bench, pod: core.Pod, ready = true): void {
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  bench.client.edit(core.pods, key, (now) => podStatus(now, ready, rfc3339(bench.clock.now())))
}

/** Makes all pods ready that are not. */
export function readyAll(bench: Bench): void {
  for (const pod of bench.pods()) if (pod.status.phase !== 'Running' && !pod.metadata.deletionTimestamp) setReady(bench, pod)
}

/** A node agent that makes new pods ready `after` milliseconds; returns how to stop it. */
export function createKubelet(bench: Bench, after: number, accepts: (pod: core.Pod) => boolean = () => true): () => void {
  const seen = new Set<string>()
  const stop = new AbortController()
  const informer = bench.informers.for(core.pods)
  const unsubscribe = informer.onChange(({ type, object }) => {
    const uid = object.metadata.uid ?? ''
    if (type === 'deleted' || seen.has(uid) || !accepts(object)) return
    seen.add(uid)
    void bench.clock.sleep(after, stop.signal).then(() => {
      const there = bench.client.stored(core.pods).get(`${object.metadata.namespace}/${object.metadata.name}`)
      if (there?.metadata.uid === uid) setReady(bench, there)
    }, () => undefined)
  })
  return () => { stop.abort(); unsubscribe() }
}

const labels = { app: 'web' }
export const template = (image = 'web:1'): In<typeof core.PodTemplateSpec> => ({ metadata: { labels }, spec: { containers: [{ name: 'web', image }] } })

/** A deployment `default/web` as the API server would have it after defaulting. */
export const deployment = (spec: Partial<In<typeof apps.DeploymentSpec>> = {}): In<typeof apps.Deployment> => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: labels },
    template: template(),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
  },
})

export const replicaSet = (spec: Partial<In<typeof apps.ReplicaSetSpec>> = {}, name = 'web'): In<typeof apps.ReplicaSet> =>
  ({ metadata: { name, namespace: 'default' }, spec: { replicas: 3, selector: { matchLabels: labels }, template: template(), ...spec } })
