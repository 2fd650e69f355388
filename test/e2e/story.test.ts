/** What a new user does, line by line, with the real kubectl and real containers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'

const manifest = `${root}/examples/hello/k8s/hello.yaml`
let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster('story')
  await buildExample(cluster, 'hello:1.0', 'examples/hello')
  await buildExample(cluster, 'hello:2.0', 'examples/hello')
})
afterAll(() => cluster?.destroy())

const kubectl = (...args: string[]) => cluster.kubectl(...args)
const curl = (path: string, ...options: string[]) => cluster.host.run('curl', ['-sS', '--max-time', '5', ...options, `http://${cluster.host.address}:30088${path}`])
const pods = async () => (await kubectl('get', 'pods', '-l', 'app=hello', '-o', 'name')).trim().split('\n').filter(Boolean)
const readyPods = async () => (await kubectl('get', 'deploy', 'hello', '-o', 'jsonpath={.status.readyReplicas}')).trim()

describe('the first cluster', () => {
  it('has a Ready node when up returns', async () => {
    const nodes = await kubectl('get', 'nodes', '--no-headers')
    expect(nodes.trim().split(/\s+/).slice(1, 2)).toEqual(['Ready'])
  })

  it('has the namespaces and the service every cluster has', async () => {
    expect((await kubectl('get', 'namespaces', '-o', 'name')).trim().split('\n').sort()).toEqual(
      ['namespace/default', 'namespace/kube-node-lease', 'namespace/kube-public', 'namespace/kube-system'])
    expect(await kubectl('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.ports[0].port}')).toBe('443')
  })

  it('says that it is up when asked to come up again', async () => {
    const again = await cluster.up()
    expect(again.code).toBe(0)
    expect(again.stdout).toContain('is already up')
  })

  it('does not become another by coming up again with other options', async () => {
    const again = (...options: string[]) => cluster.skiff('up', '--yes', '--no-merge', ...options)
    const { code, stdout, stderr } = await again('--node-ip', '192.0.2.99', '--kube-apiserver-arg', 'max-requests-inflight=7')
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/^skiff: cluster "\S+" is up \(pid \d+\) with another --node-ip and --kube-apiserver-arg; run "skiff down" first\n$/)
    expect((await again('--port', '1')).stderr).toMatch(/^skiff: cluster "\S+" has port \d+, not 1; /)
  })
})

describe('a deployment behind a service', () => {
  it('is applied, and its pods become Ready', async () => {
    const applied = await kubectl('apply', '-f', manifest)
    expect(applied).toContain('service/hello created')
    expect(applied).toContain('deployment.apps/hello created')
    await kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
    await kubectl('wait', '--for=condition=Ready', 'pod', '-l', 'app=hello', '--timeout=30s')
    expect(await pods()).toHaveLength(3)
  })

  it('is unchanged when applied again', async () => {
    expect(await kubectl('apply', '-f', manifest)).toContain('deployment.apps/hello unchanged')
  })

  it('shows the four tables of kubectl get all', async () => {
    const tables = (await kubectl('get', 'all')).split('\n\n').map((table) => table.trim().split('\n'))
    expect(tables.map((table) => table[0]?.trim().split(/\s{2,}/))).toEqual([
      ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE'],
      ['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'],
      ['NAME', 'READY', 'UP-TO-DATE', 'AVAILABLE', 'AGE'],
      ['NAME', 'DESIRED', 'CURRENT', 'READY', 'AGE'],
    ])
    expect(tables[0]).toHaveLength(4)
    expect(tables[0]?.[1]).toMatch(/^pod\/hello-[a-z0-9]+-[a-z0-9]{5}\s+1\/1\s+Running\s+0\s+\d+s$/)
    expect(tables[1]?.find((row) => row.includes('service/hello'))).toMatch(/NodePort\s+10\.\d+\.\d+\.\d+\s+<none>\s+80:30088\/TCP\s+\d+s/)
    expect(tables[2]?.[1]).toMatch(/^deployment.apps\/hello\s+3\/3\s+3\s+3\s+\d+s$/)
    expect(tables[3]?.[1]).toMatch(/^replicaset.apps\/hello-[a-z0-9]+\s+3\s+3\s+3\s+\d+s$/)
  })

  it('answers on the node port, spread over the three pods', async () => {
    expect((await curl('/')).stdout).toBe('Hello from Skiff!\n')
    const answered = new Set<string>()
    await eventually('an answer of every pod', async () => {
      answered.add((await curl('/pod')).stdout.trim())
      return answered.size === 3 ? true : undefined
    })
    expect([...answered].sort()).toEqual((await pods()).map((name) => name.replace('pod/', '')).sort())
  })

  it('answers on loopback too', async () => {
    const reply = await cluster.host.run('curl', ['-sS', '--max-time', '5', 'http://127.0.0.1:30088/'])
    expect(reply.stdout).toBe('Hello from Skiff!\n')
  })

  it('is found by name from inside a pod, by cluster IP and by DNS', async () => {
    const [pod] = await pods()
    const byName = await kubectl('exec', pod as string, '--', 'wget', '-qO-', 'http://hello.default.svc.cluster.local/')
    expect(byName).toBe('Hello from Skiff!\n')
    const short = await kubectl('exec', pod as string, '--', 'wget', '-qO-', 'http://hello/')
    expect(short).toBe('Hello from Skiff!\n')
    const address = await kubectl('get', 'service', 'hello', '-o', 'jsonpath={.spec.clusterIP}')
    expect(await kubectl('exec', pod as string, '--', 'wget', '-qO-', `http://${address}/`)).toBe('Hello from Skiff!\n')
  })

  it('gives its logs', async () => {
    const logs = await kubectl('logs', '-l', 'app=hello', '--prefix', '--tail=-1')
    expect(logs.match(/serving on :8080/g)).toHaveLength(3)
  })

  it('runs a command in a pod, with the environment of a container', async () => {
    const env = await kubectl('exec', 'deploy/hello', '--', 'env')
    expect(env).toMatch(/^KUBERNETES_SERVICE_HOST=10\./m)
    expect(env).toMatch(/^HELLO_SERVICE_PORT=80$/m)
    const failed = await cluster.tryKubectl(['exec', 'deploy/hello', '--', 'sh', '-c', 'echo no >&2; exit 7'])
    expect(failed.code).toBe(7)
    expect(failed.stderr).toContain('no')
    const piped = await cluster.tryKubectl(['exec', '-i', 'deploy/hello', '--', 'cat'], 'through\n')
    expect(piped.stdout).toBe('through\n')
  })

  it('is described, with its events', async () => {
    const [pod] = await pods()
    const text = await kubectl('describe', pod as string)
    expect(text).toMatch(/^Status:\s+Running$/m)
    expect(text).toMatch(/Controlled By:\s+ReplicaSet\/hello-/)
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(text).toMatch(new RegExp(`Normal\\s+${reason}\\s`))
    const events = await kubectl('get', 'events')
    expect(events).toMatch(/ScalingReplicaSet\s+deployment\/hello\s+Scaled up replica set hello-\w+ (from 0 )?to 3/)
  })
})

describe('change', () => {
  it('replaces deleted pods at once, and the service never stops answering', async () => {
    const before = await pods()
    const asking = { stop: false, failures: [] as string[], answers: 0 }
    const asker = (async () => {
      while (!asking.stop) {
        const reply = await curl('/')
        if (reply.code === 0 && reply.stdout === 'Hello from Skiff!\n') asking.answers++
        else asking.failures.push(reply.stderr || reply.stdout)
      }
    })()
    // All at once: what is ending goes on serving until its replacement is ready.
    await kubectl('delete', 'pod', '-l', 'app=hello', '--wait=false')
    await eventually('three new pods', async () => {
      const now = await pods()
      return now.length === 3 && !now.some((pod) => before.includes(pod)) && (await readyPods()) === '3' ? true : undefined
    }, 60_000)
    asking.stop = true
    await asker
    expect(asking.failures).toEqual([])
    expect(asking.answers).toBeGreaterThan(10)
  })

  it('scales up and down', async () => {
    await kubectl('scale', 'deployment/hello', '--replicas=5')
    await eventually('five ready', async () => ((await readyPods()) === '5' ? true : undefined))
    await kubectl('scale', 'deployment/hello', '--replicas=3')
    await eventually('three pods', async () => ((await pods()).length === 3 ? true : undefined))
  })

  it('rolls out a new image, tells the history and goes back', async () => {
    await kubectl('set', 'image', 'deployment/hello', 'hello=hello:2.0')
    expect(await kubectl('rollout', 'status', 'deployment/hello', '--timeout=90s')).toContain('successfully rolled out')
    expect(await kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={.items[*].spec.containers[0].image}')).toContain('hello:2.0')
    const history = await kubectl('rollout', 'history', 'deployment/hello')
    expect(history).toMatch(/^1\s+<none>$/m)
    expect(history).toMatch(/^2\s+<none>$/m)
    await kubectl('rollout', 'undo', 'deployment/hello')
    await kubectl('rollout', 'status', 'deployment/hello', '--timeout=90s')
    expect(await kubectl('get', 'deployment', 'hello', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('hello:1.0')
    expect(await kubectl('rollout', 'history', 'deployment/hello')).toMatch(/^3\s+<none>$/m)
  })

  it('restarts a container that ends, and says so', async () => {
    await eventually('the last rollout has settled', async () => ((await pods()).length === 3 ? true : undefined))
    const [pod] = await pods()
    await cluster.tryKubectl(['exec', pod as string, '--', 'kill', '1'])
    await eventually('a restart', async () => ((await kubectl('get', pod as string, '-o', 'jsonpath={.status.containerStatuses[0].restartCount}')) === '1' ? true : undefined))
    await kubectl('wait', '--for=condition=Ready', pod as string, '--timeout=30s')
  })
})

describe('the end', () => {
  it('brings pods and replica sets back while the deployment is there', async () => {
    const before = await pods()
    const deleted = await kubectl('delete', 'all', '-l', 'app=hello', '--wait=false')
    expect(deleted).toMatch(/replicaset\.apps "hello-\w+" deleted/)
    await eventually('other pods', async () => {
      const now = await pods()
      return now.length === 3 && !now.some((pod) => before.includes(pod)) ? true : undefined
    }, 60_000)
    await kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
    await eventually('three ready', async () => ((await readyPods()) === '3' ? true : undefined))
  })

  it('deletes all of it with the deployment and the service', async () => {
    await kubectl('delete', 'deployment/hello', 'service/hello')
    await eventually('nothing left', async () => {
      const left = await kubectl('get', 'pods,replicasets,endpoints,endpointslices,deployments', '-o', 'name')
      return !left.includes('hello') ? true : undefined
    }, 60_000)
    expect((await curl('/', '--connect-timeout', '2')).code).not.toBe(0)
  })

  it('says what is running', async () => {
    const status = await cluster.skiff('status')
    expect(status.code).toBe(0)
    expect(status.stdout).toMatch(/Ready/)
  })
})
