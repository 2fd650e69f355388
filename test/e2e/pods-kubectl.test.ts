/** What people do with kubectl to pods and nodes: look, go inside, copy, forward, debug, move away. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'
import { idle, image, pod, podTools, shell } from '../support/pods.ts'

let cluster: TestCluster
const tools = podTools(() => cluster)
const { apply, ready } = tools
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const attempt = (...args: string[]) => cluster.tryKubectl(args)
const directory = mkdtempSync(join(tmpdir(), 'skiff-kubectl-'))

/** kubectl in the background, with what it has written so far. */
function background(...args: string[]) {
  const child = spawn('nsenter', [`--net=/run/netns/${cluster.host.namespace}`, 'kubectl', '--kubeconfig', cluster.kubeconfig, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const seen = { text: '', ended: false }
  child.stdout.on('data', (data: Buffer) => void (seen.text += data.toString()))
  child.on('exit', () => void (seen.ended = true))
  return { seen, write: (text: string) => child.stdin.write(text), end: () => child.stdin.end(), kill: () => child.kill() }
}

const deployment = (name: string, replicas: number, container: object, more: object = {}) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', ...container }] } }, ...more },
})

beforeAll(async () => {
  cluster = await startCluster('kubectl', '172.31.92.2')
  await buildExample(cluster, image, 'examples/hello')
  const counting = `trap "exit 0" TERM; i=0; while true; do echo line $i; i=$((i+1)); sleep 0.5; done`
  await apply(
    pod('two', {}, { containers: [{ ...shell(counting), name: 'counter' }, { ...shell(`echo quiet; echo loud >&2; ${idle}`), name: 'quiet' }] }),
    pod('once-more', shell(`if test ! -e /e/x; then touch /e/x; echo the first run; exit 1; fi; echo again; ${idle}`, { volumeMounts: [{ name: 'e', mountPath: '/e' }] }), { volumes: [{ name: 'e', emptyDir: {} }] }),
    pod('listens', shell(`while read line; do echo "heard $line"; done; ${idle}`, { stdin: true })),
    pod('stuck', { name: 'c', image: 'nosuch:1.0', imagePullPolicy: 'Never' }),
  )
  await ready('two', 'listens')
  await eventually('the second run', async () => ((await tools.container('once-more')).restartCount === 1 ? true : undefined))
  await ready('once-more')
})
afterAll(async () => {
  await cluster?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe('kubectl logs', () => {
  it('gives all, the last, the latest, with times, of one or all containers', async () => {
    await eventually('some lines', async () => ((await kubectl('logs', 'two', '-c', 'counter')).split('\n').length > 6 ? true : undefined))
    expect(await kubectl('logs', 'two', '-c', 'counter')).toMatch(/^line 0\nline 1\nline 2\n/)
    expect(await kubectl('logs', 'two', '-c', 'counter', '--tail=2')).toMatch(/^line \d+\nline \d+\n$/)
    expect((await kubectl('logs', 'two', '-c', 'counter', '--since=1s')).trim().split('\n').length).toBeLessThanOrEqual(3)
    expect(await kubectl('logs', 'two', '-c', 'counter', '--tail=1', '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z line \d+\n$/)
    expect(await kubectl('logs', 'two', '-c', 'counter', '--limit-bytes=4')).toBe('line')
    expect((await kubectl('logs', 'two', '-c', 'quiet')).split('\n').sort()).toEqual(['', 'loud', 'quiet'])
    const all = await kubectl('logs', 'two', '--all-containers', '--prefix', '--tail=1')
    expect(all).toMatch(/^\[pod\/two\/counter\] line \d+$/m)
    expect(all).toMatch(/^\[pod\/two\/quiet\] (loud|quiet)$/m)
    expect((await attempt('logs', 'two', '--tail=1')).stderr).toContain('Defaulted container "counter" out of: counter, quiet')
  })

  it('follows', async () => {
    const following = background('logs', '-f', 'two', '-c', 'counter', '--tail=1')
    await eventually('four lines', () => (following.seen.text.trim().split('\n').length >= 4 ? true : undefined))
    expect(following.seen.ended).toBe(false)
    following.kill()
  })

  it('gives those of the run before', async () => {
    expect(await kubectl('logs', 'once-more', '--previous')).toBe('the first run\n')
    expect(await kubectl('logs', 'once-more')).toBe('again\n')
    expect((await attempt('logs', 'two', '-c', 'quiet', '--previous')).stderr).toBe('Error from server (BadRequest): previous terminated container "quiet" in pod "two" not found\n')
  })

  it('says why there are none', async () => {
    expect((await attempt('logs', 'two', '-c', 'nope')).stderr).toMatch(/^error: container nope is not valid for pod two( out of: counter, quiet)?\n$/)
    await tools.shows('stuck', 'ErrImageNeverPull')
    expect((await attempt('logs', 'stuck')).stderr).toBe('Error from server (BadRequest): container "c" in pod "stuck" is waiting to start: ErrImageNeverPull\n')
    expect((await attempt('logs', 'nobody')).stderr).toMatch(/\(NotFound\): pods "nobody" not found/)
  })
})

describe('going inside', () => {
  it('exec gives output, errors, exit codes and takes input', async () => {
    const failed = await attempt('exec', 'two', '-c', 'quiet', '--', 'sh', '-c', 'echo out; echo err >&2; exit 42')
    expect(failed).toMatchObject({ code: 42, stdout: 'out\n' })
    expect(failed.stderr).toBe('err\ncommand terminated with exit code 42\n')
    const much = 'x'.repeat(300_000)
    expect((await cluster.tryKubectl(['exec', '-i', 'two', '-c', 'quiet', '--', 'cat'], much)).stdout).toBe(much)
    const long = 'a'.repeat(100_000)
    expect((await attempt('exec', 'two', '-c', 'quiet', '--', 'echo', long)).stdout).toBe(`${long}\n`)
    expect((await attempt('exec', 'two', '-c', 'quiet', '--', 'nosuchcommand')).stderr).toContain('executable file not found in $PATH')
    expect((await attempt('exec', 'stuck', '--', 'true')).stderr).toContain('container not found ("c")')
    expect((await attempt('exec', 'nobody', '--', 'true')).stderr).toBe('Error from server (NotFound): pods "nobody" not found\n')
  })

  it('exec gives a terminal of the right size', async () => {
    const line = `kubectl --kubeconfig ${cluster.kubeconfig} exec -it two -c quiet -- sh -c "sleep 0.5; tty; stty size"`
    const shown = await cluster.host.run('script', ['-qec', `stty rows 33 cols 99; ${line}`, '/dev/null'])
    expect(shown.stdout.replaceAll('\r', '')).toMatch(/\/dev\/pts\/0\n33 99\n$/)
  })

  it('attach joins what runs', async () => {
    const joined = background('attach', '-i', 'listens')
    await new Promise((resolve) => setTimeout(resolve, 500))
    joined.write('a word\n')
    await eventually('an answer', () => (joined.seen.text.includes('heard a word') ? true : undefined))
    joined.kill()
    expect(await kubectl('logs', 'listens')).toContain('heard a word')
  })

  it('cp carries files both ways', async () => {
    const file = join(directory, 'file')
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256))
    writeFileSync(file, bytes)
    await kubectl('cp', file, 'two:/tmp/copied', '-c', 'quiet')
    expect((await tools.exec('two', 'wc -c < /tmp/copied', '-c', 'quiet')).trim()).toBe('100000')
    await kubectl('cp', 'two:/tmp/copied', join(directory, 'back'), '-c', 'quiet')
    expect(readFileSync(join(directory, 'back')).equals(bytes)).toBe(true)
  })

  it('port-forward leads to a port of the pod', async () => {
    await apply(pod('web', { name: 'c', image }))
    await ready('web')
    const forward = background('port-forward', 'pod/web', '9960:8080')
    const ask = (path: string) => cluster.host.run('curl', ['-sS', '--max-time', '3', `http://127.0.0.1:9960${path}`])
    await eventually('an answer', async () => ((await ask('/')).stdout === 'Hello from Skiff!\n' ? true : undefined))
    expect(await Promise.all(Array.from({ length: 8 }, async () => (await ask('/pod')).stdout))).toEqual(Array(8).fill('web\n'))
    forward.kill()
  })

  it('debug adds a container that sees the processes of another', async () => {
    const debugging = background('debug', '-i', 'two', `--image=${image}`, '--image-pull-policy=Never', '--target=counter', '--profile=general', '--', 'sh')
    const running = async () => (await tools.get('two')).status.ephemeralContainerStatuses?.[0]
    await eventually('the container runs', async () => ((await running())?.state.running ? true : undefined))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    debugging.write('echo here; ps\n')
    await eventually('it answers', () => (/here\n[\s\S]*line \$i/.test(debugging.seen.text) ? true : undefined))
    debugging.write('exit 3\n')
    await eventually('it ended', async () => ((await running())?.state.terminated?.exitCode === 3 ? true : undefined))
    expect(await tools.row('two')).toEqual(['two', '2/2', 'Running', '0'])
  })

  it('run --rm takes input, gives output and the exit code, and leaves nothing', async () => {
    const echoed = await cluster.tryKubectl(['run', 'once', '--rm', '-i', `--image=${image}`, '--restart=Never', '--', 'sh', '-c', 'cat; sleep 1; exit 3'], 'through the pod\n')
    expect(echoed.stdout).toContain('through the pod')
    expect(echoed.stdout).toContain('pod "once" deleted')
    expect(echoed.code).toBe(3)
    expect((await attempt('get', 'pod', 'once')).stderr).toContain('(NotFound)')
  })

  it('top says that there are no metrics', async () => {
    expect((await attempt('top', 'pods')).stderr).toBe('error: Metrics API not available\n')
  })
})

describe('scheduling and nodes', () => {
  const node = async () => (await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}')).trim()
  const big = (cpu: string) => shell(idle, { resources: { requests: { cpu } } })

  it('a pod that finds no room waits, says so, and runs once there is room', async () => {
    await kubectl('create', 'deployment', 'unused', `--image=${image}`, '--replicas=0')
    const cpus = Number(await kubectl('get', 'nodes', '-o', 'jsonpath={.items[0].status.allocatable.cpu}'))
    const most = `${cpus * 1000 - 400}m`
    await apply(pod('first', big(most)))
    await ready('first')
    await apply(pod('waits', big(most)))
    const event = await eventually('FailedScheduling', async () => (await tools.events('waits')).find((e) => e.reason === 'FailedScheduling'))
    expect(event.message).toMatch(/^0\/1 nodes are available: 1 Insufficient cpu\. /)
    expect((await tools.row('waits'))[2]).toBe('Pending')
    expect((await tools.get('waits')).status.conditions?.[0]).toMatchObject({ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' })
    expect(await kubectl('describe', 'pod', 'waits')).toMatch(/Warning\s+FailedScheduling\s+\S+\s+default-scheduler\s+0\/1 nodes are available/)
    await kubectl('delete', 'pod', 'first')
    await ready('waits')
    await kubectl('delete', 'pod', 'waits')
  })

  it('describe node sums up what runs there', async () => {
    const text = await kubectl('describe', 'node', await node())
    expect(text).toMatch(/Ready\s+True\s.*KubeletReady\s+kubelet is posting ready status/)
    expect(text).toMatch(/Kubelet Version:\s+v1\.36/)
    expect(text).toMatch(/Container Runtime Version:\s+containerd:\/\/1\./)
    expect(text).toMatch(/default\s+two\s+0 \(0%\)/)
    expect(text).toMatch(/Normal\s+NodeReady/)
    expect(text).toMatch(/HolderIdentity:\s+\S+/)
  })

  it('cordon keeps new pods away, drain moves the old ones, uncordon lets them back', async () => {
    await apply(deployment('moving', 2, { image }))
    await kubectl('rollout', 'status', 'deployment/moving', '--timeout=60s')
    expect(await kubectl('cordon', await node())).toContain('cordoned')
    expect(await kubectl('get', 'nodes', '--no-headers')).toMatch(/Ready,SchedulingDisabled/)
    const refused = await attempt('drain', await node(), '--ignore-daemonsets')
    expect(refused.stderr).toMatch(/cannot delete .*Pods that declare no controller/)
    expect(await kubectl('drain', await node(), '--ignore-daemonsets', '--force', '--delete-emptydir-data', '--timeout=60s')).toContain('drained')
    const pods = await eventually('two pods wait', async () => {
      const rows = (await kubectl('get', 'pods', '-l', 'app=moving', '--no-headers')).trim().split('\n').map((row) => row.split(/\s{2,}/)[2])
      return rows.length === 2 && rows.every((status) => status === 'Pending') ? rows : undefined
    })
    expect(pods).toEqual(['Pending', 'Pending'])
    expect(await kubectl('get', 'events', '--field-selector', 'reason=FailedScheduling')).toContain('1 node(s) were unschedulable')
    expect(await kubectl('uncordon', await node())).toContain('uncordoned')
    await kubectl('rollout', 'status', 'deployment/moving', '--timeout=60s')
  })

  it('a deployment whose image is not there is told to be stuck', async () => {
    await apply(deployment('broken', 1, { image: 'nosuch:1.0', imagePullPolicy: 'Never' }, { progressDeadlineSeconds: 3 }))
    const status = await attempt('rollout', 'status', 'deployment/broken', '--timeout=60s')
    expect(status.code).toBe(1)
    expect(status.stderr).toBe('error: deployment "broken" exceeded its progress deadline\n')
    const conditions = JSON.parse(await kubectl('get', 'deployment', 'broken', '-o', 'jsonpath={.status.conditions}')) as { type: string; status: string; reason: string; message: string }[]
    expect(conditions.find((c) => c.type === 'Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded', message: expect.stringMatching(/^ReplicaSet "broken-\w+" has timed out progressing\.$/) as string })
    expect(conditions.find((c) => c.type === 'Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' })
  })

  it('events can be had in the order of their time', async () => {
    const times = (await kubectl('get', 'events', '--sort-by=.lastTimestamp', '-o', 'jsonpath={range .items[*]}{.lastTimestamp}{"\\n"}{end}')).trim().split('\n').filter(Boolean)
    expect(times.length).toBeGreaterThan(20)
    expect(times).toEqual(times.toSorted())
    const words = await kubectl('events', '--for', 'deployment/moving')
    expect(words).toMatch(/ScalingReplicaSet\s+Deployment\/moving\s+Scaled up replica set moving-\w+/)
  })
})
