/** What is said of a service that is accepted: what has no effect, is old, or should be written otherwise. */
import type { core } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { addressWarnings, blockWarnings } from '../addresses.ts'
import { isHeadless } from './services-allocation.ts'

const oldHints = 'service.kubernetes.io/topology-aware-hints'

/** Warnings about a service, in the order in which Kubernetes gives them. */
export function serviceWarnings({ metadata, spec }: core.Service): readonly string[] {
  const named = spec.type === 'ExternalName'
  const outside = spec.externalIPs ?? []
  const at = path('spec')
  const warnings: string[] = []
  if (metadata.annotations?.[oldHints] !== undefined) warnings.push(`annotation ${oldHints} is deprecated, please use service.kubernetes.io/topology-mode instead`)
  if (!named) for (const [i, address] of (spec.clusterIPs ?? []).entries()) warnings.push(...addressWarnings(at.at('clusterIPs').index(i), address))
  if (isHeadless(spec)) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (outside.length > 0) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  for (const [i, address] of outside.entries()) warnings.push(...addressWarnings(at.at('externalIPs').index(i), address))
  if (outside.length > 0 && !named && !isHeadless(spec)) warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  warnings.push(...addressWarnings(at.at('loadBalancerIP'), spec.loadBalancerIP))
  for (const [i, block] of (spec.loadBalancerSourceRanges ?? []).entries()) warnings.push(...blockWarnings(at.at('loadBalancerSourceRanges').index(i), block))
  if (named && outside.length > 0) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (!named && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return warnings
}
