/** Going into pods with clients of every age: kubectl over SPDY and over WebSockets, and what browsers and other programs speak. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { buildExample, root, startCluster, type TestCluster } from '../support/cluster.ts'
import { forwardInto } from '../support/forward.ts'
import { genuine } from '../support/genuine.ts'
import { eventually } from '../support/host.ts'
import { idle, image, pod, podTools, shell } from '../support/pods.ts'
import { released } from '../support/released.ts'

const newest = await genuine()
const all = await released()
let cluster: TestCluster
const { apply, ready } = podTools(() => cluster)
const directory = mkdtempSync(join(tmpdir(), 'skiff-clients-'))

const spdy = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }
const sockets = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' }
interface Program { readonly name: string; readonly path: string; readonly env: Record<string, string>; readonly port: number }
/** The kubectl of this machine both ways, the oldest and the newest. */
const programs: readonly Program[] = [
  { name: 'kubectl over WebSockets', path: 'kubectl', env: sockets, port: 9701 },
  { name: 'kubectl over SPDY', path: 'kubectl', env: spdy, port: 9702 },
  ...all.filter((one) => one === all[0] || one === all.at(-1)).map(({ version, kubectl }, i) => ({ name: `kubectl ${version}`, path: kubectl, env: {}, port: 9703 + i })),
]

beforeAll(async () => {
  cluster = await startCluster('clients', '172.31.94.2')
  await buildExample(cluster, image, 'examples/hello')
  await apply(
    pod('box', shell(`i=0; trap "exit 0" TERM; while true; do echo line $i; i=$((i+1)); sleep 0.2; done`)),
    pod('listens', shell(`while read line; do echo "heard $line"; done; ${idle}`, { stdin: true })),
    pod('web', { name: 'c', image }, {}, { labels: { app: 'web' } }),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } },
  )
  await ready('box', 'listens', 'web')
}, 300_000)
afterAll(async () => {
  await cluster?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe.each(programs)('$name', ({ path, env, port }) => {
  const run = (args: readonly string[], input?: string) => cluster.host.run(path, args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: directory, ...env }, ...(input === undefined ? {} : { input }) })
  const background = (...args: string[]) => {
    const child = spawn('nsenter', [`--net=/run/netns/${cluster.host.namespace}`, path, '--kubeconfig', cluster.kubeconfig, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: directory, ...env } })
    const seen = { text: '' }
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => void (seen.text += data.toString()))
    return { seen, write: (text: string) => child.stdin.write(text), kill: () => child.kill() }
  }

  it('runs commands, with input, output, errors and exit codes', async () => {
    const failed = await run(['exec', 'box', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42'])
    expect([failed.code, failed.stdout, failed.stderr]).toEqual([42, 'out\n', expect.stringContaining('err\n')])
    const much = 'x'.repeat(1_000_000)
    expect((await run(['exec', '-i', 'box', '--', 'cat'], much)).stdout).toBe(much)
    expect((await run(['exec', 'box', '--', 'nosuchcommand'])).stderr).toContain('executable file not found in $PATH')
    const line = `${path} --kubeconfig ${cluster.kubeconfig} exec -it box -- sh -c "sleep 0.5; stty size"`
    const shown = await cluster.host.run('script', ['-qec', `stty rows 31 cols 77; ${line}`, '/dev/null'], { env: { HOME: directory, ...env } })
    expect(shown.stdout.replaceAll('\r', '')).toMatch(/31 77\n$/)
  })

  it('attaches, follows logs and copies', async () => {
    const joined = background('attach', '-i', 'listens')
    const word = `word-${port}`
    await eventually('it is joined', async () => {
      joined.write(`${word}\n`)
      await new Promise((resolve) => setTimeout(resolve, 200))
      return joined.seen.text.includes(`heard ${word}`) ? true : undefined
    })
    joined.kill()
    const following = background('logs', '-f', '--tail=1', 'box')
    await eventually('three lines', () => (following.seen.text.trim().split('\n').length >= 3 ? true : undefined))
    following.kill()
    const file = join(directory, `file-${port}`)
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 7) % 256))
    writeFileSync(file, bytes)
    expect((await run(['cp', file, 'box:/tmp/copied'])).code).toBe(0)
    expect((await run(['cp', 'box:/tmp/copied', `${file}.back`])).code).toBe(0)
    expect(readFileSync(`${file}.back`).equals(bytes)).toBe(true)
  })

  it('forwards ports to pods and services', async () => {
    for (const [i, target] of ['pod/web', 'service/web'].entries()) {
      const local = port + i * 20
      const forwarding = background('port-forward', target, `${local}:${target === 'pod/web' ? 8080 : 80}`)
      const ask = (where: string) => cluster.host.run('curl', ['-sS', '--max-time', '3', `http://127.0.0.1:${local}${where}`])
      await eventually(`an answer of ${target}`, async () => ((await ask('/')).stdout === 'Hello from Skiff!\n' ? true : undefined)).catch((error: Error) => {
        throw new Error(`${error.message}: ${forwarding.seen.text}`)
      })
      expect(await Promise.all(Array.from({ length: 5 }, async () => (await ask('/pod')).stdout))).toEqual(Array(5).fill('web\n'))
      forwarding.kill()
    }
  })

  it('proxies to services through its own door', async () => {
    const proxying = background('proxy', `--port=${port + 40}`)
    const ask = (where: string) => cluster.host.run('curl', ['-sS', '--max-time', '3', `http://127.0.0.1:${port + 40}${where}`])
    await eventually('an answer', async () => ((await ask('/api/v1/namespaces/default/services/web:http/proxy/')).stdout === 'Hello from Skiff!\n' ? true : undefined))
    expect((await ask('/api/v1/namespaces/default/services/http:web:80/proxy/pod')).stdout).toBe('web\n')
    expect((await ask('/api/v1/namespaces/default/pods/web:8080/proxy/pod')).stdout).toBe('web\n')
    expect(JSON.parse((await ask('/api/v1/namespaces/default/services/web:99/proxy/')).stdout)).toMatchObject({ code: 503, message: 'no service port 99 found for service "web"' })
    expect(JSON.parse((await ask('/api/v1/namespaces/default/pods/web:9/proxy/')).stdout)).toMatchObject({ code: 503, message: expect.stringMatching(/^error trying to reach service: dial tcp [\d.]+:9: connect: connection refused$/) as string })
    proxying.kill()
  })
})

