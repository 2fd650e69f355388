/** What is stored cannot be read without the keys, and with them it can: providers, the store in front of the store, rotation. */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock, systemClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createMemoryStore } from '../memory.ts'
import type { Change, Store } from '../store.ts'
import { aescbc, aesgcm, ownGcm } from './aes.ts'
import { encryptStore } from './encrypted-store.ts'
import { openEncryption, type ClusterEncryption } from './encryption.ts'
import { addKey, dropKey, ensureKeys, readKeys } from './keyring.ts'
import type { Provider } from './provider.ts'
import { dropOldKeys, readProgress, rewriteSecrets, startRotation } from './rotation.ts'
import { open, poly1305, seal, secretbox } from './secretbox.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString()
const key = (of: number, length = 32) => Buffer.alloc(length, of)
const at = (name: string) => `/registry/core/secrets/default/${name}`

let directory: string
let opened: ClusterEncryption[]
let raw: Store
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'skiff-encryption-')), 'keys')
  opened = []
  raw = createMemoryStore()
})
afterEach(async () => {
  for (const encryption of opened) await encryption.stop()
  await raw.close()
  rmSync(join(directory, '..'), { recursive: true })
})

/** The cluster's encryption over `raw`, as a process that has just started has it. */
async function start(configuration?: string, automaticReload = false) {
  const source = configuration === undefined ? undefined : { path: join(directory, '..', 'configuration.yaml'), read: () => texts.at(-1)!, automaticReload }
  const texts = configuration === undefined ? [] : [configuration]
  const encryption = await openEncryption({ directory, configuration: source, clock: systemClock, log: quiet })
  opened.push(encryption)
  const store = encryptStore(raw, encryption)
  const write = async (name: string, value: string, prefix = at('')) => {
    const current = await raw.get(prefix + name)
    const { committed } = await store.commit({ conditions: [{ key: prefix + name, modRevision: current?.modRevision ?? 0 }], writes: [{ op: 'put', key: prefix + name, value: bytes(value) }] })
    expect(committed).toBe(true)
  }
  return { encryption, store, write, texts, options: { store, encryption, directory, clock: systemClock, log: quiet } }
}

describe('what kube-apiserver has stored', () => {
  const known = Buffer.from('01234567890123456789012345678901')
  it.each<[string, Provider, string]>([
    ['aesgcm', aesgcm('k', known), 'azhzOmVuYzphZXNnY206djE6azoKSE/Tw5hi9UCMKhDR8AYYaqAH4Rj8+AkhcdyoUL6luXs='],
    ['secretbox', secretbox('k', known), 'azhzOmVuYzpzZWNyZXRib3g6djE6azqZUkkGx94NPHLNoyIXJ5ABD8tFbUSVh5YWN1Up+jJhUGbCvcirjIiQEQRqiEI='],
    ['aescbc', aescbc('k', known), 'azhzOmVuYzphZXNjYmM6djE6azrKS1kSGKlucTMHY41fUkGMw9457butg202JdBcKZWjhA=='],
  ])('with %s can be read with the same key', async (_, provider, stored) => {
    const bytesOf = Buffer.from(stored, 'base64')
    expect(bytesOf.subarray(0, provider.prefix.length)).toEqual(provider.prefix)
    const { value, stale } = await provider.decrypt(bytesOf.subarray(provider.prefix.length), '/registry/secrets/default/a')
    expect([text(value), stale]).toEqual(['hello', false])
  })
  it('what aesgcm of a configuration was written with before is read, and is to be written anew', async () => {
    const before = await ownGcm('k', known).encrypt(bytes('hello'), '/registry/a')
    const { value, stale } = await aesgcm('k', known).decrypt(before, '/registry/a')
    expect([text(value), stale]).toEqual(['hello', true])
    expect(() => aesgcm('k', known).decrypt(before, '/registry/b')).toThrow('cipher: message authentication failed')
  })
})

