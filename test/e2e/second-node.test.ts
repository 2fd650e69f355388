/** A node on another host: it joins with a kubeconfig, carries pods and services, and its agent may die and come back. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { createNeighbour, eventually, run } from '../support/host.ts'
import type { TestHost } from '../support/host.ts'

const program = join(root, 'skiff')
let cluster: TestCluster
let second: TestHost
let directory: string
let agent: ChildProcess | undefined
let output = ''

const where = () => ['--name', second.namespace, '--data-dir', join(directory, 'data')]
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const nodeIsReady = async () => (await kubectl('get', 'node', 'node-2', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True'

function startAgent(kubeconfig: string, ...more: string[]): void {
  const words = [`--net=/run/netns/${second.namespace}`, program, 'agent', ...where(), '--kubeconfig', join(directory, kubeconfig), '--node-ip', second.address, ...more]
  agent = spawn('nsenter', words, { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (text: Buffer) => void (output += text.toString()))
}

/** The pods of the deployment, with where they are. */
async function pods(): Promise<{ readonly name: string; readonly node: string; readonly ip: string; readonly container: string }[]> {
  const fields = '{.metadata.name} {.spec.nodeName} {.status.podIP} {.status.containerStatuses[0].containerID}'
  const text = await kubectl('get', 'pods', '-l', 'app=web', '-o', `jsonpath={range .items[*]}${fields}{"\\n"}{end}`)
  return text.trim().split('\n').map((line) => {
    const [name = '', node = '', ip = '', container = ''] = line.split(' ')
    return { name, node, ip, container }
  })
}

const manifest = [
  {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' },
    spec: {
      replicas: 4,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: {
          topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } } }],
          containers: [{ name: 'web', image: 'hello:1.0', readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 } }],
        },
      },
    },
  },
  { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080, nodePort: 30077 }] } },
]

beforeAll(async () => {
  cluster = await startCluster('first', '172.31.95.2')
  second = createNeighbour(cluster.host, 'second', '172.31.95.3')
  directory = mkdtempSync(join(tmpdir(), 'skiff-second-'))
  await buildExample(cluster, 'hello:1.0', 'examples/hello')
})

afterAll(async () => {
  agent?.kill()
  if (second) {
    await second.run(program, ['down', '--purge', ...where()])
    second.remove()
    rmSync(directory, { recursive: true, force: true })
  }
  // The test itself asked, as the node, for another node.
  await cluster?.destroy(/system:node:node-2.*"resource":"nodes"/)
})

