/**
 * Pods: how long one takes from create to Ready, and fifty to be Ready and gone, each beside what containerd alone needs
 * for the same CRI calls in the same run. The image is there already, as on a node that has run it before.
 */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { core } from '../../src/api/index.ts'
import { createHttpsClient } from '../../src/client/https.ts'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'
import { criDriver } from '../../src/node/runtime/cri.ts'
import type { ContainerConfig, RuntimeDriver, SandboxConfig } from '../../src/node/runtime/driver.ts'
import { removeCgroup } from '../../src/cluster/traces.ts'
import { buildExample, startCluster } from '../support/cluster.ts'

const count = 50
const singles = 15
const image = 'docker.io/library/hello:1.0'
/** Ends as soon as it is told to, as a well-behaved server does; both sides give it the same time. */
const command = ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait']
const grace = 30

const quantile = (values: readonly number[], q: number) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] as number
/** A shell needs a moment until it traps signals; before that it would sit out its whole grace period. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 500))
const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const started = performance.now()
  const result = await work()
  return [result, performance.now() - started]
}

function sandboxConfig(name: string): SandboxConfig {
  return {
    pod: { name, namespace: 'bench', uid: createHash('md5').update(name).digest('hex'), attempt: 0 },
    hostname: name, logDirectory: `/tmp/skiff-bench-logs/${name}`, ports: [], labels: {}, annotations: {}, cgroupParent: `/${cluster.name}-bare`, sysctls: {},
    security: { network: 'pod', pid: 'container', ipc: 'pod', privileged: false, seccomp: { kind: 'unconfined' } },
  }
}

const containerConfig: ContainerConfig = {
  name: 'c', attempt: 0, image, userSpecifiedImage: image, command, args: [], workingDir: '', env: [], mounts: [], devices: [], labels: {}, annotations: {}, logPath: 'c.log',
  stdin: false, stdinOnce: false, tty: false, resources: { cpuShares: 2 },
  security: { privileged: false, addCapabilities: [], dropCapabilities: [], network: 'pod', pid: 'container', ipc: 'pod', readonlyRootfs: false, noNewPrivileges: false, maskedPaths: [], readonlyPaths: [] },
}

async function bareStart(runtime: RuntimeDriver, name: string): Promise<string> {
  const config = sandboxConfig(name)
  const sandbox = await runtime.runSandbox(config)
  const container = await runtime.createContainer(sandbox, containerConfig, config)
  await runtime.startContainer(container)
  bare.set(sandbox, container)
  return sandbox
}

async function bareStop(runtime: RuntimeDriver, sandbox: string): Promise<void> {
  await runtime.stopContainer(bare.get(sandbox) as string, grace)
  await runtime.stopSandbox(sandbox)
  await runtime.removeSandbox(sandbox)
  bare.delete(sandbox)
}

/** Runs all of it with `width` at a time. */
async function parallel<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < items.length) {
      const index = next++
      results[index] = await work(items[index] as T)
    }
  }))
  return results
}

const podOf = (name: string) => ({
  metadata: { name, namespace: 'default', labels: { app: 'bench' } },
  spec: { containers: [{ name: 'c', image: 'hello:1.0', command }], terminationGracePeriodSeconds: grace },
})

const isReady = (pod: core.Pod) => pod.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true

