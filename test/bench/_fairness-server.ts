/**
 * The server of the fairness bench, in a process of its own: the API server over a store on disk, with the objects of flow control and
 * two service accounts that may do everything. Arguments: a folder with key.pem and cert.pem, `fair` or `first-come`, how many pods there are.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { core, rbac } from '../../src/api/index.ts'
import { createEdges } from '../../src/apiserver/edges.ts'
import { startKeeping } from '../../src/apiserver/flowcontrol/keep.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { growWithLoad } from '../../src/machinery/heap-growth.ts'
import { letHelpersStandBack } from '../../src/machinery/threads.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { nameOf, podOf } from './_api-objects.ts'
import { quantile } from './_connection.ts'

Buffer.poolSize = 8 * 1024 // as src/cli/main.ts sets it
letHelpersStandBack() // as src/cluster/serve.ts does
growWithLoad()
const [folder, mode, count] = process.argv.slice(2) as [string, 'fair' | 'first-come', string]
const tls = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }
const store = await openLmdbStore({ path: mkdtempSync(join(folder, 'store-')) })
const signingKey = execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']).toString()
const edges = createEdges({
  serverAddress: () => '127.0.0.1:6443',
  serviceAccounts: { signingKey, issuer: 'https://kubernetes.default.svc' },
  ...(mode === 'fair' ? {} : { flow: { fair: false, maxRequests: 0, maxMutating: 0 } }),
})
const server = await createApiServer({ store, clock: systemClock, log: quiet, tls: { ...tls, clientCa: tls.cert }, edges })
const { client } = server
await server.listen()
await startKeeping({ client, clock: systemClock, log: quiet })
for (const name of ['default', 'other']) await client.create(core.namespaces, { metadata: { name } })
await client.create(rbac.clusterroles, { metadata: { name: 'all' }, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] })

/** The token of a new account that may do everything. */
async function accountOf(name: string): Promise<string> {
  await client.create(core.serviceaccounts, { metadata: { name, namespace: 'default' } })
  await client.create(rbac.clusterrolebindings, { metadata: { name }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all' }, subjects: [{ kind: 'ServiceAccount', name, namespace: 'default' }] })
  const request = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: { audiences: [] } }
  return (await client.createSubresource<object, { status: { token: string } }>(core.serviceaccounts, name, 'token', request, { namespace: 'default' })).status.token
}

await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'default' } })
await client.create(core.serviceaccounts, { metadata: { name: 'default', namespace: 'other' } })
const tokens = { flood: await accountOf('flood'), other: await accountOf('other') }
let next = 0
await Promise.all(Array.from({ length: 64 }, async () => {
  while (next < Number(count)) await client.create(core.pods, podOf({ name: nameOf(next++), namespace: 'default' }))
}))

/** How late the loop was for a timer, and what garbage collections took, 99 of 100, in milliseconds; the part of the time that collections took. */
export interface Turns { readonly late: number; readonly collection: number; readonly collecting: number }

const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()
const collections: number[] = []
new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) collections.push(duration) }).observe({ entryTypes: ['gc'] })
let since = performance.now()
process.on('message', () => {
  const sorted = collections.splice(0).toSorted((a, b) => a - b)
  const turns: Turns = {
    late: Math.max(0, delays.percentile(99) / 1e6 - 1),
    collection: quantile(sorted, 0.99) || 0,
    collecting: sorted.reduce((sum, took) => sum + took, 0) / (performance.now() - since),
  }
  delays.reset()
  since = performance.now()
  process.send?.(turns)
})
process.on('disconnect', () => process.exit(0))
process.send?.({ url: server.url, tokens })
