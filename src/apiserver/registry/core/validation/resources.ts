/** Amounts that containers and pods request and are limited to. */
import type { core } from '../../../../api/index.ts'
import { FieldError, found, type Place } from '../../../../machinery/field.ts'
import { dns1123Label, qualifiedName } from '../../../../machinery/names.ts'
import { readQuantity } from '../../amounts.ts'
import { follows } from '../../checks.ts'
import { containerAmounts } from '../container-amounts.ts'

export type Amounts = Readonly<Record<string, string>>

const nothing: ReadonlySet<string> = new Set()
const nativePrefix = 'kubernetes.io/'
const ofContainers = new Set(['cpu', 'memory', 'ephemeral-storage'])
/** Things that are counted. */
const counted = new Set([
  'pods', 'services', 'services.nodeports', 'services.loadbalancers', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'persistentvolumeclaims',
])
/** What a quota can limit by a name without a prefix. */
const ofQuotas = new Set([
  ...ofContainers, ...counted, 'requests.cpu', 'requests.memory', 'requests.storage', 'requests.ephemeral-storage', 'limits.cpu', 'limits.memory', 'limits.ephemeral-storage',
])

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** `cpu`, `memory` and the like, as opposed to resources that device plugins bring. */
const isNative = (name: string): boolean => !name.includes('/') || name.includes(nativePrefix)
/** A resource that somebody else brings, and quotas limit as `requests.<name>`. */
export const isExtended = (name: string): boolean => !isNative(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0
/** A resource of which no more can be used than is there: what is requested must be the limit. */
export const cannotOvercommit = (name: string): boolean => !isNative(name) || isHugePages(name)

/** Whether a quota can limit this without a prefix of its own: `pods`, `requests.hugepages-2Mi`. */
export const isQuotaResource = (name: string): boolean => ofQuotas.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')

/** The name of a resource of any kind: one that Kubernetes knows, or one with a prefix. */
export function resourceName(at: Place, name: string): void {
  const problems = qualifiedName(name)
  for (const why of problems) at.invalid(name, why)
  if (problems.length > 0 || name.includes('/')) return
  if (name !== 'storage' && !isQuotaResource(name)) at.invalid(name, 'must be a standard resource type or fully qualified')
}

/** The name of a resource as containers may ask for it. */
export function containerResourceName(at: Place, name: string): void {
  if (ofContainers.has(name)) return
  resourceName(at, name)
  if (!name.includes('/')) {
    if (!isHugePages(name)) at.invalid(name, 'must be a standard resource for containers')
  } else if (!isNative(name) && !isExtended(name)) {
    at.invalid(name, 'doesn\'t follow extended resource name standard')
  }
}

/** An amount: not negative, and whole for resources that cannot be divided. */
export function amount(at: Place, name: string, value: string): void {
  const quantity = readQuantity(value)
  if (!quantity) return at.invalid(value, 'must be a valid quantity')
  if (quantity.nanos < 0n) at.invalid(quantity.toString(), 'must be greater than or equal to 0')
  if ((counted.has(name) || !isNative(name)) && quantity.nanos % 1_000_000_000n !== 0n) at.invalid(quantity.toString(), 'must be an integer')
}

/** Requests and limits of one container: known names, whole amounts, no request above its limit. */
export function containerResources(at: Place, resources: core.ResourceRequirements, claims: ReadonlySet<string> = nothing): void {
  const { limits, requests } = resources
  let [hugePages, ordinary] = [false, false]
  const each = (place: Place, amounts: Amounts, name: string) => {
    const here = place.key(name)
    const value = amounts[name] ?? ''
    containerResourceName(here, name)
    amount(here, name, value)
    if (amounts === requests) againstLimit(at, name, value, limits?.[name])
    if (isHugePages(name)) wholePages(here, name, value)
    hugePages ||= isHugePages(name)
    ordinary ||= name === 'cpu' || name === 'memory'
  }
  if (limits) for (const name in limits) each(at.at('limits'), limits, name)
  if (requests) for (const name in requests) each(at.at('requests'), requests, name)
  if (hugePages && !ordinary) at.forbidden('HugePages require cpu or memory')
  if (resources.claims) claimNames(at.at('claims'), resources.claims, claims)
}

/** Huge pages come whole. */
function wholePages(at: Place, name: string, value: string): void {
  const [wanted, size] = [readQuantity(value), readQuantity(name.slice('hugepages-'.length))]
  if (!wanted) return
  if (!size || size.nanos <= 0n || wanted.nanos % size.nanos !== 0n) at.invalid(wanted.toString(), `${wanted} is not positive integer multiple of ${name}`)
}

/** Claims of the pod that a container uses: as a whole, or one request of them, but neither twice nor both. */
function claimNames(at: Place, list: readonly core.ResourceClaim[], ofPod: ReadonlySet<string>): void {
  const names = new Set<string>()
  for (const [i, { name, request }] of list.entries()) {
    const place = at.index(i)
    if (!name) {
      place.required()
      continue
    }
    const key = request ? `${name}/${request}` : name
    if (names.has(name)) place.duplicate(name)
    else {
      if (request) follows(place.at('request'), request, dns1123Label)
      if (names.has(key)) place.duplicate(key)
      else if (!request && [...names].some((other) => other.startsWith(`${name}/`))) place.duplicate(name)
      names.add(key)
    }
    if (ofPod.has(name)) continue
    const those = ofPod.size === 0 ? ' which is empty' : `: ${[...ofPod].toSorted().join(', ')}`
    place.say(new FieldError('FieldValueNotFound', place.text, `must be one of the names in pod.spec.resourceClaims${those}`, name))
  }
}

/** A request is not above its limit; where nothing can be overcommitted it is the limit. */
function againstLimit(at: Place, name: string, request: string, limit: string | undefined): void {
  const wanted = readQuantity(request)
  if (!wanted) return
  if (limit === undefined) {
    if (cannotOvercommit(name)) at.at('limits').required('Limit must be set for non overcommitable resources')
    return
  }
  const most = readQuantity(limit)
  if (!most) return
  const order = wanted.compare(most)
  if (cannotOvercommit(name) ? order !== 0 : order > 0) {
    const must = cannotOvercommit(name) ? 'equal to' : 'less than or equal to'
    at.at('requests').invalid(wanted.toString(), `must be ${must} ${name} limit of ${most}`)
  }
}

/** Amounts for a whole pod: only cpu, memory and huge pages can be shared out by it. */
export function podResources(at: Place, spec: core.PodSpec): void {
  const { limits = {}, requests = {}, claims } = spec.resources ?? {}
  if (claims) at.at('claims').forbidden('claims cannot be set for Resources at pod-level')
  for (const [part, amounts] of [['limits', limits], ['requests', requests]] as const) {
    for (const [name, value] of Object.entries(amounts)) {
      const place = at.at(part).key(name)
      if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) {
        const problems = found((here) => resourceName(here, name), place.text)
        for (const problem of problems) place.say(problem)
        if (problems.length === 0) place.notSupported(name, ['cpu', 'hugepages-', 'memory'])
      }
      else {
        amount(place, name, value)
        if (isHugePages(name)) wholePages(place, name, value)
      }
    }
  }
  const asked = [...Object.keys(limits), ...Object.keys(requests)]
  if (asked.some(isHugePages) && !asked.includes('cpu') && !asked.includes('memory')) at.forbidden('HugePages require cpu or memory')
  for (const [name, value] of Object.entries(requests)) againstLimit(at, name, value, limits[name])
  aggregated(at, spec, requests)
  for (const [i, container] of spec.containers.entries()) {
    for (const [name, value] of Object.entries(container.resources.limits ?? {})) {
      const [own, most] = [readQuantity(value), readQuantity(limits[name])]
      if (own && most && own.compare(most) > 0) {
        at.at('containers').index(i).key(name).at('limits').invalid(own.toString(), `must be less than or equal to pod limits of ${most}`)
      }
    }
  }
}

/** What a pod requests must cover what its containers request together. */
function aggregated(at: Place, spec: core.PodSpec, requests: Amounts): void {
  const together = containerAmounts(spec, 'requests')
  for (const [name, value] of Object.entries(requests)) {
    const whole = readQuantity(value)
    const sum = together.get(name)
    if (whole && sum && sum.compare(whole) > 0) {
      at.at('requests').key(name).invalid(whole.toString(), `must be greater than or equal to aggregate container requests of ${sum}`)
    }
  }
}
