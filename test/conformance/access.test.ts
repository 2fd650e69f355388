/** Who gets in: those with a certificate of the cluster's authority, and anybody to health and version. */
import { request } from 'node:https'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { core } from '../../src/api/index.ts'
import { ensurePki } from '../../src/cluster/pki.ts'
import type { KeyPair } from '../../src/cluster/certificate.ts'
import type { Pki } from '../../src/cluster/pki.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'

let cluster: TestControlPlane
let strangers: Pki
const dir = mkdtempSync(join(tmpdir(), 'skiff-strangers-'))
beforeAll(async () => {
  cluster = await startTestControlPlane()
  strangers = ensurePki(dir, { name: 's', nodeName: 'n', nodeAddress: '127.0.0.1', port: 1, kubeletPort: 2, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [1, 2] })
})
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true, force: true })
})

function get(path: string, who?: KeyPair, headers: Record<string, string> = {}): Promise<{ code: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(`${cluster.url}${path}`, { ca: cluster.pki.ca.cert, agent: false, headers, ...(who ? { cert: who.cert, key: who.key } : {}) }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => void (text += chunk.toString()))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, text }))
    })
    call.on('error', reject)
    call.end()
  })
}

describe('without a certificate', () => {
  it.each(['/healthz', '/livez', '/readyz', '/version'])('%s answers', async (path) => expect((await get(path)).code).toBe(200))
  it.each(['/api', '/apis', '/api/v1/pods', '/api/v1/namespaces/default/secrets', '/apis/apps/v1', '/metrics', '/openapi/v2', '/api/v1/nodes/n/proxy/'])('%s says 403', async (path) => {
    const reply = await get(path)
    expect(reply.code).toBe(403)
    expect(JSON.parse(reply.text)).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message: expect.stringContaining('User "system:anonymous" cannot ') as string })
  })
})

describe('with a certificate', () => {
  it('of the cluster, the administrator gets in', async () => expect((await get('/api/v1/pods', cluster.pki.admin)).code).toBe(200))
  it('of another authority, nobody does', async () => {
    const code = await get('/api/v1/pods', strangers.admin).then((reply) => reply.code, () => 'refused')
    expect([401, 'refused']).toContain(code)
  })
  it('of a node, the secrets of others stay closed', async () => {
    expect((await get('/api/v1/namespaces/kube-system/secrets', cluster.pki.node)).code).toBe(403)
  })
})

describe('with headers instead', () => {
  it.each<Record<string, string>>([{ 'x-remote-user': 'kubernetes-admin', 'x-remote-group': 'system:masters' }, { 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' }, { authorization: 'Bearer nonsense' }])('nobody gets in: %o', async (headers) => {
    expect([401, 403]).toContain((await get('/api/v1/pods', undefined, headers)).code)
  })
  it('a node that impersonates the administrator is refused', async () => {
    expect((await get('/api/v1/pods', cluster.pki.node, { 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' })).code).toBe(403)
  })
})

describe('a node', () => {
  const pod = (name: string, nodeName: string, configMap: string) => ({
    apiVersion: 'v1', kind: 'Pod', metadata: { name },
    spec: { nodeName, containers: [{ name: 'c', image: 'x', envFrom: [{ configMapRef: { name: configMap } }] }] },
  })
  const configmaps = '/api/v1/namespaces/default/configmaps'
  const ask = async (query: string) => (await get(`${configmaps}${query}`, cluster.pki.node)).code
  beforeAll(async () => {
    for (const name of ['mine', 'theirs']) await cluster.kubectl('create', 'configmap', name)
    await cluster.apply(pod('here', 'node-1', 'mine'))
    await cluster.apply(pod('there', 'node-2', 'theirs'))
  })

  it('gets, lists and watches what its pods use, one by one', async () => {
    expect(await ask('/mine')).toBe(200)
    expect(await ask('?fieldSelector=metadata.name%3Dmine')).toBe(200)
    expect(await ask('?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dmine')).toBe(200)
    const client = cluster.plane.clientFor('system:node:node-1', ['system:nodes'])
    expect((await client.list(core.configmaps, { namespace: 'default', fieldSelector: 'metadata.name=mine' })).items).toHaveLength(1)
  })

  it('is refused all of them at once, and those of other nodes', async () => {
    expect(await ask('')).toBe(403)
    expect(await ask('?watch=true')).toBe(403)
    expect(await ask('/theirs')).toBe(403)
    expect(await ask('?fieldSelector=metadata.name%3Dtheirs')).toBe(403)
    expect(await ask('?fieldSelector=metadata.name%21%3Dmine')).toBe(403)
    const refused = JSON.parse((await get(`${configmaps}/theirs`, cluster.pki.node)).text) as { message: string }
    expect(refused.message).toBe('configmaps "theirs" is forbidden: User "system:node:node-1" cannot get resource "configmaps" in API group "" in the namespace "default": no relationship found between node \'node-1\' and this object')
  })
})
