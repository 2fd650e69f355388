/**
 * What a decision costs with 10 role bindings and with 10,000, and what part of a GET over HTTPS it is; what a change of one binding costs
 * the next decision. Run: `node test/bench/authorize.ts [seconds]`. Needs wrk and openssl.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core, rbac } from '../../src/api/index.ts'
import { createEdges } from '../../src/apiserver/edges.ts'
import type { Authorize } from '../../src/apiserver/options.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { load } from './_api-load.ts'

const seconds = Number(process.argv[2] ?? 2)
const folder = mkdtempSync(join(tmpdir(), 'skiff-bench-authorize-'))
execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' })
const tls = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }
const signingKey = execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']).toString()
const namespace = 'bench'
const user = { name: `system:serviceaccount:${namespace}:app`, groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'] }
const info = (verb: string, resource: string, name = 'one') => ({ path: '', isResourceRequest: true, verb, group: '', version: 'v1', namespace, resource, name, subresource: '', rest: '' })
const rounds = 15
const decisions = 40_000

/** Nanoseconds per decision of each: the best of rounds in turn, for whatever else the machine does comes and goes. */
function time(all: readonly Authorize[], what: ReturnType<typeof info>): readonly number[] {
  const best = all.map(() => Infinity)
  for (let round = 0; round < rounds; round++) {
    for (const [at, authorize] of all.entries()) {
      const begun = process.hrtime.bigint()
      for (let i = 0; i < decisions; i++) void authorize(user, what)
      best[at] = Math.min(best[at] as number, Number(process.hrtime.bigint() - begun) / decisions)
    }
  }
  return best
}

/** A server with so many bindings: of other users in this namespace and in others, as the cluster of a company has them. */
async function prepare(bindings: number) {
  let authorize: Authorize | undefined
  const make = createEdges({ serverAddress: () => '127.0.0.1:6443', serviceAccounts: { signingKey, issuer: 'https://kubernetes.default.svc' } })
  const server = await createApiServer({
    store: createMemoryStore(), clock: systemClock, log: quiet, tls: { ...tls, clientCa: tls.cert },
    edges: async (env) => {
      const edges = await make(env)
      authorize = edges.authorize
      return edges
    },
  })
  await server.listen()
  const { client } = server
  await client.create(core.namespaces, { metadata: { name: namespace } })
  await client.create(core.serviceaccounts, { metadata: { name: 'app', namespace } })
  await client.create(core.configmaps, { metadata: { name: 'one', namespace }, data: { a: 'b' } })
  await client.create(rbac.clusterroles, { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }, { apiGroups: ['apps'], resources: ['deployments'], verbs: ['*'] }, { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }] })
  const bind = (name: string, subjects: rbac.Subject[], to: string) => client.create(rbac.rolebindings, { metadata: { name, namespace: to }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' }, subjects })
  await bind('app', [{ kind: 'ServiceAccount', name: 'app', namespace }], namespace)
  for (let i = 0; i < 10; i++) await client.create(core.namespaces, { metadata: { name: `team-${i}` } })
  for (let i = 1; i < bindings; i++) await bind(`b${i}`, [{ kind: 'User', name: `user-${i}`, apiGroup: 'rbac.authorization.k8s.io' }], i % 2 ? namespace : `team-${i % 10}`)
  const { status } = await client.createSubresource<object, { status: { token: string } }>(core.serviceaccounts, 'app', 'token', { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: {} }, { namespace })
  const decide = authorize as Authorize
  return { server, decide, bind, place: { url: server.url, token: status.token } }
}

type Prepared = Awaited<ReturnType<typeof prepare>>

/** Microseconds of the first decision after a binding was written. */
async function timeChanges({ bind, decide }: Prepared): Promise<number> {
  const changed: number[] = []
  for (let i = 0; i < 20; i++) {
    await bind(`change-${i}`, [{ kind: 'User', name: 'somebody', apiGroup: 'rbac.authorization.k8s.io' }], namespace)
    const begun = process.hrtime.bigint()
    void decide(user, info('get', 'configmaps'))
    changed.push(Number(process.hrtime.bigint() - begun) / 1000)
  }
  return changed.toSorted((a, b) => a - b)[10] ?? 0
}

/** Nanoseconds of processor time per GET, of this process. */
async function timeGet({ place }: Prepared): Promise<number> {
  const path = `/api/v1/namespaces/${namespace}/configmaps/one`
  await load(place, path, 1)
  const before = process.cpuUsage()
  const { requests } = await load(place, path, seconds)
  const used = process.cpuUsage(before)
  return ((used.user + used.system) / requests) * 1000
}

const verdict = (value: number, most: number, show: (value: number) => string) => `${show(value)} (at most ${show(most)}${value > most ? ', MISSED' : ''})`
const ns = (value: number) => `${value.toFixed(0)} ns`
const few = await prepare(10)
const many = await prepare(10_000)
const times = (value: number) => `${value.toFixed(2)} times`
const percent = (value: number) => `${(value * 100).toFixed(1)} %`
const both = [few.decide, many.decide]
const [allowedFew = 0, allowedMany = 0] = time(both, info('get', 'configmaps'))
const [refusedFew = 0, refusedMany = 0] = time(both, info('get', 'secrets'))
const get = await timeGet(many)
const results = [[allowedMany / allowedFew, 1.5], [refusedMany / refusedFew, 1.5], [allowedMany / get, 0.05]] as const
console.log(`a decision, allowed: ${ns(allowedFew)} with 10 bindings, ${ns(allowedMany)} with 10,000: ${verdict(...results[0], times)}`)
console.log(`a decision, refused: ${ns(refusedFew)} with 10 bindings, ${ns(refusedMany)} with 10,000: ${verdict(...results[1], times)}`)
console.log(`the first decision after a change of a binding: ${(await timeChanges(few)).toFixed(0)} µs with 10, ${(await timeChanges(many)).toFixed(0)} µs with 10,000`)
console.log(`a GET over HTTPS: ${(get / 1000).toFixed(1)} µs of processor time, of which the decision is ${verdict(...results[2], percent)}`)
for (const { server } of [few, many]) await server.close()
rmSync(folder, { recursive: true })
process.exit(results.some(([value, most]) => value > most) ? 1 : 0)
