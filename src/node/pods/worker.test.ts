import { readFileSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { core, node as nodeApi } from '../../api/index.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'
import { RuntimeError } from '../runtime/driver.ts'

let node: TestNode
beforeEach(async () => { node = await startTestNode() })
afterEach(() => node.close())

const status = (name: string, container = 'main') => node.pod(name).status.containerStatuses?.find((s) => s.name === container)
const condition = (name: string, type: string) => node.pod(name).status.conditions?.find((c) => c.type === type)

describe('a pod worker', () => {
  it('makes the sandbox, starts the container, and reports the pod running and ready', async () => {
    await node.create('web', {})
    expect(node.runtime.calls).toEqual(['run web', 'create main 0', 'start main'])
    expect(node.pod('web').status).toMatchObject({ phase: 'Running', podIP: '10.0.0.1', hostIP: '192.0.2.1', qosClass: 'BestEffort' })
    expect(status('web')).toMatchObject({ ready: true, started: true, restartCount: 0, imageID: 'sha256:app:1' })
    for (const type of ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']) expect(condition('web', type)?.status).toBe('True')
    expect(node.events('web')).toEqual(['Pulled: Container image "app:1" already present on machine and can be accessed by the pod', 'Created: Container created', 'Started: Container started'])
  })

  it('tells the last words of a container with its end, however short it ran', async () => {
    node.runtime.onCall = (call) => {
      if (call !== 'start main') return
      writeFileSync(node.runtime.configs.get('main')?.annotations['skiff.dev/terminationMessageFile'] ?? '', 'OK')
      queueMicrotask(() => node.runtime.exit('main', 0))
    }
    await node.create('web', { restartPolicy: 'Never' })
    const told = node.client.calls.filter((c) => c.resource === 'pods' && c.subresource === 'status').map((c) => JSON.stringify(c.object)).filter((text) => text.includes('"terminated"'))
    expect(told.length).toBeGreaterThan(0)
    for (const text of told) expect(text).toContain('"message":"OK"')
  })

  it('restarts at once the first time, then after 10 s, then after 20 s', async () => {
    await node.create('web', {})
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1, reason: 'Error' } } })
    node.runtime.exit('main', 1)
    await node.pass(9_000)
    expect(status('web')?.state.waiting?.reason).toBe('CrashLoopBackOff')
    expect(status('web')?.state.waiting?.message).toMatch(/^back-off 10s restarting failed container=main pod=web_default\(/)
    await node.pass(1_100)
    expect(status('web')).toMatchObject({ restartCount: 2, ready: true })
    node.runtime.exit('main', 1)
    await node.pass(19_000)
    expect(status('web')?.restartCount).toBe(2)
    await node.pass(1_100)
    expect(status('web')?.restartCount).toBe(3)
    expect(node.events('web').filter((e) => e.startsWith('BackOff'))).toHaveLength(1)
  })

  it('starts at once with another image: it may have been mended', async () => {
    await node.create('web', {})
    for (let i = 0; i < 3; i++) { node.runtime.exit('main', 1); await node.pass(i * 10_100) }
    node.runtime.exit('main', 1)
    await node.pass(1_000)
    expect(status('web')?.state.waiting?.reason).toBe('CrashLoopBackOff')
    const { restartCount = 0 } = status('web') ?? {}
    node.client.edit(core.pods, 'default/web', (pod) => ({ ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map((c) => ({ ...c, image: 'app:2' })) } }))
    await node.pass(0)
    expect(status('web')).toMatchObject({ restartCount: restartCount + 1, ready: true, imageID: 'sha256:app:2' })
  })

  it('forgets the back-off after ten quiet minutes', async () => {
    await node.create('web', {})
    for (let i = 0; i < 2; i++) { node.runtime.exit('main', 1); await node.pass(10_100) }
    await node.pass(601_000)
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')).toMatchObject({ restartCount: 3, ready: true })
  })

  it('keeps one dead container, and removes older ones with their logs', async () => {
    await node.create('web', {})
    const logs = join(node.directory, 'logs', `default_web_${node.pod('web').metadata.uid}`, 'main')
    await mkdir(logs, { recursive: true })
    for (const name of ['0.log', '0.log.20260101-000000', '1.log', '2.log']) await writeFile(join(logs, name), '')
    for (let i = 0; i < 2; i++) { node.runtime.exit('main', 1); await node.pass(10_100) }
    expect(node.runtime.calls.filter((c) => c.startsWith('remove'))).toEqual(['remove main'])
    // The disk has its own time, whatever the clock says.
    await expect.poll(() => readdir(logs)).toEqual(['1.log', '2.log'])
    expect((await node.runtime.listContainers()).map((c) => c.attempt).toSorted()).toEqual([1, 2])
  })

  it('ends as Succeeded or Failed by the exit codes when nothing restarts it', async () => {
    const one = (name: string) => ({ containers: [{ name, image: 'app:1' }] })
    await node.create('good', { restartPolicy: 'Never', ...one('a') })
    node.runtime.exit('a', 0)
    await node.pass(0)
    expect(node.pod('good').status.phase).toBe('Succeeded')
    expect(condition('good', 'Ready')).toMatchObject({ status: 'False', reason: 'PodCompleted' })
    await node.create('bad', { restartPolicy: 'Never', ...one('b') })
    node.runtime.exit('b', 7)
    await node.pass(0)
    expect(node.pod('bad').status.phase).toBe('Failed')
    await node.create('retry', { restartPolicy: 'OnFailure', ...one('c') })
    node.runtime.exit('c', 7)
    await node.pass(0)
    expect(node.pod('retry').status).toMatchObject({ phase: 'Running', containerStatuses: [{ restartCount: 1 }] })
  })

  it('runs init containers one after the other before the others', async () => {
    await node.create('web', { initContainers: [{ name: 'one', image: 'app:1' }, { name: 'two', image: 'app:1' }] })
    expect(node.runtime.calls).toEqual(['run web', 'create one 0', 'start one'])
    expect(condition('web', 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [one two]' })
    expect(status('web')?.state.waiting?.reason).toBe('PodInitializing')
    node.runtime.exit('one', 0)
    await node.pass(0)
    expect(node.runtime.calls.at(-1)).toBe('start two')
    node.runtime.exit('two', 0)
    await node.pass(0)
    expect(node.runtime.calls.at(-1)).toBe('start main')
    expect(node.pod('web').status.phase).toBe('Running')
  })

  it('fails the pod when an init container fails and nothing is to be restarted', async () => {
    await node.create('web', { restartPolicy: 'Never', initContainers: [{ name: 'one', image: 'app:1' }] })
    node.runtime.exit('one', 1)
    await node.pass(0)
    expect(node.pod('web').status.phase).toBe('Failed')
    expect(node.runtime.calls).not.toContain('start main')
  })

  it('starts a sidecar first, keeps it running, and stops it last', async () => {
    await node.create('web', { terminationGracePeriodSeconds: 5, initContainers: [{ name: 'side', image: 'app:1', restartPolicy: 'Always' }] })
    expect(node.runtime.calls).toEqual(['run web', 'create side 0', 'start side', 'create main 0', 'start main'])
    node.runtime.exit('side', 1)
    await node.pass(0)
    expect(node.runtime.calls.at(-1)).toBe('start side')
    await node.delete('web')
    const stops = node.runtime.calls.filter((c) => c.startsWith('stop '))
    expect(stops.map((c) => c.split(' ')[1])).toEqual(['main', 'side', 'sandbox'])
  })

  it('lets a finished pod go although its sidecar still runs, and calls it over when that has ended', async () => {
    node.runtime.stubborn.add('side')
    await node.create('job', { restartPolicy: 'Never', terminationGracePeriodSeconds: 10, initContainers: [{ name: 'side', image: 'app:1', restartPolicy: 'Always' }] })
    node.runtime.exit('main', 0)
    await node.pass(0)
    expect(node.pod('job').status.phase).toBe('Running')
    await node.pass(10_000)
    expect(node.pod('job').status.phase).toBe('Succeeded')
    expect(node.runtime.container('side')?.state).toBe('exited')
  })

  it('stops a deleted pod, removes it from the runtime, and only then lets its object go', async () => {
    await node.create('web', {})
    await node.delete('web')
    expect(node.runtime.calls.slice(3)).toEqual(['stop main 0', 'stop sandbox web', 'remove sandbox'])
    expect(node.released('web')).toBe(true)
    expect(node.events('web')).toContain('Killing: Stopping container main')
    expect(node.workers.size).toBe(0)
  })

  it('removes what runs when the object is gone from the API', async () => {
    await node.create('web', {})
    await node.client.delete(core.pods, 'web', { namespace: 'default' })
    await node.pass(31_000)
    expect(await node.runtime.listSandboxes()).toEqual([])
    expect(node.workers.size).toBe(0)
  })

  it('adopts running pods after a restart of the agent, and starts nothing twice', async () => {
    await node.create('web', { initContainers: [{ name: 'one', image: 'app:1' }] })
    node.runtime.exit('one', 0)
    await node.pass(0)
    const before = [...node.runtime.calls]
    const reported = node.pod('web').status
    await node.restart()
    expect(node.runtime.calls).toEqual(before)
    expect(node.pod('web').status).toEqual(reported)
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')?.restartCount).toBe(1)
  })

  it('removes sandboxes of pods that went while the agent was away', async () => {
    await node.create('web', {})
    const { uid } = node.pod('web').metadata
    node.workers.get(uid ?? '')?.release()
    await node.client.delete(core.pods, 'web', { namespace: 'default' })
    await node.restart()
    expect(await node.runtime.listSandboxes()).toEqual([])
  })

  it('makes a new sandbox when the old one is lost, and runs everything again', async () => {
    await node.create('web', {})
    const [sandbox] = await node.runtime.listSandboxes()
    await node.runtime.stopSandbox(sandbox?.id ?? '')
    await node.pass(0)
    await node.pass(11_000)
    expect(node.runtime.calls.filter((c) => c === 'run web')).toHaveLength(2)
    expect(status('web')).toMatchObject({ ready: true, restartCount: 1 })
    expect(node.pod('web').status.podIP).not.toBe('10.0.0.1')
  })

  it('tries again, with an event, when the sandbox cannot be made', async () => {
    let fails = 2
    node.runtime.onCall = (call) => { if (call.startsWith('run') && fails-- > 0) throw new RuntimeError('failed', 'no network') }
    await node.create('web', {})
    expect(node.pod('web').status.phase).toBe('Pending')
    await node.pass(5000)
    expect(node.events('web')).toContain('FailedCreatePodSandBox: Failed to create pod sandbox: no network')
    expect(node.pod('web').status.phase).toBe('Running')
  })

  it('ends a pod that is past its deadline, and calls it failed once nothing of it runs', async () => {
    await node.create('web', { activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 10 })
    await node.pass(59_000)
    expect(node.pod('web').status.phase).toBe('Running')
    node.runtime.stubborn.add('main')
    await node.pass(5_000)
    expect(node.pod('web').status.phase).toBe('Running')
    await node.pass(10_000)
    expect(node.pod('web').status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
    expect(node.runtime.container('main')?.state).toBe('exited')
  })
})

describe('a sandbox', () => {
  it('is made by the handler of the pod\'s runtime class', async () => {
    await node.client.create(nodeApi.runtimeclasses, { metadata: { name: 'sturdy' }, handler: 'kata' })
    let handler: string | undefined
    const { runSandbox } = node.runtime
    node.runtime.runSandbox = (config) => { handler = config.runtimeHandler; return runSandbox(config) }
    await node.create('web', { runtimeClassName: 'sturdy' })
    expect(handler).toBe('kata')
    await node.create('lost', { runtimeClassName: 'none' })
    expect(node.events('lost')).toContain('FailedCreatePodSandBox: Failed to create pod sandbox: runtimeclasses.node.k8s.io "none" not found')
  })

  it('is not made when the pod asks for what the node does not have', async () => {
    await node.create('web', { hostUsers: false })
    expect(node.events('web')[0]).toBe('FailedCreatePodSandBox: Failed to create pod sandbox: user namespaces (hostUsers: false) are not supported by this node')
  })
})

describe('images', () => {
  it('pulls what is missing, and tells how far it is', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'other:2' }] })
    expect(node.runtime.calls).toContain('pull other:2')
    expect(node.events('web').slice(0, 2)).toEqual(['Pulling: Pulling image "other:2"', expect.stringMatching(/^Pulled: Successfully pulled image "other:2" in 0s .* Image size: 1000 bytes\.$/)])
  })

  it('backs off when a pull fails: ErrImagePull, then ImagePullBackOff, then again', async () => {
    let failing = true
    node.runtime.onCall = (call) => { if (failing && call.startsWith('pull')) throw new RuntimeError('failed', 'registry says no') }
    await node.create('web', { containers: [{ name: 'main', image: 'other:2' }] })
    expect(status('web')?.state.waiting).toEqual({ reason: 'ErrImagePull', message: 'registry says no' })
    await node.pass(2_000)
    expect(status('web')?.state.waiting).toEqual({ reason: 'ImagePullBackOff', message: 'Back-off pulling image "other:2": ErrImagePull: registry says no' })
    failing = false
    await node.pass(10_000)
    expect(status('web')?.ready).toBe(true)
  })

  it('never pulls when told not to', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'other:2', imagePullPolicy: 'Never' }] })
    expect(status('web')?.state.waiting?.reason).toBe('ErrImageNeverPull')
    expect(node.runtime.calls).not.toContain('pull other:2')
  })

  it('refuses a name that is none', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'UPPER/case' }] })
    expect(status('web')?.state.waiting?.reason).toBe('InvalidImageName')
  })
})

