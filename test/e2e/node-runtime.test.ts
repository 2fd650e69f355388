/** The node agent against the real containerd: pods start, answer, are seen, survive a restart of the agent, and go. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { core, type In } from '../../src/api/index.ts'
import { createMemoryClient, type MemoryClient } from '../../src/client/testing/memory-client.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { buildOciImage } from '../../src/node/images/oci.ts'
import { criDriver, importImage, removeAllPods, startContainerd, startNode, type Containerd, type NodeAgent } from '../../src/node/index.ts'
import { createCgroups } from '../../src/node/cgroups.ts'

const nodeName = 'test-node'
const image = 'busybox:test'
const subnet = '10.249.77.0/24'
let directory = ''
let containerd: Containerd
let runtime: ReturnType<typeof criDriver>
let agent: NodeAgent
let client: MemoryClient
const noisy = process.env['SKIFF_TEST_LOG'] ? { ...quiet, warn: console.warn, error: console.error, info: console.info, child: () => noisy } : quiet

function certificates(): { key: string; cert: string } {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem'),
    '-days', '1', '-subj', '/O=system:masters/CN=tester', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' })
  return { key: readFileSync(join(directory, 'key.pem'), 'utf8'), cert: readFileSync(join(directory, 'cert.pem'), 'utf8') }
}

const start = () => {
  const pair = certificates()
  return startNode({
    name: nodeName, client, clock: systemClock, log: noisy, runtime, dataDir: join(directory, 'kubelet'), logDir: join(directory, 'logs'),
    address: '127.0.0.1', port: 0, tls: { ...pair, clientCa: pair.cert }, clusterDns: '10.96.0.10', clusterDomain: 'cluster.local', cgroupParent: '/skiff-nodetest',
  })
}

async function busybox(): Promise<string> {
  const root = join(directory, 'rootfs')
  await mkdir(join(root, 'bin'), { recursive: true })
  for (const d of ['tmp', 'etc', 'proc', 'sys', 'dev']) await mkdir(join(root, d))
  await cp('/bin/busybox', join(root, 'bin/busybox'))
  for (const applet of ['sh', 'sleep', 'cat', 'echo', 'httpd', 'ls', 'true', 'false', 'id', 'env', 'mkdir', 'touch', 'stat', 'test', 'kill', 'grep', 'wget', 'mount', 'head', 'seq']) await symlink('busybox', join(root, 'bin', applet))
  const output = join(directory, 'busybox.tar')
  await buildOciImage({ rootfs: root, config: { cmd: ['sh'] }, tag: image, output })
  return output
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-e2e-'))
  const cni = join(directory, 'cni')
  await mkdir(cni)
  await writeFile(join(cni, '10-test.conflist'), JSON.stringify({
    cniVersion: '1.0.0', name: 'skiff-node-test',
    plugins: [{ type: 'ptp', ipam: { type: 'host-local', dataDir: join(directory, 'ipam'), ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] } }],
  }))
  containerd = await startContainerd({ cluster: 'nodetest', rootDir: join(directory, 'containerd'), runDir: join(directory, 'run'), cniConfDir: cni, cniBinDir: '/usr/lib/cni', log: noisy })
  runtime = criDriver(containerd.socket)
  expect(await importImage({ socket: containerd.socket, tar: await busybox() })).toEqual(['docker.io/library/busybox:test'])
  client = createMemoryClient(systemClock)
  agent = await start()
  await agent.ready
})

afterAll(async () => {
  await agent?.stop()
  if (runtime) await removeAllPods({ runtime, cluster: 'nodetest', log: noisy })
  runtime?.close()
  await containerd?.stop()
  await createCgroups('/skiff-nodetest', quiet).removeAll()
  execFileSync('sh', ['-c', `grep -o ' ${directory}[^ ]*' /proc/self/mountinfo | sort -ru | xargs -r -n1 umount -l`])
  await rm(directory, { recursive: true, force: true })
})

const pod = (name: string, spec: Partial<In<typeof core.PodSpec>>, metadata: object = {}): In<typeof core.Pod> => ({
  metadata: { name, namespace: 'default', ...metadata },
  spec: { nodeName, restartPolicy: 'Always', terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, command: ['sleep', '3600'] }], ...spec },
})

async function until(name: string, check: (p: core.Pod) => boolean, seconds = 30): Promise<core.Pod> {
  for (let i = 0; i < seconds * 50; i++) {
    const p = client.stored(core.pods).get(`default/${name}`)
    if (p && check(p)) return p
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const p = client.stored(core.pods).get(`default/${name}`)
  const events = [...client.stored(core.events).values()].filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`)
  throw new Error(`pod ${name} did not get there: ${JSON.stringify(p?.status, null, 1)}\n${events.join('\n')}`)
}
const isReady = (p: core.Pod) => p.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
/** A finalizer stands in for the grace period: the object goes when the agent has asked for its final deletion. */
const remove = async (name: string) => {
  client.edit(core.pods, `default/${name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['test/grace'] } }))
  await client.delete(core.pods, name, { namespace: 'default' })
  const asked = () => client.calls.some((c) => c.verb === 'delete' && c.name === name && (c.object as { gracePeriodSeconds?: number }).gracePeriodSeconds === 0)
  for (let i = 0; i < 1000 && !asked(); i++) await new Promise((resolve) => setTimeout(resolve, 20))
  expect(asked()).toBe(true)
  client.edit(core.pods, `default/${name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: [] } }))
  expect(client.stored(core.pods).has(`default/${name}`)).toBe(false)
}
const eventsOf = (name: string) => [...client.stored(core.events).values()].filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`)

function kubelet(path: string): Promise<{ status: number; body: string }> {
  const pair = { key: readFileSync(join(directory, 'key.pem')), cert: readFileSync(join(directory, 'cert.pem')) }
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: agent.port, path, ...pair, rejectUnauthorized: false, agent: false }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => { body += chunk.toString() })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    }).on('error', reject).end()
  })
}

describe('a node on containerd', () => {
  it('registers itself with what it has, and is Ready', async () => {
    const node = await client.get(core.nodes, nodeName)
    expect(node.metadata.labels?.['kubernetes.io/hostname']).toBe(nodeName)
    expect(node.status.conditions?.find((c) => c.type === 'Ready')).toMatchObject({ status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' })
    expect(node.status.nodeInfo.containerRuntimeVersion).toMatch(/^containerd:\/\//)
    expect(Number(node.status.capacity?.['cpu'])).toBeGreaterThan(0)
  })

  it('runs a pod, gives it an address, and says so', async () => {
    const began = performance.now()
    await client.create(core.pods, pod('simple', {}))
    const p = await until('simple', isReady)
    console.log(`create to Ready: ${Math.round(performance.now() - began)} ms`)
    expect(p.status).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^10\.249\.77\./), qosClass: 'BestEffort', hostIP: '127.0.0.1' })
    expect(p.status.containerStatuses?.[0]).toMatchObject({ name: 'main', ready: true, started: true, restartCount: 0, containerID: expect.stringMatching(/^containerd:\/\//) })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(eventsOf('simple')).toEqual([`Pulled: Container image "${image}" already present on machine and can be accessed by the pod`, 'Created: Container created', 'Started: Container started'])
    const { items } = JSON.parse((await kubelet('/runningpods/')).body) as { items: object[] }
    expect(items).toContainEqual({ metadata: { name: 'simple', namespace: 'default', uid: p.metadata.uid }, spec: { containers: [{ name: 'main', image: p.status.containerStatuses?.[0]?.image, resources: {} }] }, status: {} })
  })

  it('shows environment, ConfigMaps, Secrets, the downward API and shared directories', async () => {
    await client.create(core.configmaps, { metadata: { name: 'conf', namespace: 'default' }, data: { 'a.txt': 'from a config map', KEY: 'value' } })
    await client.create(core.secrets, { metadata: { name: 'hush', namespace: 'default' }, data: { password: Buffer.from('s3cret').toString('base64') } })
    await client.create(core.pods, pod('volumes', {
      restartPolicy: 'Never',
      containers: [{
        name: 'main', image,
        env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }, { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, { name: 'GREETING', value: 'hi $(NAME) $$(NAME)' }],
        envFrom: [{ configMapRef: { name: 'conf' } }],
        command: ['sh', '-c', 'cat /conf/a.txt; echo; cat /hush/password; echo; cat /info/labels; echo; cat /one/renamed; echo; echo $GREETING $KEY; echo ip=$IP; echo shared > /tmp/shared/x; cat /data/x; ls -l /hush/password | head -c 10; echo; cat /etc/hosts'],
        volumeMounts: [
          { name: 'conf', mountPath: '/conf' }, { name: 'hush', mountPath: '/hush' }, { name: 'info', mountPath: '/info' },
          { name: 'scratch', mountPath: '/tmp/shared' }, { name: 'scratch', mountPath: '/data' }, { name: 'conf', mountPath: '/one/renamed', subPath: 'a.txt' },
        ],
      }],
      volumes: [
        { name: 'conf', configMap: { name: 'conf' } }, { name: 'hush', secret: { secretName: 'hush', defaultMode: 0o400 } },
        { name: 'info', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } }, { name: 'scratch', emptyDir: {} },
      ],
    }, { labels: { app: 'x', tier: 'y' } }))
    await until('volumes', (p) => p.status.phase === 'Succeeded')
    const { body } = await kubelet('/containerLogs/default/volumes/main')
    const p = client.stored(core.pods).get('default/volumes') as core.Pod
    expect(body.split('\n').slice(0, 8)).toEqual(['from a config map', 's3cret', 'app="x"', 'tier="y"', 'from a config map', 'hi volumes $(NAME) value', `ip=${p.status.podIP}`, 'shared'])
    expect(body).toContain(`${p.status.podIP}\tvolumes`)
    await remove('volumes')
  })

  it('restarts what fails, later and later, and keeps the last state and log', async () => {
    await client.create(core.pods, pod('crash', { containers: [{ name: 'main', image, command: ['sh', '-c', 'echo attempt; echo bye > /dev/termination-log; exit 3'] }] }))
    const p = await until('crash', (x) => x.status.containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff')
    expect(p.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      state: { waiting: { message: expect.stringContaining('back-off 10s restarting failed container=main pod=crash_default(') } },
      lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'bye\n' } },
    })
    expect((await kubelet('/containerLogs/default/crash/main?previous=true')).body).toBe('attempt\n')
    await remove('crash')
  })

  it('runs init containers in their order, sidecars beside the rest, and ends them after it', async () => {
    await client.create(core.pods, pod('order', {
      restartPolicy: 'Never',
      initContainers: [
        { name: 'one', image, command: ['sh', '-c', 'echo 1 >> /w/log'], volumeMounts: [{ name: 'w', mountPath: '/w' }] },
        { name: 'side', image, restartPolicy: 'Always', command: ['sh', '-c', 'echo side >> /w/log; sleep 3600'], volumeMounts: [{ name: 'w', mountPath: '/w' }] },
        { name: 'two', image, command: ['sh', '-c', 'while ! grep -q side /w/log; do sleep 0.05; done; echo 2 >> /w/log'], volumeMounts: [{ name: 'w', mountPath: '/w' }] },
      ],
      containers: [{ name: 'main', image, command: ['cat', '/w/log'], volumeMounts: [{ name: 'w', mountPath: '/w' }] }],
      volumes: [{ name: 'w', emptyDir: { medium: 'Memory' } }],
    }))
    await until('order', (p) => p.status.phase === 'Succeeded')
    expect((await kubelet('/containerLogs/default/order/main')).body).toBe('1\nside\n2\n')
    await remove('order')
  })

  it('kills what its liveness probe finds dead, and marks ready what its readiness probe finds alive', async () => {
    await client.create(core.pods, pod('probed', {
      containers: [{
        name: 'main', image, command: ['sh', '-c', 'mkdir -p /www; echo ok > /www/index.html; touch /tmp/alive; httpd -p 8080 -h /www; sleep 2; busybox rm /tmp/alive; sleep 3600'],
        readinessProbe: { httpGet: { port: 8080, path: '/' }, periodSeconds: 1 },
        livenessProbe: { exec: { command: ['cat', '/tmp/alive'] }, periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 },
      }],
    }))
    await until('probed', isReady)
    await until('probed', (p) => (p.status.containerStatuses?.[0]?.restartCount ?? 0) > 0)
    expect(eventsOf('probed').join('\n')).toContain('Killing: Container main failed liveness probe, will be restarted')
    await remove('probed')
  })

  it('keeps pods running over a restart of the agent, and sees them as before', async () => {
    const before = (await until('simple', isReady)).status
    await agent.stop()
    agent = await start()
    await agent.ready
    await new Promise((resolve) => setTimeout(resolve, 500))
    const after = (await until('simple', isReady)).status
    expect(after.containerStatuses?.[0]).toEqual(before.containerStatuses?.[0])
    expect(after.podIP).toBe(before.podIP)
  })

  it('never follows a symlink out of a volume', async () => {
    await client.create(core.pods, pod('escape', {
      initContainers: [{ name: 'plant', image, command: ['sh', '-c', 'busybox ln -s / /v/evil; mkdir /v/good; echo fine > /v/good/file'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      containers: [{ name: 'main', image, command: ['sh', '-c', 'cat /good/file; sleep 3600'], volumeMounts: [{ name: 'v', mountPath: '/good', subPath: 'good' }] }, { name: 'bad', image, volumeMounts: [{ name: 'v', mountPath: '/x', subPath: 'evil/etc' }] }],
      volumes: [{ name: 'v', emptyDir: {} }],
    }))
    const p = await until('escape', (x) => x.status.containerStatuses?.find((s) => s.name === 'bad')?.state.waiting?.reason === 'CreateContainerConfigError')
    // Where the link leads is nothing that its maker should learn.
    expect(p.status.containerStatuses?.find((s) => s.name === 'bad')?.state.waiting?.message).toBe('failed to prepare subPath for volumeMount "v" of container "bad"')
    expect((await kubelet('/containerLogs/default/escape/main')).body).toBe('fine\n')
    await remove('escape')
    expect(execFileSync('sh', ['-c', `grep -c '${directory}.*volume-subpaths' /proc/self/mountinfo || true`]).toString().trim()).toBe('0')
  })

  it('holds a container to its memory, and tells why it died', async () => {
    await client.create(core.pods, pod('greedy', {
      restartPolicy: 'Never',
      containers: [{ name: 'main', image, command: ['sh', '-c', 'echo before; head -c 200000000 /dev/zero | busybox tail'], resources: { limits: { memory: '20Mi' } }, terminationMessagePolicy: 'FallbackToLogsOnError' }],
    }))
    const p = await until('greedy', (x) => x.status.phase === 'Failed')
    expect(p.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled', message: expect.stringContaining('before') })
    await remove('greedy')
  })

  it('goes on when containerd is killed', async () => {
    const before = await until('simple', isReady)
    process.kill(containerd.pid, 'SIGKILL')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await client.create(core.pods, pod('after', {}))
    await until('after', isReady)
    expect((await until('simple', isReady)).status.containerStatuses?.[0]).toEqual(before.status.containerStatuses?.[0])
    await remove('after')
  })

  it('says why an image is not there', async () => {
    await client.create(core.pods, pod('noimage', { containers: [{ name: 'main', image: 'nothing.invalid/none:1', imagePullPolicy: 'Never' }] }))
    const p = await until('noimage', (x) => x.status.containerStatuses?.[0]?.state.waiting?.reason === 'ErrImageNeverPull')
    expect(p.status.containerStatuses?.[0]?.state.waiting?.message).toBe('Container image "nothing.invalid/none:1" is not present with pull policy of Never')
    expect((await kubelet('/containerLogs/default/noimage/main')).body).toBe('container "main" in pod "noimage" is waiting to start: ErrImageNeverPull')
    await remove('noimage')
  })

  it('removes a deleted pod with everything it had', async () => {
    const { uid } = (await until('simple', isReady)).metadata
    const began = performance.now()
    await remove('simple')
    console.log(`delete to gone: ${Math.round(performance.now() - began)} ms`)
    expect((await runtime.listSandboxes({ podUid: uid ?? '' })).length).toBe(0)
    expect(existsSync(join(directory, 'kubelet/pods', uid ?? ''))).toBe(false)
    expect(existsSync(join(directory, 'logs', `default_simple_${uid}`))).toBe(false)
    expect(execFileSync('sh', ['-c', `find /sys/fs/cgroup -name 'pod${uid}' | wc -l`]).toString().trim()).toBe('0')
  })

  it('starts many pods at once', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `many-${i}`)
    const began = performance.now()
    await Promise.all(names.map((n) => client.create(core.pods, pod(n, {}))))
    await Promise.all(names.map((n) => until(n, isReady)))
    console.log(`ten pods Ready: ${Math.round(performance.now() - began)} ms`)
    await Promise.all(names.map((n) => remove(n)))
    console.log(`ten pods Ready and gone: ${Math.round(performance.now() - began)} ms`)
  })
})
