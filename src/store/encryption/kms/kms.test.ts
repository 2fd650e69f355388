/** Envelopes around a key management service: a real one, over gRPC on a unix socket, in this process. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, status, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StructType } from '../../../api/schema.ts'
import { FakeClock } from '../../../machinery/clock.ts'
import { quiet } from '../../../machinery/log.ts'
import { decodeMessage, encodeMessage } from '../../../machinery/protobuf.ts'
import { createMemoryStore } from '../../memory.ts'
import { encryptStore } from '../encrypted-store.ts'
import { openEncryption, type ClusterEncryption } from '../encryption.ts'
import { DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, methodPath, StatusRequest, StatusResponse } from './service.ts'

let directory: string
let plugin: Plugin | undefined
let encryption: ClusterEncryption | undefined
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'skiff-kms-'))))
afterEach(async () => {
  await encryption?.stop()
  await plugin?.stop()
  rmSync(directory, { recursive: true })
})

/** A service with keys of its own, which it uses as a real one would. */
interface Plugin {
  readonly calls: string[]
  keyId: string
  healthz: string
  version: string
  /** Decrypt is not answered. */
  hangs: boolean
  /** Changes what is answered to Encrypt and Decrypt. */
  lie: ((name: string, answer: Record<string, unknown>) => object) | undefined
  stop(): Promise<void>
}

async function startPlugin(socket: string, keys: Record<string, Buffer>): Promise<Plugin> {
  const calls: string[] = []
  const server = new Server()
  const method = (name: string, request: StructType, answer: StructType, handle: (body: Record<string, never>) => object) => ({
    definition: {
      path: methodPath(name), requestStream: false, responseStream: false,
      requestDeserialize: (buffer: Buffer) => decodeMessage(request, buffer), requestSerialize: (body: object) => Buffer.from(encodeMessage(request, body)),
      responseSerialize: (body: object) => Buffer.from(encodeMessage(answer, body)), responseDeserialize: (buffer: Buffer) => decodeMessage(answer, buffer),
    },
    handler: ({ request: body }: ServerUnaryCall<Record<string, never>, object>, done: sendUnaryData<object>) => {
      calls.push(name)
      if (self.hangs && name === 'Decrypt') return
      try {
        const answer = handle(body)
        done(null, self.lie && name !== 'Status' ? self.lie(name, answer as Record<string, unknown>) : answer)
      } catch (error) {
        done({ code: status.INTERNAL, details: (error as Error).message })
      }
    },
  })
  const self: Plugin = { calls, keyId: Object.keys(keys)[0]!, healthz: 'ok', version: 'v2', hangs: false, lie: undefined, stop: () => new Promise((resolve) => { server.forceShutdown(); resolve() }) }
  const methods = {
    Status: method('Status', StatusRequest, StatusResponse, () => ({ version: self.version, healthz: self.healthz, keyId: self.keyId })),
    Encrypt: method('Encrypt', EncryptRequest, EncryptResponse, ({ plaintext }) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', keys[self.keyId]!, nonce)
      const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(plaintext ?? '', 'base64')), cipher.final(), cipher.getAuthTag()])
      return { ciphertext: sealed.toString('base64'), keyId: self.keyId, annotations: { 'version.kms.example': Buffer.from('1').toString('base64') } }
    }),
    Decrypt: method('Decrypt', DecryptRequest, DecryptResponse, ({ ciphertext, keyId, annotations }) => {
      if ((annotations as Record<string, string> | undefined)?.['version.kms.example'] !== Buffer.from('1').toString('base64')) throw new Error('the annotations are lost')
      const key = keys[keyId ?? '']
      if (!key) throw new Error(`no key ${String(keyId)}`)
      const sealed = Buffer.from(ciphertext ?? '', 'base64')
      const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
      cipher.setAuthTag(sealed.subarray(-16))
      return { plaintext: Buffer.concat([cipher.update(sealed.subarray(12, -16)), cipher.final()]).toString('base64') }
    }),
  }
  server.addService(Object.fromEntries(Object.entries(methods).map(([name, { definition }]) => [name, definition])), Object.fromEntries(Object.entries(methods).map(([name, { handler }]) => [name, handler])) as never)
  await new Promise<void>((resolve, reject) => server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())))
  return self
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString('latin1')
const at = (name: string) => `/registry/core/secrets/default/${name}`
const put = (name: string, value: string) => ({ writes: [{ op: 'put' as const, key: at(name), value: bytes(value) }] })
const keys = { one: randomBytes(32), two: randomBytes(32) }

