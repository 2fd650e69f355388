/** The host is borrowed: after `down` there is nothing of the cluster left on it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'

let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster('down')
  await buildExample(cluster, 'hello:1.0', 'examples/hello')
  await cluster.kubectl('apply', '-f', `${root}/examples/hello/k8s/hello.yaml`)
  await cluster.kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
})
afterAll(() => cluster?.destroy())

/** Processes of this host whose command line or cgroup names the cluster. */
function processes(): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      const own = Number(pid) === process.pid || command.includes('vitest')
      return !own && (command.includes(cluster.name) || command.includes(cluster.dataDir) || cgroup.includes(cluster.name)) ? [`${pid} ${command}`] : []
    } catch {
      return [] // it ended while we looked
    }
  })
}

describe('skiff down', () => {
  it('leaves no process, mount, interface, table, cgroup or namespace', async () => {
    const finished = await cluster.skiff('down')
    expect(finished.stderr).toBe('')
    expect(finished.code).toBe(0)
    expect(processes()).toEqual([])
    expect(readFileSync('/proc/self/mounts', 'utf8').split('\n').filter((line) => line.includes(cluster.dataDir) || line.includes(`/run/skiff/${cluster.name}`))).toEqual([])
    const links = (await cluster.host.run('ip', ['-o', 'link'])).stdout.trim().split('\n').map((line) => line.split(': ')[1]?.split('@')[0])
    expect(links.sort()).toEqual(['eth0', 'eth0-end', 'lo'])
    expect((await cluster.host.run('nft', ['list', 'tables'])).stdout.trim()).toBe('')
    const cgroups = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-name', `*${cluster.name}*`], { encoding: 'utf8' })
    expect(cgroups.trim()).toBe('')
    expect(existsSync(`/run/skiff/${cluster.name}`)).toBe(false)
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toMatch(/^cni-/m)
  })

  it('keeps what the cluster remembers: up brings its workload back', async () => {
    const finished = await cluster.up()
    expect(finished.stderr).toBe('')
    expect(finished.code).toBe(0)
    await eventually('the workload is back', async () => ((await cluster.kubectl('get', 'deploy', 'hello', '-o', 'jsonpath={.status.readyReplicas}')) === '3' ? true : undefined), 60_000)
    const reply = await eventually('an answer', async () => {
      const answer = await cluster.host.run('curl', ['-sS', '--max-time', '2', `http://${cluster.host.address}:30088/`])
      return answer.code === 0 ? answer.stdout : undefined
    })
    expect(reply).toBe('Hello from Skiff!\n')
  })
})

describe('the host forwards packets', () => {
  const forwarding = async () => (await cluster.host.run('cat', ['/proc/sys/net/ipv4/ip_forward'])).stdout.trim()

  it('while a cluster is there, and is put back to what it was: after a crash too, and beside one that vanished', async () => {
    await cluster.skiff('down')
    await cluster.host.run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward'])
    expect((await cluster.up()).code).toBe(0)
    expect(await forwarding()).toBe('1')
    process.kill(Number(readFileSync(`/run/skiff/${cluster.name}/skiff.pid`, 'utf8').split(' ')[0]), 'SIGKILL')
    const note = `/run/skiff/.sysctls-${(await cluster.host.run('readlink', ['/proc/self/ns/net'])).stdout.replaceAll(/\D/g, '')}.json`
    const loans = JSON.parse(readFileSync(note, 'utf8')) as Record<string, { original: string; users: string[] }>
    expect(loans['net.ipv4.ip_forward']).toEqual({ original: '0', users: [cluster.name] })
    loans['net.ipv4.ip_forward']?.users.push('skiff-that-vanished')
    writeFileSync(note, JSON.stringify(loans))
    expect((await cluster.up()).code).toBe(0)
    expect(await forwarding()).toBe('1')
    expect((await cluster.skiff('down', '--purge')).code).toBe(0)
    expect(await forwarding()).toBe('0')
    expect(existsSync(note)).toBe(false)
  })
})
