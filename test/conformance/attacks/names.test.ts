/** The right to one object by its name: every writing of a request that might reach another one with it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

let cluster: TestControlPlane
const dir = mkdtempSync(join(tmpdir(), 'skiff-names-'))
const secrets = '/api/v1/namespaces/default/secrets'
const hidden = Buffer.from('hush-hush').toString('base64')

beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'mallory-token,mallory,,')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
  await cluster.kubectl('create', 'secret', 'generic', 'mine', '--from-literal=a=open')
  await cluster.kubectl('create', 'secret', 'generic', 'theirs', '--from-literal=a=hush-hush')
  await cluster.kubectl('create', 'role', 'mine', '--verb=*', '--resource=secrets', '--resource-name=mine')
  await cluster.kubectl('create', 'rolebinding', 'mine', '--role=mine', '--user=mallory')
})
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true })
})

const ask = async (path: string, one: Attempt = {}) => {
  const answer = await attempt(cluster, path, { token: 'mallory-token', ...one })
  expect(answer.text, path).not.toContain(hidden)
  return answer
}
const theirsIsThere = async () => expect(await cluster.kubectl('get', 'secret', 'theirs', '-o', 'jsonpath={.data.a}')).toBe(hidden)

describe('the right to one object', () => {
  it('reads that one, also by a list or a watch that selects it', async () => {
    for (const path of [`${secrets}/mine`, `${secrets}?fieldSelector=metadata.name=mine`, `${secrets}?fieldSelector=metadata.name%3D%3Dmine&watch=1&timeoutSeconds=1`, '/api/v1/watch/namespaces/default/secrets/mine?timeoutSeconds=1']) {
      const { code, text } = await ask(path)
      expect([code, text.includes('"name":"mine"')], path).toEqual([200, true])
    }
  })

  it.each([
    '', 'fieldSelector=metadata.name=theirs', 'fieldSelector=&fieldSelector=metadata.name=mine', 'fieldSelector=metadata.name=theirs&fieldSelector=metadata.name=mine', 'fieldSelector=metadata.name=theirs,metadata.name=mine',
    'fieldSelector=metadata.name!=mine', 'fieldSelector=metadata.name=mine%00', 'FieldSelector=metadata.name=mine', 'fieldSelector=metadata.name=mine;fieldSelector=', 'fieldSelector=metadata.name=mine%5C,theirs', 'labelSelector=name%3Dmine', 'name=mine',
  ])('lists and watches no others by ?%s', async (query) => {
    expect((await ask(`${secrets}?${query}`)).code).toBe(403)
    expect((await ask(`${secrets}?${query}&watch=1&timeoutSeconds=1`)).code).toBe(403)
    expect((await ask(`${secrets}?${query}`, { method: 'DELETE' })).code).toBe(403)
    await theirsIsThere()
  })

  it('shows nothing else where selectors contradict each other or the path', async () => {
    for (const path of [
      `${secrets}?fieldSelector=metadata.name=mine&fieldSelector=metadata.name=theirs`, `${secrets}?fieldSelector=metadata.name=mine&fieldSelector=`, `${secrets}?fieldSelector=metadata.name=mine,metadata.name=theirs`,
      '/api/v1/watch/namespaces/default/secrets/mine?fieldSelector=metadata.name=theirs&timeoutSeconds=1', '/api/v1/watch/namespaces/default/secrets/mine?fieldSelector=&timeoutSeconds=1', `${secrets}/mine?fieldSelector=metadata.name=theirs`,
    ]) expect((await ask(path)).text, path).not.toContain('"name":"theirs"')
    for (const path of ['/api/v1/secrets?fieldSelector=metadata.name=mine', '/api/v1/watch/namespaces/default/secrets/theirs', `${secrets}//theirs`, `${secrets}/mine/../theirs`, `${secrets}/mine/status`]) expect((await ask(path)).code, path).toBe(403)
  })

  it('writes no other one by a body that names it, and makes none', async () => {
    const secret = (name: string, namespace = 'default') => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, data: {} })
    expect((await ask(`${secrets}/mine`, { method: 'PUT', body: secret('theirs') })).code).toBe(400)
    expect((await ask(`${secrets}/mine`, { method: 'PUT', body: secret('mine', 'kube-system') })).code).toBe(400)
    expect((await ask(`${secrets}/mine`, { method: 'PATCH', body: { metadata: { name: 'theirs' } }, contentType: 'application/merge-patch+json' })).code).toBe(400)
    expect((await ask(`${secrets}/mine?fieldManager=m&force=true`, { method: 'PATCH', body: secret('theirs'), contentType: 'application/apply-patch+yaml' })).code).toBe(400)
    expect((await ask(secrets, { body: secret('mine') })).code).toBe(403)
    await theirsIsThere()
  })

  it('is none by a method that nobody knows', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND']) expect((await ask(`${secrets}/theirs`, { method })).code, method).toBe(403)
  })
})
