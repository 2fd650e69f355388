/** An encryption configuration at work: the steps of Kubernetes's documentation, with kubectl and a look at what is stored. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'

let directory: string
let t: TestControlPlane | undefined
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'skiff-encryption-'))))
afterEach(async () => {
  await t?.stop()
  t = undefined
  rmSync(directory, { recursive: true, force: true })
})

const file = () => join(directory, 'encryption.yaml')
/** Replaces the file, as editors do. */
function configure(resources: readonly object[]): void {
  writeFileSync(`${file()}.new`, JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration', resources }))
  renameSync(`${file()}.new`, file())
}
const key = (name: string, secret = randomBytes(32)) => ({ name, secret: secret.toString('base64') })
const start = async () => (t = await startTestControlPlane({ apiServerArguments: { 'encryption-provider-config': file(), 'encryption-provider-config-automatic-reload': 'true' } }))
const stored = async (plural: string, name: string) => Buffer.from((await t!.store.get(`/registry/core/${plural}/default/${name}`))?.value ?? []).toString('latin1')

describe('secrets', () => {
  it('are encrypted without any configuration', async () => {
    t = await startTestControlPlane()
    await t.kubectl('create', 'secret', 'generic', 's', '--from-literal=password=hush-hush')
    expect(await stored('secrets', 's')).toMatch(/^k8s:enc:aesgcm:v1:key1-[0-9a-f]{6}:/)
    expect(await stored('secrets', 's')).not.toContain(Buffer.from('hush-hush').toString('base64'))
    expect(await t.kubectl('get', 'secret', 's', '-o', 'jsonpath={.data.password}')).toBe(Buffer.from('hush-hush').toString('base64'))
  })
})

describe('an encryption configuration', () => {
  it('encrypts what it names from the next write on; get | replace writes everything anew', async () => {
    const first = key('key1')
    configure([{ resources: ['configmaps'], providers: [{ identity: {} }, { aescbc: { keys: [first] } }] }])
    const { kubectl } = await start()
    await kubectl('create', 'configmap', 'c', '--from-literal=a=b')
    expect(await stored('configmaps', 'c')).toMatch(/^\{/)
    const rewrite = async () => t!.tryKubectl(['replace', '-f', '-'], await kubectl('get', 'configmap', 'c', '-o', 'json'))
    const version = () => kubectl('get', 'configmap', 'c', '-o', 'jsonpath={.metadata.resourceVersion}')
    const before = await version()
    await rewrite()
    expect(await version()).toBe(before)

    configure([{ resources: ['configmaps'], providers: [{ aescbc: { keys: [first] } }, { identity: {} }] }])
    await expect.poll(async () => { await rewrite(); return stored('configmaps', 'c') }, { timeout: 10_000 }).toMatch(/^k8s:enc:aescbc:v1:key1:/)

    // A new key, first as one that reads, then as the one that writes.
    const second = key('key2')
    configure([{ resources: ['configmaps'], providers: [{ secretbox: { keys: [second] } }, { aescbc: { keys: [first] } }, { identity: {} }] }])
    await expect.poll(async () => { await rewrite(); return stored('configmaps', 'c') }, { timeout: 10_000 }).toMatch(/^k8s:enc:secretbox:v1:key2:/)
    expect(await kubectl('get', 'configmap', 'c', '-o', 'jsonpath={.data.a}')).toBe('b')
    const after = await version()
    await rewrite()
    expect(await version()).toBe(after)
  })

  it('that lost a key names what cannot be read, and the rest is served', async () => {
    const first = key('key1')
    configure([{ resources: ['configmaps'], providers: [{ aesgcm: { keys: [first] } }, { identity: {} }] }])
    const { kubectl, store } = await start()
    await kubectl('create', 'configmap', 'lost', '--from-literal=a=b')
    const dump = await Promise.all((await store.range('/registry/')).entries.map(async (e) => ({ op: 'put' as const, key: e.key, value: e.value })))
    await t!.stop()

    configure([{ resources: ['configmaps'], providers: [{ aesgcm: { keys: [key('key1')] } }, { identity: {} }] }])
    const kept = dump.filter(({ key: name }) => !name.includes('/configmaps/') || name.endsWith('/lost'))
    t = await startTestControlPlane({ apiServerArguments: { 'encryption-provider-config': file() }, prepare: async (to) => void (await to.commit({ writes: kept })) })
    const problem = 'Internal error occurred: unable to transform key "/registry/core/configmaps/default/lost": cipher: message authentication failed'
    for (const args of [['get', 'configmap', 'lost'], ['delete', 'configmap', 'lost'], ['get', 'configmaps']]) {
      expect((await t.tryKubectl(args)).stderr, args.join(' ')).toContain(problem)
    }
    expect((await t.tryKubectl(['create', 'configmap', 'lost'])).stderr).toContain('already exists')
    // What cannot be saved can be deleted, by those who may, with an option that says what it does.
    const unsafe = (name: string, query = '') => ['delete', '--raw', `/api/v1/namespaces/default/configmaps/${name}?ignoreStoreReadErrorWithClusterBreakingPotential=true${query}`]
    await t.kubectl('create', 'clusterrole', 'deleter', '--verb=delete', '--resource=configmaps')
    await t.kubectl('create', 'clusterrolebinding', 'deleter', '--clusterrole=deleter', '--user=ana')
    expect((await t.tryKubectl([...unsafe('lost'), '--as', 'ana'])).stderr).toContain('cannot unsafe-delete-ignore-read-errors resource "configmaps"')
    expect((await t.tryKubectl(unsafe('lost', '&gracePeriodSeconds=0'))).stderr).toContain('cannot be set together with gracePeriodSeconds')
    await t.kubectl('create', 'configmap', 'new', '--from-literal=a=b')
    expect((await t.tryKubectl(unsafe('new'))).stderr).toContain('is exclusively used to delete objects that cannot be read')
    expect(await t.kubectl('get', 'configmap', 'new', '-o', 'jsonpath={.data.a}')).toBe('b')
    expect(await t.kubectl('get', 'configmaps', '-n', 'kube-system', '-o', 'name')).toContain('configmap/')
    expect(JSON.parse(await t.kubectl(...unsafe('lost')))).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'lost', kind: 'configmaps' } })
    expect(await t.kubectl('get', 'configmaps', '-o', 'name')).toContain('configmap/new')
    await t.kubectl('create', 'configmap', 'lost')
  })

  it('whose key management service is away says so in its health, and refuses what it cannot encrypt', async () => {
    configure([{ resources: ['secrets'], providers: [{ kms: { apiVersion: 'v2', name: 'vault', endpoint: `unix://${join(directory, 'none.sock')}`, timeout: '1s' } }] }])
    const { kubectl, tryKubectl } = await start()
    expect((await tryKubectl(['get', '--raw', '/readyz'])).stderr).toContain('[-]kms-providers failed: reason withheld')
    expect(await kubectl('get', '--raw', '/readyz?exclude=kms-providers')).toBe('ok')
    expect((await tryKubectl(['create', 'secret', 'generic', 's'])).stderr).toContain('Internal error occurred: kms unix:')
    await kubectl('create', 'configmap', 'c')
  })

  it('that is wrong stops the boot with one sentence, without the key in it', async () => {
    configure([{ resources: ['configmaps'], providers: [{ aesgcm: { keys: [{ name: 'k', secret: 'aHVzaA==' }] } }] }])
    await expect(start()).rejects.toThrow(`encryption-provider-config: ${file()}: line 1: resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "[hidden]": expected a key of 16, 24, 32 bytes`)
  })
})