describe.each<[string, (of: number) => Provider, boolean]>([
  ['a key of the cluster\'s own', (of) => ownGcm('k', key(of)), true],
  ['aesgcm', (of) => aesgcm('k', key(of)), true],
  ['aesgcm with a key of 16 bytes', (of) => aesgcm('k', key(of, 16)), true],
  ['aescbc', (of) => aescbc('k', key(of)), false],
  ['aescbc with a key of 16 bytes', (of) => aescbc('k', key(of, 16)), false],
  ['secretbox', (of) => secretbox('k', key(of)), false],
])('%s', (name, make, bound) => {
  it('gives back what it was given, and never writes the same twice', async () => {
    const provider = make(1)
    for (const value of ['', 'x', 'a longer value, longer than one block of any of them '.repeat(5)]) {
      const [first, second] = [await provider.encrypt(bytes(value), 'k'), await provider.encrypt(bytes(value), 'k')]
      expect(text((await provider.decrypt(first, 'k')).value)).toBe(value)
      expect(Buffer.compare(first, second)).not.toBe(0)
      if (value.length > 10) expect(Buffer.from(first).includes(value)).toBe(false)
    }
  })
  it('refuses what another key made, and what is cut short', async () => {
    const value = 'a value that is longer than a block'
    const made = await make(1).encrypt(bytes(value), 'k')
    if (name.startsWith('aescbc')) {
      // It has no seal: what another key makes of a value ends like padding once in 256 times, and is read as another value then.
      const read = async () => make(2).decrypt(await make(1).encrypt(bytes(value), 'k'), 'k')
      const seen = await Promise.all(Array.from({ length: 20 }, () => read().then((it) => text(it.value), () => 'refused')))
      expect(seen.filter((it) => it === 'refused').length).toBeGreaterThan(14)
      expect(seen).not.toContain(value)
    } else expect(() => make(2).decrypt(made, 'k')).toThrow()
    for (const length of [0, 5, 20, 40]) expect(() => make(1).decrypt(made.subarray(0, length), 'k'), String(length)).toThrow()
  })
  it.runIf(bound)('refuses a value that was moved to another key of the store, and one that was changed', async () => {
    const made = Buffer.from(await make(1).encrypt(bytes('value'), '/registry/a'))
    expect(() => make(1).decrypt(made, '/registry/b')).toThrow('cipher: message authentication failed')
    made[made.length - 20]! ^= 1
    expect(() => make(1).decrypt(made, '/registry/a')).toThrow('cipher: message authentication failed')
  })
})

it('secretbox is that of NaCl: the example in its documentation', () => {
  const hex = (digits: string) => Buffer.from(digits.replace(/\s/g, ''), 'hex')
  const firstkey = hex('1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389')
  const nonce = hex('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37')
  const message = hex(`be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61296cdc3c01233561f4
    1db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705`)
  const boxed = hex(`f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186ac0dfc17c98dce87b
    4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74e355a5`)
  expect(seal(firstkey, nonce, message).toString('hex')).toBe(boxed.toString('hex'))
  expect(open(firstkey, nonce, boxed).equals(message)).toBe(true)
  // RFC 8439, 2.5.2.
  const tag = poly1305(hex('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b'), bytes('Cryptographic Forum Research Group'))
  expect(tag.toString('hex')).toBe('a8061dc1305136c6c22b8baf0c0127a9')
})

describe('keys', () => {
  it('are made once, for root alone', () => {
    const [first] = ensureKeys(directory)
    expect(ensureKeys(directory).map(({ name }) => name)).toEqual([first?.name])
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
  })
  it('that others could read are refused, with what mends it', () => {
    const { name } = addKey(directory)
    chmodSync(join(directory, name), 0o640)
    expect(() => ensureKeys(directory)).toThrow(`${join(directory, name)} can be read by others (mode 640); run: chmod go= ${join(directory, name)}`)
    chmodSync(join(directory, name), 0o600)
    chmodSync(directory, 0o755)
    expect(() => ensureKeys(directory)).toThrow(/can be read by others/)
  })
  it('that are damaged are not replaced by new ones', () => {
    const { name } = addKey(directory)
    writeFileSync(join(directory, name), 'half a k')
    expect(() => ensureKeys(directory)).toThrow(/is damaged/)
  })
  it('that were not finished when the power went are none', () => {
    const { name } = addKey(directory)
    writeFileSync(join(directory, 'key2-abcdef.new'), 'half')
    expect(readKeys(directory).map((k) => k.name)).toEqual([name])
    expect(addKey(directory).number).toBe(2)
  })
})

