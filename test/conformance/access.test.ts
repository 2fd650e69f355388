/** Who gets in: those with a certificate of the cluster's authority, and anybody to health and version. */
import { request } from 'node:https'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensurePki } from '../../src/cluster/pki.ts'
import type { KeyPair, Pki } from '../../src/cluster/pki.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'

let cluster: TestControlPlane
let strangers: Pki
const dir = mkdtempSync(join(tmpdir(), 'skiff-strangers-'))
beforeAll(async () => {
  cluster = await startTestControlPlane()
  strangers = await ensurePki(dir, { name: 's', nodeName: 'n', nodeAddress: '127.0.0.1', port: 1, kubeletPort: 2, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [1, 2] })
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
  it.each(['/api', '/apis', '/api/v1/pods', '/api/v1/namespaces/default/secrets', '/apis/apps/v1', '/metrics', '/openapi/v2', '/api/v1/nodes/n/proxy/'])('%s says 401', async (path) => {
    const reply = await get(path)
    expect(reply.code).toBe(401)
    expect(JSON.parse(reply.text)).toMatchObject({ kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 })
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