describe('what containers are given', () => {
  it('waits for a ConfigMap that is not there yet, and starts as soon as it is', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'conf', key: 'a' } } }] }] })
    expect(status('web')?.state.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'configmap "conf" not found' })
    expect(node.events('web')).toContain('Failed: Error: configmap "conf" not found')
    await node.client.create(core.configmaps, { metadata: { name: 'conf', namespace: 'default' }, data: { a: '1' } })
    await node.pass(0)
    expect(status('web')?.ready).toBe(true)
    expect(node.runtime.configs.get('main')?.env).toContainEqual({ key: 'A', value: '1' })
  })

  it('says which volume cannot be mounted, and starts when it can', async () => {
    await node.create('web', { volumes: [{ name: 'v', configMap: { name: 'conf' } }], containers: [{ name: 'main', image: 'app:1', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] })
    expect(node.events('web')).toContain('FailedMount: MountVolume.SetUp failed for volume "v" : configmap "conf" not found')
    expect(node.pod('web').status.phase).toBe('Pending')
    expect(node.events('web').filter((e) => e.startsWith('FailedMount'))).toHaveLength(1)
    await node.client.create(core.configmaps, { metadata: { name: 'conf', namespace: 'default' }, data: { a: '1' } })
    await node.pass(0)
    expect(status('web')?.ready).toBe(true)
  })

  it('does not tell what is behind a link in a volume', async () => {
    await node.create('web', { volumes: [{ name: 'v', emptyDir: {} }], containers: [{ name: 'main', image: 'app:1', command: ['x'], volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'link' }] }], initContainers: [{ name: 'first', image: 'app:1' }] })
    await symlink('/etc/no-such-file', join(node.directory, 'pods', node.pod('web').metadata.uid ?? '', 'volumes', 'kubernetes.io~empty-dir', 'v', 'link'))
    node.runtime.exit('first', 0)
    await node.pass(0)
    expect(status('web')?.state.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'failed to prepare subPath for volumeMount "v" of container "main"' })
  })

  it('names what a subPath lacks, and keeps it inside', async () => {
    const mounting = (value: string) => ({ volumes: [{ name: 'v', emptyDir: {} }], containers: [{ name: 'main', image: 'app:1', env: [{ name: 'A', value }], volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: value ? '$(A)' : '$(B)-$(A)' }] }] })
    await node.create('lacks', mounting(''))
    expect(status('lacks')?.state.waiting?.message).toBe('missing value for A, B')
    await node.create('leaves', mounting('../x'))
    expect(status('leaves')?.state.waiting?.message).toBe('unable to provision SubPath `../x`: must not contain \'..\'')
  })

  it('shows pods on the host network the node\'s names as they are when the pod starts', async () => {
    node.close()
    let names = '1.2.3.4 old\n'
    node = await startTestNode({ hostsFile: () => names })
    names = '1.2.3.4 new\n'
    await node.create('web', { hostNetwork: true })
    expect(readFileSync(join(node.directory, 'pods', node.pod('web').metadata.uid ?? '', 'etc-hosts'), 'utf8')).toBe('# Kubernetes-managed hosts file (host network).\n1.2.3.4 new\n')
  })

  it('refuses to run as root what must not', async () => {
    await node.create('web', { securityContext: { runAsNonRoot: true } })
    expect(status('web')?.state.waiting?.reason).toBe('CreateContainerConfigError')
    expect(status('web')?.state.waiting?.message).toMatch(/^container has runAsNonRoot and image will run as root \(pod: "web_default\(/)
  })
})