const bare = new Map<string, string>()
const cluster = await startCluster('bench-pods', '172.31.97.2')
try {
  await buildExample(cluster, 'hello:1.0', 'examples/hello')
  const client = await hostClient()
  const runtime = criDriver(`/run/skiff/${cluster.name}/containerd/containerd.sock`)

  const single = { bareUp: [] as number[], bareDown: [] as number[], up: [] as number[], down: [] as number[] }
  for (let i = 0; i < singles; i++) {
    const [sandbox, bareUp] = await timed(() => bareStart(runtime, `bare-${i}`))
    await settle()
    const [, bareDown] = await timed(() => bareStop(runtime, sandbox))
    const [, up] = await timed(() => createAndWait(client, [`single-${i}`]))
    await settle()
    const [, down] = await timed(() => deleteAndWait(client, `single-${i}`))
    for (const [list, ms] of [[single.bareUp, bareUp], [single.bareDown, bareDown], [single.up, up], [single.down, down]] as const) list.push(ms)
  }
  for (const [name, q] of [['p50', 0.5], ['p95', 0.95]] as const) {
    row(`one pod, create to Ready (${name})`, quantile(single.up, q), quantile(single.bareUp, q), 1.5)
    row(`one pod, delete to gone (${name})`, quantile(single.down, q), quantile(single.bareDown, q), 1.5)
  }

  const names = Array.from({ length: count }, (_, i) => `many-${i}`)
  let bestUp = Number.POSITIVE_INFINITY
  let bestDown = Number.POSITIVE_INFINITY
  for (const width of [2, 4, 8]) {
    const [sandboxes, up] = await timed(() => parallel(names, width, (name) => bareStart(runtime, `bare-${width}-${name}`)))
    await settle()
    const [, down] = await timed(() => parallel(sandboxes, width, (sandbox) => bareStop(runtime, sandbox)))
    bestUp = Math.min(bestUp, up)
    bestDown = Math.min(bestDown, down)
  }
  let [up, down] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (const round of ['first', 'second', 'third']) {
    up = Math.min(up, (await timed(() => createAndWait(client, names)))[1])
    console.log(`${round} round: ${rss()} MB with ${count} pods (Skiff, containerd apart; target 150 MB), ${await restarts(client)} containers restarted`)
    await settle()
    down = Math.min(down, (await timed(() => deleteAllAndWait(client)))[1])
  }
  row(`${count} pods Ready`, up, bestUp, 1.5)
  row(`${count} pods gone`, down, bestDown, 1.5)
  client.close()
  runtime.close()
} finally {
  await cluster.destroy()
  await removeCgroup(`/${cluster.name}-bare`)
  rmSync('/tmp/skiff-bench-logs', { recursive: true, force: true })
}

function row(what: string, ours: number, theirs: number, target: number): void {
  const ratio = ours / theirs
  console.log(`${what.padEnd(34)} ${ours.toFixed(0).padStart(7)} ms   bare CRI ${theirs.toFixed(0).padStart(7)} ms   ratio ${ratio.toFixed(2)} (target ${target}${ratio > target ? ', MISSED' : ''})`)
}

function rss(): number {
  const pid = readFileSync(`/run/skiff/${cluster.name}/skiff.pid`, 'utf8').split(' ')[0]
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024)
}

/** The API server listens inside the cluster's network namespace: the client gets there through a socket made inside it. */
async function hostClient() {
  const options = await parseKubeconfig(readFileSync(cluster.kubeconfig, 'utf8'))
  const { forwardInto } = await import('../support/forward.ts')
  const port = await forwardInto(cluster.host.namespace, Number(new URL(options.server).port))
  return createHttpsClient({ ...options, server: `https://127.0.0.1:${port}` })
}

async function createAndWait(client: Awaited<ReturnType<typeof hostClient>>, names: readonly string[]): Promise<void> {
  const waiting = new Set(names)
  const ended = new AbortController()
  const from = (await client.list(core.pods, { namespace: 'default' })).metadata.resourceVersion ?? ''
  const watching = (async () => {
    for await (const event of client.watch(core.pods, { namespace: 'default', resourceVersion: from, signal: ended.signal })) {
      if (event.type !== 'BOOKMARK' && isReady(event.object)) waiting.delete(event.object.metadata.name ?? '')
      if (waiting.size === 0) return
    }
  })()
  await Promise.all(names.map((name) => client.create(core.pods, podOf(name))))
  await watching
  ended.abort()
}

/** How often containers were started again: in a bench whose containers never fail, never. */
async function restarts(client: Awaited<ReturnType<typeof hostClient>>): Promise<number> {
  const { items } = await client.list(core.pods, { namespace: 'default' })
  return items.flatMap((pod) => pod.status.containerStatuses ?? []).reduce((sum, status) => sum + status.restartCount, 0)
}

async function deleteAndWait(client: Awaited<ReturnType<typeof hostClient>>, name: string): Promise<void> {
  await client.delete(core.pods, name, { namespace: 'default' })
  await gone(client)
}

async function deleteAllAndWait(client: Awaited<ReturnType<typeof hostClient>>): Promise<void> {
  await client.deleteCollection(core.pods, { namespace: 'default', labelSelector: 'app=bench' })
  await gone(client)
}

async function gone(client: Awaited<ReturnType<typeof hostClient>>): Promise<void> {
  while ((await client.list(core.pods, { namespace: 'default', labelSelector: 'app=bench' })).items.length > 0) await new Promise((resolve) => setTimeout(resolve, 10))
}
