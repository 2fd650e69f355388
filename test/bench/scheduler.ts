/**
 * Scheduling decisions alone, without an API server: how long one takes and how it grows with the cluster. Then with an API server
 * in the same process, on the memory store: from the creation of a pod to the moment a watcher sees its node, beside the creation alone.
 */
import { core } from '../../src/api/index.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { createEdges } from '../../src/apiserver/edges.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { decodeObject } from '../../src/machinery/json.ts'
import { quiet } from '../../src/machinery/log.ts'
import { createCycle } from '../../src/scheduler/cycle.ts'
import { podInfo } from '../../src/scheduler/pod-info.ts'
import { plugins } from '../../src/scheduler/plugins/index.ts'
import { startScheduler } from '../../src/scheduler/scheduler.ts'
import { createState } from '../../src/scheduler/state.ts'
import { createMemoryStore } from '../../src/store/memory.ts'

const nodeOf = (i: number) => ({
  metadata: { name: `node-${i}`, labels: { 'kubernetes.io/hostname': `node-${i}`, 'topology.kubernetes.io/zone': `zone-${i % 3}` } },
  status: { allocatable: { cpu: '64', memory: '256Gi', pods: '500' } },
})
const spread = { topologySpreadConstraints: [{ maxSkew: 5, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }] }
const apart = { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } } }] } } }
const podOf = (name: string, over: object = {}) => ({
  metadata: { name, namespace: 'default', labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu: '100m', memory: '64Mi' } } }], ...over },
})
const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1]!
const milliseconds = (n: number) => `${n.toFixed(3)} ms`.padStart(10)

console.log('one decision, median      10 nodes  100 nodes 1000 nodes   (5 pods a node)')
for (const [what, over] of [['plain', {}], ['topology spread', spread], ['anti-affinity', apart]] as const) {
  const cells = [10, 100, 1000].map((nodes) => {
    const state = createState({ namespaceLabels: () => ({}), claim: () => undefined, volume: () => undefined, volumes: () => [], storageClass: () => undefined, siblings: () => undefined })
    for (let i = 0; i < nodes; i++) state.setNode(decodeObject(core.Node, nodeOf(i)).object)
    const cycle = createCycle({ plugins, nominations: { on: () => [] }, random: Math.random })
    const times: number[] = []
    for (let i = 0; i < nodes * 5 && i < 3000; i++) {
      const pod = decodeObject(core.Pod, podOf(`pod-${i}`, over)).object
      const began = performance.now()
      const outcome = cycle(podInfo(pod), state.cluster)
      times.push(performance.now() - began)
      if ('node' in outcome) state.assume(pod, outcome.node.name)
    }
    return milliseconds(median(times.slice(times.length >> 1)))
  })
  console.log(`${what.padEnd(24)} ${cells.join(' ')}`)
}

const api = await createApiServer({ store: createMemoryStore(), clock: systemClock, log: quiet, edges: createEdges({ serverAddress: () => '' }) } as never)
const { client } = api
await client.create(core.namespaces, { metadata: { name: 'default' } })
await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'default' } })
for (let i = 0; i < 3; i++) {
  await client.create(core.nodes, nodeOf(i))
  await client.patch(core.nodes, `node-${i}`, { type: 'merge', body: { spec: { taints: null } } })
  await client.patch(core.nodes, `node-${i}`, { type: 'merge', body: { status: nodeOf(i).status } }, { subresource: 'status' })
}
const scheduler = await startScheduler({ client, clock: systemClock, log: quiet })
const stop = new AbortController()
const waiting = new Map<string, (at: number) => void>()
const watching = (async () => {
  for await (const { object } of client.watch(core.pods, { namespace: 'default', signal: stop.signal })) if (object.spec.nodeName) waiting.get(object.metadata.name ?? '')?.(performance.now())
})()
const assigned = (name: string) => new Promise<number>((resolve) => waiting.set(name, resolve))
const creating: number[] = []
const scheduling: number[] = []
for (let i = 0; i < 300; i++) {
  const seen = assigned(`pod-${i}`)
  const began = performance.now()
  await client.create(core.pods, podOf(`pod-${i}`))
  const created = performance.now()
  creating.push(created - began)
  scheduling.push((await seen) - began)
}
console.log(`pod created: ${median(creating).toFixed(2)} ms; created and its node seen by a watcher: ${median(scheduling).toFixed(2)} ms (p95 ${scheduling[Math.floor(scheduling.length * 0.95)]!.toFixed(2)})`)
const began = performance.now()
const all = Array.from({ length: 1000 }, (_, i) => assigned(`burst-${i}`))
await Promise.all(Array.from({ length: 1000 }, (_, i) => client.create(core.pods, podOf(`burst-${i}`))))
const created = performance.now() - began
await Promise.all(all)
console.log(`1,000 pods at once: created after ${created.toFixed(0)} ms, all assigned after ${(performance.now() - began).toFixed(0)} ms`)
stop.abort()
await watching
await scheduler.stop()
process.exit(0)