describe('a second node', () => {
  it('joins with the kubeconfig that was made for it', async () => {
    const made = await cluster.skiff('kubeconfig', '--for-node', 'node-2', '--node-ip', second.address)
    expect(made.code).toBe(0)
    writeFileSync(join(directory, 'node.kubeconfig'), made.stdout, { mode: 0o600 })
    startAgent('node.kubeconfig')
    await eventually(`node-2 is Ready: ${output}`, async () => ((await nodeIsReady()) ? true : undefined))
    expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/node-2\s+Ready/)
    const addresses = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}')
    expect(addresses.split(' ').sort()).toEqual(['172.31.95.2', '172.31.95.3'])
    const cidrs = (await kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].spec.podCIDR}')).split(' ')
    expect(new Set(cidrs).size).toBe(2)
  })

  it('may do what a node needs, and no more', async () => {
    const can = async (...what: string[]) => {
      const asked = await second.run('kubectl', ['auth', 'can-i', ...what, '-q'], { env: { KUBECONFIG: join(directory, 'node.kubeconfig') } })
      return asked.code === 0
    }
    expect(await can('get', 'configmap/skiff-cluster', '-n', 'kube-system')).toBe(true)
    expect(await can('watch', 'services', '-A')).toBe(true)
    expect(await can('watch', 'endpointslices', '-A')).toBe(false)
    expect(await can('list', 'pods', '-A')).toBe(false)
    expect(await can('list', 'secrets', '-A')).toBe(false)
    expect(await can('get', 'configmap/kube-root-ca.crt', '-n', 'kube-public')).toBe(false)
    expect(await can('create', 'deployments')).toBe(false)
    const other = await kubectl('get', 'nodes', '-o', 'jsonpath={.items[?(@.metadata.name!="node-2")].metadata.name}')
    const touched = await second.run('kubectl', ['label', 'node', other, 'mine=yes'], { env: { KUBECONFIG: join(directory, 'node.kubeconfig') } })
    expect(touched.stderr).toMatch(/User "system:node:node-2" cannot get resource "nodes".*only its own Node object/)
  })

  it('could have come with a token that asks for a certificate and does nothing else', async () => {
    const made = await cluster.skiff('kubeconfig', '--bootstrap')
    expect(made.code).toBe(0)
    const file = join(directory, 'bootstrap.kubeconfig')
    writeFileSync(file, made.stdout, { mode: 0o600 })
    const as = (...args: string[]) => second.run('kubectl', args, { env: { KUBECONFIG: file } })
    expect((await as('auth', 'whoami')).stdout).toMatch(/system:bootstrap:[0-9a-f]{6}/)
    expect((await as('auth', 'can-i', 'create', 'certificatesigningrequests')).stdout).toContain('yes')
    expect((await as('get', 'nodes')).code).toBe(1)
  })

  it('has images of its own', async () => {
    const { code, stderr } = await run(program, ['image', 'build', ...where(), '-t', 'hello:1.0', join(root, 'examples/hello')])
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('takes its share of the pods', async () => {
    const applied = await cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest }))
    expect(applied.code).toBe(0)
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
    const on = Object.groupBy(await pods(), (pod) => pod.node)
    expect(Object.values(on).map((list) => list?.length)).toEqual([2, 2])
    expect(on['node-2']).toHaveLength(2)
  })

  it('reaches pods of the other node by address, service and name, and is reached so', async () => {
    const all = await pods()
    for (const from of all) {
      for (const to of all) expect((await kubectl('exec', from.name, '--', 'wget', '-qO-', `http://${to.ip}:8080/pod`)).trim()).toBe(to.name)
      const answers = await kubectl('exec', from.name, '--', 'sh', '-c', 'for i in $(seq 24); do wget -qO- http://web.default.svc.cluster.local/pod; done')
      expect(new Set(answers.trim().split('\n')).size).toBeGreaterThanOrEqual(3)
    }
  })

  it('answers on node ports of both nodes, from both', async () => {
    for (const host of [cluster.host, second]) {
      for (const address of ['172.31.95.2', '172.31.95.3']) {
        expect((await host.run('curl', ['-sS', '--max-time', '5', `http://${address}:30077/`])).stdout).toBe('Hello from Skiff!\n')
      }
    }
  })

  it('gives logs, runs commands and forwards ports of its pods', async () => {
    const there = (await pods()).find((pod) => pod.node === 'node-2')
    expect(await kubectl('logs', there?.name as string)).toContain('serving on :8080')
    expect((await cluster.tryKubectl(['exec', '-i', there?.name as string, '--', 'cat'], 'over there\n')).stdout).toBe('over there\n')
    const forward = spawn('nsenter', [`--net=/run/netns/${cluster.host.namespace}`, 'kubectl', '--kubeconfig', cluster.kubeconfig, 'port-forward', `pod/${there?.name}`, '9951:8080'], { stdio: 'ignore' })
    const reply = await eventually('an answer through the forwarded port', async () => {
      const answer = await cluster.host.run('curl', ['-sS', '--max-time', '2', 'http://127.0.0.1:9951/pod'])
      return answer.code === 0 ? answer.stdout.trim() : undefined
    }).finally(() => forward.kill())
    expect(reply).toBe(there?.name)
  })

  it('answers monitoring that shows a token, and nobody else', async () => {
    await kubectl('create', 'serviceaccount', 'prometheus')
    await kubectl('create', 'clusterrole', 'scrape', '--verb=get', '--resource=nodes/metrics,nodes/stats')
    await kubectl('create', 'clusterrolebinding', 'scrape', '--clusterrole=scrape', '--serviceaccount=default:prometheus')
    const port = await kubectl('get', 'node', 'node-2', '-o', 'jsonpath={.status.daemonEndpoints.kubeletEndpoint.Port}')
    const ask = (path: string, ...more: string[]) => cluster.host.run('curl', ['-sk', '--max-time', '5', '-w', '%{http_code}', ...more, `https://${second.address}:${port}${path}`])
    const token = ['-H', `Authorization: Bearer ${(await kubectl('create', 'token', 'prometheus')).trim()}`]
    expect((await ask('/metrics/resource', ...token)).stdout).toMatch(/node_cpu_usage_seconds_total[\s\S]*200$/)
    expect((await ask('/metrics/probes', ...token)).stdout).toMatch(/prober_probe_total[\s\S]*200$/)
    expect((await ask('/pods', ...token)).stdout).toMatch(/403$/)
    expect((await ask('/metrics/resource')).stdout).toMatch(/401$/)
    expect((await ask('/metrics/resource', '-H', 'Authorization: Bearer forged')).stdout).toMatch(/401$/)
  })

  it('is known to status on its own host, and up does not make a cluster of it', async () => {
    const status = await second.run(program, ['status', ...where()])
    expect(status.stdout).toMatch(/server\s+https:\/\/172\.31\.95\.2:/)
    expect(status.stdout).toMatch(/node-2 172\.31\.95\.3 Ready/)
    const up = await second.run(program, ['up', '--yes', '--no-merge', ...where()])
    expect(up.code).toBe(1)
    expect(up.stderr).toContain('is a node of a control plane elsewhere')
  })
})

