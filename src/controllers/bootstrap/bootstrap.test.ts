import { compactVerify } from 'jose'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startBootstrapSigner } from './signer.ts'
import { startBootstrapTokenCleaner } from './token-cleaner.ts'

let bench: Bench
beforeEach(() => { bench = createBench() })
afterEach(() => bench.stop())

const base64 = (text: string) => Buffer.from(text).toString('base64')
const token = (id: string, data: Record<string, string>, namespace = 'kube-system', type = 'bootstrap.kubernetes.io/token') =>
  bench.client.create(core.secrets, { metadata: { name: `bootstrap-token-${id}`, namespace }, type, data: Object.fromEntries(Object.entries({ 'token-id': id, 'token-secret': '0123456789abcdef', ...data }).map(([key, text]) => [key, base64(text)])) })
const inAnHour = () => rfc3339(bench.clock.now() + 3_600_000)
const names = () => [...bench.client.stored(core.secrets).values()].map(({ metadata }) => `${metadata.namespace}/${metadata.name?.slice('bootstrap-token-'.length)}`).toSorted()

it('removes tokens of the cluster when they end, and nothing else', async () => {
  await token('aaaaaa', { expiration: inAnHour() })
  await token('bbbbbb', {})
  await token('cccccc', { expiration: 'soon' })
  await token('dddddd', { expiration: inAnHour() }, 'default')
  await token('eeeeee', { expiration: inAnHour() }, 'kube-system', 'Opaque')
  await bench.start(startBootstrapTokenCleaner)
  await settle()
  expect(names()).toEqual(['default/dddddd', 'kube-system/aaaaaa', 'kube-system/bbbbbb', 'kube-system/eeeeee'])
  await bench.clock.advance(3_599_000)
  await settle()
  expect(names()).toContain('kube-system/aaaaaa')
  await bench.clock.advance(2000)
  await settle()
  expect(names()).toEqual(['default/dddddd', 'kube-system/bbbbbb', 'kube-system/eeeeee'])
})

it('signs the cluster\'s kubeconfig with the tokens that are for it, as long as they last', async () => {
  await bench.client.create(core.configmaps, { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'clusters: []', 'jws-kubeconfig-gone00': 'x', other: 'y' } })
  await token('aaaaaa', { 'usage-bootstrap-signing': 'true', expiration: inAnHour() })
  await token('bbbbbb', { 'usage-bootstrap-authentication': 'true' })
  await token('no-token-id', { 'usage-bootstrap-signing': 'true' })
  await bench.start(startBootstrapSigner)
  await settle()
  const data = () => bench.client.stored(core.configmaps).get('kube-public/cluster-info')?.data ?? {}
  expect(Object.keys(data()).toSorted()).toEqual(['jws-kubeconfig-aaaaaa', 'kubeconfig', 'other'])
  const [head, none, signature] = data()['jws-kubeconfig-aaaaaa']!.split('.')
  expect(none).toBe('')
  const whole = `${head}.${Buffer.from('clusters: []').toString('base64url')}.${signature}`
  expect((await compactVerify(whole, Buffer.from('0123456789abcdef'))).protectedHeader).toEqual({ alg: 'HS256', kid: 'aaaaaa' })
  await bench.clock.advance(3_601_000)
  await settle()
  expect(data()).toEqual({ kubeconfig: 'clusters: []', other: 'y' })
})
