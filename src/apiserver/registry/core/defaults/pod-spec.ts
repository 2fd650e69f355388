/** Defaults of pod specs: those every spec gets, and those only a pod itself gets (a template keeps what was written). */
import type { core } from '../../../../api/index.ts'
import { deepFreeze } from '../../../../machinery/meta.ts'
import { changed, each, mapped, orDefault, within } from '../../defaulting.ts'
import { containerAmounts } from '../container-amounts.ts'
import { containerDefaults, hostPorts, requestsFromLimits } from './containers.ts'
import { volumeDefaults } from './volumes.ts'

/** Defaults of the spec of a pod or of a pod template. */
function podSpecDefaults(spec: core.PodSpec): core.PodSpec {
  return changed(serviceAccountAlias(spec), {
    restartPolicy: spec.restartPolicy ?? 'Always',
    dnsPolicy: spec.dnsPolicy ?? 'ClusterFirst',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    schedulerName: spec.schedulerName ?? 'default-scheduler',
    securityContext: spec.securityContext ?? noContext,
    containers: mapped(spec.containers, containerDefaults),
    initContainers: mapped(spec.initContainers, containerDefaults),
    ephemeralContainers: mapped(spec.ephemeralContainers, containerDefaults),
    volumes: mapped(spec.volumes, volumeDefaults),
  })
}

const noContext: core.PodSecurityContext = deepFreeze({})

/** `serviceAccount` is the old name of `serviceAccountName`; the two always say the same, the new one wins. */
export function serviceAccountAlias(spec: core.PodSpec): core.PodSpec {
  const name = spec.serviceAccountName ?? spec.serviceAccount
  if (name === undefined || (spec.serviceAccountName === name && spec.serviceAccount === name)) return spec
  return { ...spec, serviceAccountName: name, serviceAccount: name }
}

/** Defaults of a pod. */
export function podDefaults(pod: core.Pod): core.Pod {
  return within(pod, 'spec', (spec) => {
    let next = orDefault(podSpecDefaults(spec), { enableServiceLinks: true })
    next = each(next, 'containers', withRequests)
    next = each(next, 'initContainers', withRequests)
    next = podRequests(next)
    if (!next.hostNetwork) return next
    return each(each(next, 'containers', hostPorts), 'initContainers', hostPorts)
  })
}

/**
 * A pod that has amounts of its own requests what its containers request together, or else what it is limited to. Huge pages cannot be
 * overcommitted: of those it is limited to what its containers are, unless it requests them itself.
 */
function podRequests(spec: core.PodSpec): core.PodSpec {
  return within(spec, 'resources', (resources) => {
    if (!resources.limits && !resources.requests) return resources
    const pages = missing(spec, 'limits', (name) => name.startsWith('hugepages-') && resources.limits?.[name] === undefined && resources.requests?.[name] === undefined)
    const limited = pages ? { ...resources, limits: { ...resources.limits, ...pages } } : resources
    const sums = missing(spec, 'requests', (name) => (name === 'cpu' || name === 'memory') && resources.requests?.[name] === undefined)
    return requestsFromLimits(sums ? { ...limited, requests: { ...limited.requests, ...sums } } : limited)
  })
}

/** What the containers ask for together of the resources that are `wanted`; undefined when that is nothing. */
function missing(spec: core.PodSpec, kind: 'limits' | 'requests', wanted: (name: string) => boolean): Readonly<Record<string, string>> | undefined {
  const found = [...containerAmounts(spec, kind)].filter(([name]) => wanted(name)).map(([name, quantity]) => [name, quantity.toString()] as const)
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

const withRequests = (container: core.Container): core.Container => within(container, 'resources', requestsFromLimits)

/** Defaults of the template of a workload. */
export const podTemplateDefaults = (template: core.PodTemplateSpec): core.PodTemplateSpec => within(template, 'spec', podSpecDefaults)
