/** What is odd about the ports of a pod's containers, taken together. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import type { Standing } from './pod-warnings.ts'

type Known = readonly [port: core.ContainerPort, at: Path]

/** With at most so many definitions of the same port a new one is compared: who writes more of them is told enough. */
const mostCompared = 8

/** Ports that are there twice, and names of which only the first is ever found. */
export function portWarnings(containers: readonly Standing[], warnings: string[]): void {
  const byNumber = new Map<string, Known[]>()
  const byName = new Map<string, Path>()
  for (const [{ ports = [] }, place, lasting] of containers) {
    for (const [i, port] of ports.entries()) {
      const at = place.at('ports').index(i)
      const { containerPort, protocol, hostPort = 0, hostIP = '', name = '' } = port
      if (hostIP && hostPort === 0) warnings.push(`${at}: hostIP set without hostPort: {Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`)
      const key = `${containerPort}/${protocol}`
      const same = byNumber.get(key) ?? []
      for (const [other, there] of same) {
        const what = clash(port, other)
        if (what) warnings.push(`${at}: ${what} port definition with ${there}`)
      }
      if (same.length < mostCompared) same.push([port, at])
      if (same.length === 1) byNumber.set(key, same)
      // An init container is over before anybody asks for its ports.
      if (!name || !lasting) continue
      const first = byName.get(name)
      if (first) warnings.push(`${at}: duplicate port name ${JSON.stringify(name)} with ${first}, services and probes that select ports by name will use ${first}`)
      else byName.set(name, at)
    }
  }
}

/** How two definitions of one port of the pod get in each other's way on the host. */
function clash({ hostPort = 0, hostIP = '' }: core.ContainerPort, other: core.ContainerPort): string | undefined {
  const [otherPort, otherIP] = [other.hostPort ?? 0, other.hostIP ?? '']
  if (hostIP === otherIP && hostPort === otherPort) return 'duplicate'
  if (hostPort === 0 || otherPort === 0) return 'overlapping'
  return hostPort === otherPort && (hostIP === '') !== (otherIP === '') ? 'dangerously ambiguous' : undefined
}
