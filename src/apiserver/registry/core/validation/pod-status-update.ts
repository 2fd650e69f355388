/** What the status of a pod may say, and how it may change. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Subdomain, ipAddress, qualifiedName } from '../../../../machinery/names.ts'
import { follows, forEach, ifThere, unchanged, within } from '../../checks.ts'
import { annotationUpdate, podAnnotations } from './annotations.ts'

const maxId = 2147483647
const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized', 'ContainersReady'])
const statusLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const

/** Everything about an update of the status. Whoever may write it may write annotations, too: not those that say what the pod is. */
export function podStatusUpdate(next: core.Pod, current: core.Pod, root: Place): void {
  const at = root.at('status')
  const annotations = root.at('metadata').at('annotations')
  annotationUpdate(annotations, next.metadata.annotations, current.metadata.annotations)
  if (next.metadata.annotations) podAnnotations(annotations, next.metadata.annotations, next.spec)
  for (const [i, { type }] of (next.status.conditions ?? []).entries()) {
    if (!systemConditions.has(type)) follows(root.at('metadata').at('conditions').index(i).at('Type'), type, qualifiedName)
  }
  const nominated = next.status.nominatedNodeName
  if (nominated && nominated !== current.status.nominatedNodeName) follows(at.at('nominatedNodeName'), nominated, dns1123Subdomain)
  unchanged(at.at('qosClass'), next.status.qosClass ?? current.status.qosClass, current.status.qosClass ?? next.status.qosClass)
  transitions(at, next, current)
  claimStatuses(at.at('resourceClaimStatuses'), next)
  addresses(at, next.status)
  for (const name of statusLists) users(at.at(name), next.status[name], next.spec.os?.name)
  devices(at.at('containerStatuses'), next.status.containerStatuses, next.spec.containers)
  devices(at.at('initContainerStatuses'), next.status.initContainerStatuses, next.spec.initContainers ?? [])
  forEach(at.at('ephemeralContainerStatuses'), next.status.ephemeralContainerStatuses, (status, place) => {
    if (status.allocatedResourcesStatus?.length) place.at('allocatedResourcesStatus').forbidden('must not be specified in container status')
  })
}

const restartsAll = (container: core.Container): boolean => container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') ?? false

/** Whether a container that ended may run again. */
function mayRestart(spec: core.PodSpec, container: core.Container | undefined, exitCode: number): boolean {
  if (container?.restartPolicyRules?.length) return true
  const policy = container?.restartPolicy ?? spec.restartPolicy
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

/** Containers that are not to restart do not come back to life; ephemeral ones never do. */
function transitions(at: Place, next: core.Pod, { spec, status: before }: core.Pod): void {
  const all = [...spec.containers, ...(spec.initContainers ?? [])]
  const anyMay = spec.restartPolicy === 'Always' || all.some(restartsAll)
  for (const name of statusLists) {
    const ephemeral = name === 'ephemeralContainerStatuses'
    if (anyMay && !ephemeral) continue
    const specs = name === 'containerStatuses' ? spec.containers : (spec.initContainers ?? [])
    for (const [i, old] of (before[name] ?? []).entries()) {
      const ended = old.state.terminated
      if (!ended || (!ephemeral && mayRestart(spec, specs.find((c) => c.name === old.name), ended.exitCode))) continue
      for (const status of next.status[name] ?? []) {
        if (status.name === old.name && !status.state.terminated) at.at(name).index(i).at('state').forbidden('may not be transitioned to non-terminated state')
      }
    }
  }
}

/** Each is of a claim that the pod has, and there once. */
function claimStatuses(at: Place, { spec, status }: core.Pod): void {
  const known = new Set((spec.resourceClaims ?? []).map((claim) => claim.name))
  const seen = new Set<string>()
  forEach(at, status.resourceClaimStatuses, ({ name, resourceClaimName }, place) => {
    if (!known.has(name)) place.at('name').invalid(name, 'must match the name of an entry in `spec.resourceClaims`')
    if (seen.has(name)) place.at('name').duplicate(name)
    seen.add(name)
    if (resourceClaimName !== undefined) follows(place.at('name'), resourceClaimName, dns1123Subdomain)
  })
}

/** One address of each family; the first of the host's is the one that old clients read. */
function addresses(at: Place, status: core.PodStatus): void {
  const first = status.hostIPs?.[0]
  if (first && first.ip !== status.hostIP) at.at('hostIPs').index(0).at('ip').invalid(first.ip ?? '', 'must be equal to `hostIP`')
  for (const name of ['podIPs', 'hostIPs'] as const) {
    const list = (status[name] ?? []).map(({ ip = '' }) => ip)
    for (const [i, ip] of list.entries()) follows(at.at(name).index(i), ip, ipAddress)
    if (list.length < 2) continue
    const families = new Set(list.map((ip) => ip.includes(':')))
    if (list.length > 2 || families.size < 2) at.at(name).invalid(status[name], 'may specify no more than one IP for each IP family')
    for (const [i, ip] of list.entries()) if (list.indexOf(ip) < i) at.at(name).index(i).duplicate({ ip })
  }
}

/** The users that containers run as. */
function users(at: Place, list: readonly core.ContainerStatus[] | undefined, system = 'linux'): void {
  forEach(at, list, ({ user }, item) => {
    const place = item.at('linux')
    if (!user?.linux) return
    if (system === 'windows') return place.forbidden('cannot be set for a windows pod')
    within(place.at('uid'), user.linux.uid, 0, maxId)
    within(place.at('gid'), user.linux.gid, 0, maxId)
    forEach(place.at('supplementalGroups'), user.linux.supplementalGroups, (group, here) => within(here, group, 0, maxId))
  })
}

const healths = ['Healthy', 'Unhealthy', 'Unknown']
const notClaimed = "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
const notRequested = "must match one of the container's resource requests"

/** The health of devices that containers asked for. */
function devices(at: Place, list: readonly core.ContainerStatus[] | undefined, containers: readonly core.Container[]): void {
  forEach(at, list, (status, item) => {
    const container = containers.find((c) => c.name === status.name)
    forEach(item.at('allocatedResourcesStatus'), status.allocatedResourcesStatus, ({ name, resources }, place) => {
      const claimed = name.startsWith('claim:')
      const { claims = [], requests = {} } = container?.resources ?? {}
      const asked = claimed ? claims.some((claim) => `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}` === name) : Object.hasOwn(requests, name)
      if (container && !asked) place.at('name').invalid(name, claimed ? notClaimed : notRequested)
      const ids = new Set<string>()
      forEach(place.at('resources'), resources, ({ resourceID, health }, here) => {
        ifThere(here.at('health'), health ?? '', healths)
        if (ids.has(resourceID)) here.at('resourceID').duplicate(resourceID)
        ids.add(resourceID)
      })
    })
  })
}
