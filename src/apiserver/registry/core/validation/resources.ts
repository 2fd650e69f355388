/** Amounts that containers and pods request and are limited to. */
import type { core } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { qualifiedName } from '../../../../machinery/names.ts'
import { quantityOf } from '../../../../machinery/quantity.ts'
import { readQuantity } from '../../amounts.ts'
import { distinct, forEach, type Check } from '../../checks.ts'

export type Amounts = Readonly<Record<string, string>>

const nativePrefix = 'kubernetes.io/'
const ofContainers = new Set(['cpu', 'memory', 'ephemeral-storage'])

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** `cpu`, `memory` and the like, as opposed to resources that device plugins bring. */
const isNative = (name: string): boolean => !name.includes('/') || name.includes(nativePrefix)
/** A resource of which no more can be used than is there: what is requested must be the limit. */
const cannotOvercommit = (name: string): boolean => !isNative(name) || isHugePages(name)

/** The name of a resource as containers may ask for it. */
function* containerResourceName(at: Path, name: string): Check {
  const problems = qualifiedName(name)
  for (const why of problems) yield at.invalid(name, why)
  if (problems.length > 0) return
  if (!name.includes('/')) {
    if (!ofContainers.has(name) && !isHugePages(name)) yield at.invalid(name, 'must be a standard resource for containers')
  } else if (isNative(name)) yield at.invalid(name, 'doesn\'t follow extended resource name standard')
}

/** An amount: not negative, and whole for resources that cannot be divided. */
export function* amount(at: Path, name: string, value: string): Check {
  const quantity = readQuantity(value)
  if (!quantity) return yield at.invalid(value, 'must be a valid quantity')
  if (quantity.nanos < 0n) yield at.invalid(quantity.toString(), 'must be greater than or equal to 0')
  if (!isNative(name) && quantity.nanos % 1_000_000_000n !== 0n) yield at.invalid(quantity.toString(), 'must be an integer')
}

/** Requests and limits of one container: known names, whole amounts, no request above its limit. */
export function* containerResources(at: Path, resources: core.ResourceRequirements, claims: ReadonlySet<string> = new Set()): Check {
  const { limits = {}, requests = {} } = resources
  for (const [name, value] of Object.entries(limits)) {
    yield* containerResourceName(at.at('limits').key(name), name)
    yield* amount(at.at('limits').key(name), name, value)
  }
  for (const [name, value] of Object.entries(requests)) {
    yield* containerResourceName(at.at('requests').key(name), name)
    yield* amount(at.at('requests').key(name), name, value)
    yield* againstLimit(at, name, value, limits[name])
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePages) && !names.some((name) => name === 'cpu' || name === 'memory')) yield at.forbidden('HugePages require cpu or memory')
  yield* forEach(at.at('claims'), resources.claims, function* ({ name }, place) {
    if (!name) yield place.at('name').required()
    else if (!claims.has(name)) yield place.at('name').notFound(name)
  })
  yield* distinct(at.at('claims'), resources.claims, (claim) => (claim.request ? `${claim.name}/${claim.request}` : claim.name))
}

/** A request is not above its limit; where nothing can be overcommitted it is the limit. */
function* againstLimit(at: Path, name: string, request: string, limit: string | undefined): Check {
  const wanted = readQuantity(request)
  if (!wanted) return
  if (limit === undefined) {
    if (cannotOvercommit(name)) yield at.at('limits').required('Limit must be set for non overcommitable resources')
    return
  }
  const most = readQuantity(limit)
  if (!most) return
  const order = wanted.compare(most)
  if (cannotOvercommit(name) ? order !== 0 : order > 0) {
    const must = cannotOvercommit(name) ? 'equal to' : 'less than or equal to'
    yield at.at('requests').invalid(wanted.toString(), `must be ${must} ${name} limit of ${most}`)
  }
}

/** Amounts for a whole pod: only cpu, memory and huge pages can be shared out by it. */
export function* podResources(at: Path, spec: core.PodSpec): Check {
  const { limits = {}, requests = {}, claims } = spec.resources ?? {}
  if (claims?.length) yield at.at('claims').forbidden('claims may not be set for Resources at pod-level')
  for (const [part, amounts] of [['limits', limits], ['requests', requests]] as const) {
    for (const [name, value] of Object.entries(amounts)) {
      const place = at.at(part).key(name)
      if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) yield place.notSupported(name, ['cpu', 'hugepages-', 'memory'])
      else yield* amount(place, name, value)
    }
  }
  for (const [name, value] of Object.entries(requests)) yield* againstLimit(at, name, value, limits[name])
  yield* aggregated(at, spec, requests)
}

/** What a pod requests must cover what its containers request together. */
function* aggregated(at: Path, spec: core.PodSpec, requests: Amounts): Check {
  for (const [name, value] of Object.entries(requests)) {
    const whole = readQuantity(value)
    if (!whole) continue
    const all = spec.containers.flatMap((c) => readQuantity(c.resources.requests?.[name]) ?? [])
    const sum = all.reduce((total, q) => total.add(q), quantityOf(0))
    if (sum.compare(whole) > 0) {
      yield at.at('requests').key(name).invalid(whole.toString(), `must be greater than or equal to aggregate container requests of ${sum}`)
    }
  }
}
