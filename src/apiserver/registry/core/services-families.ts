/** Which address families a service has: what the client says of it, what it had before, what the cluster can give. */
import { isIPv6 } from 'node:net'
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { hasClusterIP, isHeadless } from './services-allocation.ts'

export type Family = 'IPv4' | 'IPv6'
type Spec = core.ServiceSpec

export const familyOf = (address: string): Family => (isIPv6(address) ? 'IPv6' : 'IPv4')
const otherThan = (family: Family): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4')
const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean => deepEqual(a ?? [], b ?? [])

/**
 * `clusterIP` and `clusterIPs` say the same thing, the first for old clients: whichever of them a client changed or left out, both
 * agree afterwards. What contradicts itself stays for validation.
 */
export function agreeOnAddresses(spec: Spec, was: Spec | undefined): Spec {
  const { clusterIP = '', clusterIPs = [] } = spec
  if (!was) return clusterIP && clusterIPs.length === 0 ? { ...spec, clusterIPs: [clusterIP] } : spec
  const oldIP = was.clusterIP ?? ''
  // An old client, which knows nothing of the plural, sends everything else back.
  if (clusterIPs.length === 0 && was.clusterIPs?.length && oldIP === clusterIP) return { ...spec, clusterIPs: was.clusterIPs }
  if (oldIP === clusterIP) return spec
  if (oldIP && !clusterIP) return same(clusterIPs, was.clusterIPs) ? { ...spec, clusterIPs: undefined } : spec
  return same(clusterIPs, was.clusterIPs) ? { ...spec, clusterIPs: [clusterIP] } : spec
}

/** A service that goes back to one family gives up its second address and family, unless the client said something else of them. */
export function withoutSecond(spec: Spec, was: Spec | undefined): Spec {
  const had = was?.ipFamilyPolicy === 'RequireDualStack' || was?.ipFamilyPolicy === 'PreferDualStack'
  if (!was || !had || spec.ipFamilyPolicy !== 'SingleStack') return spec
  return {
    ...spec,
    ...(spec.clusterIPs?.length === 2 && same(spec.clusterIPs, was.clusterIPs) ? { clusterIPs: spec.clusterIPs.slice(0, 1) } : {}),
    ...(spec.ipFamilies?.length === 2 && same(spec.ipFamilies, was.ipFamilies) ? { ipFamilies: spec.ipFamilies.slice(0, 1) } : {}),
  }
}

/** A service that prefers two families keeps what it got, whatever the cluster has become, until somebody changes it. */
const leftAlone = (spec: Spec, was: Spec | undefined): boolean =>
  was?.ipFamilyPolicy === 'PreferDualStack' && spec.ipFamilyPolicy === 'PreferDualStack' && same(spec.clusterIPs, was.clusterIPs) && same(spec.ipFamilies, was.ipFamilies)

/** Policy and families of a service, filled in where the client left them open. `families`: those of the cluster, its own first. */
export function chooseFamilies(spec: Spec, was: Spec | undefined, families: readonly Family[]): Spec {
  if (!hasClusterIP(spec) || leftAlone(spec, was)) return spec
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  // Left out, a policy is never a wish to change from one family to two or back.
  const policy = spec.ipFamilyPolicy ?? (was && hasClusterIP(was) ? was.ipFamilyPolicy : undefined) ?? (selectorless ? 'RequireDualStack' : 'SingleStack')
  const inferred = inferFamilies(spec, families)
  const [first = families[0] ?? 'IPv4', ...rest] = inferred
  // Nobody but the service's own endpoints says how a service without selector and address is reached.
  const two = policy !== 'SingleStack' && rest.length === 0 && (selectorless || families.length === 2)
  return { ...spec, ipFamilyPolicy: policy, ipFamilies: two ? [first, otherThan(first)] : [first, ...rest] }
}

/** The families that are said, and those of addresses beyond them. */
function inferFamilies(spec: Spec, families: readonly Family[]): readonly Family[] {
  const said = (spec.ipFamilies ?? []) as readonly Family[]
  const addresses = (spec.clusterIPs ?? []).filter((ip) => ip !== 'None' && ip !== '')
  return [...said, ...addresses.slice(said.length).map(familyOf).filter((family) => families.includes(family))]
}

/** What is wrong between policy, families and addresses, and what the cluster cannot give. */
export function familyErrors(spec: Spec, families: readonly Family[], root: Place): void {
  const at = root.at('spec')
  if (!hasClusterIP(spec)) return
  const addresses = spec.clusterIPs ?? []
  const wanted = spec.ipFamilies ?? []
  const policy = spec.ipFamilyPolicy
  if (policy === 'SingleStack') {
    if (addresses.length === 2) at.at('ipFamilyPolicy').invalid(policy, "must be RequireDualStack or PreferDualStack when multiple 'clusterIPs' are specified")
    if (wanted.length === 2) at.at('ipFamilyPolicy').invalid(policy, "must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified")
  }
  if (isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0) return
  for (const [i, address] of addresses.entries()) {
    if (address === 'None' || address === '' || i < wanted.length) continue
    if (!families.includes(familyOf(address))) at.at('clusterIPs').index(i).invalid(addresses, `${familyOf(address)} is not configured on this cluster`)
  }
  if (policy === 'RequireDualStack' && families.length < 2) at.at('ipFamilyPolicy').invalid(policy, 'this cluster is not configured for dual-stack services')
  for (const [i, family] of wanted.entries()) if (!families.includes(family as Family)) at.at('ipFamilies').index(i).invalid(family, 'not configured on this cluster')
}

/** What an update may not do to addresses and families. */
export function familyUpdateErrors(next: Spec, was: Spec, root: Place): void {
  if (!hasClusterIP(next) || !hasClusterIP(was)) return
  if (!(isHeadless(next) && isHeadless(was))) changed('clusterIPs', 'clusterIP', next, was, root)
  if (!isHeadless(next) && !isHeadless(was)) changed('ipFamilies', 'ipFamily', next, was, root)
}

function changed(field: 'clusterIPs' | 'ipFamilies', one: string, next: Spec, was: Spec, root: Place): void {
  const place = root.at('spec').at(field)
  const is: readonly string[] = next[field] ?? []
  const old: readonly string[] = was[field] ?? []
  const moved = (i: number) => place.index(field === 'clusterIPs' ? i : 0).invalid(is, 'may not change once set')
  if (is.length === old.length) {
    for (const [i, value] of old.entries()) if (value !== is[i]) moved(i)
    return
  }
  if (is.length === 0) return place.index(0).invalid(is, `primary ${one} can not be unset`)
  if (old.length > 0 && is[0] !== old[0]) moved(0)
  if (is.length < old.length && next.ipFamilyPolicy !== 'SingleStack') {
    root.at('spec').at('ipFamilyPolicy').invalid(next.ipFamilyPolicy ?? null, `must be set to 'SingleStack' when releasing the secondary ${one}`)
  }
}
