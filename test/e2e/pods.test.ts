/** What a pod is given on a real node: its environment, its volumes, its rights and its share of the machine. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'
import { idle, image, pod, podTools, shell } from '../support/pods.ts'

let cluster: TestCluster
const tools = podTools(() => cluster)
const { apply, exec, get, ready } = tools
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const directory = mkdtempSync(join(tmpdir(), 'skiff-pods-'))

const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { one: '1', two: 'second', 'not.a-name': 'x' } }
const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'password' }, stringData: { password: 's3cret' } }
const from = (name: string, valueFrom: object) => ({ name, valueFrom })

beforeAll(async () => {
  cluster = await startCluster('pods', '172.31.94.2')
  await buildExample(cluster, image, 'examples/hello')
  await apply(configMap, secret)
})
afterAll(async () => {
  await cluster?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe('the environment', () => {
  it('has values, fields, resources and keys, expanded where $(NAME) says so', async () => {
    await apply(pod('env', {
      name: 'c', image, command: ['sh', '-c'], args: [`echo "$(GREETING)" '$$(GREETING)' '$(UNKNOWN)'; env; ${idle}`],
      resources: { requests: { cpu: '50m', memory: '16Mi' }, limits: { cpu: '250m', memory: '32Mi' } },
      envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'CM_' }, { secretRef: { name: 'absent', optional: true } }, { secretRef: { name: 'password' } }],
      env: [
        { name: 'WHO', value: 'world' }, { name: 'GREETING', value: 'hello $(WHO)' },
        from('POD', { fieldRef: { fieldPath: 'metadata.name' } }), from('POD_IP', { fieldRef: { fieldPath: 'status.podIP' } }),
        from('HOST_IP', { fieldRef: { fieldPath: 'status.hostIP' } }), from('NODE', { fieldRef: { fieldPath: 'spec.nodeName' } }),
        from('ACCOUNT', { fieldRef: { fieldPath: 'spec.serviceAccountName' } }), from('NOTE', { fieldRef: { fieldPath: "metadata.annotations['note']" } }),
        from('CPU', { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } }), from('MEMORY', { resourceFieldRef: { resource: 'requests.memory' } }),
        from('KEY', { configMapKeyRef: { name: 'settings', key: 'two' } }), from('PASSWORD', { secretKeyRef: { name: 'password', key: 'password' } }),
        from('ABSENT', { configMapKeyRef: { name: 'settings', key: 'three', optional: true } }),
      ],
    }, {}, { annotations: { note: 'read me' } }))
    await ready('env')
    const seen = await get('env')
    const [first, ...rest] = await eventually('the log', async () => {
      const lines = (await kubectl('logs', 'env')).trim().split('\n')
      return lines.length > 10 ? lines : undefined
    })
    expect(first).toBe('hello world $(GREETING) $(UNKNOWN)')
    const env = Object.fromEntries(rest.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
    expect(env).toMatchObject({
      WHO: 'world', GREETING: 'hello world', POD: 'env', POD_IP: seen.status.podIP, HOST_IP: cluster.host.address, NODE: seen.spec.nodeName, ACCOUNT: 'default',
      NOTE: 'read me', CPU: '250', MEMORY: '16777216', KEY: 'second', PASSWORD: 's3cret', password: 's3cret', CM_one: '1', CM_two: 'second', HOSTNAME: 'env',
    })
    expect(env).not.toHaveProperty('ABSENT')
    expect(env['KUBERNETES_SERVICE_HOST']).toMatch(/^10\./)
  })

  it('keeps the container waiting for a ConfigMap that is not there, until it is', async () => {
    await apply(pod('wants', shell(idle, { env: [from('KEY', { configMapKeyRef: { name: 'later', key: 'two' } })] })))
    await tools.shows('wants', 'CreateContainerConfigError')
    expect((await tools.container('wants')).state.waiting?.message).toBe('configmap "later" not found')
    expect((await tools.events('wants')).some((e) => e.type === 'Warning' && e.reason === 'Failed' && e.message === 'Error: configmap "later" not found')).toBe(true)
    await kubectl('create', 'configmap', 'later', '--from-literal=two=now')
    await ready('wants')
    const condition = (await get('wants')).status.conditions?.find((c) => c.type === 'Ready')
    expect([condition?.status, condition?.reason, condition?.message]).toEqual(['True', undefined, undefined])
    expect((await exec('wants', 'echo $KEY')).trim()).toBe('now')
    expect((await tools.container('wants')).restartCount).toBe(0)
  })
})

describe('volumes', () => {
  const volumes = [
    { name: 'shared', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
    { name: 'settings', configMap: { name: 'settings' } },
    { name: 'items', configMap: { name: 'settings', defaultMode: 0o400, items: [{ key: 'two', path: 'deep/second', mode: 0o444 }, { key: 'one', path: 'first' }] } },
    { name: 'password', secret: { secretName: 'password', defaultMode: 0o400 } },
    { name: 'host', hostPath: { path: join(directory, 'made'), type: 'DirectoryOrCreate' } },
    { name: 'about', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }, { path: 'cpu', resourceFieldRef: { containerName: 'writer', resource: 'limits.cpu', divisor: '1m' } }] } },
    {
      name: 'all', projected: { sources: [
        { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } }, { configMap: { name: 'settings', items: [{ key: 'one', path: 'one' }] } },
        { secret: { name: 'password' } }, { downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
      ] },
    },
  ]

  beforeAll(async () => {
    const mount = (name: string, mountPath: string, more: object = {}) => ({ name, mountPath, ...more })
    const writer = {
      name: 'writer', image, command: ['sh', '-c', `echo from-writer > /shared/note; ${idle}`], resources: { limits: { cpu: '100m', memory: '64Mi' } },
      env: [from('NAME', { fieldRef: { fieldPath: 'metadata.name' } })],
      volumeMounts: [
        mount('shared', '/shared'), mount('memory', '/memory'), mount('settings', '/settings'), mount('items', '/items'), mount('password', '/password', { readOnly: true }),
        mount('about', '/about'), mount('all', '/all'), mount('host', '/host'), mount('settings', '/etc/one.conf', { subPath: 'one' }), mount('shared', '/own', { subPathExpr: '$(NAME)/deep' }),
        mount('memory', '/part', { subPath: 'part' }),
      ],
    }
    const reader = { name: 'reader', image, command: ['sh', '-c', idle], securityContext: { runAsUser: 1000 }, volumeMounts: [mount('shared', '/shared', { readOnly: true }), mount('shared', '/own', { subPath: 'volumes/deep' }), mount('settings', '/one.conf', { subPath: 'one' })] }
    await apply(pod('volumes', {}, { volumes, containers: [writer, reader] }, { labels: { a: 'b', c: 'd' } }))
    await ready('volumes')
  })
  const run = (script: string, container = 'writer') => exec('volumes', script, '-c', container)

  it('hold the keys of config maps and secrets, with the modes that were asked for', async () => {
    expect(await run('cat /settings/one /settings/two /settings/not.a-name')).toBe('1secondx')
    expect(await run('ls /items; cat /items/deep/second /items/first; stat -Lc "%a" /items/deep/second /items/first /password/password')).toBe('deep\nfirst\nsecond1444\n400\n400\n')
    expect(await run('cat /password/password; grep -c "^tmpfs /password tmpfs ro" /proc/mounts')).toBe('s3cret1\n')
    expect(await run('cat /etc/one.conf')).toBe('1')
    expect((await cluster.tryKubectl(['exec', 'volumes', '-c', 'writer', '--', 'touch', '/settings/mine'])).stderr).toContain('Read-only file system')
  })

  it('tell the pod about itself', async () => {
    expect(await run('cat /about/labels; echo; cat /about/cpu; echo; cat /all/name /all/one /all/password')).toBe('a="b"\nc="d"\n100\nvolumes1s3cret')
  })

  it('are shared by the containers of a pod, one may only read', async () => {
    expect(await run('cat /shared/note', 'reader')).toBe('from-writer\n')
    expect((await cluster.tryKubectl(['exec', 'volumes', '-c', 'reader', '--', 'touch', '/shared/mine'])).stderr).toContain('Read-only file system')
    await run('echo deep > /own/file; test -f /shared/volumes/deep/file')
  })

  it('have directories of subPath that are as open as the volume itself', async () => {
    await run('echo mine > /own/mine; id -u', 'reader')
    expect(await run('cat /shared/volumes/deep/mine')).toBe('mine\n')
  })

  it('can be memory of a limited size, or a directory of the host', async () => {
    expect(await run('df -k /memory | tail -1 | awk \'{print $2}\'')).toBe('8192\n')
    expect(await run('stat -c %a /memory /part /shared /own')).toBe('1777\n1777\n777\n777\n')
    await run('echo to-the-host > /host/file')
    expect(readFileSync(join(directory, 'made/file'), 'utf8')).toBe('to-the-host\n')
    writeFileSync(join(directory, 'made/back'), 'to-the-pod')
    expect(await run('cat /host/back')).toBe('to-the-pod')
  })

  it('follow changes of the config map, of labels too, but not where a subPath took a file out', async () => {
    await kubectl('patch', 'configmap', 'settings', '-p', '{"data":{"one":"changed","four":"new"}}')
    await kubectl('label', 'pod', 'volumes', 'e=f')
    await eventually('the new text', async () => ((await run('cat /settings/one')) === 'changed' ? true : undefined))
    expect(await run('cat /settings/four /all/one /etc/one.conf')).toBe('newchanged1')
    await eventually('the new label', async () => ((await run('cat /about/labels')).includes('e="f"') ? true : undefined))
    expect((await tools.container('volumes')).restartCount).toBe(0)
  })

  it('are shown anew to a container that starts again, where a subPath took a file out too', async () => {
    expect(await run('cat /one.conf', 'reader')).toBe('1')
    await run('kill -TERM 1', 'reader').catch(() => '')
    expect(await eventually('the file of today', async () => ((await run('cat /one.conf', 'reader').catch(() => '')) === 'changed' ? true : undefined))).toBe(true)
    expect(await run('cat /own/mine', 'reader')).toBe('mine\n')
  })

  it('bring tokens that the API server knows as the pod', async () => {
    const token = await run('cat /var/run/secrets/kubernetes.io/serviceaccount/token')
    const server = await kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')
    const whoami = (bearer: string) => cluster.host.run('kubectl', ['--kubeconfig=/dev/null', `--server=${server}`, '--insecure-skip-tls-verify', `--token=${bearer}`, 'auth', 'whoami', '-o', 'json'])
    const asked = await whoami(token)
    expect(asked.stderr).toBe('')
    const { userInfo } = (JSON.parse(asked.stdout) as { status: { userInfo: { username: string; extra: Record<string, string[]> } } }).status
    expect(userInfo.username).toBe('system:serviceaccount:default:default')
    expect(userInfo.extra['authentication.kubernetes.io/pod-name']).toEqual(['volumes'])
    expect(await run('cat /var/run/secrets/kubernetes.io/serviceaccount/namespace')).toBe('default')
    expect(await run('cat /var/run/secrets/kubernetes.io/serviceaccount/ca.crt')).toContain('BEGIN CERTIFICATE')
    // A token for another audience opens nothing here.
    expect((await whoami(await run('cat /all/token'))).stderr).toMatch(/Unauthorized|must be logged in/)
  })

  it('keep the pod waiting for what is not there, and are gone with it', async () => {
    await apply(pod('unmounted', shell(idle, { volumeMounts: [{ name: 'v', mountPath: '/v' }] }), { volumes: [{ name: 'v', secret: { secretName: 'coming' } }] }))
    await eventually('FailedMount', async () => ((await tools.events('unmounted')).some((e) => e.reason === 'FailedMount' && e.message.includes('secret "coming" not found')) ? true : undefined))
    expect((await tools.row('unmounted'))[2]).toBe('ContainerCreating')
    await kubectl('create', 'secret', 'generic', 'coming', '--from-literal=a=b')
    await ready('unmounted')
    const { uid } = (await get('unmounted')).metadata
    const home = join(cluster.dataDir, 'kubelet/pods', uid)
    expect(existsSync(home)).toBe(true)
    await kubectl('delete', 'pod', 'unmounted')
    await eventually('its directory is gone', () => (existsSync(home) ? undefined : true))
  })
})

describe('rights', () => {
  it('are those of the security context', async () => {
    const securityContext = { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
    await apply(pod('plain-user', shell(idle, { securityContext }), { securityContext: { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [4000], fsGroup: 2000 } }))
    await ready('plain-user')
    expect((await exec('plain-user', 'id')).trim()).toBe('uid=1000 gid=3000 groups=2000,3000,4000')
    expect(await exec('plain-user', 'grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status')).toMatch(/^CapEff:\s+0+\nCapBnd:\s+0+\nNoNewPrivs:\s+1\n$/)
    expect((await cluster.tryKubectl(['exec', 'plain-user', '--', 'touch', '/file'])).stderr).toContain('Read-only file system')
  })

  it('leave out the system calls that nobody needs, unless the pod wants them', async () => {
    await apply(pod('filtered', shell(idle)), pod('unfiltered', shell(idle), { securityContext: { seccompProfile: { type: 'Unconfined' } } }))
    await ready('filtered', 'unfiltered')
    expect(await exec('filtered', 'grep Seccomp: /proc/self/status')).toMatch(/^Seccomp:\s+2\n$/)
    expect(await exec('unfiltered', 'grep Seccomp: /proc/self/status')).toMatch(/^Seccomp:\s+0\n$/)
  })

  it('are refused to root where the pod must not run as root', async () => {
    await apply(pod('not-root', shell(idle, { securityContext: { runAsNonRoot: true } })))
    await tools.shows('not-root', 'CreateContainerConfigError')
    expect((await tools.container('not-root')).state.waiting?.message).toMatch(/^container has runAsNonRoot and image will run as root \(pod: "not-root_default\(.*\)", container: c\)$/)
  })
})

describe('the machine', () => {
  it('is shared by requests and limits', async () => {
    await apply(pod('limited', shell(idle, { resources: { requests: { cpu: '100m', memory: '20Mi' }, limits: { cpu: '200m', memory: '40Mi' } } })))
    await ready('limited')
    const memory = await exec('limited', 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes')
    expect(Number(memory)).toBe(40 * 1024 * 1024)
    const cpu = await exec('limited', 'cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us')
    expect(cpu.trim().split(/\s+/)).toEqual(['20000', '100000'])
    expect((await get('limited')).status.qosClass).toBe('Burstable')
  })

  it('can be shared anew while the pod runs', async () => {
    const resize = (cpu: string, memory: string) => kubectl('patch', 'pod', 'limited', '--subresource=resize', '-p', JSON.stringify({ spec: { containers: [{ name: 'c', resources: { limits: { cpu, memory } } }] } }))
    const now = async () => (await exec('limited', 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes; cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us')).trim().split(/\s+/).slice(0, 2)
    for (const [cpu, memory, quota] of [['300m', '60Mi', '30000'], ['150m', '30Mi', '15000']] as const) {
      await resize(cpu, memory)
      await eventually(`the limits are ${cpu} and ${memory}`, async () => {
        const status = (await tools.container('limited')) as unknown as { resources: { limits: object } }
        return (await now()).join(' ') === `${Number.parseInt(memory, 10) * 1024 * 1024} ${quota}` && JSON.stringify(status.resources.limits) === JSON.stringify({ cpu, memory }) ? true : undefined
      })
    }
    expect((await tools.container('limited')).restartCount).toBe(0)
  })

  it("lends its network and its ports to pods that ask for them", async () => {
    await apply(
      pod('host-network', shell('exec httpd -f -p 9911 -h /www'), { hostNetwork: true }),
      pod('host-port', { name: 'c', image, ports: [{ containerPort: 8080, hostPort: 9912 }] }),
    )
    await ready('host-network', 'host-port')
    expect((await get('host-network')).status.podIP).toBe(cluster.host.address)
    const curl = (address: string) => cluster.host.run('curl', ['-sS', '--max-time', '5', '--retry', '5', '--retry-connrefused', `http://${address}/`])
    expect((await curl('127.0.0.1:9911')).stdout).toBe('Hello from Skiff!\n')
    expect((await curl(`${cluster.host.address}:9912`)).stdout).toBe('Hello from Skiff!\n')
    expect((await curl('127.0.0.1:9912')).stdout).toBe('Hello from Skiff!\n')
  })

  it('has no second place for a host port that is taken', async () => {
    await apply(pod('host-port-2', { name: 'c', image, ports: [{ containerPort: 8080, hostPort: 9912 }] }))
    await eventually('FailedScheduling', async () => ((await tools.events('host-port-2')).some((e) => e.reason === 'FailedScheduling' && e.message.includes("didn't have free ports")) ? true : undefined))
    expect((await tools.row('host-port-2'))[2]).toBe('Pending')
  })
})