describe('a store with encryption in front', () => {
  it('keeps secrets unreadable and everything else as it is', async () => {
    const { store, write } = await start()
    await write('a', '{"kind":"Secret","data":"hush-hush"}')
    await write('b', '{"kind":"ConfigMap"}', '/registry/core/configmaps/default/')
    expect(text((await raw.get(at('a')))?.value)).toMatch(/^k8s:enc:aesgcm:v1:key1-[0-9a-f]{6}:/)
    expect(text((await raw.get(at('a')))?.value)).not.toContain('hush')
    expect(text((await raw.get('/registry/core/configmaps/default/b'))?.value)).toBe('{"kind":"ConfigMap"}')
    expect(text((await store.get(at('a')))?.value)).toBe('{"kind":"Secret","data":"hush-hush"}')
  })

  it('gives values in the clear to ranges, watches and conflicts, the past included', async () => {
    const { store, write } = await start()
    const from = (await store.revision()) + 1
    await write('a', 'one')
    await write('a', 'two')
    await write('b', 'plain', '/registry/core/configmaps/default/')
    expect((await store.range('/registry/')).entries.map((e) => text(e.value)).toSorted()).toEqual(['plain', 'two'])
    expect((await store.range(at(''), { revision: from })).entries.map((e) => text(e.value))).toEqual(['one'])
    const changes: Change[] = []
    for await (const batch of store.watch('/registry/', { from })) {
      changes.push(...batch.changes)
      if (changes.length === 3) break
    }
    expect(changes.map(({ entry, previous }) => [text(entry.value), text(previous?.value)])).toEqual([['one', ''], ['two', 'one'], ['plain', '']])
    const lost = await store.commit({ conditions: [{ key: at('a'), modRevision: 0 }], writes: [{ op: 'delete', key: at('a') }] })
    expect(lost.committed ? '' : text(lost.current[0]?.value)).toBe('two')
  })

  it('reads what was stored in the clear before, and encrypts it with the next write', async () => {
    await raw.commit({ writes: [{ op: 'put', key: at('old'), value: bytes('{"plain":1}') }] })
    const { store, write } = await start()
    expect(text((await store.get(at('old')))?.value)).toBe('{"plain":1}')
    expect(await store.stale(at('old'))).toBe(true)
    await write('old', '{"plain":1}')
    expect(text((await raw.get(at('old')))?.value)).toMatch(/^k8s:enc:aesgcm/)
    expect(await store.stale(at('old'))).toBe(false)
    expect(await store.stale('/registry/core/configmaps/default/b')).toBe(false)
  })

  it('names what cannot be read, and gives the rest', async () => {
    const first = await start()
    await first.write('a', 'one')
    await first.encryption.stop()
    dropKey(directory, first.encryption.keys()[0]!.name)
    const { store, write } = await start()
    await write('b', 'two')
    const { entries } = await store.range(at(''))
    expect(entries.map((e) => [e.key, text(e.value)])).toEqual([[at('a'), ''], [at('b'), 'two']])
    expect(entries[0]?.problem).toMatch(/^unable to transform key "\/registry\/core\/secrets\/default\/a": /)
    expect(entries[1]?.problem).toBeUndefined()
  })

  it('does not take one secret for another', async () => {
    const { store, write } = await start()
    await write('a', 'one')
    const stolen = (await raw.get(at('a')))!.value
    await raw.commit({ writes: [{ op: 'put', key: at('b'), value: stolen }] })
    expect((await store.get(at('b')))?.problem).toContain('message authentication failed')
  })
})

