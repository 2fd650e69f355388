/** hostPort: forwards a port of the node's addresses to the pod, like the CNI portmap plugin, but in our own table. */
import { core } from '../../api/index.ts'
import { keyOf, type Informers } from '../../client/informer.ts'
import type { Element, Fragment } from '../nft/ledger.ts'
import type { Family } from '../nft/family.ts'
import type { Tables } from '../nft/tables.ts'
import { mapNames } from './base.ts'

const anyAddress = new Set(['', '0.0.0.0', '::'])

/** The pod's part of the table; undefined when it has no host port, no address yet, or has terminated. */
export function planHostPorts(pod: core.Pod, family: Family): Fragment | undefined {
  if (pod.spec.hostNetwork || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return undefined
  const ip = [...(pod.status.podIPs ?? []).map((p) => p.ip), pod.status.podIP ?? ''].find((a) => family.has(a))
  if (ip === undefined) return undefined
  const elements: Element[] = []
  for (const container of [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')]) {
    for (const port of container.ports ?? []) {
      const hostIp = port.hostIP ?? ''
      if (!port.hostPort || (!anyAddress.has(hostIp) && !family.has(hostIp))) continue
      const key = `${(port.protocol ?? 'TCP').toLowerCase()} . ${port.hostPort}`
      const value = `${ip} . ${port.containerPort}`
      elements.push(anyAddress.has(hostIp) ? { in: mapNames.hostPorts, key, value } : { in: mapNames.hostPortIps, key: `${hostIp} . ${key}`, value })
    }
  }
  return elements.length > 0 ? { elements: [...elements, { in: mapNames.hairpin, key: `${ip} . ${ip}` }] } : undefined
}

const hasHostPorts = (pod: core.Pod) => [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some((c) => c.ports?.some((p) => p.hostPort))

/** Watches the pods of this node. Returns a function that stops it. */
export function followHostPorts(informers: Informers, tables: Tables, nodeName: string): { synced(): Promise<void>; stop(): void } {
  const pods = informers.for(core.pods, { fieldSelector: `spec.nodeName=${nodeName}` })
  const stop = pods.onChange(({ object }) => {
    if (!hasHostPorts(object)) return
    const key = keyOf(object)
    tables.touch(`host ports ${key}`, (family) => {
      const pod = pods.get(key)
      return pod && planHostPorts(pod, family)
    })
  })
  return { synced: () => pods.synced(), stop }
}
