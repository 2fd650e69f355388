import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeFileSync } from 'node:fs'
import { core } from '../../api/index.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'

let node: TestNode
beforeEach(async () => { node = await startTestNode() })
afterEach(() => node.close())

const status = (name: string, container = 'main') => node.pod(name).status.containerStatuses?.find((s) => s.name === container)
const main = { name: 'main', image: 'app:1' }

describe('the phase', () => {
  const again = { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] } as const

  it('is Running while a rule of the container restarts what the pod would not', async () => {
    await node.create('web', { restartPolicy: 'Never', containers: [{ ...main, ...again }] })
    node.runtime.exit('main', 42)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Running')
    expect(status('web')?.restartCount).toBe(1)
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Failed')
  })

  it('is Failed when a container is not to run again in a pod that restarts others', async () => {
    await node.create('web', { containers: [{ ...main, ...again }] })
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Failed')
  })

  it('waits for an init container that a rule restarts, and not for one that stays failed', async () => {
    await node.create('web', { restartPolicy: 'Never', initContainers: [{ name: 'first', image: 'app:1', ...again }] })
    node.runtime.exit('first', 42)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Pending')
    node.runtime.exit('first', 1)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Failed')
  })
})

describe('what is said of a pod that ended', () => {
  it('outlasts a restart of the agent: why it ended is not forgotten', async () => {
    await node.create('web', { activeDeadlineSeconds: 60 })
    await node.pass(61_000)
    expect(node.pod('web').status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
    await node.restart()
    node.client.edit(core.pods, 'default/web', (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } }))
    await node.pass(1000)
    expect(node.pod('web').status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' })
  })

  it('counts containers that never ran as failed, with the exit code of what is lost', async () => {
    node.runtime.onCall = (call) => { if (call.startsWith('pull')) throw new Error('no such image') }
    await node.create('web', { activeDeadlineSeconds: 60, containers: [{ name: 'main', image: 'other:1' }] })
    await node.pass(61_000)
    expect(status('web')?.state).toMatchObject({ terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } })
  })

  it('leaves containers alone that were never to run, behind an init container that did not finish', async () => {
    await node.create('web', { activeDeadlineSeconds: 60, initContainers: [{ name: 'first', image: 'app:1' }] })
    await node.pass(61_000)
    expect(status('web')?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  })
})

describe('a container the runtime knows nothing of any more', () => {
  const wipe = async () => { for (const s of await node.runtime.listSandboxes()) await node.runtime.removeSandbox(s.id) }

  it('is counted as ended and restarted; the pod does not go back to Pending', async () => {
    await node.create('web', {})
    await wipe()
    await node.pass(11_000)
    expect(status('web')).toMatchObject({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } })
    const phases = node.client.calls.filter((c) => c.subresource === 'status').map((c) => (c.object as unknown as { status: { phase?: string } }).status.phase)
    expect(phases.slice(phases.indexOf('Running'))).not.toContain('Pending')
  })

  it('fails a pod that restarts nothing, which is not run twice', async () => {
    await node.create('web', { restartPolicy: 'Never' })
    await wipe()
    await node.pass(11_000)
    expect(node.pod('web').status.phase).toBe('Failed')
    expect(node.runtime.calls.filter((c) => c.startsWith('create'))).toHaveLength(1)
  })
})

describe('last words', () => {
  const say = (text: string) => writeFileSync(node.runtime.configs.get('main')?.annotations['skiff.dev/terminationMessageFile'] ?? '', text)

  it('are the end of the file, when it is long', async () => {
    await node.create('web', { restartPolicy: 'Never' })
    say(`${'a'.repeat(5000)}the end`)
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')?.state.terminated?.message).toHaveLength(4096)
    expect(status('web')?.state.terminated?.message).toMatch(/athe end$/)
  })

  it('of all containers share 12 KiB', async () => {
    await node.create('web', { restartPolicy: 'Never', containers: ['main', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ name, image: 'app:1' })) })
    say('a'.repeat(4096))
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')?.state.terminated?.message).toHaveLength(2048)
  })
})