describe('a configuration file', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n'
  const secret = (of: number) => key(of).toString('base64')
  const configmaps = '/registry/core/configmaps/default/'
  const cbc = (of: number, rest = '') => `${head}- resources: [configmaps, deployments.apps]\n  providers:\n  - aescbc: {keys: [{name: mine, secret: ${secret(of)}}]}\n${rest}`

  it('says what else is encrypted, and by what; the rest of secrets stays as it is', async () => {
    const { write, store } = await start(cbc(1, '  - identity: {}\n'))
    await raw.commit({ writes: [{ op: 'put', key: `${configmaps}old`, value: bytes('{"plain":1}') }] })
    await write('a', 'hush', configmaps)
    await write('b', 'hush', '/registry/apps/deployments/default/')
    await write('c', 'hush', '/registry/apps/daemonsets/default/')
    await write('d', 'hush')
    const stored = async (name: string) => text((await raw.get(name))?.value).slice(0, 22)
    expect(await stored(`${configmaps}a`)).toBe('k8s:enc:aescbc:v1:mine')
    expect(await stored('/registry/apps/deployments/default/b')).toBe('k8s:enc:aescbc:v1:mine')
    expect(await stored('/registry/apps/daemonsets/default/c')).toBe('hush')
    expect(await stored(at('d'))).toBe('k8s:enc:aesgcm:v1:key1')
    expect(text((await store.get(`${configmaps}a`))?.value)).toBe('hush')
    expect(text((await store.get(`${configmaps}old`))?.value)).toBe('{"plain":1}')
  })

  it('without identity does not take values in the clear, as Kubernetes does not', async () => {
    await raw.commit({ writes: [{ op: 'put', key: `${configmaps}old`, value: bytes('{"plain":1}') }] })
    const { store } = await start(cbc(1))
    expect((await store.get(`${configmaps}old`))?.problem).toContain('no matching prefix found')
  })

  it('with several keys writes with the first and reads with all', async () => {
    const first = await start(cbc(1))
    await first.write('a', 'one', configmaps)
    const keys = (...given: [string, number][]) => `${head}- resources: ["*.*"]\n  providers: [{aescbc: {keys: [${given.map(([name, of]) => `{name: ${name}, secret: ${secret(of)}}`).join(', ')}]}}]\n`
    const second = await start(keys(['new', 2], ['mine', 1]))
    expect(text((await second.store.get(`${configmaps}a`))?.value)).toBe('one')
    expect(await second.store.stale(`${configmaps}a`)).toBe(true)
    expect(await second.store.rewrite(configmaps)).toMatchObject({ written: 1 })
    expect(text((await raw.get(`${configmaps}a`))?.value)).toMatch(/^k8s:enc:aescbc:v1:new:/)
    expect(second.encryption.ownsSecrets).toBe(false)
    const third = await start(keys(['other', 3]))
    expect((await third.store.get(`${configmaps}a`))?.problem).toContain('no key is known for values that begin with k8s:enc:aescbc:v1:new:')
  })

  it('that takes secrets over reads what the cluster\'s own keys wrote', async () => {
    const first = await start()
    await first.write('a', 'one')
    const { store } = await start(`${head}- resources: [secrets]\n  providers: [{secretbox: {keys: [{name: x, secret: ${secret(4)}}]}}]\n`)
    expect(text((await store.get(at('a')))?.value)).toBe('one')
    await store.rewrite(at(''))
    expect(text((await raw.get(at('a')))?.value)).toMatch(/^k8s:enc:secretbox:v1:x:/)
  })

  it('is taken up when it changes, if that is wished; a wrong one is not', async () => {
    const { store, write, texts, encryption } = await start(cbc(1), true)
    await write('a', 'one', configmaps)
    const touch = (content: string) => { texts.push(content); writeFileSync(join(directory, '..', 'configuration.yaml'), String(texts.length)) }
    touch('nonsense')
    await new Promise((resolve) => setTimeout(resolve, 50))
    await write('a', 'two', configmaps)
    expect(text((await raw.get(`${configmaps}a`))?.value)).toMatch(/^k8s:enc:aescbc:v1:mine:/)
    touch(cbc(1, '').replace('name: mine', 'name: newer').concat('  - identity: {}\n'))
    await expect.poll(async () => { await write('b', 'x', configmaps); return text((await raw.get(`${configmaps}b`))?.value).slice(0, 24) }).toBe('k8s:enc:aescbc:v1:newer:')
    expect((await store.get(`${configmaps}a`))?.problem).toBeDefined()
    // Whoever follows the store starts over once there is a key again for what could not be read.
    const watching = (async () => { for await (const _ of store.watch('/registry/')) void _ })()
    touch(`${head}- resources: [configmaps]\n  providers: [{aescbc: {keys: [{name: newer, secret: ${secret(1)}}, {name: mine, secret: ${secret(1)}}]}}]\n`)
    await expect(watching).rejects.toThrow('the encryption of what is stored has changed')
    expect(text((await store.get(`${configmaps}a`))?.value)).toBe('two')
    await encryption.stop()
  })

  it.each([
    ['', /it must be an object/],
    [`${head}- resources: [secrets]\n`, /providers/],
    [`${head}- resources: ["*"]\n  providers: [{identity: {}}]\n`, 'line 4: resources[0].resources[0]: Invalid value: "*": use *.* to encrypt all resources, *. for those of the core group'],
    [`${head}- resources: [secrets]\n  providers: [{identity: {}, aescbc: {keys: []}}]\n`, /exactly one of/],
    [`${head}- resources: [secrets]\n  providers: [{rot13: {}}]\n`, 'line 5: resources[0].providers[0].rot13: unknown field'],
    [`${head}- resources: ['*.apps', deployments.apps]\n  providers: [{identity: {}}]\n`, /is covered by "\*\.apps" in the same list, and would never be used/],
    [`${head}- resources: [events.events.k8s.io]\n  providers: [{identity: {}}]\n`, /these objects are stored as events of the core group: use 'events'/],
    [`${head}- resources: [ingresses.extensions]\n  providers: [{identity: {}}]\n`, /'extensions' group has been removed and cannot be used for encryption/],
    [`${head}- resources: [secrets]\n  providers:\n  - aesgcm:\n      keys:\n      - name: k\n        secret: aHVzaA==\n`, 'line 9: resources[0].providers[0].aesgcm.keys[0].secret: Invalid value: "[hidden]": expected a key of 16, 24, 32 bytes'],
    [`${head}- resources: [secrets]\n  providers: [{secretbox: {keys: [{name: "a:b", secret: ${key(1).toString('base64')}}]}}]\n`, /must not contain a colon/],
    [`${head}- resources: ["*.*"]\n  providers: [{identity: {}}]\n- resources: [secrets]\n  providers: [{identity: {}}]\n`, /line 6: .*covered by an earlier entry/],
    [`${head}- resources: [secrets]\n  providers: [{kms: {name: a, endpoint: "unix:///x"}}]\n`, /apiVersion: Unsupported value: "v1"/],
    [`${head}- resources: [secrets]\n  providers: [{kms: {apiVersion: v2, name: a, endpoint: "tcp://x", timeout: soon}}]\n`, /must be the address of a unix socket.*should be a positive duration/],
  ])('that is wrong is refused, without a key in the error: %#', async (configuration, message) => {
    const error = await start(configuration).then(() => undefined, (e: Error) => e)
    if (typeof message === 'string') expect(error?.message).toBe(message)
    else expect(error?.message).toMatch(message)
    expect(error?.message).not.toContain('aHVzaA')
  })
})