describe('an agent that dies', () => {
  let before: string[]

  it('is missed after its grace period, and its pods go on', async () => {
    before = (await pods()).map((pod) => pod.container).sort()
    const pid = Number(readFileSync(`/run/skiff/${second.namespace}/skiff.pid`, 'utf8').split(' ')[0])
    process.kill(pid, 'SIGKILL')
    await eventually('node-2 is NotReady', async () => ((await kubectl('get', 'node', 'node-2', '--no-headers')).includes('NotReady') ? true : undefined), 90_000)
    expect(await kubectl('get', 'node', 'node-2', '-o', 'jsonpath={.spec.taints[*].key}')).toContain('node.kubernetes.io/unreachable')
    expect((await pods()).map((pod) => pod.container).sort()).toEqual(before)
    for (const pod of await pods()) {
      expect((await cluster.host.run('curl', ['-sS', '--max-time', '5', `http://${pod.ip}:8080/pod`])).stdout.trim()).toBe(pod.name)
    }
  })

  it('takes up its pods where it left them when it comes back, this time with a bootstrap token', async () => {
    startAgent('bootstrap.kubeconfig', '--node-name', 'node-2')
    await eventually('node-2 is Ready again', async () => ((await nodeIsReady()) ? true : undefined))
    await eventually('the taints are gone', async () => ((await kubectl('get', 'node', 'node-2', '-o', 'jsonpath={.spec.taints}')) === '' ? true : undefined))
    await eventually('all pods are Ready', async () => ((await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.status.readyReplicas}')) === '4' ? true : undefined))
    expect((await pods()).map((pod) => pod.container).sort()).toEqual(before)
    expect(await kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].restartCount}')).toBe('0 0 0 0')
  })

  it('goes on when the control plane was away', async () => {
    expect((await cluster.up()).stdout).toContain('is already up')
    process.kill(Number(readFileSync(`/run/skiff/${cluster.name}/skiff.pid`, 'utf8').split(' ')[0]), 'SIGKILL')
    await eventually('the cluster boots again', async () => ((await cluster.up()).code === 0 ? true : undefined))
    await kubectl('scale', 'deployment/web', '--replicas=6')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s')
    expect((await pods()).filter((pod) => pod.node === 'node-2')).toHaveLength(3)
  })
})

describe('skiff down on the second host', () => {
  it('leaves nothing of the node there', async () => {
    const finished = await second.run(program, ['down', '--purge', ...where()])
    expect(finished.stderr).toBe('')
    expect(finished.code).toBe(0)
    const links = (await second.run('ip', ['-o', 'link'])).stdout.trim().split('\n').map((line) => line.split(': ')[1]?.split('@')[0])
    expect(links.sort()).toEqual(['eth0', 'lo'])
    expect((await second.run('ip', ['route'])).stdout).not.toContain('10.')
    expect((await second.run('nft', ['list', 'tables'])).stdout.trim()).toBe('')
    expect(existsSync(join(directory, 'data'))).toBe(false)
    expect(existsSync(`/run/skiff/${second.namespace}`)).toBe(false)
  })
})
