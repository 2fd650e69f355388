import { afterEach, beforeEach, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startAccountSecretsController } from './account-secrets.ts'

let bench: Bench
beforeEach(() => { bench = createBench() })
afterEach(() => bench.stop())

const account = (name: string, ...secrets: string[]) => bench.client.create(core.serviceaccounts, { metadata: { name, namespace: 'x' }, secrets: secrets.map((secret) => ({ name: secret })) })
const secret = (name: string, annotations: Record<string, string> = {}, type = 'kubernetes.io/service-account-token') =>
  bench.client.create(core.secrets, { metadata: { name, namespace: 'x', annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`kubernetes.io/service-account.${key}`, value])) }, type })
const names = () => [...bench.client.stored(core.secrets).values()].map(({ metadata }) => metadata.name).toSorted()

it('removes the tokens of accounts that are gone or are others by now, and nothing else', async () => {
  const app = await account('app')
  await account('other')
  await secret('of-app', { name: 'app', uid: app.metadata.uid! })
  await secret('of-old-app', { name: 'app', uid: 'old' })
  await secret('of-nobody', { name: 'none' })
  await secret('of-other', { name: 'other' })
  await secret('opaque', { name: 'none' }, 'Opaque')
  await bench.start(startAccountSecretsController)
  await settle()
  expect(names()).toEqual(['of-app', 'of-other', 'opaque'])
  await bench.client.delete(core.serviceaccounts, 'app', { namespace: 'x' })
  await settle()
  expect(names()).toEqual(['of-other', 'opaque'])
})

it('takes a token that is gone from the account that names it', async () => {
  await account('app', 'token', 'pull', 'replaced')
  await secret('token', { name: 'app' })
  await secret('replaced', { name: 'app' })
  await bench.start(startAccountSecretsController)
  await settle()
  await bench.client.delete(core.secrets, 'replaced', { namespace: 'x' })
  await secret('replaced', {}, 'Opaque')
  await bench.client.delete(core.secrets, 'token', { namespace: 'x' })
  await settle()
  expect(bench.client.stored(core.serviceaccounts).get('x/app')?.secrets).toEqual([{ name: 'pull' }, { name: 'replaced' }])
})