describe('rotation', () => {
  it('writes every secret anew, and drops the old key when the history does not need it any more', async () => {
    const { store, write, encryption, options } = await start()
    for (const name of ['a', 'b', 'c']) await write(name, `value of ${name}`)
    await raw.commit({ writes: [{ op: 'put', key: at('plain'), value: bytes('{"plain":1}') }] })
    const [old] = encryption.keys()
    const added = addKey(directory)
    await expect.poll(() => encryption.keys().length).toBe(2)
    const progress = await rewriteSecrets(options)
    expect(progress).toMatchObject({ key: added.name, written: 4 })
    expect(readProgress(directory)).toEqual(progress)
    for (const { value } of (await raw.range(at(''))).entries) expect(text(value)).toContain(`:${added.name}:`)
    // A reader of the past still needs it.
    expect(await dropOldKeys(options, progress)).toBe(0)
    expect((await store.range(at(''), { revision: progress.revision - 4 })).entries.every((e) => e.problem === undefined)).toBe(true)
    await store.compact(progress.revision)
    expect(await dropOldKeys(options, progress)).toBe(1)
    expect(readKeys(directory).map(({ name }) => name)).toEqual([added.name])
    await expect.poll(() => encryption.keys().some(({ name }) => name === old?.name)).toBe(false)
    expect(text((await store.get(at('b')))?.value)).toBe('value of b')
  })

  it('goes on by itself after it was cut off, wherever that was', async () => {
    const first = await start()
    for (const name of ['a', 'b', 'c']) await first.write(name, name)
    const added = addKey(directory)
    await expect.poll(() => first.encryption.keys().length).toBe(2)
    await first.write('a', 'a') // one of them is done, then the process is killed
    await first.encryption.stop()
    const clock = new FakeClock()
    const { store, encryption } = await start()
    const rotation = startRotation({ store, encryption, directory, clock, log: quiet })
    await expect.poll(() => readProgress(directory)).toMatchObject({ key: added.name, written: 2 })
    await store.compact(readProgress(directory)!.revision)
    await expect.poll(async () => { await clock.advance(31_000); return readKeys(directory).length }).toBe(1)
    await rotation.stop()
  })

  it('keeps the old key while a secret cannot be read', async () => {
    const first = await start()
    await first.write('a', 'one')
    await raw.commit({ writes: [{ op: 'put', key: at('b'), value: (await raw.get(at('a')))!.value }] })
    addKey(directory)
    const { options } = await start()
    await expect(rewriteSecrets(options)).rejects.toThrow(`unable to transform key "${at('b')}": cipher: message authentication failed`)
    expect(readKeys(directory)).toHaveLength(2)
  })
})
