/** Network namespaces for a test: pods made by the CNI plugins as containerd would, hosts on a wire, an agent in each. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Task } from './agent.ts'

export interface Host {
  readonly ip: string
  ask(task: Task): Promise<unknown>
  tcp(host: string, port: number): Promise<string>
  udp(host: string, port: number, from?: number): Promise<string>
  dns(name: string, type: Extract<Task, { op: 'dns' }>['type']): Promise<unknown>
  remove(): void
}

export const sh = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })

async function agentIn(namespace: string | undefined): Promise<{ ask(task: Task): Promise<unknown>; child: ChildProcess }> {
  const script = join(import.meta.dirname, 'agent.ts')
  const [program, args] = namespace ? ['nsenter', [`--net=/run/netns/${namespace}`, process.execPath, script]] : [process.execPath, [script]]
  const child = spawn(program as string, args as string[], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map<number, (result: unknown) => void>()
  let serial = 0
  const ready = new Promise<unknown>((resolve) => waiting.set(0, resolve))
  child.on('message', ({ id, result }: { id: number; result: unknown }) => { waiting.get(id)?.(result); waiting.delete(id) })
  await ready
  return {
    child,
    ask: (task) => new Promise((resolve) => {
      waiting.set(++serial, resolve)
      child.send({ id: serial, task })
    }),
  }
}

function hostOver(ip: string, dnsServer: string, agent: Awaited<ReturnType<typeof agentIn>>, remove: () => void): Host {
  return {
    ip,
    ask: agent.ask,
    tcp: (host, port) => agent.ask({ op: 'tcp', host, port }) as Promise<string>,
    udp: (host, port, from) => agent.ask({ op: 'udp', host, port, ...(from ? { from } : {}) }) as Promise<string>,
    dns: (name, type) => agent.ask({ op: 'dns', server: dnsServer, name, type }),
    remove() {
      agent.child.kill()
      remove()
    },
  }
}

/** Runs the plugins of the conflist one after another, as a container runtime does. */
function cni(command: 'ADD' | 'DEL', confFile: string, namespace: string): string {
  const { cniVersion, name, plugins } = JSON.parse(readFileSync(confFile, 'utf8')) as { cniVersion: string; name: string; plugins: { type: string }[] }
  let result: unknown
  for (const plugin of plugins) {
    const env = { ...process.env, CNI_COMMAND: command, CNI_CONTAINERID: namespace, CNI_NETNS: `/run/netns/${namespace}`, CNI_IFNAME: 'eth0', CNI_PATH: '/usr/lib/cni' }
    const output = execFileSync(`/usr/lib/cni/${plugin.type}`, { env, input: JSON.stringify({ cniVersion, name, ...plugin, ...(result ? { prevResult: result } : {}) }), encoding: 'utf8' })
    if (output) result = JSON.parse(output)
  }
  return (result as { ips?: { address: string }[] } | undefined)?.ips?.find((ip) => !ip.address.includes(':'))?.address.split('/')[0] ?? ''
}

/** A pod: a namespace with loopback and what the CNI configuration gives it. */
export async function makePod(namespace: string, confFile: string, dnsServer: string): Promise<Host> {
  sh('ip', 'netns', 'add', namespace)
  sh('ip', '-n', namespace, 'link', 'set', 'lo', 'up')
  const ip = cni('ADD', confFile, namespace)
  return hostOver(ip, dnsServer, await agentIn(namespace), () => {
    cni('DEL', confFile, namespace)
    sh('ip', 'netns', 'del', namespace)
  })
}

/** Another machine, on a wire to this one: `gateway` is this end's address, `ip` that end's. */
export async function makeNeighbour(namespace: string, gateway: string, ip: string, dnsServer: string): Promise<Host> {
  sh('ip', 'netns', 'add', namespace)
  sh('ip', 'link', 'add', 'wire', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  sh('ip', 'address', 'add', `${gateway}/24`, 'dev', 'wire')
  sh('ip', 'link', 'set', 'wire', 'up')
  sh('ip', '-n', namespace, 'address', 'add', `${ip}/24`, 'dev', 'eth0')
  for (const link of ['lo', 'eth0']) sh('ip', '-n', namespace, 'link', 'set', link, 'up')
  sh('ip', '-n', namespace, 'route', 'add', 'default', 'via', gateway)
  return hostOver(ip, dnsServer, await agentIn(namespace), () => {
    sh('ip', 'netns', 'del', namespace)
  })
}

/** This namespace itself: the node. */
export async function thisHost(ip: string, dnsServer: string): Promise<Host> {
  return hostOver(ip, dnsServer, await agentIn(undefined), () => {})
}
