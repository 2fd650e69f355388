/** Requested resources as numbers: CPU in thousandths, everything else in units. */
import type { core } from '../api/index.ts'
import { parseQuantity } from '../machinery/quantity.ts'

export interface Resources {
  readonly milliCpu: number
  readonly memory: number
  readonly ephemeralStorage: number
  /** Extended resources, huge pages and whatever else, by name. */
  readonly scalar: ReadonlyMap<string, number>
}

type Amounts = Readonly<Record<string, string>>
/** Amounts by resource name; `cpu` in thousandths. */
type Numbers = Readonly<Record<string, number>>

const parsed = new Map<string, number>()

/** A quantity as a number: thousandths of CPU, whole units of anything else. */
export function amount(name: string, text: string): number {
  const id = name === 'cpu' ? `m${text}` : text
  const known = parsed.get(id)
  if (known !== undefined) return known
  const quantity = parseQuantity(text)
  const value = Number(name === 'cpu' ? quantity.milliValue() : quantity.value())
  if (parsed.size > 4096) parsed.clear()
  parsed.set(id, value)
  return value
}

const numbers = (amounts: Amounts | undefined): Numbers => Object.fromEntries(Object.entries(amounts ?? {}).map(([name, text]) => [name, amount(name, text)]))

function combined(a: Numbers, b: Numbers, how: (x: number, y: number) => number): Numbers {
  const out: Record<string, number> = { ...a }
  for (const [name, value] of Object.entries(b)) out[name] = how(out[name] ?? 0, value)
  return out
}
const sum = (a: Numbers, b: Numbers) => combined(a, b, (x, y) => x + y)
const most = (a: Numbers, b: Numbers) => combined(a, b, Math.max)

/** Amounts by name as `Resources`; what is missing is 0. */
export function resourcesOf(all: Numbers): Resources {
  const { cpu = 0, memory = 0, 'ephemeral-storage': ephemeralStorage = 0, ...rest } = all
  return { milliCpu: cpu, memory, ephemeralStorage, scalar: new Map(Object.entries(rest)) }
}

/** A node's allocatable resources and pods. */
export function allocatableOf(node: core.Node): { readonly resources: Resources; readonly pods: number } {
  const { pods = 0, ...rest } = numbers(node.status.allocatable)
  return { resources: resourcesOf(rest), pods }
}

type Request = (container: core.Container) => Numbers

/** Containers run together; sidecars run beside them and beside the init containers that follow; the rest of the init containers run one by one. */
function podSum(spec: core.PodSpec, request: Request): Numbers {
  let running: Numbers = {}
  for (const container of spec.containers) running = sum(running, request(container))
  let sidecars: Numbers = {}
  let starting: Numbers = {}
  for (const container of spec.initContainers ?? []) {
    const own = request(container)
    if (container.restartPolicy === 'Always') {
      running = sum(running, own)
      sidecars = sum(sidecars, own)
      starting = most(starting, sidecars)
    } else starting = most(starting, sum(own, sidecars))
  }
  return most(running, starting)
}

const podLevel = (name: string) => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/** While a pod is being resized it counts for the larger of what it has and what it wants. */
function held(pod: core.Pod): Request {
  const statuses = new Map([...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].map((s) => [s.name, s]))
  const infeasible = (pod.status.conditions ?? []).some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible')
  return (container) => {
    const wanted = numbers(container.resources?.requests)
    const status = statuses.get(container.name)
    if (!status) return wanted
    const has = most(numbers(status.resources?.requests), numbers(status.allocatedResources))
    return infeasible && Object.keys(has).length ? has : most(wanted, has)
  }
}

/** What the scheduler reserves for a pod: the largest sum of requests at any time of its life, plus the overhead of its runtime class. */
export function podRequests(pod: core.Pod): Resources {
  const { spec } = pod
  let total = podSum(spec, held(pod))
  const own = Object.entries(numbers(spec.resources?.requests)).filter(([name]) => podLevel(name))
  if (own.length) total = { ...total, ...Object.fromEntries(own) }
  return resourcesOf(sum(total, numbers(spec.overhead)))
}

/** What containers without requests count for when nodes are compared, so that they spread out, too. */
const assumed = { cpu: 100, memory: 200 * 1024 * 1024 }

/** Requests for scoring: every container counts for some CPU and memory. */
export function scoringRequests(pod: core.Pod): { readonly milliCpu: number; readonly memory: number } {
  const request = held(pod)
  const own = numbers(pod.spec.resources?.requests)
  const total = sum({ ...podSum(pod.spec, (c) => ({ ...assumed, ...request(c) })), ...own }, numbers(pod.spec.overhead))
  return { milliCpu: total['cpu'] ?? 0, memory: total['memory'] ?? 0 }
}
