import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { core } from '../../api/index.ts'
import { quiet } from '../../machinery/log.ts'
import { RuntimeError } from '../runtime/driver.ts'
import { createImageAccess } from './access.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'

let node: TestNode
beforeEach(async () => { node = await startTestNode() })
afterEach(() => node.close())

const image = 'registry.example/private:1'
const spec = (more: object = {}) => ({ containers: [{ name: 'main', image, ...more }] })
const secret = (name: string, password: string) => node.client.create(core.secrets, {
  metadata: { name, namespace: 'default' }, type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { 'registry.example': { username: 'u', password } } })).toString('base64') },
})
const waiting = (name: string) => node.pod(name).status.containerStatuses?.[0]?.state.waiting?.reason
const pulls = () => node.runtime.calls.filter((c) => c.startsWith('pull')).length
const usingSecret = (name: string) => ({ ...spec(), imagePullSecrets: [{ name }] })

describe('an image that was pulled with a secret', () => {
  beforeEach(async () => {
    await secret('key', 'p')
    await node.create('owner', usingSecret('key'))
    expect(pulls()).toBe(1)
  })
  const closed = () => { node.runtime.onCall = (call) => { if (call.startsWith('pull')) throw new RuntimeError('failed', 'authorization failed') } }

  it('is not given to pods that cannot pull it themselves, and they are not told that it is there', async () => {
    closed()
    await node.create('thief', spec())
    expect(waiting('thief')).toBe('ErrImagePull')
    await node.create('quiet', spec({ imagePullPolicy: 'Never' }))
    expect(node.events('quiet')).toContain(`ErrImageNeverPull: Container image "${image}" is not present with pull policy of Never`)
    expect(node.events('quiet')).toContain('Failed: Error: ErrImageNeverPull')
    expect(node.runtime.calls.filter((c) => c.startsWith('create'))).toHaveLength(1)
  })

  it('is given without asking to who shows the same secret, or the same credentials in another', async () => {
    closed()
    await secret('copy', 'p')
    await secret('other', 'q')
    await node.create('friend', usingSecret('key'))
    await node.create('copier', usingSecret('copy'))
    await node.create('guesser', usingSecret('other'))
    expect(['friend', 'copier', 'guesser'].map(waiting)).toEqual([undefined, undefined, 'ErrImagePull'])
  })

  it('is anybody\'s once it was pulled without', async () => {
    await node.create('public', spec())
    expect(pulls()).toBe(2)
    closed()
    await node.create('next', spec())
    expect(waiting('next')).toBeUndefined()
  })

  it('is guarded by the agent that comes after as well', async () => {
    await node.restart()
    closed()
    await node.create('thief', spec())
    expect(waiting('thief')).toBe('ErrImagePull')
    expect(readFileSync(join(node.directory, 'image-access.json'), 'utf8')).not.toContain('"p"')
  })
})

it('asks the registry for what a pull left behind that nobody saw the end of', async () => {
  writeFileSync(join(node.directory, 'image-access.json'), JSON.stringify({ pulling: ['app:1'], images: {} }))
  await node.create('web', {})
  expect(node.runtime.calls).toContain('pull app:1')
})

it('asks the registry when the records cannot be read, and keeps them again from then on', async () => {
  writeFileSync(join(node.directory, 'image-access.json'), '')
  await node.create('web', {})
  await node.create('other', {})
  expect(node.runtime.calls.filter((c) => c === 'pull app:1')).toHaveLength(1)
})

it('lets everybody have what somebody else brought to the node', async () => {
  await node.create('web', {})
  expect(pulls()).toBe(0)
  rmSync(join(node.directory, 'image-access.json'), { force: true })
})

it('forgets images that are gone, and not who may have one that was pulled again meanwhile', async () => {
  const file = join(node.directory, 'access.json')
  const access = createImageAccess(file, quiet)
  const credential = { uid: 'u', namespace: 'default', name: 'key', hash: 'h' }
  const pulled = () => access.pull(image, () => Promise.resolve({ id: 'i', credential }))
  const isOpen = () => access.allows(image, 'i', () => Promise.resolve([]))
  await pulled()
  await access.prune(async () => { await pulled(); return [] })
  expect(await isOpen()).toBe(false)
  await access.prune(() => Promise.resolve([]))
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ pulling: [], images: {} })
})

it('tells which pull secrets are not there, when the pull fails too', async () => {
  node.runtime.onCall = (call) => { if (call.startsWith('pull')) throw new RuntimeError('failed', 'no') }
  await node.create('web', usingSecret('nowhere'))
  expect(node.events('web')).toContain('FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets (nowhere); attempting to pull the image may not succeed.')
})
