/** LimitRanges: containers get the namespace's default requests and limits, and pods and claims outside its bounds are refused. */
import { core } from '../../../api/index.ts'
import { parseQuantity } from '../../../machinery/quantity.ts'
import type { ServerEnvironment } from '../../options.ts'
import { podAmounts } from '../../quota/pods.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, podOf, refused, withSpec } from '../pods.ts'

type Amounts = Readonly<Record<string, string>>
interface Resources { readonly requests: Amounts; readonly limits: Amounts }

const claims = 'persistentvolumeclaims'

export function limitRanger(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const ranges = env.lister(core.limitranges)
  const itemsIn = (namespace: string): readonly core.LimitRangeItem[] => ranges.list(namespace).flatMap((r) => r.spec.limits as core.LimitRangeItem[])
  const isClaim = (a: AdmissionAttributes) => a.resource.groupResource === claims && a.subresource === '' && (a.operation === 'CREATE' || a.operation === 'UPDATE')

  /** A pod that grows while it runs stays within the same bounds. */
  const isResize = (a: AdmissionAttributes) => a.operation === 'UPDATE' && a.resource.groupResource === 'pods' && a.subresource === 'resize'

  return {
    name: 'LimitRanger',
    handles: (a) => (createsPod(a) || isResize(a) || isClaim(a)) && ranges.list(a.namespace).length > 0,
    mutate: (a) => (createsPod(a) ? withDefaults(podOf(a), itemsIn(a.namespace).filter((i) => i.type === 'Container')) : (a.object as NonNullable<typeof a.object>)),
    validate(a) {
      const problems = itemsIn(a.namespace).flatMap((item) => (isClaim(a) ? claimProblems(a.object as unknown as core.PersistentVolumeClaim, item) : podProblems(podOf(a), item)))
      if (problems.length > 0) throw refused(a, problems.length === 1 ? (problems[0] as string) : `[${problems.join(', ')}]`)
    },
  }
}

function withDefaults(pod: core.Pod, items: readonly core.LimitRangeItem[]): core.Pod {
  const requests = Object.assign({}, ...items.toReversed().map((i) => i.defaultRequest ?? {})) as Amounts
  const limits = Object.assign({}, ...items.toReversed().map((i) => i.default ?? {})) as Amounts
  const notes: string[] = []
  const fill = (kind: string) => <C extends core.Container>(container: C): C => {
    const missing = (defaults: Amounts, own: Amounts | undefined) => Object.keys(defaults).filter((name) => own?.[name] === undefined).toSorted()
    const noRequest = missing(requests, container.resources.requests)
    const noLimit = missing(limits, container.resources.limits)
    if (noRequest.length > 0) notes.push(`${noRequest.join(', ')} request for ${kind} ${container.name}`)
    if (noLimit.length > 0) notes.push(`${noLimit.join(', ')} limit for ${kind} ${container.name}`)
    if (noRequest.length + noLimit.length === 0) return container
    return {
      ...container,
      resources: {
        ...container.resources,
        ...(noLimit.length > 0 ? { limits: { ...limits, ...container.resources.limits } } : {}),
        ...(noRequest.length > 0 ? { requests: { ...requests, ...container.resources.requests } } : {}),
      },
    }
  }
  const containers = pod.spec.containers.map(fill('container'))
  const initContainers = pod.spec.initContainers?.map(fill('init container'))
  if (notes.length === 0) return pod
  const annotations = { ...pod.metadata.annotations, 'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${notes.join('; ')}` }
  return { ...withSpec(pod, { containers, ...(initContainers ? { initContainers } : {}) }), metadata: { ...pod.metadata, annotations } }
}

function podProblems(pod: core.Pod, item: core.LimitRangeItem): readonly string[] {
  if (item.type === 'Container') {
    return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((c) => problems(item, { requests: c.resources.requests ?? {}, limits: c.resources.limits ?? {} }))
  }
  return item.type === 'Pod' ? problems(item, podTotals(pod)) : []
}

/** What the whole pod asks for. */
function podTotals({ spec }: core.Pod): Resources {
  const total = (kind: 'requests' | 'limits'): Amounts => Object.fromEntries([...podAmounts(spec, kind)].map(([name, value]) => [name, value.toString()]))
  return { requests: total('requests'), limits: total('limits') }
}

function claimProblems(claim: core.PersistentVolumeClaim, item: core.LimitRangeItem): readonly string[] {
  if (item.type !== 'PersistentVolumeClaim') return []
  const request = claim.spec.resources.requests?.['storage']
  const list: string[] = []
  const usage = (bound: string, text: string) => `${bound} storage usage per PersistentVolumeClaim is ${text}`
  const min = item.min?.['storage']
  const max = item.max?.['storage']
  if (min !== undefined && request === undefined) list.push(`${usage('minimum', min)}.  No request is specified`)
  else if (min !== undefined && less(request, min)) list.push(`${usage('minimum', min)}, but request is ${request}`)
  if (max !== undefined && less(max, request)) list.push(`${usage('maximum', max)}, but request is ${request}`)
  return list
}

const less = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && parseQuantity(a).compare(parseQuantity(b)) < 0

function problems(item: core.LimitRangeItem, { requests, limits }: Resources): string[] {
  const list: string[] = []
  for (const [name, min] of Object.entries(item.min ?? {})) {
    const head = `minimum ${name} usage per ${item.type} is ${min}`
    if (requests[name] === undefined) list.push(`${head}.  No request is specified`)
    else if (less(requests[name], min)) list.push(`${head}, but request is ${requests[name]}`)
    if (less(limits[name], min)) list.push(`${head}, but limit is ${limits[name]}`)
  }
  for (const [name, max] of Object.entries(item.max ?? {})) {
    const head = `maximum ${name} usage per ${item.type} is ${max}`
    if (limits[name] === undefined) list.push(`${head}.  No limit is specified`)
    else if (less(max, limits[name])) list.push(`${head}, but limit is ${limits[name]}`)
    if (less(max, requests[name])) list.push(`${head}, but request is ${requests[name]}`)
  }
  for (const [name, ratio] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    const problem = ratioProblem(name, item.type, ratio, requests[name], limits[name])
    if (problem) list.push(problem)
  }
  return list
}

function ratioProblem(name: string, type: string, ratio: string, request: string | undefined, limit: string | undefined): string | undefined {
  const head = `${name} max limit to request ratio per ${type} is ${ratio}, but`
  const milli = (text: string | undefined) => (text === undefined ? 0n : parseQuantity(text).milliValue())
  const requested = milli(request)
  const limited = milli(limit)
  if (requested === 0n) return `${head} no request is specified or request is 0`
  if (limited === 0n) return `${head} no limit is specified or limit is 0`
  const observed = Number(limited) / Number(requested)
  return observed > Number(milli(ratio)) / 1000 ? `${head} provided ratio is ${observed.toFixed(6)}` : undefined
}