describe('a WebSocket client', () => {
  let door: string
  let token: string
  beforeAll(async () => {
    const server = (await cluster.kubectl('config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim()
    door = `wss://127.0.0.1:${await forwardInto(cluster.host.namespace, Number(new URL(server).port))}`
    await cluster.kubectl('create', 'clusterrolebinding', 'browser', '--clusterrole=cluster-admin', '--serviceaccount=default:default')
    token = (await cluster.kubectl('create', 'token', 'default')).trim()
  })

  /** What comes on each channel until the server closes. */
  function talk(protocols: readonly string[], query: string, send: readonly Buffer[] = []): Promise<{ readonly protocol: string; readonly channels: Readonly<Record<number, string>> }> {
    // Browsers cannot set headers: the token is one of the protocols.
    const socket = new WebSocket(`${door}/api/v1/namespaces/default/pods/box/exec?${query}`, [...protocols, `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`], { rejectUnauthorized: false })
    const base64 = protocols[0]?.includes('base64') ?? false
    const channels: Record<number, string> = {}
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('unexpected-response', (_, response) => reject(new Error(`status ${response.statusCode}`)))
      socket.on('open', () => { for (const message of send) socket.send(message) })
      socket.on('message', (data: Buffer) => {
        const number = base64 ? Number(data.toString()[0]) : (data[0] as number)
        const text = base64 ? Buffer.from(data.toString().slice(1), 'base64').toString() : data.subarray(1).toString()
        channels[number] = (channels[number] ?? '') + text
      })
      socket.on('close', () => resolve({ protocol: socket.protocol, channels }))
    })
  }
  const command = 'command=sh&command=-c&command=echo%20out%3B%20echo%20err%20%3E%262%3B%20exit%203&stdout=1&stderr=1'

  it.each(['v5.channel.k8s.io', 'v4.channel.k8s.io', 'v4.base64.channel.k8s.io'])('that speaks %s hears output, errors and how it ended', async (protocol) => {
    const { protocol: chosen, channels } = await talk([protocol], command)
    expect(chosen).toBe(protocol)
    expect([channels[1], channels[2]]).toEqual(['out\n', 'err\n'])
    expect(JSON.parse(channels[3] ?? '')).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: '3' }] } })
  })

  it('says when its input has ended', async () => {
    const { channels } = await talk(['v5.channel.k8s.io'], 'command=cat&stdin=1&stdout=1', [Buffer.from('\0hello'), Buffer.from([255, 0])])
    expect(channels[1]).toBe('hello')
  })

  it('without a token is anonymous, and with a wrong one nobody', async () => {
    for (const [code, ...protocols] of [[403, 'v5.channel.k8s.io'], [401, 'v5.channel.k8s.io', 'base64url.bearer.authorization.k8s.io.bm9uc2Vuc2U']] as const) {
      const socket = new WebSocket(`${door}/api/v1/namespaces/default/pods/box/exec?${command}`, [...protocols], { rejectUnauthorized: false })
      expect(await new Promise((resolve) => { socket.on('unexpected-response', (_, response) => resolve(response.statusCode)).on('open', () => resolve('open')).on('error', () => undefined) })).toBe(code)
      socket.terminate()
    }
  })
})

describe.skipIf(newest === undefined)('a Go program', () => {
  it('runs commands, attaches, forwards ports and reads logs, over WebSockets and SPDY', async () => {
    const program = await newest!.build(join(root, 'test/conformance/clients/go'))
    const { stdout, stderr } = await cluster.host.run(program, [cluster.kubeconfig, 'streams'], { env: { CLIENTS_POD: 'box', CLIENTS_WEB: 'web' } })
    if (!stdout.startsWith('{')) throw new Error(`${stdout}${stderr}`)
    const steps = JSON.parse(stdout) as Record<string, string>
    expect(steps).toEqual(Object.fromEntries(Object.keys(steps).map((step) => [step, 'ok'])))
    expect(Object.keys(steps)).toHaveLength(9)
  }, 1_260_000)
})
