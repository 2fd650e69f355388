/** What a client should know about a pod spec that is accepted as it is. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { readQuantity } from '../amounts.ts'

const lists = ['containers', 'initContainers'] as const
const parts = ['limits', 'requests'] as const

/** Warnings about the spec of a pod or a template. */
export function podWarnings(at: Path, spec: core.PodSpec): readonly string[] {
  const warnings: string[] = []
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(`${at.at('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`)
  }
  for (const name of lists) {
    const list = spec[name] ?? []
    for (let i = 0; i < list.length; i++) warnOfContainer(at.at(name).index(i), list[i]!, warnings)
  }
  const volumes = spec.volumes ?? []
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i]!
    if (volume.gitRepo) warnings.push(`${at.at('volumes').index(i).at('gitRepo')}: deprecated in v1.11, and disabled by default in v1.33+`)
    if (volume.glusterfs) warnings.push(`${at.at('volumes').index(i).at('glusterfs')}: deprecated in v1.25, non-functional in v1.26+`)
  }
  return warnings
}

function warnOfPorts(at: Path, ports: readonly core.ContainerPort[], warnings: string[]): void {
  const seen = new Map<string, Path>()
  for (const [i, port] of ports.entries()) {
    const key = [port.containerPort, port.protocol, port.hostPort ?? '', port.hostIP ?? ''].join('/')
    const first = seen.get(key)
    if (first) warnings.push(`${at.index(i)}: duplicate port definition with ${first}`)
    else seen.set(key, at.index(i))
  }
}

function warnOfEnvironment(at: Path, env: readonly core.EnvVar[], warnings: string[]): void {
  const seen = new Set<string>()
  for (const [i, { name }] of env.entries()) {
    if (seen.has(name)) warnings.push(`${at.index(i)}: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`)
    seen.add(name)
  }
}

function warnOfContainer(at: Path, container: core.Container, warnings: string[]): void {
  if (container.ports && container.ports.length > 1) warnOfPorts(at.at('ports'), container.ports, warnings)
  if (container.env && container.env.length > 1) warnOfEnvironment(at.at('env'), container.env, warnings)
  for (const part of parts) {
    const amounts = container.resources[part]
    for (const name in amounts) {
      const value = amounts[name] ?? ''
      const divisible = name === 'memory' || name === 'ephemeral-storage'
      const quantity = divisible ? readQuantity(value) : undefined
      if (quantity && quantity.nanos % 1_000_000_000n !== 0n) {
        warnings.push(`${at.at('resources').at(part).key(name)}: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`)
      }
    }
  }
}
