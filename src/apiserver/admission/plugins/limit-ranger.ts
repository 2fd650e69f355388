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
  const isClaim = (a: AdmissionAttributes) => a.resource.groupResource === claims && a.subresource === '' && (a.operation === 'CREATE' || a.operation === 'UPDATE')

  /** A pod that grows while it runs stays within the same bounds. */
  const isResize = (a: AdmissionAttributes) => a.operation === 'UPDATE' && a.resource.groupResource === 'pods' && a.subresource === 'resize'

  return {
    name: 'LimitRanger',
    // What is on its way out only loses its finalizers.
    handles: (a) => (createsPod(a) || isResize(a) || isClaim(a)) && a.old?.metadata.deletionTimestamp === undefined && ranges.list(a.namespace).length > 0,
    mutate: (a) => (isClaim(a) ? (a.object as NonNullable<typeof a.object>) : ranges.list(a.namespace).reduce(withDefaults, podOf(a))),
    validate(a) {
      for (const range of ranges.list(a.namespace)) {
        const items = range.spec.limits as readonly core.LimitRangeItem[]
        const problems = [...new Set(items.flatMap((item) => (isClaim(a) ? claimProblems(a.object as unknown as core.PersistentVolumeClaim, item) : podProblems(podOf(a), item))))]
        if (problems.length > 0) throw refused(a, problems.length === 1 ? (problems[0] as string) : `[${problems.join(', ')}]`)
      }
    },
  }
}

/** What one range says where containers say nothing. Of several ranges the first one that says something counts. */
function withDefaults(pod: core.Pod, range: core.LimitRange): core.Pod {
  const items = (range.spec.limits as readonly core.LimitRangeItem[]).filter((i) => i.type === 'Container')
  const requests = Object.assign({}, ...items.map((i) => i.defaultRequest ?? {})) as Amounts
  const limits = Object.assign({}, ...items.map((i) => i.default ?? {})) as Amounts
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

/** Of claims only what they request is looked at. */
function claimProblems({ spec }: core.PersistentVolumeClaim, item: core.LimitRangeItem): readonly string[] {
  if (item.type !== 'PersistentVolumeClaim') return []
  const requests = spec.resources.requests ?? {}
  return [
    ...tooLittle(item, { requests, limits: {} }),
    ...Object.entries(item.max ?? {}).flatMap(([name, max]) => {
      const head = `maximum ${name} usage per ${item.type} is ${max}`
      if (requests[name] === undefined) return [`${head}.  No request is specified`]
      return less(max, requests[name]) ? [`${head}, but request is ${requests[name]}`] : []
    }),
  ]
}

const less = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && parseQuantity(a).compare(parseQuantity(b)) < 0

/** Of each amount the first thing that is wrong. */
const problems = (item: core.LimitRangeItem, resources: Resources): readonly string[] => [...tooLittle(item, resources), ...tooMuch(item, resources), ...outOfRatio(item, resources)]

const tooLittle = (item: core.LimitRangeItem, { requests, limits }: Resources): readonly string[] => Object.entries(item.min ?? {}).flatMap(([name, min]) => {
  const head = `minimum ${name} usage per ${item.type} is ${min}`
  if (requests[name] === undefined) return [`${head}.  No request is specified`]
  if (less(requests[name], min)) return [`${head}, but request is ${requests[name]}`]
  return less(limits[name], min) ? [`${head}, but limit is ${limits[name]}`] : []
})

const tooMuch = (item: core.LimitRangeItem, { requests, limits }: Resources): readonly string[] => Object.entries(item.max ?? {}).flatMap(([name, max]) => {
  const head = `maximum ${name} usage per ${item.type} is ${max}`
  if (limits[name] === undefined) return [`${head}.  No limit is specified`]
  if (less(max, limits[name])) return [`${head}, but limit is ${limits[name]}`]
  return less(max, requests[name]) ? [`${head}, but request is ${requests[name]}`] : []
})

const outOfRatio = (item: core.LimitRangeItem, { requests, limits }: Resources): readonly string[] => Object.entries(item.maxLimitRequestRatio ?? {}).flatMap(([name, ratio]) => {
  const problem = ratioProblem(name, item.type, ratio, requests[name], limits[name])
  return problem === undefined ? [] : [problem]
})

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
