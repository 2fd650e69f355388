/** The servers that the load is pointed at: Skiff and the bare one as processes of their own, and any cluster through its kubeconfig. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { core, rbac } from '../../src/api/index.ts'
import type { Client } from '../../src/client/client.ts'
import { createHttpsClient } from '../../src/client/https.ts'
import { loadKubeconfig } from '../../src/client/kubeconfig.ts'
import { benchNamespace, configMapOf, inTurns, nameOf, otherNamespace, podOf } from './_api-objects.ts'
import type { Place } from './_api-load.ts'
import type { Order } from './_api-server.ts'

export interface Side extends Place {
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

/** Both sides run as the `skiff` launcher runs Node. */
const asSkiff = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--initial-old-space-size=32', '--heap-growing-percent=40']
/** A directory for a CPU profile of the server. */
export const profile = process.env['BENCH_CPU_PROF']

/** Starts one side over what is in `folder`: `key.pem` and `cert.pem`, and the store of an earlier one. */
export async function startSide(mode: 'skiff' | 'bare', folder: string): Promise<Side> {
  const extra = profile && mode === 'skiff' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const child = fork(join(import.meta.dirname, '_api-server.ts'), [mode, folder], { execArgv: [...asSkiff, '--expose-gc', ...extra], env: { ...process.env, MALLOC_ARENA_MAX: '2' } })
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

/** Makes the objects that an order asks for. */
export async function obeyWith(client: Client, order: Order): Promise<object> {
  if (order.do === 'fill') {
    const one = (i: number) => (order.kind === 'pods' ? client.create(core.pods, podOf({ name: nameOf(i) })) : client.create(core.configmaps, configMapOf(nameOf(i))))
    await inTurns(order.from, order.to, one)
  }
  if (order.do === 'events') await inTurns(0, order.count, (i) => client.create(core.pods, podOf({ generateName: `event-${i}-` })))
  return {}
}

/**
 * A cluster through a kubeconfig with a certificate or a token that may make namespaces and cluster roles. The load comes with the token of
 * a service account in a namespace of its own; `end` takes both away again.
 */
export async function connectPeer(path: string): Promise<Side> {
  const config = await loadKubeconfig({ path })
  const client = createHttpsClient(config)
  const token = await prepare(client)
  return {
    url: config.server.replace(/\/$/, ''),
    token,
    filled: 0,
    ask: async (order) => (await obeyWith(client, order)) as never,
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
