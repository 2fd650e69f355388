/** The servers that the load is pointed at: Skiff and the bare one as processes of their own, and any cluster through its kubeconfig. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { core, rbac } from '../../src/api/index.ts'
import type { Client } from '../../src/client/client.ts'
import { createHttpsClient } from '../../src/client/https.ts'
import { loadKubeconfig } from '../../src/client/kubeconfig.ts'
import { benchNamespace, configMapOf, inTurns, nameOf, otherNamespace, podOf } from './_api-objects.ts'
import type { Place } from './_api-load.ts'
import { launcherEnvironment, launcherFlags } from './_launcher.ts'
import type { Order } from './_api-server.ts'

export interface Side extends Place {
  /** A cluster that is not started here. */
  readonly isPeer?: boolean
  /** How long the cache took to fill, in milliseconds. */
  readonly filled: number
  ask<R = object>(order: Order): Promise<R>
  end(): Promise<void>
}

const answerOf = <R>(child: ChildProcess): Promise<R> => new Promise((resolve, reject) => {
  const failed = (code: number | null) => reject(new Error(`a server ended with code ${code}`))
  child.once('exit', failed)
  child.once('message', (message) => {
    child.off('exit', failed)
    resolve(message as R)
  })
})

/** A directory for a CPU profile of the server. */
export const profile = process.env['BENCH_CPU_PROF']
/** Further flags of the server's Node, such as `--trace-gc`. */
const flags = process.env['BENCH_NODE_FLAGS']?.split(' ') ?? []

/** Starts one side over what is in `folder`: `key.pem` and `cert.pem`, and the store of an earlier one. */
export async function startSide(mode: 'skiff' | 'bare', folder: string): Promise<Side> {
  const extra = mode === 'skiff' ? [...flags, ...(profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [])] : []
  const child = fork(join(import.meta.dirname, '_api-server.ts'), [mode, folder], { execArgv: [...launcherFlags, '--expose-gc', ...extra], env: { ...process.env, ...launcherEnvironment } })
  const ready = await answerOf<Place & { filled: number }>(child)
  return {
    ...ready,
    ask: (order) => {
      const answer = answerOf<never>(child)
      child.send(order)
      return answer
    },
    end: () => new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.disconnect()
    }),
  }
}

/** Two namespaces, and a service account that may do everything; the account's token. `client` is an administrator's. */
export async function prepare(client: Client): Promise<string> {
  const there = (error: { code?: number }) => { if (error.code !== 409) throw error }
  for (const name of [benchNamespace, otherNamespace]) {
    await client.create(core.namespaces, { metadata: { name } }).catch(there)
    await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: name } }).catch(there)
  }
  await client.create(rbac.clusterroles, { metadata: { name: benchNamespace }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }).catch(there)
  const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: benchNamespace }]
  await client.create(rbac.clusterrolebindings, { metadata: { name: benchNamespace }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: benchNamespace }, subjects }).catch(there)
  const request = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { expirationSeconds: 7200 } }
  const answer = await client.createSubresource<object, { status: { token: string } }>(core.serviceaccounts, 'default', 'token', request, { namespace: benchNamespace })
  return answer.status.token
}

/**
 * Before v1.24 pods were only let in once a controller had made their service account's token, as a secret: where nobody does that, because
 * the API server is all there is, it is done here.
 */
async function letPodsIn(client: Client): Promise<void> {
  const refusal = await client.create(core.pods, podOf({ name: 'first' }), { dryRun: true }).then(() => undefined, (error: Error) => error)
  if (refusal === undefined) return
  if (!refusal.message.startsWith('No API token found')) throw refusal
  for (const namespace of [benchNamespace, otherNamespace]) {
    const { metadata: { uid = '' } } = await client.get(core.serviceaccounts, 'default', { namespace })
    const annotations = { 'kubernetes.io/service-account.name': 'default', 'kubernetes.io/service-account.uid': uid }
    await client.create(core.secrets, { metadata: { name: 'default-token-bench0', namespace, annotations }, type: 'kubernetes.io/service-account-token' })
    await client.patch(core.serviceaccounts, 'default', { type: 'merge', body: { secrets: [{ name: 'default-token-bench0' }] } }, { namespace })
  }
}

/** Makes the objects that an order asks for. */
export async function obeyWith(client: Client, order: Order): Promise<object> {
  if (order.do === 'fill') {
    const make = {
      pods: (i: number) => client.create(core.pods, podOf({ name: nameOf(i) })),
      doomed: (i: number) => client.create(core.pods, podOf({ name: nameOf(i), namespace: otherNamespace })),
      configmaps: (i: number) => client.create(core.configmaps, configMapOf(nameOf(i))),
    }
    await inTurns(order.from, order.to, make[order.kind])
  }
  if (order.do === 'events') {
    // In rounds they have names of their own: an old peer does not try again when it makes up one that is taken.
    const named = (i: number) => (order.round === undefined ? { generateName: `event-${i}-` } : { name: `event-${order.round}-${i}` })
    await inTurns(0, order.count, (i) => client.create(core.pods, podOf(named(i))))
  }
  return {}
}

const sum = (processes: readonly number[], of: (id: number) => number): number => processes.reduce((all, id) => all + of(id), 0)
/** In bytes. */
const residentMemory = (id: number): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) * 1024
/** In microseconds; Linux counts it in hundredths of a second. */
function processorTime(id: number): number {
  const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/**
 * A cluster through a kubeconfig with a certificate or a token that may make namespaces and cluster roles. The load comes with the token of
 * a service account in a namespace of its own; `end` takes both away again. `processes` are those of the peer on this machine, if any: their
 * memory and processor time are its usage.
 */
export async function connectPeer(path: string, processes: readonly number[]): Promise<Side> {
  const config = await loadKubeconfig({ path })
  const client = createHttpsClient(config)
  const token = await prepare(client)
  await letPodsIn(client)
  let before = 0
  const usage = () => {
    if (processes.length === 0) return {}
    const now = sum(processes, processorTime)
    const cpu = now - before
    before = now
    return { cpu, rss: sum(processes, residentMemory) }
  }
  return {
    url: config.server.replace(/\/$/, ''),
    token,
    isPeer: true,
    filled: 0,
    ask: async (order) => (order.do === 'usage' ? usage() : await obeyWith(client, order)) as never,
    async end() {
      for (const name of [benchNamespace, otherNamespace]) {
        // Pods that no node has are gone at once, but only one at a time by those who finalize the namespace: this is quicker.
        await client.deleteCollection(core.pods, { namespace: name, gracePeriodSeconds: 0 })
        await client.delete(core.namespaces, name)
      }
      await client.delete(rbac.clusterrolebindings, benchNamespace)
      await client.delete(rbac.clusterroles, benchNamespace)
      client.close()
    },
  }
}