async function start(clock = new FakeClock(), raw = createMemoryStore()) {
  const configuration = `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- resources: [secrets]\n  providers:\n  - kms: {apiVersion: v2, name: vault, endpoint: "unix://${join(directory, 'kms.sock')}", timeout: 2s}\n  - identity: {}\n`
  encryption = await openEncryption({ directory: join(directory, 'keys'), configuration: { path: join(directory, 'x'), read: () => configuration, automaticReload: false }, clock, log: quiet })
  return { raw, clock, store: encryptStore(raw, encryption), encryption }
}

describe('a key management service', () => {
  it('sees a seed, once; values are encrypted here and stored with the encrypted seed', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const { raw, store, encryption } = await start()
    await encryption.check?.()
    for (let i = 0; i < 20; i++) await store.commit(put(`s${i}`, `hush-hush ${i}`))
    const stored = text((await raw.get(at('s7')))?.value)
    expect(stored).toMatch(/^k8s:enc:kms:v2:vault:/)
    expect(stored).not.toContain('hush')
    expect(text((await store.get(at('s7')))?.value)).toBe('hush-hush 7')
    // It was asked once whether it can undo what it did.
    expect(plugin.calls.filter((name) => name !== 'Status')).toEqual(['Encrypt', 'Decrypt'])
  })

  it('is asked for a seed once after a restart, however many values there are', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const first = await start()
    for (let i = 0; i < 20; i++) await first.store.commit(put(`s${i}`, `value ${i}`))
    await first.encryption.stop()
    const { store, encryption } = await start(new FakeClock(), first.raw)
    await encryption.check?.()
    plugin.calls.length = 0
    const { entries } = await store.range('/registry/')
    expect(entries.map((e) => text(e.value)).toSorted()).toEqual(Array.from({ length: 20 }, (_, i) => `value ${i}`).toSorted())
    expect(plugin.calls.filter((name) => name === 'Decrypt')).toHaveLength(1)
  })

  it('that has a new key gets a new seed; what the old one encrypted is read, and is stale', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const { store, clock, encryption } = await start()
    await encryption.check?.()
    await store.commit(put('old', 'value'))
    plugin.keyId = 'two'
    await expect.poll(async () => { await clock.advance(61_000); return plugin?.calls.filter((name) => name === 'Encrypt').length }).toBe(2)
    await expect.poll(() => store.stale(at('old'))).toBe(true)
    expect(text((await store.get(at('old')))?.value)).toBe('value')
    await store.commit(put('new', 'value'))
    expect(await store.stale(at('new'))).toBe(false)
    expect(await store.rewrite('/registry/core/secrets/')).toMatchObject({ written: 1 })
    expect(await store.stale(at('old'))).toBe(false)
  })

  it('that is away fails what needs it, says so, and is found again', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const first = await start()
    await first.store.commit(put('a', 'value'))
    await first.encryption.stop()
    await plugin.stop()
    rmSync(join(directory, 'kms.sock'), { force: true })

    const { store, clock, encryption } = await start(new FakeClock(), first.raw)
    await expect(encryption.check?.()).rejects.toThrow(/kms unix:.*Status/)
    expect((await store.get(at('a')))?.problem).toMatch(/^unable to transform key "\/registry\/core\/secrets\/default\/a": kms unix:/)
    await expect(store.commit(put('b', 'value'))).rejects.toThrow(/kms unix:/)
    const following = (async () => { for await (const _ of store.watch('/registry/')) void _ })()
    following.catch(() => undefined)
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    await expect.poll(async () => { await clock.advance(11_000); return encryption.check?.().then(() => 'well', () => 'not well') }, { timeout: 10_000 }).toBe('well')
    await expect(following).rejects.toThrow('the encryption of what is stored has changed')
    expect(text((await store.get(at('a')))?.value)).toBe('value')
  })

  it('that hangs is waited for once, not by every value', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const first = await start()
    for (let i = 0; i < 30; i++) await first.store.commit(put(`s${i}`, `value ${i}`))
    await first.encryption.stop()
    const { store, encryption } = await start(new FakeClock(), first.raw)
    await encryption.check?.()
    plugin.calls.length = 0
    plugin.hangs = true
    const begun = performance.now()
    const { entries } = await store.range('/registry/')
    expect(entries.every((e) => e.problem?.includes('Decrypt'))).toBe(true)
    expect(performance.now() - begun).toBeLessThan(6_000)
    expect(plugin.calls.filter((name) => name === 'Decrypt')).toHaveLength(1)
  })

  it.each([
    ['what it encrypts is something else', (name: string, answer: object) => (name === 'Decrypt' ? { plaintext: randomBytes(32).toString('base64') } : answer), /does not give back what it encrypted/],
    ['what it makes is nothing', (name: string, answer: object) => (name === 'Encrypt' ? { ...answer, ciphertext: '' } : answer), /made 0 bytes of a seed/],
    ['what it makes is too much', (name: string, answer: object) => (name === 'Encrypt' ? { ...answer, ciphertext: randomBytes(2000).toString('base64') } : answer), /made 2000 bytes/],
    ['its key has no name', (name: string, answer: object) => (name === 'Encrypt' ? { ...answer, keyId: '' } : answer), /names no key_id/],
    ['its annotations have no domains', (name: string, answer: object) => (name === 'Encrypt' ? { ...answer, annotations: { plain: 'MQ==' } } : answer), /"plain" is none/],
  ] as const)('writes nothing while it lies: %s', async (_, lie, message) => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    plugin.lie = lie
    const { store, encryption } = await start()
    await expect(encryption.check?.()).rejects.toThrow(message)
    await expect(store.commit(put('a', 'value'))).rejects.toThrow(message)
  })

  it('that lies about a seed once is asked again, and what it said then is not kept', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const first = await start()
    await first.store.commit(put('a', 'value'))
    await first.encryption.stop()
    const { store, encryption } = await start(new FakeClock(), first.raw)
    await encryption.check?.()
    plugin.lie = (_, answer) => ({ ...answer, plaintext: randomBytes(32).toString('base64') })
    expect((await store.get(at('a')))?.problem).toContain('unable to transform key')
    plugin.lie = undefined
    expect(text((await store.get(at('a')))?.value)).toBe('value')
  })

  it('that was last seen well too long ago is not written with any more', async () => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    const { store, clock, encryption } = await start()
    await encryption.check?.()
    await store.commit(put('a', 'value'))
    plugin.healthz = 'my vault is sealed'
    await expect.poll(async () => { await clock.advance(61_000); return encryption.check?.().then(() => '', (e: Error) => e.message) }).toContain('my vault is sealed')
    await clock.advance(200_000)
    await expect(store.commit(put('b', 'value'))).rejects.toThrow('was last seen well too long ago')
    expect(text((await store.get(at('a')))?.value)).toBe('value')
  })

  it.each([['version', 'v1', /expected version v2/], ['keyId', '', /names no key_id/], ['healthz', 'no', /says of itself: no/]] as const)('whose %s is %j is not taken', async (field, value, message) => {
    plugin = await startPlugin(join(directory, 'kms.sock'), keys)
    plugin[field] = value
    const { encryption } = await start()
    await expect(encryption.check?.()).rejects.toThrow(message)
  })
})
