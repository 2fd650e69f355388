/** The life of a pod on a real node: how it starts, what probes and hooks do to it, how it ends and what is told of it. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'
import { idle, image, pod, podTools, shell } from '../support/pods.ts'

let cluster: TestCluster
const tools = podTools(() => cluster)
const { apply, container, get, ready, shows } = tools
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const directory = mkdtempSync(join(tmpdir(), 'skiff-life-'))
const condition = async (name: string, type: string) => (await get(name)).status.conditions?.find((c) => c.type === type)
const happened = (name: string, reason: string, words: RegExp) =>
  eventually(`event ${reason} of ${name}`, async () => (await tools.events(name)).find((e) => e.reason === reason && words.test(e.message)))
const shared = { volumes: [{ name: 'd', hostPath: { path: directory } }] }
const at = { volumeMounts: [{ name: 'd', mountPath: '/d' }] }
const written = (file: string) => (existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : '')
const never = { restartPolicy: 'Never' }

beforeAll(async () => {
  cluster = await startCluster('life', '172.31.93.2')
  await buildExample(cluster, image, 'examples/hello')
})
afterAll(async () => {
  await cluster?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe('init containers', () => {
  it('run one after the other, a sidecar from its place on to the end', async () => {
    const init = (name: string, script: string, more: object = {}) => ({ name, image, command: ['sh', '-c', script], ...at, ...more })
    await apply(pod('inits', shell(`echo main >> /d/order; ${idle}`, at), {
      ...shared, terminationGracePeriodSeconds: 5, initContainers: [
        init('first', 'sleep 0.5; echo first >> /d/order'),
        init('side', `trap 'echo side-ends >> /d/order; exit 0' TERM; sleep 1; echo side >> /d/order; ${'while true; do sleep 0.1; done'}`, { restartPolicy: 'Always', startupProbe: { exec: { command: ['grep', '-q', 'side', '/d/order'] }, periodSeconds: 1 } }),
        init('second', 'echo second >> /d/order'),
      ],
    }))
    await ready('inits')
    expect(written('order')).toBe('first\nside\nsecond\nmain\n')
    expect(await tools.row('inits')).toEqual(['inits', '2/2', 'Running', '0'])
    expect((await condition('inits', 'Initialized'))?.status).toBe('True')
    await kubectl('delete', 'pod', 'inits')
    expect(written('order')).toBe('first\nside\nsecond\nmain\nside-ends\n')
  })

  it('keep the pod from starting when they fail', async () => {
    const failing = { name: 'broken', image, command: ['sh', '-c', 'exit 3'] }
    await apply(pod('init-again', shell(idle), { initContainers: [failing] }), pod('init-once', shell(idle), { ...never, initContainers: [failing] }))
    await shows('init-once', 'Init:Error')
    expect((await get('init-once')).status.phase).toBe('Failed')
    await shows('init-again', 'Init:CrashLoopBackOff')
    const { status } = await get('init-again')
    expect(status.phase).toBe('Pending')
    expect(status.initContainerStatuses?.[0]?.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
    expect(status.containerStatuses?.[0]?.state.waiting?.reason).toBe('PodInitializing')
    expect(await condition('init-again', 'Initialized')).toMatchObject({ status: 'False', reason: 'ContainersNotInitialized', message: 'containers with incomplete status: [broken]' })
  })
})

describe('the end of a container', () => {
  beforeAll(() => apply(
    pod('done', shell('echo "all is well" > /dev/termination-log'), never),
    pod('failed', shell('echo the; printf "last words"; exit 4', { terminationMessagePolicy: 'FallbackToLogsOnError' }), never),
    pod('hungry', shell('a=x; while true; do a=$a$a; done', { resources: { limits: { memory: '16Mi' } } }), never),
    pod('second-try', shell('test -e /e/tried && exit 0; touch /e/tried; exit 1', { volumeMounts: [{ name: 'e', mountPath: '/e' }] }), { restartPolicy: 'OnFailure', volumes: [{ name: 'e', emptyDir: {} }] }),
    pod('no-such-command', { name: 'c', image, command: ['/nosuch'] }, never),
    pod('too-slow', shell(idle), { activeDeadlineSeconds: 2 }),
  ))

  it('is told with its exit code, its reason and its last words', async () => {
    await shows('done', 'Completed')
    expect((await get('done')).status.phase).toBe('Succeeded')
    expect((await container('done')).state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'all is well\n' })
    await shows('failed', 'Error')
    expect((await get('failed')).status.phase).toBe('Failed')
    expect((await container('failed')).state.terminated).toMatchObject({ exitCode: 4, reason: 'Error', message: 'the\nlast words' })
    await shows('hungry', 'OOMKilled')
    expect((await container('hungry')).state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
  })

  it('is followed by another start only after a failure, where the policy says so', async () => {
    await shows('second-try', 'Completed')
    expect((await get('second-try')).status.phase).toBe('Succeeded')
    expect((await container('second-try')).restartCount).toBe(1)
  })

  it('is told too when the command is not there at all', async () => {
    await shows('no-such-command', 'StartError')
    const { terminated } = (await container('no-such-command')).state
    expect(terminated).toMatchObject({ exitCode: 128, reason: 'StartError' })
    expect(terminated?.message).toContain('/nosuch')
  })

  it('comes by itself when the pod has run too long', async () => {
    await eventually('it failed', async () => ((await get('too-slow')).status.phase === 'Failed' ? true : undefined))
    expect((await get('too-slow')).status.reason).toBe('DeadlineExceeded')
    expect((await container('too-slow')).state.terminated).toMatchObject({ exitCode: 137, reason: 'Error' })
  })

  it('is followed by longer and longer waiting when it comes again and again', async () => {
    await apply(pod('crashing', shell('exit 5')))
    const waits = async (restarts: number) => eventually(`back-off after restart ${restarts}`, async () => {
      const seen = await container('crashing')
      return seen.restartCount === restarts && seen.state.waiting?.reason === 'CrashLoopBackOff' ? seen : undefined
    })
    const first = await waits(1)
    expect(first.state.waiting?.message).toMatch(/^back-off 10s restarting failed container=c pod=crashing_default\(.*\)$/)
    expect(first.lastState.terminated).toMatchObject({ exitCode: 5, reason: 'Error' })
    const second = await waits(2)
    expect(second.state.waiting?.message).toContain('back-off 20s')
    expect(Date.parse(second.lastState.terminated?.startedAt ?? '') - Date.parse(first.lastState.terminated?.finishedAt ?? '')).toBeGreaterThanOrEqual(9000)
    const event = await happened('crashing', 'BackOff', /^Back-off restarting failed container c in pod crashing_default/)
    expect(event.involvedObject.fieldPath).toBe('spec.containers{c}')
  })
})

describe('probes', () => {
  beforeAll(() => apply(
    pod('dies-inside', shell(`touch /ok; sleep 2; rm /ok; ${idle}`, { livenessProbe: { exec: { command: ['cat', '/ok'] }, periodSeconds: 1, failureThreshold: 2 } })),
    pod('by-http', { name: 'c', image, ports: [{ name: 'web', containerPort: 8080 }], readinessProbe: { httpGet: { path: '/flag', port: 'web' }, periodSeconds: 1, failureThreshold: 1 } }),
    pod('by-tcp', { name: 'c', image, readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 }, livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 5 } }),
    pod('by-grpc', { name: 'c', image, readinessProbe: { grpc: { port: 8081 }, periodSeconds: 1 } }),
    pod('slow', shell(`sleep 4; touch /up; ${idle}`, { startupProbe: { exec: { command: ['test', '-e', '/up'] }, periodSeconds: 1, failureThreshold: 60 }, livenessProbe: { exec: { command: ['test', '-e', '/up'] }, periodSeconds: 1, failureThreshold: 1 } })),
    pod('never-up', { name: 'c', image, startupProbe: { httpGet: { path: '/nope', port: 8080 }, periodSeconds: 1, failureThreshold: 2 } }),
  ))

  it('say when a pod is ready and when it is not any more', async () => {
    await happened('by-http', 'Unhealthy', /^Readiness probe failed: HTTP probe failed with statuscode: 404$/)
    expect(await tools.row('by-http')).toEqual(['by-http', '0/1', 'Running', '0'])
    expect(await condition('by-http', 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [c]' })
    await tools.exec('by-http', 'echo > /www/flag')
    await ready('by-http')
    await tools.exec('by-http', 'rm /www/flag')
    await eventually('it is not ready', async () => ((await condition('by-http', 'Ready'))?.status === 'False' ? true : undefined))
    expect((await container('by-http')).restartCount).toBe(0)
  })

  it('restart a container that lives no more', async () => {
    const event = await happened('dies-inside', 'Unhealthy', /^Liveness probe failed: cat: can't open '\/ok': No such file or directory/)
    expect(event.type).toBe('Warning')
    await happened('dies-inside', 'Killing', /^Container c failed liveness probe, will be restarted$/)
    await eventually('a restart', async () => ((await container('dies-inside')).restartCount >= 1 ? true : undefined))
  })

  it('wait for a slow start, and end a start that takes too long', async () => {
    await ready('slow')
    expect(await container('slow')).toMatchObject({ restartCount: 0, started: true })
    await happened('slow', 'Unhealthy', /^Startup probe failed/)
    await happened('never-up', 'Killing', /^Container c failed startup probe, will be restarted$/)
    expect((await container('never-up')).started).toBe(false)
  })

  it('can be a connection, or a call of gRPC', async () => {
    await ready('by-tcp')
    expect((await container('by-tcp')).restartCount).toBe(0)
    const event = await happened('by-grpc', 'Unhealthy', /^Readiness probe failed: timeout: failed to connect service "10\.[\d.]+:8081" within 1s: context deadline exceeded$/)
    // One event that is counted, not one for every attempt.
    await eventually('it is counted', async () => ((await tools.events('by-grpc')).find((e) => e.message === event.message)?.count as number) > 1 ? true : undefined)
  })
})

describe('hooks and deletion', () => {
  beforeAll(() => apply(
    pod('hooked', shell(`trap 'echo term >> /d/hooks; exit 0' TERM; while true; do sleep 0.1; done`, {
      ...at, lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo started >> /d/hooks'] } }, preStop: { exec: { command: ['sh', '-c', 'sleep 1; echo stopping >> /d/hooks'] } } },
    }), { ...shared, terminationGracePeriodSeconds: 20 }),
    pod('bad-hook', shell(idle, { lifecycle: { postStart: { exec: { command: ['sh', '-c', 'echo secret >&2; exit 1'] } } } })),
    pod('deaf', shell("trap '' TERM; while true; do sleep 0.1; done"), { terminationGracePeriodSeconds: 3 }),
    pod('deafer', shell("trap '' TERM; while true; do sleep 0.1; done"), { terminationGracePeriodSeconds: 300 }),
  ))

  it('run after the start and before the end', async () => {
    await ready('hooked')
    expect(written('hooks')).toBe('started\n')
    await kubectl('delete', 'pod', 'hooked')
    expect(written('hooks')).toBe('started\nstopping\nterm\n')
  })

  it('restart the container when the first of them fails, and keep what it said to themselves', async () => {
    const event = await happened('bad-hook', 'FailedPostStartHook', /./)
    expect(event.message).toBe('PostStartHook failed')
    await eventually('a restart', async () => ((await container('bad-hook')).restartCount >= 1 ? true : undefined))
  })

  it('wait for the end of the grace period, and not longer', async () => {
    await ready('deaf', 'deafer')
    const begun = Date.now()
    await kubectl('delete', 'pod', 'deaf')
    const took = Date.now() - begun
    expect(took).toBeGreaterThan(2900)
    expect(took).toBeLessThan(8000)
    await happened('deaf', 'Killing', /^Stopping container c$/)
  })

  it('do not wait at all when the deletion is forced', async () => {
    const { uid } = (await get('deafer')).metadata
    await kubectl('delete', 'pod', 'deafer', '--wait=false')
    await shows('deafer', 'Terminating')
    await kubectl('delete', 'pod', 'deafer', '--force', '--grace-period=0')
    expect((await cluster.tryKubectl(['get', 'pod', 'deafer'])).stderr).toContain('(NotFound)')
    await eventually('nothing of it is left on the node', () => (existsSync(join(cluster.dataDir, 'kubelet/pods', uid)) ? undefined : true))
  })
})

describe('images', () => {
  const waiting = async (name: string) => (await container(name)).state.waiting
  it('that cannot be had are told in the words people search for', async () => {
    await apply(
      pod('missing', { name: 'c', image: 'localhost:5/nosuch:1.0' }), pod('never', { name: 'c', image: 'nosuch:1.0', imagePullPolicy: 'Never' }),
      pod('invalid', { name: 'c', image: 'Invalid:IMAGE:x' }), pod('always', { name: 'c', image: 'localhost:5/hello:1.0', imagePullPolicy: 'Always' }),
    )
    await shows('never', 'ErrImageNeverPull')
    expect((await waiting('never'))?.message).toBe('Container image "nosuch:1.0" is not present with pull policy of Never')
    await shows('invalid', 'InvalidImageName')
    expect((await waiting('invalid'))?.message).toContain("couldn't parse image name")
    await shows('missing', 'ImagePullBackOff')
    expect((await waiting('missing'))?.message).toMatch(/^Back-off pulling image "localhost:5\/nosuch:1.0"/)
    for (const words of [/^Pulling image "localhost:5\/nosuch:1.0"$/, /^Failed to pull image "localhost:5\/nosuch:1.0": /, /^Error: ErrImagePull$/, /^Back-off pulling image /, /^Error: ImagePullBackOff$/]) {
      expect((await tools.events('missing')).some((e) => words.test(e.message)), String(words)).toBe(true)
    }
    await shows('always', 'ImagePullBackOff')
  })

  it('that come later let the container start', async () => {
    await apply(pod('patient', { name: 'c', image: 'hello:2.0', imagePullPolicy: 'Never' }))
    await shows('patient', 'ErrImageNeverPull')
    await buildExample(cluster, 'hello:2.0', 'examples/hello')
    await ready('patient')
  })
})