describe('probes', () => {
  it('keeps a container unready until its probe has passed, and takes it back after three failures', async () => {
    let healthy = false
    node.runtime.onExec = () => (healthy ? 0 : 1)
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', readinessProbe: { exec: { command: ['check'] }, periodSeconds: 5, failureThreshold: 3 } }] })
    expect(condition('web', 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main]' })
    healthy = true
    await node.pass(5_000)
    expect(condition('web', 'Ready')?.status).toBe('True')
    healthy = false
    await node.pass(10_000)
    expect(condition('web', 'Ready')?.status).toBe('True')
    await node.pass(5_000)
    expect(condition('web', 'Ready')?.status).toBe('False')
    expect(node.events('web')).toContain('Unhealthy: Readiness probe failed: ')
  })

  it('tells of a redirect that is not followed, and takes it for an answer', async () => {
    const server = createServer((_, response) => void response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end('moved'))
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    const { port } = server.address() as AddressInfo
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', readinessProbe: { httpGet: { host: '127.0.0.1', port, path: '/' } } }] })
    await vi.waitFor(() => expect(node.events('web')).toContain('ProbeWarning: Readiness probe warning: Probe terminated redirects, Response body: moved'))
    await vi.waitFor(() => expect(condition('web', 'Ready')?.status).toBe('True'))
    server.closeAllConnections()
    server.close()
  })

  it('restarts a container whose liveness probe fails, not before the startup probe has passed', async () => {
    let answers: Record<string, number> = { startup: 1, live: 1 }
    node.runtime.onExec = (_id, [command]) => answers[command ?? ''] ?? 0
    await node.create('web', {
      terminationGracePeriodSeconds: 3,
      containers: [{
        name: 'main', image: 'app:1', startupProbe: { exec: { command: ['startup'] }, periodSeconds: 1, failureThreshold: 30 }, livenessProbe: { exec: { command: ['live'] }, periodSeconds: 1, failureThreshold: 2 },
      }],
    })
    await node.pass(10_000)
    expect(status('web')).toMatchObject({ restartCount: 0, started: false, ready: false })
    answers = { startup: 0, live: 1 }
    await node.pass(1_000)
    await node.pass(1_500)
    expect(node.runtime.calls).toContain('stop main 3')
    expect(node.events('web')).toContain('Killing: Container main failed liveness probe, will be restarted')
    await node.pass(0)
    expect(status('web')?.restartCount).toBe(1)
  })

  it('waits for the readiness gates as well', async () => {
    await node.create('web', { readinessGates: [{ conditionType: 'example.com/open' }] })
    expect(condition('web', 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady', message: 'corresponding condition of pod readiness gate "example.com/open" does not exist.' })
    await node.client.patch(core.pods, 'web', { type: 'strategic', body: { status: { conditions: [{ type: 'example.com/open', status: 'True' }] } } }, { namespace: 'default', subresource: 'status' })
    await node.pass(0)
    expect(condition('web', 'Ready')?.status).toBe('True')
    expect(condition('web', 'example.com/open')?.status).toBe('True')
  })
})

describe('resizing', () => {
  const resize = (name: string, cpu: string) => node.client.edit(core.pods, `default/${name}`, (p) => ({ ...p, spec: { ...p.spec, containers: [{ ...p.spec.containers[0], resources: { limits: { cpu } } }] } }))

  it('gives a running container other limits without a restart', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', resources: { limits: { cpu: '1' } } }] })
    resize('web', '2')
    await node.pass(0)
    expect(node.runtime.calls.slice(3)).toEqual(['resize main 200000'])
    expect(status('web')).toMatchObject({ restartCount: 0, resources: { limits: { cpu: '2' } } })
  })

  it('tells when the kernel refuses, and goes on looking after the pod', async () => {
    node.runtime.onCall = (call) => { if (call.startsWith('resize')) throw new RuntimeError('failed', 'device or resource busy') }
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', resources: { limits: { cpu: '1' } } }] })
    resize('web', '2')
    await node.pass(0)
    expect(node.events('web')).toContain('ResizeError: Error resizing container main: device or resource busy')
    node.runtime.exit('main', 1)
    await node.pass(0)
    expect(status('web')?.restartCount).toBe(1)
  })

  it('restarts the container where its policy says so', async () => {
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', resources: { limits: { cpu: '1' } }, resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }] }] })
    node.client.edit(core.pods, 'default/web', (p) => ({ ...p, spec: { ...p.spec, containers: [{ ...p.spec.containers[0], resources: { limits: { cpu: '2' } } }] } }))
    await node.pass(0)
    expect(node.runtime.calls.slice(3)).toEqual(['stop main 30', 'create main 1', 'start main'])
  })
})

describe('hooks', () => {
  it('runs preStop before the stop, within the grace period', async () => {
    const ran: string[] = []
    node.runtime.onExec = (_id, [command]) => { ran.push(`${command} after ${node.runtime.calls.length} calls`); return 0 }
    await node.create('web', { activeDeadlineSeconds: 60, terminationGracePeriodSeconds: 10, containers: [{ name: 'main', image: 'app:1', lifecycle: { preStop: { exec: { command: ['bye'] } } } }] })
    await node.pass(61_000)
    expect(ran).toEqual(['bye after 3 calls'])
    expect(node.runtime.calls[3]).toBe('stop main 10')
  })

  it('stops a container whose postStart hook fails, and restarts it', async () => {
    node.runtime.onExec = () => 1
    await node.create('web', { containers: [{ name: 'main', image: 'app:1', lifecycle: { postStart: { exec: { command: ['hello'] } } } }] })
    expect(node.events('web').join('\n')).toContain('FailedPostStartHook: PostStartHook failed')
    expect(status('web')?.restartCount).toBeGreaterThan(0)
  })
})

describe('a pod that is to go while it starts', () => {
  it('gets no further images', async () => {
    node.runtime.onCall = (call) => {
      if (call === 'start one') [...node.workers.values()][0]?.gone()
      if (call.startsWith('pull')) throw new RuntimeError('failed', 'nobody waits for this image')
    }
    await node.create('web', { containers: [{ name: 'one', image: 'app:1' }, { name: 'two', image: 'other:1' }] })
    await node.pass(5_000)
    expect(node.runtime.calls).toContain('remove sandbox')
    expect(node.events('web').join()).not.toContain('other:1')
  })
})

describe('admission', () => {
  it('refuses what does not fit on the node', async () => {
    node.close()
    node = await startTestNode({ node: { metadata: { name: 'node' }, status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } } })
    await node.create('big', { containers: [{ name: 'main', image: 'app:1', resources: { requests: { cpu: '2' } } }] })
    expect(node.pod('big').status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu', message: 'Pod was rejected: Node didn\'t have enough resource: cpu, requested: 2000, used: 0, capacity: 1000' })
    expect(node.events('big')).toEqual(['OutOfcpu: Node didn\'t have enough resource: cpu, requested: 2000, used: 0, capacity: 1000'])
    await node.create('elsewhere', { nodeSelector: { disk: 'ssd' } })
    expect(node.pod('elsewhere').status.reason).toBe('NodeAffinity')
    await node.create('sysctl', { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '1' }, { name: 'kernel.msgmax', value: '1' }] } })
    expect(node.runtime.calls).toEqual([])
    await node.create('first', { containers: [{ name: 'main', image: 'app:1', ports: [{ containerPort: 80, hostPort: 80 }] }] })
    const calls = node.runtime.calls.length
    await node.create('second', { containers: [{ name: 'main', image: 'app:1', ports: [{ containerPort: 80, hostPort: 80, hostIP: '192.0.2.1' }] }] })
    expect(node.pod('second').status).toMatchObject({ phase: 'Failed', reason: 'NodePorts', message: 'Pod was rejected: Predicate NodePorts failed: node(s) didn\'t have free ports for the requested pod ports' })
    expect(node.runtime.calls).toHaveLength(calls)
    expect(node.pod('sysctl').status).toMatchObject({ phase: 'Failed', reason: 'SysctlForbidden', message: 'Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted' })
  })

  it('gives the place of a pod that is gone from the API to the next one, while it still ends', async () => {
    node.close()
    node = await startTestNode({ node: { metadata: { name: 'node' }, status: { allocatable: { cpu: '1', memory: '1Gi', pods: '10' } } } })
    const containers = [{ name: 'main', image: 'app:1', resources: { requests: { cpu: '1' } } }]
    await node.create('first', { containers })
    node.runtime.stubborn.add('main')
    await node.client.delete(core.pods, 'first', { namespace: 'default' })
    await node.create('next', { containers })
    expect(node.runtime.calls).toContain('stop main 2')
    expect(node.workers.size).toBe(2)
    expect(node.pod('next').status.phase).toBe('Running')
  })
})
