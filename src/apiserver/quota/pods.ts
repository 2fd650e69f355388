/** What pods use: what they ask for, and what their nodes still hold for them. */
import type { core } from '../../api/index.ts'
import type { Quantity } from '../../machinery/quantity.ts'
import { isExtended } from '../registry/core/validation/resources.ts'
import { amountsOf, largest, one, sum, zero, type Amounts } from './amounts.ts'

type Kind = 'requests' | 'limits'
const kinds = ['requests', 'limits'] as const
const ofPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')
const alsoUnprefixed = (name: string): boolean => ofPodLevel(name) || name === 'ephemeral-storage'
const implicitDevices = 'deviceclass.resource.kubernetes.io/'

/** By pod, which never changes once it is read: every writer in a namespace with a quota asks about all pods that are there. */
const usages = new WeakMap<core.Pod, Amounts>()

/** Everything that a pod uses of a quota; `now` in milliseconds. */
export function podUsage(pod: core.Pod, now: number): Amounts {
  // Of one that is on its way out it depends on the time.
  if (pod.metadata.deletionTimestamp !== undefined) return usageAt(pod, now)
  let usage = usages.get(pod)
  if (!usage) usages.set(pod, (usage = usageAt(pod, now)))
  return usage
}

function usageAt(pod: core.Pod, now: number): Amounts {
  const usage = new Map<string, Quantity>([['count/pods', one]])
  // What has ended uses nothing any more; its object is still counted.
  if (hasEnded(pod, now)) return usage
  usage.set('pods', one)
  for (const [name, value] of podResources(pod, 'requests')) {
    if (alsoUnprefixed(name)) usage.set(name, value)
    if (alsoUnprefixed(name) || isExtended(name) || name.startsWith(implicitDevices)) usage.set(`requests.${name}`, value)
  }
  for (const [name, value] of podResources(pod, 'limits')) if (['cpu', 'memory', 'ephemeral-storage'].includes(name)) usage.set(`limits.${name}`, value)
  return usage
}

/** A pod that should have been gone for longer than it had time to go is on a lost node: nobody is to wait for that. */
function hasEnded({ metadata, status }: core.Pod, now: number): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return true
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds !== undefined && now > Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

/** The amounts of a container that counts while others run: a container of the pod, or a sidecar. */
type Held = (container: core.Container, kind: Kind) => Amounts

/** What the containers of a pod ask for together: they add up, with the sidecars; init containers run one at a time beside the sidecars before them. What the pod says as a whole counts instead. */
export function podAmounts(spec: core.PodSpec, kind: Kind, held: Held = (c) => amountsOf(c.resources[kind])): Amounts {
  let running = sum(spec.containers.map((c) => held(c, kind)))
  let starting: Amounts = new Map()
  let sidecars: Amounts = new Map()
  for (const c of spec.initContainers ?? []) {
    if (c.restartPolicy === 'Always') {
      const own = held(c, kind)
      running = sum([running, own])
      sidecars = sum([sidecars, own])
      starting = largest(starting, sidecars)
    } else {
      starting = largest(starting, sum([sidecars, amountsOf(c.resources[kind])]))
    }
  }
  return new Map([...largest(running, starting), ...amountsOf(spec.resources?.[kind])])
}

interface Resources { readonly requests?: Readonly<Record<string, string>> | undefined; readonly limits?: Readonly<Record<string, string>> | undefined }

/**
 * The same as the node has it: until a pod that was made smaller is smaller, it uses what it had. What the node has said that it cannot give
 * is not used. The overhead comes on top.
 */
function podResources({ spec, status }: core.Pod, kind: Kind): Amounts {
  const infeasible = isInfeasible(status)
  const known = new Map([...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((s) => [s.name, s]))
  const effective = (wanted: Resources, actual: Resources, allocated: Readonly<Record<string, string>> | undefined): Amounts =>
    [infeasible ? undefined : wanted[kind], actual[kind], kind === 'requests' ? allocated : undefined].map(amountsOf).reduce(largest)
  const whole = new Map(podAmounts(spec, kind, (container) => {
    const seen = known.get(container.name)
    return seen?.resources ? effective(container.resources, seen.resources, seen.allocatedResources) : amountsOf(container.resources[kind])
  }))
  if (status?.resources) {
    const actual = effective(spec.resources ?? {}, status.resources, status.allocatedResources)
    for (const name of Object.keys(spec.resources?.[kind] ?? {})) whole.set(name, actual.get(name) ?? zero)
  }
  for (const [name, more] of amountsOf(spec.overhead)) {
    const own = whole.get(name)
    if (kind === 'requests' || (own && !own.isZero())) whole.set(name, (own ?? zero).add(more))
  }
  return whole
}

const isInfeasible = (status: core.PodStatus | undefined): boolean => (status?.conditions ?? []).some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible')

/** The pod without what its node said of an earlier wish: a new one may be feasible. */
export const asWished = (pod: core.Pod): core.Pod =>
  (isInfeasible(pod.status) ? { ...pod, status: { ...pod.status, conditions: (pod.status.conditions ?? []).filter(({ type }) => type !== 'PodResizePending') } } : pod)

/** Whether the pod ends by itself: what `Terminating` and `NotTerminating` are about. It may start to while it runs. */
export const isTerminating = ({ spec }: core.Pod): boolean => spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0

const mustBeSaid = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/**
 * What a quota counts and a pod's containers do not say: `limits.cpu for: a; requests.memory for: a,b`. Empty when all is said.
 * A quota on an amount means that every container says the amount, or the pod says something as a whole.
 */
export function unsaid({ spec }: core.Pod, limited: Iterable<string>): string {
  if (kinds.some((kind) => Object.keys(spec.resources?.[kind] ?? {}).some(ofPodLevel))) return ''
  const missing = [...limited].filter((name) => mustBeSaid.has(name)).toSorted().map((name) => {
    const [kind, amount] = name.includes('.') ? (name.split('.') as [Kind, string]) : (['requests', name] as const)
    const silent = [...spec.containers, ...(spec.initContainers ?? [])].filter((c) => c.resources[kind]?.[amount] === undefined).map((c) => c.name)
    return silent.length === 0 ? '' : `${name} for: ${silent.toSorted().join(',')}`
  })
  return missing.filter(Boolean).join('; ')
}
